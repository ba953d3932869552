"""What is signed and how, when it is tried again, what there is to subscribe to. Pure."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

#: Everything that the feed tells, as ``subject.what_happened``; an entry more than the feed's handlers know is a fault (a test checks it).
TYPES: Mapping[str, tuple[str, str]] = {
    "acceptance.recorded": ("到货已验收", "A delivery was accepted"),
    "acceptance_correction.moved": ("验收更正有进展", "A correction of an acceptance was proposed or answered"),
    "advance.paid": ("预付款已付出", "Money was paid ahead"),
    "advance.returned": ("预付款已退回", "Money that was paid ahead came back"),
    "agreement.declined": ("协议已被拒绝", "An agreement was declined"),
    "agreement.instalments_late": ("协议分批交货逾期", "Instalments of an agreement are late"),
    "agreement.proposed": ("协议待签署", "An agreement was proposed"),
    "agreement.revised": ("协议提议已收回修改", "A proposed agreement was taken back to be changed"),
    "agreement.signed": ("协议已由一方签署", "One side signed an agreement"),
    "agreement.withdrawn": ("协议提议已撤回", "A proposed agreement was withdrawn"),
    "agreement_change.answered": ("协议变更已答复", "A change of an agreement was answered"),
    "agreement_change.proposed": ("协议变更待答复", "A change of an agreement was proposed"),
    "amendment.answered": ("订单变更已答复", "A change of an order was answered"),
    "amendment.proposed": ("订单变更待答复", "A change of an order was proposed"),
    "blacklist.lifted": ("单位的黑名单已解除", "The organisation is no longer barred"),
    "blacklist.listed": ("单位被列入黑名单", "The organisation is barred"),
    "budget_unit_application.decided": ("变更预算单位的申请已有结果", "An application for another budget unit was decided"),
    "budget_unit_application.filed": ("已申请变更预算单位", "Another budget unit was applied for"),
    "bulletin.published": ("监测通报或其修订版已发布", "A bulletin, or a revision of one, was published"),
    "call_off.drafted": ("协议分批订单已起草", "A call-off was drafted"),
    "capacity.cleared": ("产能预警已解除", "A capacity flag was cleared"),
    "capacity.flagged": ("销量超过认定产能", "More was sold than certified"),
    "certificate.changed": ("证书的变更已生效", "A change of a certificate took effect"),
    "certificate.held": ("证书已暂扣", "A certificate is held"),
    "certificate.issued": ("证书已颁发", "A certificate was issued"),
    "certificate.papers_renewed": ("证书的证照已更新", "The papers behind a certificate were renewed"),
    "certificate.reinstated": ("证书已恢复", "A certificate is in force again"),
    "certificate.released": ("证书的暂扣已解除", "A certificate is no longer held"),
    "certificate.revocation_dropped": ("撤销程序已终止", "A revocation was dropped"),
    "certificate.revocation_opened": ("证书已立案撤销", "A revocation was opened"),
    "certificate.revoked": ("证书已撤销", "A certificate was revoked"),
    "certificate.suspended": ("证书已暂停", "A certificate was suspended"),
    "certificate.warned": ("证书已警告", "A certificate's holder was warned"),
    "certification.decided": ("认定申请已有结果", "An application was decided, or passed on"),
    "certification.noticed": ("认定公示已开始", "The public notice of an application began"),
    "certification.submitted": ("认定申请已提交", "An application was submitted"),
    "charge_dispute.moved": ("在线付款被银行撤回或查询", "A bank took back or asks about an online payment"),
    "complaint.decided": ("投诉已处理", "A complaint was decided"),
    "complaint.filed": ("收到投诉", "A complaint was filed"),
    "complaint.stated": ("供应商已对投诉作出说明", "The supplier made its statement on a complaint"),
    "complaint.withdrawn": ("投诉已撤回", "A complaint was withdrawn"),
    "connected_account.moved": ("收款账户状态有变化", "An account at the payment provider can be paid to, or no more"),
    "counting_hold.decided": ("网点销售的疑点已处理", "A doubt about sales of an outlet was decided"),
    "credit_limit.set": ("赊销额度已核定", "A credit limit was set"),
    "credit_note.issued": ("红字发票已开具", "A credit note was issued"),
    "crop_loss.declared": ("已申报减产", "A crop loss was declared"),
    "dispute.answered": ("争议已答辩", "A dispute was answered"),
    "dispute.decided": ("争议已裁决", "A dispute was decided"),
    "dispute.ended": ("争议已撤回或和解", "A dispute was withdrawn or settled"),
    "dispute.opened": ("已发起争议", "A dispute was opened"),
    "dispute.proposed": ("争议有调解方案", "A settlement of a dispute was proposed"),
    "evaluation.answered": ("供应商已回复评价", "The supplier answered an evaluation"),
    "evaluation.written": ("订单已评价", "An order was evaluated"),
    "export.delivered": ("定时报送的文件已生成", "A scheduled delivery is ready"),
    "external_sale.moved": ("平台外销售申报有进展", "A claim of a sale made elsewhere moved on"),
    "inspection.done": ("检查已完成", "A check was done"),
    "invoice.credit_due": ("发票待冲红", "A credit note of an invoice is due"),
    "invoice.sent": ("发票已送达", "An invoice was sent"),
    "objection.decided": ("公示异议已有结果", "An objection was decided"),
    "loss_share.booked": ("供应商承担拒付款或获退还", "A supplier bears a lost payment, or gets it back"),
    "online_payment.moved": ("在线支付有进展", "An online payment moved on"),
    "organisation.approved": ("单位注册已通过", "The registration was approved"),
    "organisation.rejected": ("单位注册被驳回", "The registration was rejected"),
    "outlet.closed": ("网点已关闭", "An outlet was closed"),
    "outlet.refused": ("网点未通过核验", "An outlet was refused"),
    "outlet.verified": ("网点已核验", "An outlet was verified"),
    "outlets.silent": ("网点长时间无上报", "Nothing is heard from outlets"),
    "paper.uploaded": ("订单有新单据", "A paper of an order was uploaded"),
    "payment.arrived": ("登记的汇款已到账", "A transfer that was announced has arrived"),
    "payment.extended": ("付款期限已延长", "The time to pay was extended"),
    "payment.recorded": ("付款已登记", "A payment was recorded"),
    "payment.undone": ("付款已撤销", "A payment was taken back"),
    "payout.ended": ("结算款已付出或未能到账", "A payout was paid, or did not arrive"),
    "payout.released": ("结算款已放行", "A payout was released"),
    "payout_account.moved": ("收款账户变更有进展", "A change of the bank account moved on"),
    "pledge.cancelled": ("购买承诺已撤回", "A pledge was taken back"),
    "pledge.opened": ("购买承诺已公布", "A pledge was opened"),
    "purchase_order.amended": ("订单金额或明细已变更", "The lines or the cost of an order changed"),
    "purchase_order.cancelled": ("订单已取消", "An order, or a part of it, was cancelled"),
    "purchase_order.placed": ("订单已提交", "An order was placed"),
    "purchase_order.reassigned": ("订单的预算单位已变更", "An order belongs to another budget unit"),
    "purchase_proof.issued": ("购买证明已出具", "A proof of purchase was issued"),
    "purchase_proof.revoked": ("购买证明已撤销", "A proof of purchase was revoked"),
    "purchase_request.ordered": ("采购申请已下单", "A request was ordered"),
    "purchase_request.rejected": ("采购申请未获批准", "A request was refused"),
    "purchase_request.returned": ("采购申请已退回", "A request was returned"),
    "purchase_request.stuck": ("采购申请已批准但未能下单", "A request was approved but could not be ordered"),
    "purchase_request.waiting": ("采购申请待审批", "A request waits for approval"),
    "purchase_request.withdrawn": ("采购申请已撤回", "A request was withdrawn"),
    "quotation_request.answered": ("询价提问已答复", "A question about a request for quotation was answered"),
    "quotation_request.asked": ("询价有新提问", "A question was asked about a request for quotation"),
    "quotation_request.awarded": ("询价已定标", "A request for quotation was awarded"),
    "quotation_request.cancelled": ("询价已取消", "A request for quotation was cancelled"),
    "quotation_request.closed": ("询价已截止", "A request for quotation closed"),
    "quotation_request.decided": ("询价结果已确定", "A request for quotation was decided"),
    "quotation_request.extended": ("询价已延期", "The end of a request for quotation was moved"),
    "quotation_request.published": ("询价已发布", "A request for quotation was published"),
    "refund.moved": ("退款有进展", "A refund moved on"),
    "report.reviewed": ("月报已审核", "A monthly report was accepted or returned"),
    "return.moved": ("退换货有进展", "A return or exchange moved on"),
    "sales_batch.held": ("网点销售批次暂不计入", "Sales of an outlet are held"),
    "settlement.answered": ("结算异议已答复", "An objection to a settlement was answered"),
    "settlement_run.made": ("结算单已出具", "A settlement was made"),
    "shipment.corrected": ("物流信息已更正", "The transport data of a delivery were corrected"),
    "shipment.hold_changed": ("到货异议有变化", "A delivery was held or let go"),
    "shipment.sent": ("已发货", "A delivery was sent"),
    "supplier_order.confirmed": ("供应商已确认订单", "The supplier confirmed"),
    "supplier_order.freight_asked": ("供应商提出运费，待同意", "The supplier asks for a freight"),
    "supplier_order.freight_set": ("供应商已设定运费", "The supplier set the freight"),
    "supplier_order.lapsed": ("订单未按期确认，已释放", "A part was not confirmed in time and released"),
    "supplier_order.rejected": ("供应商已拒绝订单", "The supplier rejected"),
    "supplier_order.to_deliver": ("采购单位选择继续交付", "The buyer wants a part delivered though its certificate was stopped"),
    "supplier_order.unpaid": ("逾期未付款，供应商已取消", "A part was not paid in time and given up"),
    "tax_invoice.moved": ("税务发票有进展", "A tax invoice was registered, held or decided"),
    "voucher.redeemed": ("服务券已核销", "A voucher was redeemed"),
    "vouchers.expired": ("服务券已过期", "Vouchers ended unredeemed"),
    "vouchers.issued": ("服务券已发放", "Vouchers were issued"),
}
PING = "ping"

#: Where the subject of a change is read.
LINKS: Mapping[str, str] = {
    "acceptance_correction": "/v1/acceptance-corrections/{id}",
    "advance": "/v1/advances/{id}",
    "agreement": "/v1/agreements/{id}",
    "amendment": "/v1/amendments/{id}",
    "budget_unit_application": "/v1/budget-unit-applications/{id}",
    "bulletin": "/v1/public/bulletins",
    "call_off_draft": "/v1/call-off-drafts/{id}",
    "capacity_flag": "/v1/capacity-flags",
    "certificate": "/v1/certificates/{id}",
    "certification_case": "/v1/certification-cases/{id}",
    "charge_dispute": "/v1/charge-disputes",
    "complaint": "/v1/complaints/{id}",
    "connected_account": "/v1/connected-account",
    "credit_limit": "/v1/organisations/{id}/credit-limit",
    "credit_note": "/v1/credit-notes/{id}",
    "crop_loss": "/v1/crop-losses/{id}",
    "dispute": "/v1/disputes/{id}",
    "export": "/v1/exports/{id}",
    "external_sale": "/v1/external-sales/{id}",
    "goods_return": "/v1/returns/{id}",
    "inspection": "/v1/inspections/{id}",
    "invoice": "/v1/invoices/{id}",
    "open_orders": "/v1/certificates/{id}/open-orders",
    "online_payment": "/v1/online-payments/{id}",
    "organisation": "/v1/organisations/{id}",
    "outlet": "/v1/outlets/{id}",
    "payout": "/v1/payouts/{id}",
    "payout_account": "/v1/payout-accounts/{id}",
    "pledge": "/v1/pledges/{id}",
    "purchase_order": "/v1/purchase-orders/{id}",
    "purchase_request": "/v1/purchase-requests/{id}",
    "quotation_request": "/v1/quotation-requests/{id}",
    "refund": "/v1/refunds/{id}",
    "report": "/v1/reports/{id}",
    "sales_batch": "/v1/sales-batches/{id}",
    "settlement": "/v1/settlements/{id}",
    "shipment": "/v1/shipments/{id}",
    "silent_outlets": "/v1/outlets?silent=true",
    "supplier_order": "/v1/supplier-orders/{id}",
    "tax_invoice": "/v1/tax-invoices/{id}",
    "voucher": "/v1/vouchers/{id}",
    "webhook_endpoint": "/v1/webhook-endpoints/{id}",
}

#: Days for which changes are kept, and deliveries.
CHANGES_DAYS = 90
DELIVERIES_DAYS = 30
MAX_ENDPOINTS = 20
MAX_REPLAYED = 10_000
#: How many deliveries of one endpoint are on their way at once, so that a slow one leaves senders to the others.
SLOTS = 2
#: A delivery is given up so long after it was made.
GIVE_UP = timedelta(days=3)
#: An endpoint is disabled when so many attempts in a row failed, over so long.
FAILURES, FAILING = 10, timedelta(days=3)
#: The longest wait between two attempts.
LONGEST_WAIT = timedelta(hours=12)
#: How long the secret before signs beside the new one, unless the owner says otherwise.
OVERLAP_HOURS = 24

SECRET_PREFIX = "whsec_"  # noqa: S105  what a secret begins with


def patterns() -> frozenset[str]:
    """What an endpoint may subscribe to."""
    return frozenset({"*", *TYPES, *(f"{name.partition('.')[0]}.*" for name in TYPES)})


def links(subject_type: str, subject_id: int, public_url: str) -> dict[str, str]:
    path = LINKS.get(subject_type)
    return {"subject": public_url.rstrip("/") + path.format(id=subject_id)} if path else {}


def body(event_id: str, kind: str, at: datetime, subject_type: str, subject_id: int, public_url: str) -> bytes:
    """What is sent: what happened, when, about what, and where to read it. The same bytes at each attempt."""
    document: dict[str, Any] = {
        "id": event_id,
        "type": kind,
        "created_at": at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "data": {"subject_type": subject_type, "subject_id": subject_id},
        "links": links(subject_type, subject_id, public_url),
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def signature(secrets: Iterable[str], event_id: str, timestamp: int, content: bytes) -> str:
    """One signature for each secret, as Standard Webhooks has it: ``v1,<base64 of HMAC-SHA256 over id.timestamp.body>``, space-separated."""
    signed = f"{event_id}.{timestamp}.".encode() + content
    return " ".join(
        "v1,"
        + base64.b64encode(hmac.new(base64.b64decode(secret.removeprefix(SECRET_PREFIX)), signed, hashlib.sha256).digest()).decode()
        for secret in secrets
    )


def wait_before_retry(attempts: int, chance: float) -> timedelta:
    """How long a delivery waits after its ``attempts``-th failure: a minute, then four times as long each time, at most twelve hours; and
    up to a fifth more by ``chance`` (0 to 1), so that what failed together does not come again together.
    """
    return min(timedelta(minutes=4 ** (min(attempts, 10) - 1)), LONGEST_WAIT) * (1 + chance / 5)


def rest_after(failures: int) -> timedelta:
    """How long an endpoint is left alone after so many failures in a row: a few seconds first, at most ten minutes."""
    return min(timedelta(seconds=5 * 2 ** (min(failures, 10) - 1)), timedelta(minutes=10))


def asked_to_wait(retry_after: str | None, now: datetime) -> timedelta:
    """How long an answer asks to be left alone by its Retry-After: seconds, or a date of HTTP. At most twelve hours, so that nothing is given
    up unattempted; what is neither of the two, or past, is no wait.
    """
    value = (retry_after or "").strip()
    if value.isascii() and value.isdecimal():
        return min(timedelta(seconds=int(value[:9])), LONGEST_WAIT)
    try:
        until = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError, IndexError):
        return timedelta(0)
    until = until.replace(tzinfo=UTC) if until.tzinfo is None else until
    return max(timedelta(0), min(until - now, LONGEST_WAIT))


def is_hopeless(failures: int, failing_since: datetime, now: datetime) -> bool:
    """Whether an endpoint has failed so often and for so long that it is disabled."""
    return failures >= FAILURES and now - failing_since >= FAILING
