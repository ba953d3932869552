"""The lines of an order as a table to be exported."""

from collections.abc import Iterable, Iterator

from catalog.products.rules import unit_label
from orders.purchasing.schemas import OrderLineOut
from shop.core.errors import Language
from shop.core.exports import Cell
from shop.core.money import yuan

TITLE: dict[Language, str] = {"zh": "订单明细", "en": "Order lines"}
HEADER: dict[Language, list[str]] = {
    "zh": [
        "行号",
        "供应单位",
        "规格编码",
        "产品名称",
        "包装",
        "单位",
        "数量",
        "单价（元）",
        "金额（元）",
        "其中税额（元）",
        "重量（克）",
        "已发货",
        "已验收",
        "已拒收",
        "短少",
        "不再交付",
        "更正后验收",
        "已退货",
    ],
    "en": [
        "line",
        "supplier",
        "SKU",
        "product",
        "pack",
        "unit",
        "quantity",
        "unit price (yuan)",
        "amount (yuan)",
        "of which VAT (yuan)",
        "grams",
        "shipped",
        "accepted",
        "rejected",
        "missing",
        "will not come",
        "accepted as corrected",
        "returned",
    ],
}


def cells(lines: Iterable[OrderLineOut], language: Language) -> Iterator[list[Cell]]:
    """One row of cells for each line, in the order of the header."""
    for line in lines:
        yield [
            line.line_no,
            line.supplier_name,
            line.sku_code,
            line.product_name,
            line.pack,
            unit_label(line.unit, language),
            line.quantity.normalize(),
            *(yuan(fen) for fen in (line.unit_price, line.amount, line.vat)),
            line.grams,
            *(
                quantity.normalize()
                for quantity in (
                    line.shipped_quantity,
                    line.accepted_quantity,
                    line.rejected_quantity,
                    line.difference_quantity,
                    line.closed_quantity,
                    line.corrected_quantity,
                    line.returned_quantity,
                )
            ),
        ]
