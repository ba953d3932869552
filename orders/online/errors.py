"""What online payment may be refused for."""

from shop.core.errors import CONSTRAINTS, Conflict, Invalid, Problem


class PaymentOff(Conflict):
    code = "online_payment_off"
    zh = "本平台未开通在线支付，请使用对公转账"
    en = "This marketplace takes no online payments; pay by bank transfer"


class AlreadyOpen(Conflict):
    code = "online_payment_open"
    zh = "该订单已有进行中的在线支付"
    en = "An online payment of the order is under way"


class AmountOutside(Invalid):
    code = "online_amount_outside"
    zh = "在线支付每笔须在 {least} 元至 {most} 元之间，可分次支付或使用对公转账"
    en = "An online payment is of {least} to {most} yuan; pay in parts, or by bank transfer"


class NeedsReturnUrl(Invalid):
    code = "return_url_needed"
    zh = "支付宝付款须提供 return_url"
    en = "Alipay needs a return_url"


class NotStoppable(Conflict):
    code = "online_payment_not_stoppable"
    zh = "该笔在线支付已结束或正在处理，不能取消"
    en = "The online payment has ended or is being processed, and cannot be cancelled"


class NoAccount(Conflict):
    code = "connected_account_missing"
    zh = "尚未开通收款账户"
    en = "There is no account at the provider yet"


class AlreadyTransferred(Conflict):
    code = "payout_already_transferred"
    zh = "支付服务商已有该笔付款的转账，请先核实"
    en = "The provider shows a transfer of this payout; look at it first"


class BadWebhook(Problem):
    status, code = 400, "bad_webhook"
    zh = "不是支付服务商的有效通知"
    en = "This is no valid event of the provider"


CONSTRAINTS["uq_online_payment_open"] = AlreadyOpen
