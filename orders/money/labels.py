"""What the codes of states, kinds and ways are called in files for the books, in Chinese and English: one table for each kind. Answers in JSON keep
the codes."""

from collections.abc import Mapping

LABELS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "invoice_status": {
        "issued": ("已开具", "issued"),
        "sent": ("已发送", "sent"),
        "partly_credited": ("部分冲红", "partly credited"),
        "credited": ("已冲红", "credited"),
    },
    # what a red-letter invoice names as its reason
    "credit_reason": {
        "return": ("销货退回", "return of goods"),
        "correction": ("验收更正", "correction of the acceptance"),
        "price_reduction": ("销售折让", "price reduction"),
        "reassignment": ("购买方变更", "moved to another buyer"),
        "issued_in_error": ("开票有误", "issued in error"),
    },
    "tax_invoice_type": {"special": ("专用发票", "special"), "ordinary": ("普通发票", "ordinary")},
    "tax_invoice_status": {
        "registered": ("已登记", "registered"),
        "held": ("待审核", "held"),
        "cleared": ("已核实", "cleared"),
        "refused": ("已驳回", "refused"),
        "void": ("已作废", "void"),
    },
    "gap": {
        "unexplained": ("账票不符", "unexplained"),
        "not_invoiced": ("未开票", "not invoiced"),
        "credit_note_due": ("待冲红", "credit note due"),
        "no_tax_invoice": ("未登记税务发票", "without a tax invoice"),
        "no_red_letter": ("缺红字发票", "without a red-letter invoice"),
        "tax_invoice_held": ("税务发票待审核", "tax invoice held"),
        "tax_invoice_differs": ("税务发票金额不符", "tax invoice differs"),
        "overdue": ("已逾期", "overdue"),
    },
    "online_method": {"card": ("银行卡", "card"), "alipay": ("支付宝", "Alipay"), "wechat_pay": ("微信支付", "WeChat Pay")},
    "online_status": {
        "created": ("已发起", "created"),
        "requires_action": ("待付款", "waits for the payer"),
        "processing": ("处理中", "processing"),
        "succeeded": ("已到账", "succeeded"),
        "failed": ("失败", "failed"),
        "cancelled": ("已取消", "cancelled"),
        "unknown": ("结果未知", "unknown"),
    },
    "charge_dispute_status": {
        "inquiry": ("银行询问", "inquiry"),
        "open": ("争议中", "open"),
        "won": ("胜诉", "won"),
        "lost": ("败诉", "lost"),
        "closed": ("已结束", "closed"),
    },
    # Stripe's reasons: https://docs.stripe.com/disputes/categories
    "charge_dispute_reason": {
        "bank_cannot_process": ("银行无法处理", "bank cannot process"),
        "check_returned": ("支票退回", "check returned"),
        "credit_not_processed": ("退款未处理", "credit not processed"),
        "customer_initiated": ("付款人发起", "begun by the payer"),
        "debit_not_authorized": ("扣款未授权", "debit not authorized"),
        "duplicate": ("重复扣款", "duplicate"),
        "fraudulent": ("非本人交易", "fraudulent"),
        "general": ("一般", "general"),
        "incorrect_account_details": ("账户信息有误", "wrong account details"),
        "insufficient_funds": ("余额不足", "insufficient funds"),
        "noncompliant": ("不合规", "not compliant"),
        "product_not_received": ("未收到商品", "goods not received"),
        "product_unacceptable": ("商品不符", "goods not acceptable"),
        "subscription_canceled": ("已取消订阅", "subscription cancelled"),
        "unrecognized": ("无法识别的交易", "not recognised"),
    },
    # the types of Stripe's balance transactions: https://docs.stripe.com/reports/balance-transaction-types
    "provider_entry": {
        "charge": ("收款", "charge"),
        "payment": ("收款", "payment"),
        "refund": ("退款", "refund"),
        "payment_refund": ("退款", "refund of a payment"),
        "refund_failure": ("退款失败", "refund failed"),
        "payment_failure_refund": ("收款失败退回", "payment failed later"),
        "payment_reversal": ("收款撤回", "payment reversed"),
        "adjustment": ("调整（含拒付）", "adjustment (chargebacks too)"),
        "transfer": ("划转", "transfer"),
        "transfer_refund": ("划转退回", "transfer taken back"),
        "transfer_cancel": ("划转取消", "transfer cancelled"),
        "transfer_failure": ("划转失败", "transfer failed"),
        "payout": ("提现", "payout"),
        "payout_cancel": ("提现取消", "payout cancelled"),
        "payout_failure": ("提现失败", "payout failed"),
        "stripe_fee": ("服务商收费", "fee of the provider"),
        "stripe_fx_fee": ("汇兑费", "exchange fee"),
        "network_cost": ("卡组织费用", "cost of the network"),
        "application_fee": ("平台手续费", "application fee"),
        "topup": ("充值", "top-up"),
        "reserve_transaction": ("保证金", "reserve"),
        "reserved_funds": ("冻结资金", "reserved funds"),
    },
    "entry_state": {
        "matched": ("已核对", "matched"),
        "unexplained": ("待查明", "unexplained"),
        "failed": ("待重试", "tried again"),
    },
    "refund_method": {"bank_transfer": ("银行转账", "bank transfer"), "online": ("原路退回", "back online")},
    "refund_status": {
        "requested": ("待审批", "requested"),
        "approved": ("已批准", "approved"),
        "sent": ("已发出", "sent"),
        "paid": ("已付出", "paid"),
        "refused": ("已拒绝", "refused"),
        "cancelled": ("已撤回", "cancelled"),
        "failed": ("付款失败", "failed"),
    },
    "settlement_status": {
        "open": ("待确认", "open"),
        "confirmed": ("已确认", "confirmed"),
        "objected": ("有异议", "objected"),
        "answered": ("已答复", "answered"),
    },
    "payout_status": {
        "draft": ("待批准", "draft"),
        "approved": ("已批准", "approved"),
        "released": ("已放行", "released"),
        "sent": ("已发出", "sent"),
        "paid": ("已付出", "paid"),
        "failed": ("付款失败", "failed"),
    },
    "payout_method": {"bank": ("银行转账", "bank transfer"), "stripe": ("在线划转", "by Stripe")},
}
_YES = ("是", "yes")


def label(kind: str, code: str | None, language: str) -> str:
    """What a code of a kind is called; one that others made and nobody has named yet is told as it is."""
    if not code:
        return ""
    words = LABELS[kind].get(code, (code, code))
    return words[language != "zh"]


def yes(said: bool, language: str) -> str:
    """A mark where something is so; nothing where it is not."""
    return _YES[language != "zh"] if said else ""
