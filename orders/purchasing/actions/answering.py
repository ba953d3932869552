"""The supplier's answer to its part of an order."""

from sqlmodel import Session

from orders.budgets import actions as budgets
from orders.purchasing.actions.cancelling import give_back_stock
from orders.purchasing.actions.moving import locked, move, step
from orders.purchasing.states import SupplierOrderAction
from shop.core import outbox
from shop.identity.actor import Actor


def confirm(session: Session, actor: Actor, supplier_order_id: int) -> None:
    """Promise to deliver.

    Raises:
        NotFound: not an order of the caller's organisation.
        IllegalMove: it is no longer waiting for an answer.
    """
    move(session, actor, supplier_order_id, SupplierOrderAction.CONFIRM, side="supplier")
    outbox.publish(session, "supplier_order.confirmed", supplier_order_id=supplier_order_id)


def reject(session: Session, actor: Actor, supplier_order_id: int, reason: str) -> None:
    """Refuse to deliver, with the reason; the stock is free again.

    Raises:
        NotFound, IllegalMove: as for :func:`confirm`.
    """
    order = locked(session, actor, supplier_order_id, "supplier")
    step(session, actor, order, SupplierOrderAction.REJECT, reason=reason)
    give_back_stock(session, [supplier_order_id])
    budgets.redraw(session, order.purchase_order_id)
    outbox.publish(session, "supplier_order.rejected", supplier_order_id=supplier_order_id)
