"""Who hears of payments."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.money.rules import Account
from orders.purchasing.handlers import parts_of, tell
from shop.core.outbox import Handler

_PAYMENT = text("SELECT purchase_order_id, source FROM payment WHERE id = :id")


def _recorded(session: Session, payload: dict[str, Any]) -> None:
    """Every supplier of the order hears that money came in for it, or that the buyer says it is on its way."""
    row = session.execute(_PAYMENT, {"id": payload["payment_id"]}).one()
    kind = "payment.announced" if row.source == Account.ANNOUNCED else "payment.recorded"
    for each in parts_of(session, row.purchase_order_id):
        tell(session, kind, payload["payment_id"], each, each.supplier_id)


def _arrived(session: Session, payload: dict[str, Any]) -> None:
    """Who heard that it is on its way hears that it is there."""
    row = session.execute(_PAYMENT, {"id": payload["payment_id"]}).one()
    for each in parts_of(session, row.purchase_order_id):
        tell(session, "payment.arrived", payload["payment_id"], each, each.supplier_id)


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


HANDLERS: dict[str, Handler] = {"payment.arrived": _arrived, "payment.recorded": _recorded, "payment.undone": _undone}
