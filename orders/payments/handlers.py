"""Who hears of payments."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.purchasing.handlers import parts_of, tell
from shop.core.outbox import Handler


def _recorded(session: Session, payload: dict[str, Any]) -> None:
    """Every supplier of the order hears that money came in for it."""
    purchase_order_id = session.execute(
        text("SELECT purchase_order_id FROM payment WHERE id = :id"), {"id": payload["payment_id"]}
    ).scalar_one()
    for each in parts_of(session, purchase_order_id):
        tell(session, "payment.recorded", payload["payment_id"], each, each.supplier_id)


def _undone(session: Session, payload: dict[str, Any]) -> None:
    """Every supplier that heard of the payment hears that it does not count, and the buyer too."""
    row = session.execute(
        text(
            "SELECT p.purchase_order_id, po.buyer_id FROM payment p JOIN purchase_order po ON po.id = p.purchase_order_id WHERE p.id = :id"
        ),
        {"id": payload["payment_id"]},
    ).one()
    parts = parts_of(session, row.purchase_order_id)
    for each in parts:
        tell(session, "payment.undone", payload["payment_id"], each, each.supplier_id)
    tell(session, "payment.undone", payload["payment_id"], parts[0], row.buyer_id)


HANDLERS: dict[str, Handler] = {"payment.recorded": _recorded, "payment.undone": _undone}
