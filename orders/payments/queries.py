"""Reading payments."""

from sqlalchemy import text
from sqlmodel import Session

from orders.payments.actions import due_fen
from orders.payments.schemas import PaymentOut
from orders.purchasing import queries as purchasing
from shop.identity.actor import Actor


def payments(session: Session, actor: Actor, purchase_order_id: int) -> list[PaymentOut]:
    """The payments of an order, oldest first.

    Raises:
        NotFound: no such order within the caller's reach.
    """
    purchasing.require_buyer_side(session, actor, purchase_order_id)
    order = purchasing.purchase_order(session, actor, purchase_order_id)
    due = due_fen(session, purchase_order_id)
    rows = session.execute(
        text("SELECT *, amount_fen AS amount FROM payment WHERE purchase_order_id = :id ORDER BY id"),
        {"id": purchase_order_id},
    )
    fields = [name for name in PaymentOut.model_fields if not name.startswith("order_")]
    return [PaymentOut(**{name: getattr(row, name) for name in fields}, order_total=order.total, order_due=due) for row in rows]
