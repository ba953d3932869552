"""What counts towards a pledge: orders and agreements are added and taken out."""

from datetime import date
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.pledges.errors import (
    AgreementCountsElsewhere,
    AgreementCountsHere,
    OrderCountsElsewhere,
    OrderCountsHere,
    OrderOutsidePeriod,
)
from orders.pledges.queries import pledges as reading
from orders.pledges.states import PLEDGE, PledgeAction
from shop.core import audit, clock
from shop.core.errors import NotFound
from shop.identity.actor import Actor

_ORDER = text(
    """
    SELECT (po.placed_at AT TIME ZONE 'Asia/Shanghai')::date AS placed_on, b.path
    FROM purchase_order po JOIN organisation b ON b.id = po.buyer_id WHERE po.id = :id
    """
)
_ADD_ORDER = text(
    """
    INSERT INTO pledge_order (pledge_id, purchase_order_id, recipient_id, added_by, added_at)
    VALUES (:pledge_id, :order_id, :recipient_id, :user_id, :now) ON CONFLICT DO NOTHING RETURNING id
    """
)
_COUNTS_HERE = text("SELECT recipient_id FROM pledge_order WHERE pledge_id = :pledge_id AND purchase_order_id = :order_id")
#: An order that belongs to a unit by now that is not of the pledging organisation's branch.
_DROP_MOVED = text(
    """
    DELETE FROM pledge_order k USING pledge p, organisation o, purchase_order po, organisation b
    WHERE k.purchase_order_id = :id AND p.id = k.pledge_id AND o.id = p.organisation_id AND po.id = k.purchase_order_id
      AND b.id = po.buyer_id AND NOT starts_with(b.path, o.path)
    RETURNING k.pledge_id
    """
)
_AGREEMENT = text("SELECT b.path FROM agreement a JOIN organisation b ON b.id = a.buyer_id WHERE a.id = :id")
_ADD_AGREEMENT = text(
    "INSERT INTO pledge_agreement (pledge_id, agreement_id, added_by, added_at) VALUES (:pledge_id, :agreement_id, :user_id, :now)"
    " ON CONFLICT DO NOTHING RETURNING id"
)
_AGREEMENT_COUNTS_HERE = text("SELECT 1 FROM pledge_agreement WHERE pledge_id = :pledge_id AND agreement_id = :agreement_id")


def add_order(session: Session, actor: Actor, pledge_id: int, order_id: int, recipient_id: int | None = None) -> None:
    """Let an order of the pledging organisation count. The database lets an order count once, whoever adds it at the same time.

    Raises:
        NotFound: the pledge, the order or the recipient is not the organisation's own.
        IllegalMove: the pledge is not open (409).
        OrderOutsidePeriod: it was not placed in the pledge's time (409).
        OrderCountsHere, OrderCountsElsewhere: it counts already, towards this pledge or another one (409).
    """
    pledge = fillable(session, actor, pledge_id)
    order = session.execute(_ORDER, {"id": order_id}).first()
    if order is None or not order.path.startswith(pledge.path):
        raise NotFound
    require_period(pledge, order.placed_on)
    if recipient_id is not None:
        recipient(session, pledge_id, recipient_id)
    values = {"pledge_id": pledge_id, "order_id": order_id, "recipient_id": recipient_id, "user_id": actor.user_id}
    if session.execute(_ADD_ORDER, {**values, "now": clock.now()}).first() is None:
        here = session.execute(_COUNTS_HERE, values).first()
        raise OrderCountsHere(as_asked=here.recipient_id == recipient_id) if here else OrderCountsElsewhere
    audit.record(session, actor, "pledge.order_added", "pledge", pledge_id, purchase_order_id=order_id)


def add_if_free(session: Session, pledge_id: int, order_id: int, recipient_id: int | None, user_id: int | None) -> None:
    """Let an order count that ``user_id`` wanted for the pledge; where it counts already it stays as it is."""
    values = {"pledge_id": pledge_id, "order_id": order_id, "recipient_id": recipient_id, "user_id": user_id, "now": clock.now()}
    if session.execute(_ADD_ORDER, values).first():
        audit.record(session, audit.SYSTEM, "pledge.order_added", "pledge", pledge_id, purchase_order_id=order_id)


def remove_order(session: Session, actor: Actor, pledge_id: int, order_id: int) -> None:
    """Let an order count no more.

    Raises:
        NotFound: not a pledge of the caller's branch, or the order was not added to it.
        IllegalMove: the pledge is not open (409).
    """
    fillable(session, actor, pledge_id)
    removed = session.execute(
        text("DELETE FROM pledge_order WHERE pledge_id = :pledge_id AND purchase_order_id = :order_id RETURNING id"),
        {"pledge_id": pledge_id, "order_id": order_id},
    ).first()
    if removed is None:
        raise NotFound
    audit.record(session, actor, "pledge.order_removed", "pledge", pledge_id, purchase_order_id=order_id)


def drop_moved(session: Session, order_id: int) -> None:
    """Let an order count no more that was moved to a unit outside the pledging organisation's branch: it may count for that unit's pledges."""
    for pledge_id in session.execute(_DROP_MOVED, {"id": order_id}).scalars():
        audit.record(session, audit.SYSTEM, "pledge.order_removed", "pledge", pledge_id, purchase_order_id=order_id)


def require_period(pledge: Row[Any], placed_on: date) -> None:
    """Make sure that an order of this Shanghai date counts.

    Raises:
        OrderOutsidePeriod: it is not within the pledge's time (409).
    """
    if not is_within(pledge, placed_on):
        raise OrderOutsidePeriod(valid_from=pledge.valid_from.isoformat(), valid_until=pledge.valid_until.isoformat())


def is_within(pledge: Row[Any], placed_on: date) -> bool:
    return bool(pledge.valid_from <= placed_on <= pledge.valid_until)


def add_agreement(session: Session, actor: Actor, pledge_id: int, agreement_id: int) -> None:
    """Let every order count that is called off from an agreement by the pledging organisation or a unit below it.

    Raises:
        NotFound, IllegalMove: as for :func:`remove_order`.
        AgreementCountsHere, AgreementCountsElsewhere: it counts already, towards this pledge or another one (409).
    """
    pledge = fillable(session, actor, pledge_id)
    buyer = session.execute(_AGREEMENT, {"id": agreement_id}).scalar()
    if buyer is None or not buyer.startswith(pledge.path):
        raise NotFound
    values = {"pledge_id": pledge_id, "agreement_id": agreement_id, "user_id": actor.user_id, "now": clock.now()}
    if session.execute(_ADD_AGREEMENT, values).first() is None:
        raise AgreementCountsHere if session.execute(_AGREEMENT_COUNTS_HERE, values).first() else AgreementCountsElsewhere
    audit.record(session, actor, "pledge.agreement_added", "pledge", pledge_id, agreement_id=agreement_id)


def remove_agreement(session: Session, actor: Actor, pledge_id: int, agreement_id: int) -> None:
    """Let the orders of an agreement count no more.

    Raises:
        NotFound, IllegalMove: as for :func:`remove_order`.
    """
    fillable(session, actor, pledge_id)
    removed = session.execute(
        text("DELETE FROM pledge_agreement WHERE pledge_id = :pledge_id AND agreement_id = :agreement_id RETURNING id"),
        {"pledge_id": pledge_id, "agreement_id": agreement_id},
    ).first()
    if removed is None:
        raise NotFound
    audit.record(session, actor, "pledge.agreement_removed", "pledge", pledge_id, agreement_id=agreement_id)


def fillable(session: Session, actor: Actor, pledge_id: int) -> Row[Any]:
    """An open pledge of the caller's branch, which nobody can close before this transaction ends.

    Raises:
        NotFound, IllegalMove: as for :func:`remove_order`.
    """
    pledge = reading.locked(session, actor, pledge_id, shared=True)
    PLEDGE.after(pledge.status, PledgeAction.FILL)
    return pledge


def recipient(session: Session, pledge_id: int, recipient_id: int) -> Row[Any]:
    """A recipient of a pledge.

    Raises:
        NotFound: it has none with this id.
    """
    row = session.execute(
        text("SELECT * FROM pledge_recipient WHERE id = :id AND pledge_id = :pledge_id"),
        {"id": recipient_id, "pledge_id": pledge_id},
    ).first()
    if row is None:
        raise NotFound
    return row
