"""What the recording of a payment may be refused for."""

from shop.core.errors import CONSTRAINTS, Conflict, DoneBefore, Invalid


class ReferenceTaken(Conflict):
    code = "bank_reference_taken"
    zh = "该银行流水号已登记"
    en = "This bank reference was recorded before"


class AboveDue(Conflict):
    code = "payment_above_due"
    zh = "付款超过未付金额（{due} 元）"
    en = "The payment is above the amount still due ({due} yuan)"


class AboveCredit(Conflict):
    code = "amount_above_credit"
    zh = "超过该订单多付且已到账的金额（{credit} 元）"
    en = "More than was paid too much for the order and has arrived ({credit} yuan)"


class CreditTaken(Conflict):
    """The database's own word at the commit: something else took of the credit that did not come by this way."""

    code = "credit_taken"
    zh = "多付的金额刚刚已被退回或转出，请刷新后重试"
    en = "What was paid too much has just gone back or counts for another order; read it again, then retry"


class NotSameBuyer(Conflict):
    code = "not_same_buyer"
    zh = "只能转到同一采购单位的另一订单"
    en = "It can only count for another order of the same buyer"


class Undone(DoneBefore):
    code = "payment_undone"
    zh = "该付款已撤销"
    en = "The payment was taken back before"


class Announced(Conflict):
    code = "payment_not_announced"
    zh = "该付款由银行流水或在线支付入账，不能撤回"
    en = "The bank or the online payment shows it; it cannot be taken back like an announcement"


class PaidInFuture(Invalid):
    code = "paid_in_future"
    zh = "付款日期不能晚于今天"
    en = "The payment date lies in the future"


class PaidBeforeOrder(Invalid):
    code = "paid_before_order"
    zh = "付款日期不能早于下单日期"
    en = "The payment date lies before the order"


CONSTRAINTS["uq_payment_bank_reference"] = ReferenceTaken
CONSTRAINTS["ck_credit_move_credit"] = CreditTaken
