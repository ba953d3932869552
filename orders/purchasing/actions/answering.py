"""The supplier's answer to its part of an order, and what happens without one."""

from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.budgets import actions as budgets
from orders.purchasing.actions.cancelling import give_back_stock
from orders.purchasing.actions.moving import locked, step
from orders.purchasing.actions.totals import payable_and_paid, total_changed
from orders.purchasing.errors import ConfirmedTooLate, FreightFixed, FreightNotAgreed, OtherFreight, PaidMoreThanThat
from orders.purchasing.states import SUPPLIER_ORDER, EndReason, SupplierOrderAction, SupplierOrderStatus
from orders.terms import actions as terms
from shop.core import audit, clock, outbox
from shop.core.audit import SYSTEM
from shop.core.errors import IfMatch, any_version
from shop.core.money import yuan_from_fen
from shop.identity.actor import Actor
from shop.programmes import queries as programmes

#: Parts that nobody confirmed in time. One that is being confirmed at this moment is left to who confirms it, and looked at again next time.
_UNCONFIRMED = text(
    """
    SELECT id, status, purchase_order_id FROM supplier_order
    WHERE status = 'placed' AND confirm_by <= :now ORDER BY id LIMIT :most FOR UPDATE SKIP LOCKED
    """
)


def confirm(session: Session, actor: Actor, supplier_order_id: int, if_match: IfMatch = any_version) -> None:
    """Promise to deliver. ``orders.contracts`` makes the contract of it.

    Raises:
        NotFound: not an order of the caller's organisation.
        IllegalMove: it is no longer waiting for an answer (409).
        ConfirmedTooLate: its time has passed, whether it was released by now or not (409).
        FreightNotAgreed: the buyer was asked for a freight and has not answered (409).
    """
    order = locked(session, actor, supplier_order_id, "supplier")
    if_match(order.version)
    SUPPLIER_ORDER.after(order.status, SupplierOrderAction.CONFIRM)
    if order.freight_asked_fen is not None:
        raise FreightNotAgreed(freight=yuan_from_fen(order.freight_asked_fen))
    # read under the lock: who waited for it comes when the lock was let go
    now = clock.now()
    _in_time(order.confirm_by, now)
    step(session, actor, order, SupplierOrderAction.CONFIRM)
    session.execute(text("UPDATE supplier_order SET confirmed_at = :now WHERE id = :id"), {"id": order.id, "now": now})
    terms.count(session, [order.purchase_order_id])
    outbox.publish(session, "supplier_order.confirmed", supplier_order_id=supplier_order_id)


def reject(
    session: Session,
    actor: Actor,
    supplier_order_id: int,
    reason: str,
    code: EndReason = EndReason.OTHER,
    if_match: IfMatch = any_version,
) -> None:
    """Refuse to deliver, with the reason; the stock is free again.

    Raises:
        NotFound: not an order of the caller's organisation.
        IllegalMove: it is no longer waiting for an answer (409).
    """
    order = locked(session, actor, supplier_order_id, "supplier")
    if_match(order.version)
    step(session, actor, order, SupplierOrderAction.REJECT, reason=reason, code=code)
    give_back_stock(session, [supplier_order_id])
    terms.redraw(session, order.purchase_order_id)
    outbox.publish(session, "supplier_order.rejected", supplier_order_id=supplier_order_id)


def set_freight(session: Session, actor: Actor, supplier_order_id: int, freight_fen: int, if_match: IfMatch) -> None:
    """Say what the transport costs, in fen; the supplier may until it confirms, and the buyer hears of it. More than the programme's share of
    the goods, and more than stands already, is asked for: it counts when the buyer agrees (:func:`agree_freight`).

    ``if_match`` is called with the version under the lock.

    Raises:
        NotFound: not an order of the caller's organisation. Changed: another version than the caller read (412).
        FreightFixed, ConfirmedTooLate: the order is confirmed, over, or past its time (409).
        PaidMoreThanThat: more was paid than the order would cost then (409). BuyersBudgetShort, BuyersCreditShort: the buyer has less left (409).
    """
    order = locked(session, actor, supplier_order_id, "supplier")
    if_match(order.version)
    if order.status != SupplierOrderStatus.PLACED:
        raise FreightFixed
    _in_time(order.confirm_by, clock.now())
    if freight_fen == (order.freight_fen if order.freight_asked_fen is None else order.freight_asked_fen):
        return
    share = programmes.config_of(session, clock.today()).ordering.freight_percent
    if freight_fen > order.freight_fen and freight_fen * 100 > order.total_fen * share:
        _write_freight(session, actor, order, order.freight_fen, asked_fen=freight_fen)
        return
    _write_freight(session, actor, order, freight_fen)
    if freight_fen < order.freight_fen:
        payable, paid = payable_and_paid(session, order.purchase_order_id)
        if paid > payable:
            raise PaidMoreThanThat(paid=yuan_from_fen(paid), payable=yuan_from_fen(payable))


def agree_freight(session: Session, actor: Actor, supplier_order_id: int, freight_fen: int) -> int:
    """Agree, as the buyer, to the freight in fen that the supplier asks for; returns the purchase order. Whether the buyer's approvals cover it
    is for the caller to see.

    Raises:
        NotFound: not an order of the caller's branch. OtherFreight: the supplier does not ask for this much (any more) (409).
        FreightFixed: the order is confirmed, or over (409). BuyersBudgetShort: the budget has less left (409).
    """
    order = locked(session, actor, supplier_order_id, "buyer")
    if order.status != SupplierOrderStatus.PLACED:
        raise FreightFixed
    if order.freight_asked_fen != freight_fen:
        raise OtherFreight
    with budgets.telling_sums(session, order.purchase_order_id, to_buyer=True):
        _write_freight(session, actor, order, freight_fen)
    return int(order.purchase_order_id)


def _write_freight(session: Session, actor: Actor, order: Any, freight_fen: int, *, asked_fen: int | None = None) -> None:
    session.execute(
        text("UPDATE supplier_order SET freight_fen = :fen, freight_asked_fen = :asked, version = version + 1 WHERE id = :id"),
        {"id": order.id, "fen": freight_fen, "asked": asked_fen},
    )
    if freight_fen != order.freight_fen:
        total_changed(session, order.purchase_order_id)
    before, after = order.freight_fen, freight_fen if asked_fen is None else asked_fen
    verb = "freight_set" if asked_fen is None else "freight_asked"
    audit.record(session, actor, f"supplier_order.{verb}", "supplier_order", order.id, from_fen=before, to_fen=after)
    if asked_fen is None:
        outbox.publish(session, "supplier_order.freight_set", supplier_order_id=order.id, version=order.version + 1)
    else:
        outbox.publish(session, "supplier_order.freight_asked", supplier_order_id=order.id, version=order.version + 1)


def release_unconfirmed(session: Session, most: int = 200) -> int:
    """Release parts that were not confirmed in time: they are cancelled and their stock is free. Returns how many. Safe to run at any time."""
    late = session.execute(_UNCONFIRMED, {"now": clock.now(), "most": most}).all()
    for part in late:
        reason = "供应单位未在期限内确认"
        step(session, SYSTEM, part, SupplierOrderAction.CANCEL, reason=reason, code=EndReason.NOT_CONFIRMED_IN_TIME)
        outbox.publish(session, "supplier_order.lapsed", supplier_order_id=part.id)
    if late:
        give_back_stock(session, [part.id for part in late])
    orders = sorted({part.purchase_order_id for part in late})
    terms.redraw_all(session, orders)
    for purchase_order_id in orders:
        outbox.publish(session, "purchase_order.cancelled", purchase_order_id=purchase_order_id)
    return len(late)


def _in_time(confirm_by: datetime | None, now: datetime) -> None:
    if confirm_by is not None and confirm_by <= now:
        raise ConfirmedTooLate(confirm_by=clock.shanghai_text(confirm_by, "minutes"))
