"""What a tax invoice may be refused for."""

from shop.core.errors import CONSTRAINTS, Conflict, Invalid


class TaxInvoicesWrong(Invalid):
    code = "tax_invoices_wrong"
    zh = "有 {count} 处错误，未登记任何发票"
    en = "{count} fault(s); nothing was registered"


class NumberCounted(Conflict):
    code = "number_counted"
    zh = "同一号码的另一张发票已生效，请先驳回该张"
    en = "Another registration of this number counts; refuse that one first"


class HasFile(Conflict):
    code = "has_file"
    zh = "该发票已有文件；如有误请作废后重新登记"
    en = "It has its file already; void it and register it anew if that is wrong"


class HasRedLetter(Conflict):
    code = "has_red_letter"
    zh = "该发票已登记红字发票，请先作废红字发票"
    en = "A red-letter invoice takes it back; void that one first"


CONSTRAINTS["uq_tax_invoice_number"] = NumberCounted
