"""What the recording of a payment may be refused for."""

from shop.core.errors import CONSTRAINTS, Conflict, Invalid


class ReferenceTaken(Conflict):
    code = "bank_reference_taken"
    zh = "该银行流水号已登记"
    en = "This bank reference was recorded before"


class AboveDue(Conflict):
    code = "payment_above_due"
    zh = "付款超过未付金额（{due} 元）"
    en = "The payment is above the amount still due ({due} yuan)"


class PaidInFuture(Invalid):
    code = "paid_in_future"
    zh = "付款日期不能晚于今天"
    en = "The payment date lies in the future"


class PaidBeforeOrder(Invalid):
    code = "paid_before_order"
    zh = "付款日期不能早于下单日期"
    en = "The payment date lies before the order"


CONSTRAINTS["uq_payment_bank_reference"] = ReferenceTaken
