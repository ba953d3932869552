"""What a refund may be refused for."""

from orders.payments.errors import CreditTaken
from shop.core.errors import CONSTRAINTS, Conflict, Forbidden, Invalid


class AboveCredit(Conflict):
    code = "refund_above_credit"
    zh = "退款超过该订单多付且已到账的金额（可退 {credit} 元）"
    en = "The refund is above what was paid too much for the order and has arrived ({credit} yuan can go back)"


class HeldByRefunds(Conflict):
    """``refunds``: those of the order that hold its credit, or took it."""

    code = "refund_above_credit"
    zh = "退款超过该订单多付且已到账的金额（可退 {credit} 元）；多付款项已由退款 {refunds} 占用"
    en = "The refund is above what was paid too much for the order and has arrived ({credit} yuan can go back); other refunds hold or took it: {refunds}"


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


class MoneyGone(Conflict):
    """What was paid too much when it was released has been taken back since, or the order costs more by now."""

    code = "refund_not_covered"
    zh = "退款 {number} 所依据的多付款项已不在账（缺 {missing} 元）；未提交银行的请记为失败，仍要退的请在 despite 中说明理由"
    en = "{missing} yuan of what refund {number} was released on are not there any more: say that it failed, or in `despite` why it goes nevertheless"


class InRefundFile(Conflict):
    """The file pays it once it is uploaded, whatever is said of it singly."""

    code = "refund_in_live_file"
    zh = "退款 {number} 在待上传的文件 {file} 中：请先登记该文件已上传，或由另一人将其作废"
    en = "Refund {number} stands in file {file}, which waits to be uploaded: say first that it was, or have another person make it void"


class RefundsRest(Conflict):
    """A payment was to be taken back on which refunds rest that are released and have not left."""

    code = "refunds_rest_on_it"
    zh = "本订单已放行、尚未付出的退款依据这笔款项；请先将其记为失败，或等待银行结果"
    en = "Refunds of the order that are released and have not left rest on this money: say first that they failed, or wait for the bank"


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
CONSTRAINTS["ck_payment_credit"] = RefundsRest
