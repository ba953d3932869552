"""Reported figures as tables: what is sent in, and what is exported."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from orders.indicators.rules import code_of
from orders.indicators.schemas import ReportedOut
from orders.indicators.states import ValueStatus
from shop.core import sheets
from shop.core.errors import Fault, Language
from shop.core.exports import Cell

#: The headers accepted for each column, its own first.
COLUMNS = {
    "indicator": ("指标代码", "indicator"),
    "region": ("区划代码", "region code", "region"),
    "period": ("期间", "period"),
    "value": ("数值", "value"),
    "source": ("数据来源", "source"),
    "method": ("统计方法", "method"),
    "base": ("上年同期", "base"),
    "base_method": ("上年同期统计方法", "base method"),
}
#: A row as an example.
EXAMPLE = {"indicator": "rural_online_retail", "region": "500236", "period": "2026-Q3", "value": "1234.5", "source": "区县商务委", "method": "平台直报",
           "base": "1100", "base_method": "平台直报"}  # fmt: skip
REQUIRED = ("indicator", "region", "period", "value", "source", "method")
#: What is kept as it is typed.
CODES = frozenset({"indicator", "region", "period"})
MOST_ROWS = 5_000
#: As many faults as are told at once.
MOST_FAULTS = 200
#: A fault of one cell, by the column's own header.
fault = partial(sheets.fault_of, COLUMNS)
_LONGEST = 200
_PERCENT = "%"
_NO_NUMBER = "须为不小于 0 的数，最多四位小数", "is no number, or has more than four decimals"
_NO_PERCENT = "该指标的单位不是百分比，请填数值", "is a percent, and the unit of the indicator is another one; write its number"


@dataclass(frozen=True, slots=True)
class Row:
    """One figure as row ``number`` of the spreadsheet says it."""

    number: int
    indicator: str
    region: str
    period: str
    value: Decimal
    source: str
    method: str
    base: Decimal | None
    base_method: str | None


def read(content: bytes, in_percent: Collection[str], sheet: str | None) -> tuple[list[Row], list[Fault], list[str]]:
    """The rows below the header, those apart that are empty; ``in_percent``: the codes of indicators whose unit is percent, of which 12.5% is 12.5. And the faults of cells that cannot be read, by row and column, in whose place the rows have what
    nobody looks at; and the headers that nobody reads.

    Raises:
        UnreadableSpreadsheet, TooManyRows: see there (422).
    """
    found: list[Row] = []
    table = sheets.table(content, COLUMNS, REQUIRED, MOST_ROWS, CODES - {"period"}, sheet)
    faults = [*table.not_told]
    for number, cell in table.rows:
        if wrong := sheets.unreadable(COLUMNS, number, cell):
            faults += wrong
            continue
        sign = _PERCENT if cell["indicator"] in in_percent else ""
        value, base = (_number(sheets.figure(cell[name]).removesuffix(sign)) if cell[name] else None for name in ("value", "base"))
        for name, read_as in (("value", value), ("base", base)):
            if cell[name] and read_as is None:
                wrong.append(
                    fault(
                        number,
                        name,
                        "bad_value",
                        *(_NO_PERCENT if sheets.figure(cell[name]).endswith(_PERCENT) and not sign else _NO_NUMBER),
                    )
                )
        wrong += [fault(number, name, "missing", "未填写", "is missing") for name in REQUIRED if not cell[name]]
        long = [name for name in ("source", "method", "base_method") if len(cell[name]) > _LONGEST]
        wrong += [fault(number, name, "too_long", f"超过 {_LONGEST} 字", f"is longer than {_LONGEST} characters") for name in long]
        base_method = cell["base_method"] or (cell["method"] if base is not None else None)
        if cell["base_method"] and base is None:
            wrong.append(fault(number, "base", "missing", "未填写", "is missing"))
        faults += wrong
        found.append(
            Row(
                number=number,
                indicator=cell["indicator"],
                region=sheets.plain_code(cell["region"]),
                period=code_of(cell["period"]),
                value=value or Decimal(0),
                source=cell["source"],
                method=cell["method"],
                base=base,
                base_method=base_method,
            )
        )
    return found, faults, table.ignored


def _number(written: str) -> Decimal | None:
    try:
        value = sheets.number(written)
    except ValueError:
        return None
    if not 0 <= value < 10**14 or value * 10_000 != int(value * 10_000):
        return None
    return value


HEADER: dict[Language, list[str]] = {
    "zh": [
        *("指标代码", "指标", "单位", "区划代码", "区划", "期间", "数值", "数据来源", "统计方法", "上年同期", "上年同期统计方法"),
        *("上报次数", "状态", "修改理由", "生效数值"),
    ],
    "en": [
        *("indicator", "name", "unit", "region code", "region", "period", "value", "source", "method", "base", "base method"),
        *("revision", "status", "reason", "value in force"),
    ],
}
TITLE: dict[Language, str] = {"zh": "上报指标", "en": "Reported indicators"}


STATUS: dict[ValueStatus, dict[Language, str]] = {
    ValueStatus.REPORTED: {"zh": "待审核", "en": "reported"},
    ValueStatus.ACCEPTED: {"zh": "已采纳", "en": "accepted"},
    ValueStatus.RETURNED: {"zh": "已退回", "en": "returned"},
}


def cells(values: Iterable[ReportedOut], language: Language) -> Iterator[list[Cell]]:
    """One row for each value, in the order of the header."""
    for each in values:
        latest = each.latest
        yield [
            *(each.indicator, each.indicator_name, each.unit, each.region_code, each.region_name, each.period),
            *(latest.value, latest.source, latest.method, latest.base_value, latest.base_method),
            *(latest.number, STATUS[each.status][language], latest.reason, each.accepted.value if each.accepted else None),
        ]
