"""The comparison as a table to be exported: one row for each offer, and one for a line that nobody offers."""

from collections.abc import Iterator

from orders.sourcing.rules import TOLD, Bar
from orders.sourcing.schemas.quotations import ComparisonOut
from shop.core.errors import Language
from shop.core.exports import Cell
from shop.core.money import yuan

HEADER: dict[Language, list[str]] = {
    "zh": [
        "行号",
        "名称",
        "单位",
        "询价数量",
        "目标单价（元）",
        "供应商",
        "产品",
        "规格",
        "可供数量",
        "件数",
        "单件报价（元）",
        "折合单价（元）",
        "金额（元）",
        "高于目标（元）",
        "高于目录价（元）",
        "交货日期",
        "证书有效期至",
        "计入预留份额",
        "最低价",
        "不可定标原因",
        "备注",
    ],
    "en": [
        "line",
        "name",
        "unit",
        "quantity asked",
        "target price (CNY)",
        "supplier",
        "product",
        "pack",
        "quantity covered",
        "packs",
        "price of a pack (CNY)",
        "price of a unit (CNY)",
        "amount (CNY)",
        "above target (CNY)",
        "above list price (CNY)",
        "delivery",
        "certified until",
        "counts for the reserved share",
        "lowest",
        "cannot be awarded",
        "note",
    ],
}
_YES: dict[Language, str] = {"zh": "是", "en": "yes"}


def cells(compared: ComparisonOut, language: Language) -> Iterator[list[Cell]]:
    """Rows in the order of the header; amounts in yuan."""
    yes = _YES[language]
    for line in compared.lines:
        asked: list[Cell] = [line.line_no, line.name, line.unit, line.quantity, yuan(line.target_price)]
        for offer in line.offers:
            yield [
                *asked,
                offer.supplier_name,
                offer.product_name,
                offer.pack,
                offer.covered_quantity,
                offer.packs,
                yuan(offer.unit_price),
                yuan(offer.price_per_unit),
                yuan(offer.amount),
                yuan(offer.over_target),
                yuan(offer.over_list),
                offer.deliver_on,
                offer.certified_until,
                yes if offer.reserved_share_eligible else None,
                yes if offer.lowest else None,
                _bar(offer.bar, language),
                offer.note,
            ]
        if not line.offers:
            yield [*asked, *[None] * 16]


def _bar(bar: Bar | None, language: Language) -> str | None:
    return bar and TOLD[bar][0 if language == "zh" else 1]
