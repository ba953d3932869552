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


HANDLERS: dict[str, Handler] = {"payment.recorded": _recorded}
