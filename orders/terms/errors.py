"""What payment terms and credit limits refuse."""

from shop.core.errors import CONSTRAINTS, Conflict, DoneBefore, NotFound


class CreditNeeded(Conflict):
    """先货后款 is for budget units; an account that registered itself needs a credit limit for it."""

    code = "credit_needed"
    zh = "该单位不是预算单位且没有赊销额度，只能先款后货"
    en = "The buyer is no budget unit and has no credit limit; it pays before delivery"


class CreditExceeded(Conflict):
    code = "credit_exceeded"
    zh = "超出赊销额度：需要 {needed} 元，可用 {available} 元（{unit}）"
    en = "Over the credit limit: {needed} yuan are needed, {available} are left ({unit})"


class BuyersCreditShort(Conflict):
    """The same of an order that got dearer: its supplier may be who is told, and what its customer has left is no business of it."""

    code = "buyers_credit_short"
    zh = "采购单位的赊销额度不足"
    en = "The buyer's credit limit does not suffice for this"


class LimitBelowUsed(Conflict):
    code = "limit_below_used"
    zh = "额度不能低于已占用的 {used} 元"
    en = "The limit cannot be less than the {used} yuan that are used"


class BuysNothing(Conflict):
    code = "buys_nothing"
    zh = "该单位不是采购单位"
    en = "The organisation does not buy"


class NotPaidAhead(Conflict):
    code = "not_paid_ahead"
    zh = "只有先款后货的订单可以申请延期付款"
    en = "Only an order that is paid ahead can be paid later"


class AlreadyExtended(DoneBefore):
    code = "already_extended"
    zh = "付款期限已延长过一次"
    en = "The time to pay was extended once already"


class NothingDue(Conflict):
    code = "nothing_due"
    zh = "订单没有未付的款项"
    en = "Nothing of the order is left to be paid"


class NotPaidYet(Conflict):
    """``before_payment`` in the request says that the supplier wants to all the same."""

    code = "not_paid_yet"
    zh = "约定发货前付款的款项尚有 {due} 元未到账（其中已登记汇款 {announced} 元）；如仍要发货，请注明 before_payment"
    en = "{due} yuan that are due before shipping have not arrived ({announced} of them are announced); say before_payment to ship all the same"


class PaidFirst(Conflict):
    """The same where the programme lets no supplier do without."""

    code = "payment_first"
    zh = "约定发货前付款的款项尚有 {due} 元未到账（其中已登记汇款 {announced} 元），到账前不得发货"
    en = "{due} yuan that are due before shipping have not arrived ({announced} of them are announced); nothing is shipped before"


class NotOverdue(Conflict):
    code = "payment_not_overdue"
    zh = "尚未到可以因未付款而取消的日期"
    en = "It cannot be cancelled for want of payment yet"


class NotWarned(Conflict):
    code = "buyer_not_warned"
    zh = "平台尚未通知采购单位款项逾期，请稍后再试"
    en = "The buyer has not been told that the payment is overdue; try again later"


class NoCreditLimit(NotFound):
    code = "no_credit_limit"
    zh = "该单位没有核定赊销额度"
    en = "The organisation has no credit limit of its own"


class CreditMoved(Conflict):
    code = "credit_moved"
    zh = "赊销额度刚刚发生变化，请重试"
    en = "The credit limit changed this moment; try again"


CONSTRAINTS["ck_credit_limit_limit"] = CreditMoved
CONSTRAINTS["uq_credit_limit_organisation_id"] = CreditMoved
