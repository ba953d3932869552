"""The position of an agreement as a table to be exported."""

from collections.abc import Iterator

from catalog.products.rules import unit_label
from orders.agreements.schemas.calling import PositionOut
from shop.core.errors import Language
from shop.core.exports import Cell
from shop.core.money import yuan

TITLE: dict[Language, str] = {"zh": "协议执行情况", "en": "Position"}
HEADER: dict[Language, list[str]] = {
    "zh": [
        "行号",
        "规格编码",
        "产品",
        "包装",
        "单位",
        "数量上限",
        "待审批",
        "已下单",
        "已发货",
        "已验收",
        "已拒收",
        "已退货",
        "剩余数量",
        "金额上限（元）",
        "已下单金额（元）",
        "已验收金额（元）",
        "剩余金额（元）",
        "执行率（%）",
        "最低数量",
        "最低数量尚差",
    ],
    "en": [
        "line",
        "SKU",
        "product",
        "pack",
        "unit",
        "cap",
        "waiting",
        "ordered",
        "shipped",
        "accepted",
        "rejected",
        "returned",
        "remaining",
        "cap (yuan)",
        "drawn (yuan)",
        "accepted (yuan)",
        "remaining (yuan)",
        "percent",
        "minimum",
        "minimum open",
    ],
}


def cells(position: PositionOut, language: Language) -> Iterator[list[Cell]]:
    """One row of cells for each line, in the order of the header."""
    for line in position.lines:
        yield [
            line.line_no,
            line.sku_code,
            line.product_name,
            line.pack,
            unit_label(line.unit, language),
            line.quantity_cap,
            line.waiting_quantity,
            line.ordered_quantity,
            line.shipped_quantity,
            line.accepted_quantity,
            line.rejected_quantity,
            line.returned_quantity,
            line.remaining_quantity,
            yuan(line.amount_cap),
            yuan(line.drawn_amount),
            yuan(line.accepted_amount),
            yuan(line.remaining_amount),
            line.percent,
            line.minimum_quantity,
            line.minimum_open,
        ]
