"""Cancelling an order before it is on its way."""

from sqlalchemy import text
from sqlmodel import Session

from catalog.stock.actions import release
from orders.purchasing import rules
from orders.purchasing.actions.moving import locked, step
from orders.purchasing.actions.totals import hold_totals
from orders.purchasing.errors import ConsentNeeded
from orders.purchasing.states import SUPPLIER_ORDER, EndReason, SupplierOrderAction, SupplierOrderStatus
from orders.terms import actions as terms
from orders.terms.handlers import require_overdue
from shop.core import clock, outbox
from shop.core.errors import IfMatch, NotFound, any_version
from shop.core.states import IllegalMove
from shop.identity.actor import Actor
from shop.programmes import queries as programmes

_LOCK_ALL = text(
    """
    SELECT so.id, so.status, so.confirmed_at, buyer.path AS buyer_path, unit.path AS unit_path
    FROM supplier_order so JOIN purchase_order po ON po.id = so.purchase_order_id JOIN organisation buyer ON buyer.id = po.buyer_id
    JOIN organisation unit ON unit.id = po.ordering_unit_id
    WHERE so.purchase_order_id = :id ORDER BY so.id FOR UPDATE OF so
    """
)


def cancel(session: Session, actor: Actor, purchase_order_id: int, reason: str, code: EndReason = EndReason.OTHER) -> None:
    """Cancel every part of the order that the buyer may still cancel alone; reserved stock is free again.

    A part that waits for its supplier may be cancelled freely; a confirmed one until it is shipped or, where the programme says so, for some
    hours after its confirmation. Later the supplier has to agree (``orders.amendments``).

    Raises:
        NotFound: no such order in the caller's branch.
        ConsentNeeded: what is left of it was confirmed too long ago (409).
        IllegalMove: no part of it can still be cancelled (409).
    """
    rows = session.execute(_LOCK_ALL, {"id": purchase_order_id}).all()
    if not rows or not (actor.within_branch(rows[0].buyer_path) or actor.within_branch(rows[0].unit_path)):
        raise NotFound
    open_rows = [row for row in rows if SupplierOrderAction.CANCEL in SUPPLIER_ORDER.possible(row.status)]
    if not open_rows:
        raise IllegalMove(state=rows[0].status, action="cancel", allowed=[])
    hours = programmes.config_of(session, clock.today()).ordering.cancel_confirmed_hours
    free_rows = [row for row in open_rows if rules.cancels_alone(row.confirmed_at, hours, clock.now())]
    if not free_rows:
        raise ConsentNeeded
    for row in free_rows:
        step(session, actor, row, SupplierOrderAction.CANCEL, reason=reason, code=code)
    give_back_stock(session, [row.id for row in free_rows])
    terms.redraw(session, purchase_order_id)
    outbox.publish(session, "purchase_order.cancelled", purchase_order_id=purchase_order_id)


def cancel_unpaid(session: Session, actor: Actor, supplier_order_id: int, reason: str, if_match: IfMatch = any_version) -> None:
    """Cancel a part whose prepayment is overdue, as its supplier; what was paid for it is the buyer's credit.

    Raises:
        NotFound: not an order of the caller's organisation (404). IllegalMove: it is not confirmed, or on its way (409).
        NotOverdue: nothing is overdue, or not for so many days as the programme asks (409). NotWarned: the buyer has not been told (409).
    """
    order = locked(session, actor, supplier_order_id, "supplier")
    if_match(order.version)
    SUPPLIER_ORDER.after(order.status, SupplierOrderAction.CANCEL)
    if order.status != SupplierOrderStatus.CONFIRMED:
        raise IllegalMove(state=order.status, action="cancel_unpaid", allowed=[])
    # whoever pays holds the order: it is paid before this, or finds it cancelled
    hold_totals(session, order.purchase_order_id)
    require_overdue(session, supplier_order_id)
    step(session, actor, order, SupplierOrderAction.CANCEL, reason=reason, code=EndReason.NOT_PAID_IN_TIME)
    give_back_stock(session, [supplier_order_id])
    terms.redraw(session, order.purchase_order_id)
    outbox.publish(session, "supplier_order.unpaid", supplier_order_id=supplier_order_id)
    outbox.publish(session, "purchase_order.cancelled", purchase_order_id=order.purchase_order_id)


def give_back_stock(session: Session, supplier_order_ids: list[int]) -> None:
    """Release what unshipped supplier orders had reserved."""
    lines = session.execute(
        text(
            "SELECT id, sku_id, quantity FROM order_line WHERE supplier_order_id = ANY (:ids) AND quantity > 0 ORDER BY sku_id, id"
        ),
        {"ids": supplier_order_ids},
    ).all()
    release(
        session,
        sku_ids=[line.sku_id for line in lines],
        quantities=[line.quantity for line in lines],
        order_line_ids=[line.id for line in lines],
    )
