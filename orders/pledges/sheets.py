"""What was accepted for pledges as the list for 万企帮万村 (万企兴万村)."""

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import Any

from catalog.products.rules import unit_label
from shop.core.errors import Language
from shop.core.exports import Cell
from shop.core.money import yuan

TITLE: dict[Language, str] = {"zh": "万企帮万村消费明细", "en": "Purchases for villages"}
MODE: dict[Language, str] = {"zh": "消费", "en": "purchase"}

HEADER: dict[Language, list[str]] = {
    "zh": [
        "企业名称",
        "统一社会信用代码",
        "区县",
        "乡镇",
        "村",
        "帮扶方式",
        "产品",
        "品类",
        "数量",
        "单位",
        "重量（公斤）",
        "金额（元）",
        "验收日期",
        "认定带动户数（存量，不可加总）",
        "带动户数（区间）",
        "认定带动人数（存量，不可加总）",
        "带动人数（区间）",
        "承诺编号",
        "订单号",
        "购买证明编号",
    ],
    "en": [
        "firm",
        "USCC",
        "district",
        "township",
        "village",
        "mode",
        "product",
        "category",
        "quantity",
        "unit",
        "weight (kg)",
        "amount (yuan)",
        "accepted on",
        "households of the certificate (a stock, not to be added up)",
        "households (band)",
        "people of the certificate (a stock, not to be added up)",
        "people (band)",
        "pledge",
        "order",
        "proof",
    ],
}


def cells(rows: Iterable[Any], language: Language, term: Callable[[str, str], str]) -> Iterator[list[Cell]]:
    """One row of cells for each sale, in the order of the header."""
    for row in rows:
        yield [
            row.organisation_name,
            row.organisation_uscc,
            row.district_name,
            row.township_name or "",
            row.village or "",
            MODE[language],
            row.product_name,
            term("category", row.category),
            row.quantity.normalize(),
            unit_label(row.unit, language),
            Decimal(row.grams) / 1000,
            yuan(row.amount),
            row.sold_on,
            row.households,
            row.households_band,
            row.persons,
            row.persons_band,
            row.pledge_number,
            row.purchase_order_number,
            row.proof_number or "",
        ]
