"""Registers of invoices and credit notes as tables to be exported."""

from orders.invoices.schemas import CreditDueRow, CreditNoteRow, InvoiceRow, UninvoicedRow
from orders.money.labels import label
from shop.core.errors import Language
from shop.core.exports import Cell
from shop.core.money import yuan

INVOICES: dict[Language, str] = {"zh": "发票登记簿", "en": "Invoices"}
INVOICE_HEADER: dict[Language, list[str]] = {
    "zh": ["发票编号", "开具日期", "状态", "销售方", "购买方", "订单", "行数", "不含税金额（元）", "税额（元）", "价税合计（元）", "已冲红（元）", "余额（元）"],
    "en": ["number", "issued on", "status", "seller", "buyer", "order", "lines", "net (yuan)", "VAT (yuan)", "gross (yuan)", "credited (yuan)", "held (yuan)"],
}  # fmt: skip
CREDIT_NOTES: dict[Language, str] = {"zh": "红字发票登记簿", "en": "Credit notes"}
CREDIT_NOTE_HEADER: dict[Language, list[str]] = {
    "zh": ["编号", "开具日期", "原因", "原发票", "销售方", "购买方", "不含税金额（元）", "税额（元）", "价税合计（元）", "备注"],
    "en": ["number", "issued on", "reason", "invoice", "seller", "buyer", "net (yuan)", "VAT (yuan)", "gross (yuan)", "note"],
}

UNINVOICED: dict[Language, str] = {"zh": "已验收未开票", "en": "Not invoiced"}
UNINVOICED_HEADER: dict[Language, list[str]] = {
    "zh": ["订单", "销售方", "购买方", "行数", "货款（元）", "运费（元）", "合计（元）", "最早验收日期"],
    "en": ["order", "seller", "buyer", "lines", "goods (yuan)", "freight (yuan)", "total (yuan)", "first accepted on"],
}
CREDIT_DUE: dict[Language, str] = {"zh": "待冲红", "en": "Credit notes due"}
CREDIT_DUE_HEADER: dict[Language, list[str]] = {
    "zh": ["订单", "销售方", "购买方", "发票余额（元）", "应收（元）", "应冲红（元）"],
    "en": ["order", "seller", "buyer", "held (yuan)", "owed (yuan)", "due (yuan)"],
}


def invoice_cells(row: InvoiceRow, language: Language) -> list[Cell]:
    return [
        row.number,
        row.issued_on,
        label("invoice_status", row.status, language),
        row.seller_name,
        row.buyer_name,
        row.purchase_order_number,
        row.line_count,
        yuan(row.net),
        yuan(row.vat),
        yuan(row.gross),
        yuan(row.credited),
        yuan(row.held),
    ]


def credit_note_cells(row: CreditNoteRow, language: Language) -> list[Cell]:
    return [
        row.number,
        row.issued_on,
        label("credit_reason", row.reason, language),
        row.invoice_number,
        row.seller_name,
        row.buyer_name,
        yuan(row.net),
        yuan(row.vat),
        yuan(row.gross),
        row.note,
    ]


def uninvoiced_cells(row: UninvoicedRow) -> list[Cell]:
    return [
        row.purchase_order_number,
        row.seller_name,
        row.buyer_name,
        row.lines,
        yuan(row.goods),
        yuan(row.freight),
        yuan(row.total),
        row.first_sold_on,
    ]


def credit_due_cells(row: CreditDueRow) -> list[Cell]:
    return [row.purchase_order_number, row.seller_name, row.buyer_name, yuan(row.held), yuan(row.owed), yuan(row.due)]
