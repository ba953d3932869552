"""Spreadsheets that somebody sent: XLSX, the older XLS, or text with commas or tabs as spreadsheet programs and banks write it; and finding
columns by their headers. What a file is is told by its content: what banks call .xls is most often text with tabs, or a web page.

A workbook is read by a process of its own (``shop.core.sheet_reader``), because a crafted one ends it.
"""

import csv
import json
import re
import subprocess
import sys
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from shop.core import delimited, headings, sheet_reader, uploads
from shop.core.delimited import BEGINNING, UTF_16
from shop.core.errors import BadValue, Fault, Invalid
from shop.core.quantities import NoNumber, in_one_line, plausible
from shop.core.sheet_reader import MAX_ROWS, SECONDS, UNSHOWN

_XLSX, _XLS = b"PK", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
#: How a table begins that was saved as a web page, or as XML of Excel 2003.
_MARKUP = re.compile(
    r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*"
    r"<(?:!doctype\s+html|html|head|body|meta|style|script|div|center|form|table|\?mso-application|workbook)\b",
    re.IGNORECASE | re.DOTALL,
)
#: How pictures and PDF begin.
_NO_TABLE = (b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF")
#: A day as people write it, with a time behind it or without.
_DAY = re.compile(r"(\d{4})(?:[-/.](\d{1,2})[-/.](\d{1,2})|年(\d{1,2})月(\d{1,2})日|(\d{2})(\d{2}))(?:[ T].*)?", re.ASCII)
_NO_DAY = ("须为日期，如 2026-01-31（单元格请设为日期或文本格式）", "write a day as 2026-01-31, in a cell of dates or text")
_NUMBER = re.compile(r"-?(?:[1-9][0-9]{0,2}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?")
#: A number that a cell of numbers cannot hold to its last digit, as the reader and a spreadsheet program that writes text tell it.
_TOO_LONG = re.compile(r"-?[0-9](?:\.[0-9]+)?[eE]\+[0-9]{2,3}")


class UnreadableSpreadsheet(Invalid):
    """No spreadsheet, a broken one, one without the columns, or one that takes more memory or time than any honest one."""

    code = "unreadable_spreadsheet"
    zh = "无法读取该表格，请使用 XLSX 或 CSV 模板"
    en = "The file cannot be read; use the XLSX or CSV template"


class NoRows(Invalid):
    """An empty file, or one with nothing below its header."""

    code = "no_rows"
    zh = "文件是空的，或表头下没有数据行"
    en = "The file is empty, or has no rows below its header"


class NoSpreadsheet(Invalid):
    """A picture or a PDF, whatever its name ends with."""

    code = "no_spreadsheet"
    zh = "该文件是图片或 PDF，不是表格，请使用 XLSX 或 CSV 模板"
    en = "The file is a picture or a PDF and no spreadsheet; use the XLSX or CSV template"


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


#: A formula that shows nothing: its code, and what is said of it.
FORMULA = (
    "formulas_not_accepted",
    "公式没有可读取的结果，请粘贴为数值（或用表格软件打开并保存后再上传）",
    "the formula shows no value; paste a value instead (or open the file in a spreadsheet program, save it and send it again)",
)

#: A number whose last digits its cell did not keep, such as one of a document or an account: its code, and what is said of it.
LONG_NUMBER = (
    "number_too_long",
    "数字超过 15 位，数字格式的单元格已丢失末几位；请将此列设为文本格式后重新填写",
    "a cell of numbers keeps 15 digits, and this one has lost its last ones; format the column as text and type it again",
)


class TooManyRows(Invalid):
    code = "too_many_rows"
    zh = "表格超过 {limit} 行，请分成几个文件"
    en = "The spreadsheet has more than {limit} rows; make several files of it"


def rows(content: bytes) -> list[list[str]]:
    """The cells of the first visible sheet as text, from its first row on; at most ``MAX_ROWS``. Numbers have the digits that a spreadsheet program shows, and a
    power of ten where it cannot keep them all. Formulas count as what they last showed; what one begins with
    (:func:`is_formula`) stands where it shows nothing, and in any text.

    Raises:
        UnreadableSpreadsheet, MarkupTable, OldWorkbook: see there (422).
    """
    found = next(iter(_sheets(content).values()), [])
    if not found:
        raise UnreadableSpreadsheet
    return found


def _sheets(content: bytes, *options: str) -> dict[str, list[list[str]]]:
    """The cells of the first visible sheet by its name, or with ``all`` of every one; a text is one without a name."""
    if not is_workbook(content):
        return {"": _text(content)}
    found: dict[str, list[list[str]]] = _workbook(content, *options)
    return found


def book(content: bytes) -> dict[str, list[list[str]]]:
    """The cells of every visible sheet by its name, as :func:`rows` gives them; a text is one sheet without a name.

    Raises:
        UnreadableSpreadsheet, MarkupTable, OldWorkbook: see there (422).
    """
    found = _sheets(content, "all")
    if not any(found.values()):
        raise UnreadableSpreadsheet
    return found


def is_formula(cell: str) -> bool:
    """Whether a cell holds a formula and nothing that it shows."""
    return cell.lstrip().startswith(UNSHOWN)


def not_told(cell: str) -> tuple[str, str, str] | None:
    """Why nobody can tell what stands in a cell, whatever its column is: :data:`FORMULA`, :data:`LONG_NUMBER`, or None."""
    if is_formula(cell):
        return FORMULA
    return LONG_NUMBER if _TOO_LONG.fullmatch(cell.strip()) else None


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


def _workbook(content: bytes, *options: str) -> Any:
    try:
        return read_apart(Path(sheet_reader.__file__), content, *options)
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


#: As an answer names them.
IgnoredColumns = Annotated[list[str], Field(description="headers of columns that nobody reads")]


@dataclass(frozen=True, slots=True)
class Table:
    """The rows below a header that are not empty, by their numbers, each as :func:`texts` gives it; the headers of columns that nobody reads; and the
    cells of the others of which nobody can tell what stands there (:func:`not_told`), for the caller to tell with its other faults."""

    rows: list[tuple[int, dict[str, str]]]
    ignored: list[str]
    not_told: list[Fault]


def columns(
    header: Sequence[str], titles: Mapping[str, Sequence[str]], required: Sequence[str], sheet: str = ""
) -> tuple[dict[str, int | None], list[str]]:
    """Where each column stands, and the headers that are none, see :func:`shop.core.headings.places_of`. ``sheet``: whose header it is.

    Raises:
        UnreadableSpreadsheet: required columns are missing, stand there twice, or one is called much like a column that is not there; ``errors``
            names them (422).
    """
    places, ignored, wrong = headings.places_of(header, titles, required)
    if wrong:
        zh, en = (f"（工作表“{sheet}”）", f" (sheet {sheet})") if sheet else ("", "")
        raise UnreadableSpreadsheet(faults=[fault(1, each.column, each.code, each.zh + zh, each.en + en) for each in wrong])
    return places, ignored


def texts(cells: Sequence[str], places: Mapping[str, int | None]) -> dict[str, str]:
    """The cells of one row by the columns' names; what is not there is empty."""
    return {name: cells[at].strip() if at is not None and at < len(cells) else "" for name, at in places.items()}


def plain_code(cell: str) -> str:
    """A code in one width and without blanks."""
    return "".join(unicodedata.normalize("NFKC", cell).split())


def day_of(cell: str, wrong: tuple[str, str] = _NO_DAY) -> date:
    """The day that a cell tells: 2026-05-01, also with a time behind it, or written with slashes, dots, 年月日 or nothing between. ``wrong``: what is
    said of a cell that tells none, in Chinese and English.

    Raises:
        BadValue: it tells none; what a workbook counts its days by is no day that anybody could check.
    """
    found = _DAY.fullmatch(unicodedata.normalize("NFKC", cell).strip())
    try:
        if found is None:
            raise ValueError
        told = date(*(int(part) for part in found.groups() if part is not None))
    except ValueError:
        raise BadValue(*wrong) from None
    return plausible(told)


def figure(cell: str) -> str:
    """A figure as people write it, in any width and with commas between thousands, in plain digits; anything else as it is: of ``69,90`` and ``10²``
    nobody knows what is meant."""
    raised = any(unicodedata.category(character) == "No" for character in cell)
    written = (cell if raised else unicodedata.normalize("NFKC", cell)).strip()
    return written.replace(",", "") if _NUMBER.fullmatch(written) else written


def number(cell: str) -> Decimal:
    """The number that a cell tells, see :func:`figure`. Every importer reads its numbers by one of the two.

    Raises:
        BadValue: it tells none.
    """
    plain = figure(cell)
    if not _NUMBER.fullmatch(plain):
        raise BadValue(*NoNumber.in_cell)
    return Decimal(plain)


def one_of(words: Mapping[str, Any], told: Sequence[str]) -> Callable[[str], Any]:
    """Reads a cell that holds one of some words, codes among them; ``told`` are those that a refusal names."""

    def read(cell: str) -> Any:
        """Raises BadValue: it is none of them."""
        written = unicodedata.normalize("NFKC", cell).strip().lower()
        if written not in words:
            raise BadValue(f"须为 {'、'.join(told)} 之一", f"has to be one of {', '.join(told)}")
        return words[written]

    return read


def _sheet(content: bytes, titles: Mapping[str, Sequence[str]], required: Sequence[str]) -> tuple[str, list[list[str]]]:
    """The first visible sheet that has the needed headings, by its name; the first of all where none has them. One whose headings are a slip from being
    them is meant itself: behind it an older one may stand."""

    def meant(cells: list[list[str]]) -> bool:
        codes = {each.code for each in headings.places_of(cells[0], titles, required)[2]} if cells else {"column_missing"}
        return "column_missing" not in codes or "column_unclear" in codes

    first = next(iter(_sheets(content).items()), ("", []))
    if not is_workbook(content) or meant(first[1]):
        return first
    return next((each for each in _sheets(content, "all").items() if meant(each[1])), first)


def table(content: bytes, titles: Mapping[str, Sequence[str]], required: Sequence[str], most: int) -> Table:
    """What stands below the header, on the first visible sheet that has it; ``most`` rows may be sent.

    Raises:
        UnreadableSpreadsheet, NoSpreadsheet, NoRows, MarkupTable, OldWorkbook, TooManyRows: see there (422).
    """
    if content.startswith(_NO_TABLE):
        raise NoSpreadsheet
    if not content.strip():
        raise NoRows
    name, found = _sheet(content, titles, required)
    if not found:
        raise UnreadableSpreadsheet
    header, *body = found
    places, ignored = columns(header, titles, required, name)
    cells = [(number, texts(row, places)) for number, row in enumerate(body, start=2)]
    if not (filled := [(number, cell) for number, cell in cells if any(cell.values())]):
        raise NoRows
    # the first row that is too many, as a spreadsheet program counts them
    over = [number for number, _ in filled[most:]] + [MAX_ROWS] * (len(found) >= MAX_ROWS)
    if over:
        raise TooManyRows.at("file", row=over[0], limit=most)
    untold = [
        fault(number, titles[name][0], *why)
        for number, cell in filled
        for name, written in cell.items()
        if (why := not_told(written))
    ]
    return Table(filled, ignored, untold)


def fault_of(titles: Mapping[str, Sequence[str]], row: int, name: str, code: str, zh: str, en: str) -> Fault:
    """A fault of one cell that says the column's own header, too."""
    own, other = titles[name][0], titles[name][-1]
    return fault(row, own, code, f"“{own}”{zh}", f"{other}: {en}")


def unreadable(titles: Mapping[str, Sequence[str]], row: int, cells: Mapping[str, str]) -> list[Fault]:
    """The cells of a row whose text no request may hold either, see :func:`shop.core.quantities.in_one_line`."""
    found = []
    for name, written in cells.items():
        try:
            in_one_line(written)
        except BadValue as wrong:
            found.append(fault_of(titles, row, name, "bad_value", wrong.zh, str(wrong)))
    return found


def fault(row: int, column: str, code: str, zh: str, en: str) -> Fault:
    """A fault of one cell. ``row`` counts from 1 with the header, as a spreadsheet program shows it."""
    return Fault(f"row[{row}].{column}", code, f"第 {row} 行：{zh}", f"Row {row}: {en}", {"row": row, "column": column})


def besides(faults: Sequence[Fault], found: Iterable[Fault]) -> list[Fault]:
    """Faults of cells with what is found against the same rows besides: of a cell that cannot be read nothing more is told."""
    amiss = {each.field for each in faults}
    return [*faults, *(each for each in found if each.field not in amiss)]


def by_row(faults: Iterable[Fault]) -> list[Fault]:
    """Faults of cells as whoever mends them goes through the file, however they were found. Of a cell of which nobody can tell what stands there only
    that is told."""
    found, codes = list(faults), (FORMULA[0], LONG_NUMBER[0])
    untold = {each.field for each in found if each.code in codes}
    return sorted((each for each in found if each.code in codes or each.field not in untold), key=lambda each: each.data["row"])
