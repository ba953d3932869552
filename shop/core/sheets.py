"""Tables that somebody sent: finding columns by their headers, reading what cells say, and telling what is wrong with them. Files are read by
``shop.core.workbooks``.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import IntEnum
from typing import Annotated, Any

from fastapi import Form
from pydantic import Field

from shop.core import headings, workbooks
from shop.core.errors import BadValue, Fault, Invalid
from shop.core.quantities import NoNumber, in_one_line, plausible
from shop.core.sheet_reader import MAX_ROWS, UNSHOWN
from shop.core.workbooks import UNCLEAR, Sheet, UnreadableSpreadsheet

#: How pictures and PDF begin.
_NO_TABLE = (b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF")
#: A day as people write it, with a time behind it or without.
_DAY = re.compile(r"(\d{4})(?:[-/.](\d{1,2})[-/.](\d{1,2})|年(\d{1,2})月(\d{1,2})日|(\d{2})(\d{2}))(?:[ T].*)?", re.ASCII)
_NO_DAY = ("须为日期，如 2026-01-31（单元格请设为日期或文本格式）", "write a day as 2026-01-31, in a cell of dates or text")
_NUMBER = re.compile(r"-?(?:[1-9][0-9]{0,2}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?")
#: A number that a cell of numbers cannot hold to its last digit, as the reader and a spreadsheet program that writes text tell it.
_TOO_LONG = re.compile(r"-?[0-9](?:\.[0-9]+)?[eE]\+[0-9]{2,3}")


#: What cells show that came to an error.
_ERROR = re.compile(
    r"#(?:N/A|DIV/0!|VALUE!|REF!|NAME\?|NUM!|NULL!|SPILL!|CALC!|FIELD!|BLOCKED!|CONNECT!|UNKNOWN!|GETTING_DATA)", re.IGNORECASE
)


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


#: A code in a cell of numbers whose format shows it as nobody can tell: its code, and what is said of it.
UNCLEAR_FORMAT = (
    "cell_format_unclear",
    "此列须为编号，而单元格的数字格式所显示的内容无法准确识别；请将此列设为文本格式后重新填写",
    "a code is wanted, and the format of its number shows it as nobody can tell; format the column as text and type it again",
)

#: A cell that came to an error: its code, and what is said of it.
ERROR = (
    "cell_error",
    "单元格显示的是错误值（如 #N/A），请更正公式，或填写应有的内容",
    "the cell shows an error such as #N/A; mend its formula or write what should stand there",
)

#: Of cells of which nobody can tell what stands there.
_UNTOLD = frozenset(each[0] for each in (FORMULA, LONG_NUMBER, UNCLEAR_FORMAT, ERROR))


class SeveralSheets(Invalid):
    """Which one is meant nobody can tell: one for each month, or an old one behind the new."""

    code = "several_sheets"
    zh = "工作簿有多个可读取的工作表：{sheets}；请用 sheet 指明其中一个，逐个上传"
    en = "The workbook has several sheets that could be read: {sheets}; name one by sheet, and send the file once for each that is meant"


class NoSuchSheet(Invalid):
    code = "no_such_sheet"
    zh = "工作簿没有此工作表；可见的工作表有：{sheets}"
    en = "The workbook has no such sheet; those that are visible are: {sheets}"


class TooManyRows(Invalid):
    code = "too_many_rows"
    zh = "表格超过 {limit} 行，请分成几个文件"
    en = "The spreadsheet has more than {limit} rows; make several files of it"


def is_formula(cell: str) -> bool:
    """Whether a cell holds a formula and nothing that it shows."""
    return cell.lstrip().startswith(UNSHOWN)


def not_told(cell: str) -> tuple[str, str, str] | None:
    """Why nobody can tell what stands in a cell, whatever its column is: :data:`UNCLEAR_FORMAT`, :data:`FORMULA`, :data:`ERROR`, :data:`LONG_NUMBER`, or
    None."""
    if cell.startswith(UNCLEAR):
        return UNCLEAR_FORMAT
    if is_formula(cell):
        return FORMULA
    if _ERROR.fullmatch(cell.strip()):
        return ERROR
    return LONG_NUMBER if _TOO_LONG.fullmatch(cell.strip()) else None


#: As a form names it.
SheetName = Annotated[
    str | None, Form(max_length=100, description="of a workbook with several sheets that could be read, the one that is meant")
]
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


def word(cell: str) -> str:
    """A word as words are compared, in one width and in small letters."""
    return unicodedata.normalize("NFKC", cell).strip().lower()


def one_of(words: Mapping[str, Any], told: Sequence[str]) -> Callable[[str], Any]:
    """Reads a cell that holds one of some words, codes among them; ``told`` are those that a refusal names."""

    def read(cell: str) -> Any:
        """Raises BadValue: it is none of them."""
        if (written := word(cell)) not in words:
            raise BadValue(f"须为 {'、'.join(told)} 之一", f"has to be one of {', '.join(told)}")
        return words[written]

    return read


class Fit(IntEnum):
    """Whether a sheet has the headings that are needed, and anything below them."""

    OTHER = 0
    HEADED = 1
    FILLED = 2


def chosen(fits: Mapping[str, Fit], sheet: str | None) -> str:
    """Which sheet is read, by its name: of a workbook the one that somebody named, else the only one that is filled, or the first that fits best.

    Raises:
        SeveralSheets: more than one is filled, and none was named (422). NoSuchSheet: none is called so (422).
    """
    if sheet is not None and "" not in fits:  # a text has no sheets
        if (named := next((name for name in fits if plain_code(name) == plain_code(sheet)), None)) is None:
            raise NoSuchSheet.at("sheet", sheets=_listed(fits))
        return named
    if len(filled := [name for name in fits if fits[name] is Fit.FILLED]) > 1:
        raise SeveralSheets.at("sheet", sheets=_listed(filled))
    return max(fits, key=lambda name: fits[name])


def _listed(names: Iterable[str]) -> str:
    return "、".join(names)


def _fit(sheet: Sheet, titles: Mapping[str, Sequence[str]], required: Sequence[str]) -> Fit:
    """One whose headings are a slip from being those that are needed may be meant itself: behind it an older one may stand."""
    codes = {each.code for each in headings.places_of(sheet.rows[0], titles, required)[2]} if sheet.rows else {"column_missing"}
    if "column_missing" in codes and "column_unclear" not in codes:
        return Fit.OTHER
    return Fit.FILLED if any(cell.strip() for row in sheet.rows[1:] for cell in row) else Fit.HEADED


def table(
    content: bytes,
    titles: Mapping[str, Sequence[str]],
    required: Sequence[str],
    most: int,
    codes: Collection[str],
    sheet: str | None,
) -> Table:
    """What stands below the header of the one visible sheet that has it, or of the ``sheet`` that is named; ``most`` rows may be sent. Of the columns of
    ``codes`` it is what their cells show.

    Raises:
        UnreadableSpreadsheet, NoSpreadsheet, NoRows, MarkupTable, OldWorkbook, SeveralSheets, NoSuchSheet, TooManyRows: see there (422).
    """
    if content.startswith(_NO_TABLE):
        raise NoSpreadsheet
    if not content.strip():
        raise NoRows
    book = workbooks.book(content)
    name = chosen({name: _fit(each, titles, required) for name, each in book.items()}, sheet)
    if not book[name].rows:
        raise UnreadableSpreadsheet
    places, ignored = columns(book[name].rows[0], titles, required, name)
    _, *body = found = book[name].shown((), {places[each] for each in codes})
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
    found = list(faults)
    untold = {each.field for each in found if each.code in _UNTOLD}
    return sorted((each for each in found if each.code in _UNTOLD or each.field not in untold), key=lambda each: each.data["row"])
