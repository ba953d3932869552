"""The list of poor villages as it is sent in, and coverage as a table."""

from dataclasses import dataclass
from datetime import date
from functools import partial

from orders.statistics.tables import Column, Kind, Table, percent, text
from shop.core import sheets
from shop.core.errors import BadValue, Fault
from shop.core.quantities import LAST_DAY

#: The headers accepted for each column, its own first.
COLUMNS = {
    "township": ("乡镇代码", "township code", "township"),
    "village": ("村", "村名", "village"),
    "from": ("起始日期", "from"),
    "to": ("截止日期", "to"),
}
#: A row as an example, without a last day.
EXAMPLE = {"township": "500236101", "village": "三岔村", "from": "2020-01-31"}
#: What is kept as it is typed.
CODES = frozenset({"township"})
MOST_ROWS = 10_000
#: As many faults as are told at once.
MOST_FAULTS = 200
#: A fault of one cell, by the column's own header.
fault = partial(sheets.fault_of, COLUMNS)
_LONGEST = 60


@dataclass(frozen=True, slots=True)
class Row:
    """One village as row ``number`` of the spreadsheet says it, its name in one width and without blanks; ``valid_to``: its last day on the list."""

    number: int
    township: str
    name: str
    valid_from: date
    last_day: date | None


def read(content: bytes, sheet: str | None) -> tuple[list[Row], list[Fault], list[str]]:
    """The rows below the header, those apart that are empty; the faults of cells that cannot be read, by row and column, in whose place the rows have what
    nobody looks at; and the headers that nobody reads.

    Raises:
        UnreadableSpreadsheet, TooManyRows: see there (422).
    """
    found: list[Row] = []
    table = sheets.table(content, COLUMNS, ("township", "village", "from"), MOST_ROWS, CODES, sheet)
    faults = [*table.not_told]
    for number, cell in table.rows:
        if wrong := sheets.unreadable(COLUMNS, number, cell):
            faults += wrong
            continue
        name, first, last = sheets.plain_code(cell["village"]), _day(cell["from"]), _day(cell["to"]) if cell["to"] else None
        if not name or len(name) > _LONGEST or "/" in name:
            told = f"须填写，不超过 {_LONGEST} 字，不含“/”", f"one to {_LONGEST} characters, none of them a slash"
            wrong.append(fault(number, "village", "bad_name", *told))
        if first is None or (cell["to"] and last is None):
            column = "from" if first is None else "to"
            wrong.append(fault(number, column, "bad_day", "须如 2020-01-31", "write a day as 2020-01-31"))
        elif last is not None and last < first:
            wrong.append(fault(number, "to", "before_from", "早于起始日期", "lies before its first day"))
        faults += wrong
        found.append(Row(number, sheets.plain_code(cell["township"]), name, first or date.min, last))
    return found, faults, table.ignored


def _day(written: str) -> date | None:
    """A day as people write it, and as a workbook tells it; the last of all days has no day after it."""
    try:
        day = sheets.day_of(written)
    except BadValue:
        return None
    return day if day < LAST_DAY else None


COVERAGE = Table(
    name="coverage",
    title=("电商服务覆盖", "E-commerce coverage"),
    columns={
        "place": text("区划代码", "region code"),
        "place_name": text("区划", "region"),
        "villages": Column(Kind.COUNT, "贫困村数", "poor villages"),
        "served": Column(Kind.COUNT, "已覆盖村数", "served"),
        "coverage": percent("覆盖率（%）", "coverage (%)"),
        "sold": Column(Kind.COUNT, "有销售的贫困村数", "with sales"),
        "selling": percent("有销售占比（%）", "with sales (%)"),
        "served_and_sold": Column(Kind.COUNT, "已覆盖且有销售", "served and with sales"),
        "stations": Column(Kind.COUNT, "运行站点数", "active stations"),
    },
    definition=(
        "覆盖率＝当日由运行中的电商服务站点（县级中心、镇级站、村级站、物流点）服务的贫困村数÷当日在册的贫困村数；同一村由多个站点服务只计一次。"
        "有销售：所选整月内台账中来自该村的采购额大于零。区县按当日区划。",
        "Coverage = poor villages served on the day by an active station (county centre, town station, village station, logistics point) ÷"
        " poor villages listed on the day; a village served by several stations counts once. With sales: the ledger has purchases from the village"
        " above zero in the whole months asked for. Districts as on the day.",
    ),
    rates={"coverage": ("served", "villages"), "selling": ("sold", "villages")},
)
