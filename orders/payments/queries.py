"""Reading payments."""

from sqlalchemy import text
from sqlmodel import Session

from orders.payments.actions import due_fen
from orders.payments.schemas import CreditMoveOut, PaymentOut
from orders.purchasing import queries as purchasing
from shop.core.errors import NotFound
from shop.identity.actor import Actor


def require_of(session: Session, purchase_order_id: int, payment_id: int) -> None:
    """Raises NotFound: there is no such payment of the order (404)."""
    found = text("SELECT 1 FROM payment WHERE id = :id AND purchase_order_id = :order_id")
    if session.execute(found, {"id": payment_id, "order_id": purchase_order_id}).first() is None:
        raise NotFound


def credit_move(session: Session, move_id: int) -> CreditMoveOut:
    """A move of credit, with what is due for both orders after it."""
    row = session.execute(text("SELECT *, amount_fen AS amount FROM credit_move WHERE id = :id"), {"id": move_id}).one()
    due = {f"{side}_order_due": due_fen(session, getattr(row, f"{side}_order_id")) for side in ("from", "to")}
    return CreditMoveOut(id=row.id, from_order_id=row.from_order_id, to_order_id=row.to_order_id, amount=row.amount, **due)


def payments(session: Session, actor: Actor, purchase_order_id: int) -> list[PaymentOut]:
    """The payments of an order, oldest first.

    Raises:
        NotFound: no such order within the caller's reach.
    """
    purchasing.require_buyer_side(session, actor, purchase_order_id)
    order = purchasing.purchase_order(session, actor, purchase_order_id)
    due = due_fen(session, purchase_order_id)
    rows = session.execute(
        # what a line of the bank made it has shown from the beginning
        text(
            "SELECT p.*, p.amount_fen AS amount, CASE p.source WHEN 'unallocated' THEN p.recorded_at ELSE p.shown_at END AS shown"
            " FROM payment p WHERE p.purchase_order_id = :id ORDER BY p.id"
        ),
        {"id": purchase_order_id},
    )
    fields = [name for name in PaymentOut.model_fields if not name.startswith(("order_", "shown_"))]
    return [
        PaymentOut(**{name: getattr(row, name) for name in fields}, shown_at=row.shown, order_total=order.total, order_due=due)
        for row in rows
    ]
