"""Tables as files, and what stands in those that are answered."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import xlsxwriter

from shop.core import workbooks


def rows(content: bytes) -> list[list[str]]:
    """The cells of the first sheet of a file."""
    return next(iter(workbooks.book(content).values())).rows


def book(content: bytes) -> dict[str, list[list[str]]]:
    """The cells of every sheet."""
    return {name: sheet.rows for name, sheet in workbooks.book(content).items()}


def workbook(sheets: Mapping[str, Sequence[Sequence[Any]]]) -> bytes:
    """A workbook with these sheets; a cell that is a pair is a value with the format of its number."""
    held = io.BytesIO()
    with xlsxwriter.Workbook(held) as made:
        formats: dict[str, Any] = {}
        for name, lines in sheets.items():
            sheet = made.add_worksheet(name)
            for row, cells in enumerate(lines):
                for column, cell in enumerate(cells):
                    if isinstance(cell, tuple):
                        value, code = cell
                        sheet.write(row, column, value, formats.setdefault(code, made.add_format({"num_format": code})))
                    else:
                        sheet.write(row, column, cell)
    return held.getvalue()
