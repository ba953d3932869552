"""What follows on decisions about held sales, and who hears of them."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.outlet_sales.actions import deciding, receiving
from shop.core.outbox import Handler
from shop.notifications.actions import notify

_BATCH = text(
    "SELECT b.id, b.batch_id, o.number, o.operator_id FROM sales_batch b JOIN outlet o ON o.id = b.outlet_id WHERE b.id = :id"
)


def _held(session: Session, payload: dict[str, Any]) -> None:
    """The operator hears that something of a batch is held."""
    batch = session.execute(_BATCH, {"id": payload["batch_id"]}).one()
    notify(
        session,
        origin=f"sales_batch.held:{batch.id}",
        kind="sales_batch.held",
        subject_type="sales_batch",
        subject_id=batch.id,
        organisation_id=batch.operator_id,
        number=batch.number,
        batch=batch.batch_id,
    )


def _decided(session: Session, payload: dict[str, Any]) -> None:
    """An officer counts what was held, or leaves it out."""
    deciding.decided(session, payload["hold_id"])


def _open(session: Session, payload: dict[str, Any]) -> None:
    """More of a long chain is taken."""
    receiving.continue_chain(session, payload["device_id"])


HANDLERS: dict[str, Handler] = {
    "counting_hold.decided": _decided,
    "sales_batch.held": _held,
    "sales_chain.open": _open,
}
