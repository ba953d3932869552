"""Who hears of refunds."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.refunds.states import RefundStatus
from shop.core.money import yuan_from_fen
from shop.core.outbox import Handler
from shop.identity.permissions import Permission
from shop.notifications.actions import notify, notify_second

_REFUND = text(
    """
    SELECT r.id, r.number, r.amount_fen, r.status, r.requested_by, po.buyer_id, po.number AS order_number, buyer.region_code
    FROM refund r JOIN purchase_order po ON po.id = r.purchase_order_id JOIN organisation buyer ON buyer.id = po.buyer_id WHERE r.id = :id
    """
)


def _moved(session: Session, payload: dict[str, Any]) -> None:
    """The buyer hears what became of it; who may release it, but for who asked, that it waits; and that it left after all, if it was said to have
    failed."""
    if payload["status"] == RefundStatus.CANCELLED:
        return
    row = session.execute(_REFUND, {"id": payload["refund_id"]}).one()
    # it may be paid, fail, and be paid after all; events from before that was told say no version
    cause = f"{row.id}:{payload['version']}" if "version" in payload else str(row.id)
    told: dict[str, Any] = {"subject_type": "refund", "subject_id": row.id, "number": row.number, "order": row.order_number}
    told["amount"] = yuan_from_fen(row.amount_fen)
    second: str | None = None
    but: list[int | None] = []
    if row.status == payload["status"] == RefundStatus.REQUESTED:
        second, but = "refund.waiting", [row.requested_by]
    elif row.status == payload["status"] and payload.get("reinstated"):
        second = "refund.left_after_all"
    if second:
        notify_second(session, Permission.MONEY_MANAGE, row.region_code, but=but, origin=f"{second}:{cause}", kind=second, **told)
    kind = f"refund.{payload['status']}"
    notify(session, origin=f"{kind}:{cause}", kind=kind, organisation_id=row.buyer_id, **told)


HANDLERS: dict[str, Handler] = {"refund.moved": _moved}
