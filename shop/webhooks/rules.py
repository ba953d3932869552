"""What is signed and how, when it is tried again, what there is to subscribe to. Pure."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

#: Everything that the feed tells, as ``subject.what_happened``; an entry more than the feed's handlers know is a fault (a test checks it).
TYPES: Mapping[str, tuple[str, str]] = {
    "acceptance.recorded": ("到货已验收", "A delivery was accepted"),
    "blacklist.lifted": ("单位的黑名单已解除", "The organisation is no longer barred"),
    "blacklist.listed": ("单位被列入黑名单", "The organisation is barred"),
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
    "complaint.decided": ("投诉已处理", "A complaint was decided"),
    "complaint.filed": ("收到投诉", "A complaint was filed"),
    "complaint.stated": ("供应商已对投诉作出说明", "The supplier made its statement on a complaint"),
    "complaint.withdrawn": ("投诉已撤回", "A complaint was withdrawn"),
    "inspection.done": ("检查已完成", "A check was done"),
    "objection.decided": ("公示异议已有结果", "An objection was decided"),
    "organisation.approved": ("单位注册已通过", "The registration was approved"),
    "organisation.rejected": ("单位注册被驳回", "The registration was rejected"),
    "payment.recorded": ("付款已登记", "A payment was recorded"),
    "purchase_order.cancelled": ("订单已取消", "An order, or a part of it, was cancelled"),
    "purchase_order.placed": ("订单已提交", "An order was placed"),
    "shipment.sent": ("已发货", "A delivery was sent"),
    "supplier_order.confirmed": ("供应商已确认订单", "The supplier confirmed"),
    "supplier_order.rejected": ("供应商已拒绝订单", "The supplier rejected"),
    "supplier_order.to_deliver": ("采购单位选择继续交付", "The buyer wants a part delivered though its certificate was stopped"),
}
PING = "ping"

#: Where the subject of a change is read.
LINKS: Mapping[str, str] = {
    "capacity_flag": "/v1/capacity-flags",
    "certificate": "/v1/certificates/{id}",
    "certification_case": "/v1/certification-cases/{id}",
    "complaint": "/v1/complaints/{id}",
    "inspection": "/v1/inspections/{id}",
    "open_orders": "/v1/certificates/{id}/open-orders",
    "organisation": "/v1/organisations/{id}",
    "purchase_order": "/v1/purchase-orders/{id}",
    "shipment": "/v1/shipments/{id}",
    "supplier_order": "/v1/supplier-orders/{id}",
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
    return min(timedelta(minutes=4 ** (min(attempts, 10) - 1)), timedelta(hours=12)) * (1 + chance / 5)


def rest_after(failures: int) -> timedelta:
    """How long an endpoint is left alone after so many failures in a row: a few seconds first, at most ten minutes."""
    return min(timedelta(seconds=5 * 2 ** (min(failures, 10) - 1)), timedelta(minutes=10))


def is_hopeless(failures: int, failing_since: datetime, now: datetime) -> bool:
    """Whether an endpoint has failed so often and for so long that it is disabled."""
    return failures >= FAILURES and now - failing_since >= FAILING
