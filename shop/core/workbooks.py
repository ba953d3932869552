"""Files of tables that somebody sent: XLSX, the older XLS, or text with commas or tabs as spreadsheet programs and banks write it. What a file is is told by
its content: what banks call .xls is most often text with tabs, or a web page.

A workbook is read by a process of its own (``shop.core.sheet_reader``), because a crafted one ends it.
"""

import csv
import json
import re
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shop.core import cell_formats, delimited, sheet_reader, uploads
from shop.core.delimited import BEGINNING, UTF_16
from shop.core.errors import Invalid
from shop.core.sheet_reader import MAX_COLUMNS, SECONDS, UNSHOWN

_XLSX, _XLS = b"PK", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
#: How a table begins that was saved as a web page, or as XML of Excel 2003.
_MARKUP = re.compile(
    r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*"
    r"<(?:!doctype\s+html|html|head|body|meta|style|script|div|center|form|table|\?mso-application|workbook)\b",
    re.IGNORECASE | re.DOTALL,
)


class UnreadableSpreadsheet(Invalid):
    """No spreadsheet, a broken one, one without the columns, or one that takes more memory or time than any honest one."""

    code = "unreadable_spreadsheet"
    zh = "无法读取该表格，请使用 XLSX 或 CSV 模板"
    en = "The file cannot be read; use the XLSX or CSV template"


class MarkupTable(Invalid):
    """A table in HTML or XML, whatever its name ends with."""

    code = "markup_table"
    zh = "该文件实为网页或 XML 表格，请用表格软件打开后另存为 XLSX 再上传"
    en = "The file is a table in HTML or XML, no workbook: open it in a spreadsheet program, save it as XLSX and send that"


class OldWorkbook(Invalid):
    """A workbook of the kind before XLSX that cannot be read: it is broken or has a password."""

    code = "old_workbook"
    zh = "旧版 XLS 工作簿无法读取（损坏或有密码），请另存为 XLSX 再上传"
    en = "This XLS workbook cannot be read (broken, or with a password): save it as XLSX and send that"


#: What begins a cell of which nobody can tell what it shows; behind it stands its value.
UNCLEAR = "=?"


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: the cells as text, from its first row on, at most ``MAX_ROWS``, and the places of those that hold numbers, by the formats of these
    (``shop.core.sheet_reader``). Numbers have the digits that a spreadsheet program shows, and a power of ten where it cannot keep them all; percents
    and months are told as such. Formulas count as what they last showed; what one begins with stands where it shows nothing, and in any text."""

    rows: list[list[str]]
    formats: Mapping[str, Sequence[int]]

    def shown(self, texts: Collection[int | None], codes: Collection[int | None]) -> list[list[str]]:
        """The rows, with the cells of columns of texts as a spreadsheet program shows them: 42 as 000042 where its format is so. Of codes one that cannot
        be told so is :data:`UNCLEAR`; other texts keep its value."""
        found = [list(row) for row in self.rows] if self.formats else self.rows
        for code, row, column in _placed(found, self.formats):
            cell = found[row][column]
            # a formula without a value and a number that lost its last digits are told by themselves
            if not (column in texts or column in codes) or cell in ("", UNSHOWN) or "e+" in cell:
                continue
            if (told := cell_formats.shown(cell, code)) is not None:
                found[row][column] = told
            elif column in codes:
                found[row][column] = f"{UNCLEAR}{cell}"
        return found


def _placed(rows: Sequence[Sequence[str]], formats: Mapping[str, Sequence[int]]) -> Iterator[tuple[str, int, int]]:
    """The cells that have formats, each with its row and column from 0."""
    for code, places in formats.items():
        for place in places:
            row, column = divmod(place, MAX_COLUMNS)
            if row < len(rows) and column < len(rows[row]):
                yield code, row, column


def book(content: bytes) -> dict[str, Sheet]:
    """Every visible sheet by its name; a text is one without a name.

    Raises:
        UnreadableSpreadsheet, MarkupTable, OldWorkbook: see there (422).
    """
    told = _workbook(content) if is_workbook(content) else {"": {"rows": _text(content), "formats": {}}}
    found = {name: _sheet(**each) for name, each in told.items()}
    if not any(sheet.rows for sheet in found.values()):
        raise UnreadableSpreadsheet
    return found


def _sheet(rows: list[list[str]], formats: Mapping[str, Sequence[int]]) -> Sheet:
    for code, row, column in _placed(rows, formats):
        rows[row][column] = cell_formats.as_told(rows[row][column], code)
    return Sheet(rows, formats)


def is_workbook(content: bytes) -> bool:
    """Whether it is one of a spreadsheet program, and no text."""
    return content.startswith((_XLSX, _XLS))


def is_table_in_markup(beginning: str) -> bool:
    """Whether a text that begins so is a table in HTML, or in the XML of Excel 2003."""
    return _MARKUP.match(beginning[:BEGINNING]) is not None


def beginning(content: bytes) -> str:
    """How a text begins, whatever of it cannot be read."""
    encoding = "utf-16" if content.startswith(UTF_16) else "utf-8-sig"
    return content[:BEGINNING].decode(encoding, "replace").lstrip()


def kind(content: bytes) -> str:
    """The type under which a spreadsheet is kept."""
    return uploads.XLSX if content.startswith(_XLSX) else uploads.XLS if content.startswith(_XLS) else uploads.CSV


def _workbook(content: bytes) -> Any:
    try:
        return read_apart(Path(sheet_reader.__file__), content)
    except UnreadableSpreadsheet:
        if content.startswith(_XLS):
            raise OldWorkbook from None
        raise


def read_apart(reader: Path, content: bytes, *options: str) -> Any:
    """What a reader makes of a file, in a process of its own with little memory and time: a program like ``sheet_reader`` that answers in JSON.

    Raises:
        UnreadableSpreadsheet: see there (422).
    """
    command = [sys.executable, "-I", str(reader), *options]
    try:
        done = subprocess.run(command, input=content, capture_output=True, timeout=SECONDS + 1, check=True)  # noqa: S603
        return json.loads(done.stdout)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired, ValueError):
        # the cause is dropped: it holds what the reader printed
        raise UnreadableSpreadsheet from None


def _text(content: bytes) -> list[list[str]]:
    decoded = delimited.decoded(content)
    if decoded is None:
        raise UnreadableSpreadsheet
    if is_table_in_markup(decoded):
        raise MarkupTable
    try:
        return delimited.rows(decoded)
    except csv.Error:
        raise UnreadableSpreadsheet from None
