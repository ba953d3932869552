"""Sales of outlets as tables."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from orders.outlet_sales.schemas import OutletSalesRow, SalesLineRow
from orders.outlets.sheets import Read, figure_of, read
from shop.core import clock
from shop.core.clock import SHANGHAI
from shop.core.errors import BadValue, Fault, Language
from shop.core.exports import Cell
from shop.core.money import yuan_from_fen
from shop.core.sheets import day_of, fault, number

SALES_COLUMNS: dict[str, Sequence[str]] = {
    "outlet": ("设备或渠道编号", "网点编号", "outlet"),
    "line_id": ("销售流水号", "流水号", "line id"),
    "sold_at": ("销售时间", "sold at"),
    "goods_id": ("商品编号", "商品ID", "goods id"),
    "goods_name": ("商品名称", "goods name"),
    "quantity": ("数量", "quantity"),
    "amount": ("金额", "金额（元）", "amount"),
    "receipt_number": ("小票号", "receipt number"),
    "refunds_line_id": ("退货原流水号", "refunds line id"),
}
SALES_REQUIRED = ("outlet", "line_id", "sold_at", "goods_id", "quantity", "amount")


#: A row as an example; it belongs to nobody.
SALES_EXAMPLE = {"outlet": "SN-000123", "line_id": "1-1", "sold_at": "2026-05-01 09:58", "goods_id": "G-1", "goods_name": "奉节脐橙5斤装", "quantity": "2",
                 "amount": "59.80", "receipt_number": "R-1"}  # fmt: skip
#: What is kept as it is typed.
SALES_CODES = frozenset({"outlet", "line_id", "goods_id", "receipt_number", "refunds_line_id"})
#: A day with a time, as spreadsheet programs write it: 2026/11/27 3:36. Something has to part the two, or none could tell the one's end.
_WRITTEN = re.compile(r"([^ T]+?)(?:(?:(?<=日)|[ T])[ T]*(\d{1,2})(:\d{2}.*))?", re.ASCII)

_NO_MOMENT = (
    "须为时间，如 2026-01-31 09:58（单元格请设为日期或文本格式）",
    "write a moment as 2026-01-31 09:58, in a cell of dates or text",
)


def moment_of(cell: str) -> Any:
    """A cell's moment in Shanghai, unless it names another zone; at noon, where there is but a day, and before noon of that day itself now.

    Raises:
        BadValue: it tells none.
    """
    found = _WRITTEN.fullmatch(figure_of(cell).strip())
    if found is None:
        raise BadValue(*_NO_MOMENT)
    written, hour, rest = found.groups()
    day = day_of(written, _NO_MOMENT)
    try:
        moment = datetime.fromisoformat(f"{day}T" + (f"{hour:>02}{rest}" if hour else "12:00"))
    except ValueError:
        raise BadValue(*_NO_MOMENT) from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)
    return min(moment, clock.now()) if hour is None and moment.date() == clock.today() else moment


#: Of what a header speaks that tells of giving back: so, or by the number of the sale. Of 原 with a number only what is plainly another thing's passes:
#: a place of origin, a material, a factory, an organisation, as it was before.
_GIVES_BACK = re.compile("退|冲红|原(?!产|材?料|厂|单位).*号|refund|return", re.IGNORECASE)
_AS_SAID: Mapping[str, Any] = {
    **dict.fromkeys(("outlet", "goods_id"), figure_of),
    "sold_at": moment_of,
    **dict.fromkeys(("quantity", "amount"), number),
}


def read_sales(content: bytes, sheet: str | None) -> tuple[list[Read[SalesLineRow]], list[Fault], list[str]]:
    """The rows of a file of sales, every fault by row and column, and the headers that nobody reads. One that speaks of giving back is a fault: to
    pass over it makes sales of what was given back.

    Raises:
        UnreadableSpreadsheet, TooManyRows: see there (422).
    """
    rows, faults, ignored = read(content, SalesLineRow, SALES_COLUMNS, SALES_REQUIRED, _AS_SAID, SALES_CODES, sheet)
    own = SALES_COLUMNS["refunds_line_id"][0]
    zh, en = (
        f"无法识别；退货请填在“{own}”列，此列请删去",
        f"is not known; what is given back is told in {own}, leave this column out",
    )
    faults += [
        fault(1, each, "column_unclear", f"列“{each}”{zh}", f"column {each} {en}") for each in ignored if _GIVES_BACK.search(each)
    ]
    return rows, faults, ignored


HEADER: dict[Language, list[str]] = {
    "zh": ["分组", "名称", "网点数", "认定商品（元）", "转售（元）", "其他商品（元）", "重量（克）", "销售行数", "上年同期认定商品（元）", "同比（%）"],
    "en": ["key", "name", "outlets", "certified (yuan)", "resale (yuan)", "other (yuan)", "grams", "lines", "certified a year before (yuan)",
           "growth (%)"],
}  # fmt: skip
#: The place of a figure that has no sum.
GROWTH = 9
TITLE: dict[Language, str] = {"zh": "网点销售", "en": "Sales of outlets"}


def cells(rows: Iterable[OutletSalesRow], named: Callable[[str], str] | None) -> Iterator[list[Cell]]:
    """One row of cells for each group, in the order of the header; ``named`` tells how a group reads that has no name of its own."""
    for row in rows:
        yield [
            row.key,
            named(row.key) if named else row.name,
            row.outlets,
            *(Decimal(yuan_from_fen(fen)) for fen in (row.certified, row.resale, row.other)),
            # figures with a sum, unlike the number of outlets: one sells on many days
            Decimal(row.grams),
            Decimal(row.lines),
            Decimal(yuan_from_fen(row.certified_a_year_before)),
            row.growth_percent and Decimal(row.growth_percent),
        ]


_FILTERS: dict[str, dict[Language, str]] = {
    "region": {"zh": "地区", "en": "region"},
    "kind": {"zh": "类型", "en": "kind"},
    "online": {"zh": "线上", "en": "online"},
    "operator_id": {"zh": "经营者", "en": "operator"},
    "venue": {"zh": "场所", "en": "venue"},
    "q": {"zh": "关键词", "en": "word"},
}


def filters(language: Language, **asked: Any) -> Iterator[str]:
    """By what the outlets of a table were chosen."""
    return (f"{_FILTERS[name][language]}: {value}" for name, value in asked.items() if value is not None)
