"""A month's close as a table to be exported."""

from collections.abc import Iterable

from orders.closing.schemas import CloseRow
from orders.money.labels import label
from shop.core.errors import Language
from shop.core.exports import Cell
from shop.core.money import yuan

TITLE: dict[Language, str] = {"zh": "月结", "en": "Month's close"}
HEADER: dict[Language, list[str]] = {
    "zh": ["缺项", "订单", "供货单编号", "销售方", "购买方", "期初未开票（元）", "本月入账（元）", "本月开票（元）", "本月冲红（元）", "期末未开票（元）", "本月税额（元）", "未开票（元）", "待冲红（元）", "未解释（元）", "未登记税务发票（元）", "缺红字（元）", "已付（元）", "未付（元）", "逾期（元）", "到期日", "到货", "结算发票", "红字结算发票", "税务发票", "付款", "结算单"],
    "en": ["missing", "order", "part", "seller", "buyer", "opening (yuan)", "booked (yuan)", "invoiced (yuan)", "credited (yuan)", "closing (yuan)", "VAT (yuan)", "not invoiced (yuan)", "credit due (yuan)", "unexplained (yuan)", "without tax invoice (yuan)", "without red letter (yuan)", "paid (yuan)", "unpaid (yuan)", "overdue (yuan)", "due on", "deliveries", "invoices", "credit notes", "tax invoices", "payments", "settlements"],
}  # fmt: skip


def _joined(words: Iterable[str]) -> str:
    return "; ".join(words)


def cells(row: CloseRow, language: Language) -> list[Cell]:
    amounts = (
        *(row.opening, row.booked, row.invoiced, row.credited, row.closing, row.vat),
        *(row.uninvoiced, row.credit_due, row.unexplained, row.without_tax_invoice, row.without_red_letter),
        *(row.paid, row.unpaid, row.overdue),
    )
    numbers = dict.fromkeys(number for each in row.invoices for number in each.tax_invoices)
    numbers |= dict.fromkeys(number for each in row.credit_notes for number in each.tax_invoices)
    return [
        _joined(label("gap", gap, language) for gap in row.gaps),
        row.purchase_order_number,
        row.supplier_order_id,
        row.seller_name,
        row.buyer_name,
        *(yuan(fen) for fen in amounts),
        row.due_on,
        _joined(f"{each.shipment_id} ({each.accepted_on})" for each in row.deliveries),
        _joined(each.number for each in row.invoices),
        _joined(each.number for each in row.credit_notes),
        _joined(numbers),
        _joined(f"{each.reference} ({each.paid_on})" for each in row.payments),
        _joined(row.settlements),
    ]
