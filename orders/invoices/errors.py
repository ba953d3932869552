"""What an invoice may be refused for."""

from shop.core.errors import CONSTRAINTS, Conflict, Invalid


class NothingToInvoice(Conflict):
    code = "nothing_to_invoice"
    zh = "没有已验收且未开票的货物或运费"
    en = "Nothing is accepted and not invoiced yet"


class InvoicedAlready(Conflict):
    code = "invoiced_already"
    zh = "所选到货已开票"
    en = "What was accepted is invoiced already"


class NotAccepted(Invalid):
    code = "not_accepted"
    zh = "所选到货不属于该订单或尚未验收"
    en = "A delivery is not of this order, or not accepted yet"


class ExemptionNeeded(Invalid):
    code = "exemption_needed"
    zh = "有零税率的行，须说明免税依据"
    en = "There are lines without VAT; say what exempts them"


class NothingToCredit(Conflict):
    code = "nothing_to_credit"
    zh = "发票与应收一致，无需冲红"
    en = "The invoice holds what is owed; there is nothing to credit"


class OtherReason(Conflict):
    code = "other_reason"
    zh = "发票没有因该原因须冲红的内容：退货、更正、改单位须有已不再销售的货物，折让须有争议退款"
    en = "Nothing of the invoice is to be credited for this reason: a price reduction needs what a dispute gave back, any other what is no longer sold"


CONSTRAINTS["uq_invoice_line_sale"] = InvoicedAlready
CONSTRAINTS["uq_invoice_line_freight"] = InvoicedAlready
