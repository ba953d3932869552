"""Who hears of refunds."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.refunds.states import RefundStatus
from shop.core.money import yuan_from_fen
from shop.core.outbox import Handler
from shop.notifications.actions import notify


def _moved(session: Session, payload: dict[str, Any]) -> None:
    """The buyer hears what became of it."""
    if payload["status"] == RefundStatus.CANCELLED:
        return
    row = session.execute(
        text(
            "SELECT r.id, r.number, r.amount_fen, po.buyer_id, po.number AS order_number"
            " FROM refund r JOIN purchase_order po ON po.id = r.purchase_order_id WHERE r.id = :id"
        ),
        {"id": payload["refund_id"]},
    ).one()
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
