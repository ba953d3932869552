"""What a refund may be refused for."""

from orders.payments.errors import CreditTaken
from shop.core.errors import CONSTRAINTS, Conflict, Forbidden, Invalid


class AboveCredit(Conflict):
    code = "refund_above_credit"
    zh = "退款超过该订单多付且已到账的金额（可退 {credit} 元）"
    en = "The refund is above what was paid too much for the order and has arrived ({credit} yuan can go back)"


class AbovePayment(Conflict):
    code = "refund_above_payment"
    zh = "退款超过该笔在线付款尚可退回的金额（{left} 元）"
    en = "The refund is above what is left of the online payment ({left} yuan)"


class GoesBackOnline(Conflict):
    code = "refund_goes_back_online"
    zh = "在线支付的款项须原路退回，请填写 payment_id；可转账退回 {left} 元"
    en = "What was paid online goes back by the same way: say its `payment_id`; {left} yuan can go back by transfer"


class NotOnline(Invalid):
    code = "not_an_online_payment"
    zh = "只能原路退回本订单的在线付款"
    en = "Only an online payment of this order can go back by its own way"


class NotByHand(Conflict):
    code = "refund_not_by_hand"
    zh = "在线退款由支付渠道办理并回报结果，不能人工登记"
    en = "The provider makes an online refund and tells what becomes of it; nobody says so by hand"


class OwnRequest(Forbidden):
    code = "own_refund"
    zh = "不能审批自己申请的退款"
    en = "Who asked for a refund cannot approve it"


CONSTRAINTS["ck_refund_two_persons"] = OwnRequest
CONSTRAINTS["ck_refund_credit"] = CreditTaken
CONSTRAINTS["ck_refund_payment_left"] = CreditTaken
