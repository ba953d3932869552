"""Tables as files that spreadsheet programs open: text stays text, figures are figures, nothing in it is taken for a formula.

Accounts, credit codes and other long digits are text. A cell of a workbook keeps them; in CSV they are led by a tab, as the banks' own exports have it,
because a program that opens it would make 6.22848E+18 of them. ``="…"`` is a formula, and so it is not used.
"""

import csv
import io
import itertools
import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from fastapi.responses import Response

from shop.core import clock
from shop.core.errors import Invalid, Language
from shop.core.paging import Page, T

Cell = str | int | Decimal | date | None

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV = "text/csv; charset=utf-8"
#: Rows that a worksheet holds below its header.
MAX_ROWS = 1_048_575
#: Lines of a file of money: more would take too much memory, and no spreadsheet is read that far.
MAX_LINES = 50_000
#: How a route documents that it may answer with a file.
FILES: dict[int | str, dict[str, object]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}, XLSX: {"schema": {"type": "string", "format": "binary"}}}}
}
#: What a spreadsheet program takes for the beginning of a formula.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
#: What a spreadsheet program that opens CSV takes for a number that it shows or keeps otherwise: leading zeros, 12 digits and more, 91500112E12.
#: A regular expression for Python and for PostgreSQL.
DIGITS = "0[0-9]+|[0-9]{12,}|[0-9]+[Ee][0-9]+"
_DIGITS = re.compile(DIGITS)


class TooManyLines(Invalid):
    code = "too_many_lines"
    zh = "超过 {limit} 行，请缩小期间或增加条件"
    en = "More than {limit} lines for one file; choose a shorter period or more filters"


#: The title of the sheet of a workbook that says what its table is of, and its heading.
ABOUT_TITLE: dict[Language, str] = {"zh": "说明", "en": "About"}
ABOUT_HEADER: dict[Language, tuple[str, str]] = {"zh": ("项目", "内容"), "en": ("What", "Content")}

#: What the sheet of a workbook says that tells what its table is of.
ABOUT: dict[str, dict[Language, str]] = {
    "period": {"zh": "期间", "en": "Period"},
    "on": {"zh": "日期", "en": "Day"},
    "compared_with": {"zh": "对比期", "en": "Period before"},
    "filters": {"zh": "筛选", "en": "Filter"},
    "rows": {"zh": "行数", "en": "Rows"},
    "scope": {"zh": "地区范围", "en": "Regions"},
    "exact_to": {"zh": "数据截至（北京时间）", "en": "Exact to (China time)"},
    "known_on": {"zh": "仅含截至该日终了时已入账的销售", "en": "Only what had been booked by the end of"},
    "definition": {"zh": "口径", "en": "Definition"},
}
UNFILTERED: dict[Language, str] = {"zh": "无", "en": "none"}


def days(first: date, last: date) -> str:
    """A period as people read it."""
    return f"{first} … {last}"


@dataclass(frozen=True, slots=True)
class About:
    """What a table of figures is of: the day of a stock, the period of what happened, by what it was filtered, and how it is counted."""

    language: Language
    definition: str
    exact_to: datetime
    on: date | None = None
    first: date | None = None
    last: date | None = None
    filters: Sequence[str] = ()

    def lines(self) -> Iterator[list[Cell]]:
        said: list[tuple[str, str]] = []
        if self.first is not None and self.last is not None:
            said.append(("period", days(self.first, self.last)))
        if self.on is not None:
            said.append(("on", str(self.on)))
        said += [("filters", each) for each in self.filters or [UNFILTERED[self.language]]]
        said += [("exact_to", clock.shanghai_text(self.exact_to)), ("definition", self.definition)]
        return ([ABOUT[what][self.language], content] for what, content in said)

    def named(self, name: str) -> str:
        """The name of its file, with the days."""
        of_days = [self.on] if self.first is None else [self.first, self.last]
        return "_".join([name, *(str(day) for day in of_days if day is not None)])


def about_sheet(language: Language, lines: Iterable[Sequence[Cell]]) -> "Worksheet":
    """The sheet of a workbook that says what its table is of."""
    return Worksheet(ABOUT_TITLE[language], ABOUT_HEADER[language], lines)


def whole(found: Page[T], limit: int = MAX_ROWS) -> list[T]:
    """The rows of a list that was read for a file, ``limit`` of them at most.

    Raises:
        TooManyLines: there are more, and a file that leaves some out would be taken for all (422).
    """
    if found.next is not None:
        raise TooManyLines(limit=limit)
    return found.items


def require_whole(rows: Sequence[Any], limit: int) -> None:
    """The same for plain rows, of which one more was asked for.

    Raises:
        TooManyLines: see :func:`whole` (422).
    """
    if len(rows) > limit:
        raise TooManyLines(limit=limit)


#: What the row with the totals begins with.
TOTAL: Mapping[str, str] = {"zh": "合计", "en": "Total"}


def totalled(rows: Iterable[Sequence[Cell]], language: str, but: Container[int] = ()) -> Iterator[Sequence[Cell]]:
    """Rows, and below them what their amounts (decimals) come to, column by column; ``but``: places of amounts of which no sum makes sense. Nothing below no
    rows."""
    sums: dict[int, Decimal] = {}
    width = 0
    for row in rows:
        yield row
        width = len(row)
        for place, cell in enumerate(row):
            if isinstance(cell, Decimal) and place not in but:
                sums[place] = sums.get(place, Decimal()) + cell
    if width:
        yield [TOTAL[language], *(sums.get(place) for place in range(1, width))]


def safe(cell: str) -> str:
    """A text cell that opens as text: what looks like a formula is led by an apostrophe."""
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell


def safe_in_csv(cell: str) -> str:
    """The same in CSV, where long digits are led by a tab besides."""
    return f"\t{cell}" if _DIGITS.fullmatch(cell) else safe(cell)


def as_csv(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """UTF-8 with a byte order mark, as Excel wants it."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(header)
    for row in rows:
        writer.writerow([_plain(cell) for cell in row])
    return b"\xef\xbb\xbf" + buffer.getvalue().encode()


def _plain(cell: Cell) -> Cell:
    """A cell as it is written into CSV: 100, never 1E+2."""
    if isinstance(cell, Decimal):
        return format(cell, "f")
    return "" if cell is None else safe_in_csv(cell) if isinstance(cell, str) else cell


@dataclass(frozen=True)
class Worksheet:
    """A table of a workbook, its header in bold; above it what the table is of, and an empty row between them. ``codes``: the headings of columns that
    hold codes and numbers of documents, so that a program keeps what is typed there as it is."""

    title: str
    header: Sequence[str]
    rows: Iterable[Sequence[Cell]]
    head: Sequence[Sequence[Cell]] = ()
    codes: Container[str] = ()


def as_xlsx(title: str, header: Sequence[str], rows: Iterable[Sequence[Cell]], *more: Worksheet) -> bytes:
    """One worksheet with a frozen header, and those behind it."""
    return as_workbook([Worksheet(title, header, rows), *more])


def as_workbook(sheets: Sequence[Worksheet], made_on: date | None = None) -> bytes:
    """Worksheets with frozen headers and filters, their columns as wide as what is in them, written row by row, so that a long list does not stand in memory as cells. With ``made_on`` the same content
    gives the same bytes whenever it is written; else the file says when it was."""
    import xlsxwriter  # not in memory before somebody asks for it

    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"constant_memory": True}) as book:
        if made_on is not None:
            book.set_properties({"created": datetime(made_on.year, made_on.month, made_on.day, tzinfo=UTC)})
        styles = Styles(book)
        for each in sheets:
            sheet = book.add_worksheet(each.title)
            top = len(each.head) + 1 if each.head else 0
            for number, row in enumerate(each.head):
                _write(sheet, number, row, (), styles)
            table = SheetTable(sheet, each.header, styles, top, each.codes)
            for row in each.rows:
                _write(sheet, table.add(row), row, each.header, styles, each.codes)
            table.finish()
    return buffer.getvalue()


class Styles:
    """The formats of a workbook, each made once."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._made: dict[str, Any] = {}
        self.bold = book.add_format({"bold": True})

    def number(self, shown_as: str) -> Any:
        """The format of numbers (and days) that are shown so."""
        if shown_as not in self._made:
            self._made[shown_as] = self._book.add_format({"num_format": shown_as})
        return self._made[shown_as]


#: How a workbook shows days, and moments.
DAY, MOMENT = "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss"
#: The format of cells that keep as text what is typed into them.
TEXT = "@"
#: Headings of weights that have three decimals even where they are whole.
_TONNES = re.compile(r"吨|\(t\b")


def number_format(cell: int | Decimal, heading: str = "") -> str:
    """How a workbook shows a number: money, percent and what else has two decimals as 1,200.00, tonnes as 1.500, units as 1,200 or 12.5. A number
    without decimals may be a year or an id, which has no commas."""
    if isinstance(cell, int):
        return "0"
    if _TONNES.search(heading):
        return "#,##0.000"
    if cell.as_tuple().exponent == _CENTS:
        return "#,##0.00"
    # a decimal point behind which nothing stands would be shown, so whole numbers have none
    return "#,##0" if cell == cell.to_integral_value() else "#,##0.###"


_CENTS = -2
#: Columns are as wide as what is in the first rows, within these bounds, in characters; a Chinese one takes two.
_LOOKED_AT, _NARROWEST, _WIDEST = 200, 8, 48
#: A wide character, such as a Chinese one, comes behind this one.
_NARROW = "\u2e7f"
#: What the last row begins with if it holds the totals, which are not filtered.
_TOTALS = tuple(TOTAL.values())


class SheetTable:
    """A table of a worksheet, from its heading in row ``top`` on: the heading frozen, a filter in each column, columns wide enough to be read."""

    def __init__(self, sheet: Any, header: Sequence[str], styles: Styles, top: int = 0, codes: Container[str] = ()) -> None:
        self._sheet, self._top, self._last = sheet, top, top
        self._formats = [styles.number(TEXT) if name in codes else None for name in header]
        # beside the text of a heading stands the button of the filter
        self._widths = [width(name) + 3 for name in header]
        self._totals = False
        sheet.freeze_panes(top + 1, 0)
        for column, name in enumerate(header):
            sheet.write_string(top, column, name, styles.bold)

    def add(self, row: Sequence[Any]) -> int:
        """Where the next row is written."""
        self._last += 1
        if self._last - self._top <= _LOOKED_AT:
            for column, cell in enumerate(row[: len(self._widths)]):
                self._widths[column] = max(self._widths[column], width(cell) + 1)
        self._totals = bool(row) and isinstance(row[0], str) and row[0].startswith(_TOTALS)
        return self._last

    def finish(self) -> None:
        """Once all rows are there."""
        for column, wide in enumerate(self._widths):
            self._sheet.set_column(column, column, min(max(wide, _NARROWEST), _WIDEST), self._formats[column])
        if self._widths:
            self._sheet.autofilter(self._top, 0, self._last - self._totals, len(self._widths) - 1)


def width(cell: Any) -> int:
    """How many characters wide a cell is shown."""
    match cell:
        case None:
            return 0
        case str():
            return max((len(line) + sum(sign > _NARROW for sign in line) for line in cell.splitlines()), default=0)
        case bool():
            return 3
        case Decimal():
            return len(f"{cell:,.2f}") + 1
        case datetime():
            return len(MOMENT)
        case date():
            return len(DAY)
        case _:
            return len(str(cell))


def _write(sheet: Any, number: int, row: Sequence[Cell], header: Sequence[str], styles: Styles, codes: Container[str] = ()) -> None:
    for column, cell in enumerate(row):
        heading = header[column] if column < len(header) else ""
        if isinstance(cell, str):
            sheet.write_string(number, column, safe(cell), styles.number(TEXT) if heading in codes else None)
        elif isinstance(cell, date):
            sheet.write_datetime(number, column, cell, styles.number(DAY))
        elif cell is not None:
            sheet.write_number(number, column, cell, styles.number(number_format(cell, heading)))


def file(
    kind: str, name: str, header: Sequence[str], rows: Iterable[Sequence[Cell]], title: str, about: About | None = None
) -> Response:
    """The answer that holds a table as a file; ``kind`` is ``csv`` or ``xlsx``, ``name`` in plain letters, without its ending. ``title``: of the sheet, for
    people. ``about``: a workbook says it on a second sheet, and the name has its days."""
    lines = iter(rows)
    first = list(itertools.islice(lines, 1))
    told = itertools.chain(first, lines)
    items = [row for row in first if row[0] not in _TOTALS]
    if about is not None:
        name = about.named(name)
    more = [] if about is None else [about_sheet(about.language, about.lines())]
    return _file(kind, name, as_csv(header, told) if kind == "csv" else as_xlsx(title, header, told, *more), items)


def template(
    kind: str, name: str, columns: Mapping[str, Sequence[str]], example: Mapping[str, str], title: str, codes: Container[str] = ()
) -> Response:
    """The answer that holds an empty table to be filled in: the headings of ``columns``, each by its own first name, and one row as an example. ``codes``:
    the columns that hold codes and numbers of documents."""
    header = [titles[0] for titles in columns.values()]
    rows = [[example.get(column, "") for column in columns]]
    if kind == "csv":
        return _file(kind, name, as_csv(header, rows))
    kept = {titles[0] for column, titles in columns.items() if column in codes}
    return _file(kind, name, as_workbook([Worksheet(title, header, rows, codes=kept)]))


def workbook(name: str, sheets: Sequence[Worksheet], items: list[Any] | None = None) -> Response:
    """The answer that holds several tables as one file of a spreadsheet program; ``name`` as for :func:`file`, ``items`` as for :class:`File`."""
    return _file("xlsx", name, as_workbook(sheets), items)


class File(Response):
    """A list as a file. ``items``: its first row, if it has one besides the totals; None where nobody looked."""

    def __init__(self, content: bytes, media_type: str, name: str, items: list[Any] | None = None) -> None:
        super().__init__(content, media_type=media_type, headers={"Content-Disposition": f'attachment; filename="{name}"'})
        self.items = items


def _file(kind: str, name: str, content: bytes, items: list[Any] | None = None) -> File:
    return File(content, CSV if kind == "csv" else XLSX, f"{name}.{kind}", items)
