"""Reserved shares as tables: the view of a department to be exported, and the bases that it sends."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from orders.reserved_share.queries.progress import FUNDS
from orders.reserved_share.schemas import ShareRow
from shop.core import sheets
from shop.core.errors import Fault, Language
from shop.core.exports import Cell
from shop.core.money import fen_from_yuan, yuan
from shop.programmes.schemas import ProgrammeConfig

HEADER: dict[Language, list[str]] = {
    "zh": [
        "排名",
        "单位",
        "统一社会信用代码",
        "区划代码",
        "状态",
        "食堂采购基数（元）",
        "预留比例（%）",
        "预留份额（元）",
        "豁免",
        "已完成（元）",
        "完成率（%）",
        "尚差（元）",
        "预计年底完成（元）",
        "食堂经费（元）",
        "工会经费（元）",
        "福利费（元）",
        "其他经费（元）",
        "已认定但不计入份额（元）",
    ],
    "en": [
        "rank",
        "unit",
        "USCC",
        "region code",
        "status",
        "base (yuan)",
        "percent",
        "reserved (yuan)",
        "exemption",
        "done (yuan)",
        "rate (%)",
        "missing (yuan)",
        "forecast (yuan)",
        "canteen (yuan)",
        "union (yuan)",
        "welfare (yuan)",
        "other funds (yuan)",
        "certified, not eligible (yuan)",
    ],
}
TITLE: dict[Language, str] = {"zh": "预留份额", "en": "Reserved shares"}

#: The headers accepted for each column of bases, its own first.
COLUMNS = {
    "uscc": ("统一社会信用代码", "uscc"),
    "base": ("食堂采购基数", "食堂采购基数（元）", "base"),
    "percent": ("预留比例", "预留比例（%）", "percent"),
}
#: What is kept as it is typed.
CODES = frozenset({"uscc"})
MOST_BASES = 10_000
#: A fault of one cell, by the column's own header.
fault = partial(sheets.fault_of, COLUMNS)


@dataclass(frozen=True, slots=True)
class BaseRow:
    """One unit's base, as row ``number`` of the spreadsheet says it; no percent: the programme's."""

    number: int
    uscc: str
    base_fen: int
    percent_bp: int | None


def cells(rows: Iterable[ShareRow], config: ProgrammeConfig, language: Language) -> Iterator[list[Cell]]:
    """One row of cells for each unit, in the order of the header."""
    for row in rows:
        done = row.progress
        yield [
            row.rank,
            row.unit_name,
            row.uscc,
            row.region_code,
            config.term("reserved_share_status", row.status, language),
            yuan(row.base),
            _percent(row.percent),
            yuan(done.reserved),
            config.term("reserved_share_exemption", row.exemption, language) if row.exemption else "",
            yuan(done.done),
            _percent(done.rate),
            yuan(done.missing),
            yuan(done.forecast),
            *(yuan({fund.fund_source: fund.amount for fund in done.by_fund}[name]) for name in FUNDS),
            yuan(done.certified_not_eligible),
        ]


def _percent(bp: int | None) -> Decimal | None:
    return None if bp is None else Decimal(bp) / 100


def read_bases(content: bytes, sheet: str | None) -> tuple[list[BaseRow], list[Fault], list[str]]:
    """The rows below the header, those apart that are empty; the faults of amounts and percents that are no such numbers, by row and column, in whose place
    the rows have nothing; and the headers that nobody reads.

    Raises:
        UnreadableSpreadsheet, TooManyRows: see there (422).
    """
    found: list[BaseRow] = []
    table = sheets.table(content, COLUMNS, ("uscc", "base"), MOST_BASES, CODES, sheet)
    faults = [*table.not_told]
    for number, cell in table.rows:
        base = _fen(cell["base"])
        percent = _basis_points(cell["percent"]) if cell["percent"] else None
        bad_percent = bool(cell["percent"]) and percent is None
        if base is None:
            faults.append(fault(number, "base", "bad_amount", "金额须为不小于 0 的数，最多两位小数", "is no amount of yuan"))
        if bad_percent:
            faults.append(fault(number, "percent", "bad_percent", "须在 0 至 100 之间，最多两位小数", "is no percent"))
        found.append(BaseRow(number, sheets.plain_code(cell["uscc"]).upper().replace("\x00", ""), base or 0, percent))
    return found, faults, table.ignored


def _fen(written: str) -> int | None:
    try:
        fen = fen_from_yuan(sheets.number(written))
    except ValueError:
        return None
    return fen if fen >= 0 else None


def _basis_points(written: str) -> int | None:
    try:
        percent = sheets.number(written.removesuffix("%").removesuffix("％"))
    except ValueError:
        return None
    if not 0 <= percent <= 100 or percent * 100 != int(percent * 100):
        return None
    return int(percent * 100)
