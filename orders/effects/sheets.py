"""The sales of a certificate as a table to be exported."""

from collections.abc import Iterable, Iterator
from typing import Any

from catalog.products.rules import unit_label
from shop.core.errors import Language
from shop.core.exports import Cell
from shop.core.money import yuan

HEADER: dict[Language, list[str]] = {
    "zh": [
        "日期",
        "采购单位",
        "采购方区县代码",
        "采购方区县",
        "订单号",
        "采购协议",
        "规格编码",
        "包装",
        "单位",
        "数量",
        "重量（克）",
        "金额（元）",
        "冲销",
    ],
    "en": [
        "date",
        "buyer",
        "buyer's district code",
        "buyer's district",
        "order",
        "agreement",
        "SKU",
        "pack",
        "unit",
        "quantity",
        "grams",
        "amount (yuan)",
        "correction",
    ],
}


TITLE: dict[Language, str] = {"zh": "销售明细", "en": "Sales"}


def cells(rows: Iterable[Any], language: Language) -> Iterator[list[Cell]]:
    """One row of cells for each sale, in the order of the header."""
    yes = "是" if language == "zh" else "yes"
    for row in rows:
        yield [
            row.sold_on,
            row.buyer_name,
            row.district_code,
            row.district_name,
            row.purchase_order_number or "",
            row.agreement or "",
            row.sku_code,
            row.pack,
            unit_label(row.unit, language),
            row.quantity.normalize(),
            row.grams,
            yuan(row.amount),
            yes if row.is_correction else "",
        ]
