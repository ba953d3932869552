"""Who hears of deliveries and acceptances."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.purchasing.handlers import part, tell
from orders.statistics import actions as statistics
from shop.core.outbox import Handler


def _sent(session: Session, payload: dict[str, Any]) -> None:
    """The buyer has something to accept."""
    supplier_order_id = session.execute(
        text("SELECT supplier_order_id FROM shipment WHERE id = :id"), {"id": payload["shipment_id"]}
    ).scalar_one()
    each = part(session, supplier_order_id)
    tell(session, "shipment.sent", payload["shipment_id"], each, each.buyer_id)


def _accepted(session: Session, payload: dict[str, Any]) -> None:
    """The supplier hears of the acceptance, and the rollups take the sale over."""
    supplier_order_id = session.execute(
        text("SELECT supplier_order_id FROM acceptance WHERE id = :id"), {"id": payload["acceptance_id"]}
    ).scalar_one()
    each = part(session, supplier_order_id)
    tell(session, "acceptance.recorded", payload["acceptance_id"], each, each.supplier_id)
    statistics.refresh(session)


HANDLERS: dict[str, Handler] = {
    "acceptance.recorded": _accepted,
    "shipment.sent": _sent,
}
