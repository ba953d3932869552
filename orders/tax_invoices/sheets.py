"""The register of tax invoices as a table to be exported."""

from orders.invoices.sheets import yuan
from orders.tax_invoices.schemas import TaxInvoiceRow
from shop.core.errors import Language
from shop.core.exports import Cell

TITLE: dict[Language, str] = {"zh": "税务发票登记簿", "en": "Tax invoices"}
HEADER: dict[Language, list[str]] = {
    "zh": ["发票代码", "发票号码", "类型", "红字", "开具日期", "销售方", "购买方", "价税合计（元）", "税额（元）", "应开金额（元）", "差额（元）", "状态", "处理意见"],
    "en": ["code", "number", "type", "red letter", "issued on", "seller", "buyer", "gross (yuan)", "VAT (yuan)", "expected (yuan)", "difference (yuan)", "status", "decision"],
}  # fmt: skip


def cells(row: TaxInvoiceRow) -> list[Cell]:
    return [
        row.code,
        row.number,
        row.type.value,
        "1" if row.red else "0",
        row.issued_on,
        row.seller_name,
        row.buyer_name,
        yuan(row.gross),
        None if row.vat is None else yuan(row.vat),
        None if row.expected is None else yuan(row.expected),
        None if row.difference is None else yuan(row.difference),
        row.status.value,
        row.decision,
    ]
