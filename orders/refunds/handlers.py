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
    """The buyer hears what became of it; and who may release it, but for who asked, that it waits."""
    if payload["status"] == RefundStatus.CANCELLED:
        return
    row = session.execute(_REFUND, {"id": payload["refund_id"]}).one()
    if row.status == payload["status"] == RefundStatus.REQUESTED:
        notify_second(
            session,
            Permission.MONEY_MANAGE,
            row.region_code,
            but=[row.requested_by],
            origin=f"refund.waiting:{row.id}",
            kind="refund.waiting",
            subject_type="refund",
            subject_id=row.id,
            number=row.number,
            order=row.order_number,
            amount=yuan_from_fen(row.amount_fen),
        )
    notify(
        session,
        origin=f"refund.{payload['status']}:{row.id}",
        kind=f"refund.{payload['status']}",
        subject_type="refund",
        subject_id=row.id,
        organisation_id=row.buyer_id,
        number=row.number,
        order=row.order_number,
        amount=yuan_from_fen(row.amount_fen),
    )


HANDLERS: dict[str, Handler] = {"refund.moved": _moved}
