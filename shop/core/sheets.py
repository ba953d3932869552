"""Spreadsheets that somebody sent: XLSX, or CSV as spreadsheet programs write it; and finding columns by their headers.

An XLSX file is read by a process of its own (``shop.core.sheet_reader``), because a crafted one ends it.
"""

import csv
import io
import json
import subprocess
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from shop.core import sheet_reader
from shop.core.errors import Fault, Invalid
from shop.core.sheet_reader import FORMULA_FOUND, MAX_COLUMNS, MAX_ROWS, SECONDS

#: UTF-8 with or without a byte order mark, and what Chinese spreadsheet programs write.
_ENCODINGS = ("utf-8-sig", "gb18030")


class UnreadableSpreadsheet(Invalid):
    """No spreadsheet, a broken one, one without the columns, or one that takes more memory or time than any honest one."""

    code = "unreadable_spreadsheet"
    zh = "无法读取该表格，请使用 XLSX 或 CSV 模板"
    en = "The file cannot be read; use the XLSX or CSV template"


class FormulasFound(Invalid):
    code = "formulas_not_accepted"
    zh = "表格不能含公式，请粘贴为数值"
    en = "The spreadsheet must not hold formulas; paste values instead"


class TooManyRows(Invalid):
    code = "too_many_rows"
    zh = "表格超过 {limit} 行，请分成几个文件"
    en = "The spreadsheet has more than {limit} rows; make several files of it"


def rows(content: bytes, *, formulas: bool = True) -> list[list[str]]:
    """The cells of the first sheet as text, from its first row on; at most ``MAX_ROWS``. ``formulas``: whether cells may hold formulas, which
    count as what they last showed.

    Raises:
        UnreadableSpreadsheet, FormulasFound: see there (422).
    """
    found: list[list[str]] = (
        _xlsx(content, *([] if formulas else ["strict"])) if content[:2] == b"PK" else _csv(content, formulas=formulas)
    )
    if not found:
        raise UnreadableSpreadsheet
    return found


def book(content: bytes) -> dict[str, list[list[str]]]:
    """The cells of every visible sheet by its name, as :func:`rows` gives them; CSV is one sheet without a name.

    Raises:
        UnreadableSpreadsheet: see there (422).
    """
    if content[:2] != b"PK":
        return {"": rows(content)}
    found: dict[str, list[list[str]]] = _xlsx(content, "all")
    if not any(found.values()):
        raise UnreadableSpreadsheet
    return found


def _xlsx(content: bytes, *options: str) -> Any:
    return read_apart(Path(sheet_reader.__file__), content, *options)


def read_apart(reader: Path, content: bytes, *options: str) -> Any:
    """What a reader makes of a file, in a process of its own with little memory and time: a program like ``sheet_reader`` that answers in JSON.

    Raises:
        FormulasFound, UnreadableSpreadsheet: see there (422).
    """
    command = [sys.executable, "-I", str(reader), *options]
    try:
        done = subprocess.run(command, input=content, capture_output=True, timeout=SECONDS + 1, check=True)  # noqa: S603
        return json.loads(done.stdout)
    except subprocess.CalledProcessError as error:
        # the cause is dropped: it holds what the reader printed
        raise (FormulasFound if error.returncode == FORMULA_FOUND else UnreadableSpreadsheet) from None
    except (subprocess.TimeoutExpired, ValueError):
        raise UnreadableSpreadsheet from None


def _csv(content: bytes, *, formulas: bool) -> list[list[str]]:
    for encoding in _ENCODINGS:
        try:
            decoded = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" in decoded:
            break
        try:
            lines = csv.reader(io.StringIO(decoded, newline=""))
            found = [line[:MAX_COLUMNS] for _, line in zip(range(MAX_ROWS), lines, strict=False)]
        except csv.Error:
            break
        if not formulas and any(cell.lstrip().startswith("=") for line in found for cell in line):
            raise FormulasFound
        return found
    raise UnreadableSpreadsheet


def columns(header: Sequence[str], titles: Mapping[str, Sequence[str]], required: Sequence[str]) -> dict[str, int | None]:
    """Where each column stands; ``titles`` are the headers accepted for it, its own first. Width, case and a marking asterisk do not count.

    Raises:
        UnreadableSpreadsheet: required columns are missing, or stand there twice; ``errors`` names them (422).
    """
    given = [_title(cell) for cell in header]
    found: dict[str, int | None] = {}
    faults = []
    for name, accepted in titles.items():
        places = [place for place, title in enumerate(given) if title in {_title(each) for each in accepted}]
        found[name] = places[0] if places else None
        if not places and name in required:
            faults.append(fault(1, accepted[0], "column_missing", f"缺少列：{accepted[0]}", f"column {accepted[-1]} is missing"))
        if len(places) > 1:
            faults.append(
                fault(1, accepted[0], "column_twice", f"列重复：{accepted[0]}", f"column {accepted[-1]} stands there twice")
            )
    if faults:
        raise UnreadableSpreadsheet(faults=faults)
    return found


def texts(cells: Sequence[str], places: Mapping[str, int | None]) -> dict[str, str]:
    """The cells of one row by the columns' names; what is not there is empty."""
    return {name: cells[at].strip() if at is not None and at < len(cells) else "" for name, at in places.items()}


def fault(row: int, column: str, code: str, zh: str, en: str) -> Fault:
    """A fault of one cell. ``row`` counts from 1 with the header, as a spreadsheet program shows it."""
    return Fault(f"row[{row}].{column}", code, f"第 {row} 行：{zh}", f"Row {row}: {en}", {"row": row, "column": column})


def _title(cell: str) -> str:
    return unicodedata.normalize("NFKC", cell).strip().rstrip("*").strip().lower()
