"""The register of tax invoices as a table to be exported."""

from orders.money.labels import label, yes
from orders.tax_invoices.schemas import MissingRow, TaxInvoiceRow, TotalsRow
from shop.core.errors import Language
from shop.core.exports import Cell
from shop.core.money import yuan

TITLE: dict[Language, str] = {"zh": "税务发票登记簿", "en": "Tax invoices"}
HEADER: dict[Language, list[str]] = {
    "zh": ["发票代码", "发票号码", "类型", "红字", "开具日期", "销售方", "购买方", "价税合计（元）", "税额（元）", "应开金额（元）", "差额（元）", "应有税额（元）", "税额差额（元）", "状态", "处理意见", "省份与销售方不符"],
    "en": ["code", "number", "type", "red letter", "issued on", "seller", "buyer", "gross (yuan)", "VAT (yuan)", "expected (yuan)", "difference (yuan)", "expected VAT (yuan)", "VAT difference (yuan)", "status", "decision", "another province than the seller's"],
}  # fmt: skip
MISSING: dict[Language, str] = {"zh": "未登记税务发票", "en": "Without a tax invoice"}
MISSING_HEADER: dict[Language, list[str]] = {
    "zh": ["编号", "开具日期", "销售方", "购买方", "价税合计（元）", "税额（元）"],
    "en": ["number", "issued on", "seller", "buyer", "gross (yuan)", "VAT (yuan)"],
}
TOTALS: dict[Language, str] = {"zh": "税务发票汇总", "en": "Totals"}
TOTALS_HEADER: dict[Language, list[str]] = {
    "zh": ["状态、销售方或月份", "蓝字份数", "蓝字金额（元）", "蓝字税额（元）", "红字份数", "红字金额（元）", "红字税额（元）", "无结算发票（元）", "待审核", "结算发票（元）", "已冲红（元）", "未登记（元）", "缺红字（元）", "差额（元）"],
    "en": ["state, seller or month", "blue", "blue gross (yuan)", "blue VAT (yuan)", "red", "red gross (yuan)", "red VAT (yuan)", "without invoice (yuan)", "held", "invoiced (yuan)", "credited (yuan)", "missing (yuan)", "red missing (yuan)", "difference (yuan)"],
}  # fmt: skip


def missing_cells(row: MissingRow) -> list[Cell]:
    return [row.number, row.issued_on, row.seller_name, row.buyer_name, yuan(row.gross), yuan(row.vat)]


def totals_cells(row: TotalsRow, language: Language) -> list[Cell]:
    books = (row.invoiced, row.credited, row.missing, row.red_missing, row.difference)
    return [
        row.seller_name or label("tax_invoice_status", row.place, language),
        *(cell for each in (row.blue, row.red) for cell in (each.count, yuan(each.gross), yuan(each.vat))),
        yuan(row.unlinked),
        row.held,
        *map(yuan, books),
    ]


def cells(row: TaxInvoiceRow, language: Language) -> list[Cell]:
    return [
        row.code,
        row.number,
        label("tax_invoice_type", row.type, language),
        yes(row.red, language),
        row.issued_on,
        row.seller_name,
        row.buyer_name,
        yuan(row.gross),
        yuan(row.vat),
        yuan(row.expected),
        yuan(row.difference),
        yuan(row.expected_vat),
        yuan(row.vat_difference),
        label("tax_invoice_status", row.status, language),
        row.decision,
        yes(row.other_province, language),
    ]
