"""Putting off a prepayment: once, and by so many days as the programme says."""

from sqlalchemy import text
from sqlmodel import Session

from orders.terms.actions.counting import count
from orders.terms.errors import AlreadyExtended, NothingDue, NotPaidAhead
from shop.core import audit, clock, outbox
from shop.core.errors import NotFound
from shop.identity.actor import Actor
from shop.programmes import queries as programmes

_LOCK = text(
    """
    SELECT p.kind, p.extended_days, buyer.path, unit.path AS unit_path
    FROM payment_plan p JOIN purchase_order po ON po.id = p.purchase_order_id
    JOIN organisation buyer ON buyer.id = po.buyer_id JOIN organisation unit ON unit.id = po.ordering_unit_id
    WHERE p.purchase_order_id = :id FOR NO KEY UPDATE OF p
    """
)
# A statement of its own after the lock: it sees what was paid while this waited.
_OWED = text("SELECT EXISTS (SELECT FROM payment_due WHERE purchase_order_id = :id AND paid_fen < amount_fen)")
_EXTEND = text(
    "UPDATE payment_plan SET extended_days = :days, extended_at = :now, extended_by = :user_id, extension_reason = :reason"
    " WHERE purchase_order_id = :id"
)


def extend(session: Session, actor: Actor, purchase_order_id: int, reason: str) -> None:
    """Have an order that is paid ahead be paid later; the suppliers hear of it. It needs nobody's consent: every order has this once.

    Raises:
        NotFound: not an order of the caller's branch (404).
        NotPaidAhead, AlreadyExtended, NothingDue: see there (409).
    """
    order = session.execute(_LOCK, {"id": purchase_order_id}).first()
    if order is None or not (actor.within_branch(order.path) or actor.within_branch(order.unit_path)):
        raise NotFound
    if order.kind != "prepayment":
        raise NotPaidAhead
    if order.extended_days:
        raise AlreadyExtended
    if not session.execute(_OWED, {"id": purchase_order_id}).scalar_one():
        raise NothingDue
    now = clock.now()
    days = programmes.config_of(session, clock.shanghai_date(now)).payment.extension_days
    values = {"id": purchase_order_id, "days": days, "now": now, "user_id": actor.user_id, "reason": reason}
    session.execute(_EXTEND, values)
    count(session, [purchase_order_id])
    audit.record(session, actor, "payment.extended", "purchase_order", purchase_order_id, reason=reason, days=days)
    outbox.publish(session, "payment.extended", purchase_order_id=purchase_order_id)
