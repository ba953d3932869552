"""Redeeming vouchers, and closing those that nobody redeemed: each unit is shipped, answered and booked as any other delivery."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from types import SimpleNamespace
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from catalog.stock import actions as stock
from orders.bookings.actions.booking import take
from orders.bookings.errors import AlreadyRedeemed, BookedForLater, OutsideValidity
from orders.bookings.states import OPEN, VOUCHER, VoucherMove, VoucherStatus
from orders.fulfilment.actions.accepting import acceptance_step
from orders.fulfilment.errors import DispositionNeeded
from orders.invoices import actions as invoices
from orders.ledger.actions import book_acceptance
from orders.purchasing.actions.moving import locked, step
from orders.purchasing.queries import stopped
from orders.purchasing.states import SUPPLIER_ORDER, SupplierOrderAction
from orders.terms import actions as terms
from shop.core import audit, clock, outbox
from shop.core.audit import SYSTEM, Who
from shop.core.errors import NotFound
from shop.core.money import line_amount
from shop.identity.actor import Actor
from shop.programmes import queries as programmes

_BY_CODE = text("SELECT id, supplier_order_id FROM voucher WHERE code = :code")
_VOUCHER = text("SELECT * FROM voucher WHERE id = :id FOR UPDATE")
_DAY = text("SELECT 1 FROM service_capacity WHERE sku_id = :sku AND day = :day")
# Only a voucher that can still be used is redeemed: of many who try at once one finds it so.
_REDEEM = text(
    """
    UPDATE voucher SET status = 'redeemed', redeemed_at = :now, redeemed_by = :user, acceptance_id = :acceptance, version = version + 1,
                       booked_for = :day
    WHERE id = :id AND status IN ('issued', 'booked') RETURNING id
    """
)
_LINES = text(
    """
    SELECT l.id, l.sku_id, l.quantity, l.unit_price_fen, l.accepted_quantity,
           (SELECT coalesce(sum(amount_fen), 0) FROM acceptance_line WHERE order_line_id = l.id)::bigint AS paid_fen
    FROM order_line l WHERE l.id = ANY (CAST(:ids AS bigint[])) ORDER BY l.id
    """
)
_DELIVER = text(
    """
    WITH sent AS (
        INSERT INTO shipment (supplier_order_id, shipped_by, shipped_at) VALUES (:order, :user, :now) RETURNING id
    ), answered AS (
        INSERT INTO acceptance (shipment_id, supplier_order_id, accepted_by, accepted_at) SELECT id, :order, :user, :now FROM sent RETURNING id
    ), given AS (
        SELECT * FROM unnest(CAST(:ids AS bigint[]), CAST(:accepted AS numeric[]), CAST(:rejected AS numeric[]), CAST(:amounts AS bigint[]))
          AS u (order_line_id, accepted, rejected, amount_fen)
    ), shipped AS (
        INSERT INTO shipment_line (shipment_id, order_line_id, quantity, grams)
        SELECT sent.id, order_line_id, accepted + rejected, 0 FROM given CROSS JOIN sent
    ), lines AS (
        INSERT INTO acceptance_line (acceptance_id, order_line_id, accepted_quantity, accepted_grams, rejected_quantity, rejected_grams,
                                     amount_fen, reason)
        SELECT answered.id, order_line_id, accepted, 0, rejected, 0, amount_fen, CASE WHEN rejected > 0 THEN CAST(:reason AS text) END
        FROM given CROSS JOIN answered
    ), counted AS (
        UPDATE order_line l SET shipped_quantity = l.shipped_quantity + g.accepted + g.rejected,
            accepted_quantity = l.accepted_quantity + g.accepted, rejected_quantity = l.rejected_quantity + g.rejected
        FROM given g WHERE l.id = g.order_line_id
    )
    SELECT id FROM answered
    """
)
_TO_SHIP = text("SELECT sum(quantity - closed_quantity - shipped_quantity) FROM order_line WHERE supplier_order_id = :id")
_LOCK_ORDER = text("SELECT id, status FROM supplier_order WHERE id = :id FOR UPDATE")
_EXPIRED = text(
    "SELECT * FROM voucher WHERE supplier_order_id = :id AND status IN ('issued', 'booked') AND valid_until < :today ORDER BY id FOR UPDATE"
)
_CLOSE = text(
    "UPDATE voucher SET status = :status, acceptance_id = :acceptance, booked_for = NULL, version = version + 1"
    " WHERE id = ANY (CAST(:ids AS bigint[]))"
)


def redeem(session: Session, actor: Actor, code: str) -> int:
    """The guest is there: the voucher is redeemed, once, and its unit is delivered, accepted and sold today. Returns the voucher's id.

    A guest without a booking, or who comes after the day that was booked, takes one of the day's free units, where the supplier has said how
    many it takes.

    Raises:
        NotFound: no such voucher of the caller's organisation (404). AlreadyRedeemed, IllegalMove: it was used, or has ended (409).
        OutsideValidity, BookedForLater, DayFull: not today (409). DispositionNeeded: its certificate is stopped (409).
    """
    found = session.execute(_BY_CODE, {"code": code.strip().upper()}).first()
    if found is None:
        raise NotFound
    order = locked(session, actor, found.supplier_order_id, "supplier")
    voucher = session.execute(_VOUCHER, {"id": found.id}).one()
    if voucher.status == VoucherStatus.REDEEMED:
        raise AlreadyRedeemed(number=voucher.number)
    VOUCHER.after(voucher.status, VoucherMove.REDEEM)
    today = clock.today()
    if not voucher.valid_from <= today <= voucher.valid_until:
        raise OutsideValidity(number=voucher.number, valid_from=str(voucher.valid_from), valid_until=str(voucher.valid_until))
    if voucher.booked_for is not None and voucher.booked_for > today:
        raise BookedForLater(number=voucher.number, day=voucher.booked_for.isoformat())
    if undecided := stopped.undecided(session, order.id):
        raise DispositionNeeded(certificates=", ".join(undecided))
    day = _day_of(session, voucher, today)
    acceptance_id = _deliver(session, actor, actor.user_id or 0, order, {voucher.order_line_id: 1}, accepted=True)
    values = {"id": voucher.id, "now": clock.now(), "user": actor.user_id, "acceptance": acceptance_id, "day": day}
    if session.execute(_REDEEM, values).first() is None:
        raise AlreadyRedeemed(number=voucher.number)
    audit.record(session, actor, "voucher.redeemed", "voucher", voucher.id, number=voucher.number, acceptance_id=acceptance_id)
    outbox.publish(session, "voucher.redeemed", voucher_id=voucher.id)
    return int(voucher.id)


def _day_of(session: Session, voucher: Any, today: date) -> date | None:
    """The day on which the guest takes a unit; None where the supplier keeps no calendar for it."""
    if voucher.booked_for == today:
        return today
    kept = session.execute(_DAY, {"sku": voucher.sku_id, "day": today}).first() is not None
    day = today if kept else None
    take(session, [(voucher.sku_id, voucher.booked_for, day)])
    return day


def expire(session: Session, supplier_order_id: int) -> int:
    """Close the vouchers of an order whose time is over; returns how many. By the programme they are not owed (sent and not accepted, so that
    the order is done and the unit free again), or forfeited (accepted); what could not be redeemed for a stopped certificate is never owed.
    Safe to run at any time and any number of times.
    """
    order = session.execute(_LOCK_ORDER, {"id": supplier_order_id}).one()
    today = clock.today()
    vouchers = session.execute(_EXPIRED, {"id": order.id, "today": today}).all()
    if vouchers:
        forfeited = programmes.config_of(session, today).vouchers.unredeemed == "forfeited"
        _expire(session, order, vouchers, forfeited=forfeited and not stopped.undecided(session, order.id))
    return len(vouchers)


def _expire(session: Session, order: Any, vouchers: Sequence[Any], *, forfeited: bool) -> None:
    take(session, [(each.sku_id, each.booked_for, None) for each in vouchers])
    ids = [each.id for each in vouchers]
    if SupplierOrderAction.SHIP_PART not in SUPPLIER_ORDER.possible(order.status):
        session.execute(_CLOSE, {"ids": ids, "status": VoucherStatus.CANCELLED, "acceptance": None})
        return
    units = Counter(each.order_line_id for each in vouchers)
    acceptance_id = _deliver(session, SYSTEM, vouchers[0].issued_by, order, units, accepted=forfeited)
    session.execute(_CLOSE, {"ids": ids, "status": VoucherStatus.EXPIRED, "acceptance": acceptance_id})
    audit.record(session, SYSTEM, "vouchers.expired", "supplier_order", order.id, count=len(ids), forfeited=forfeited)
    outbox.publish(session, "vouchers.expired", supplier_order_id=order.id, acceptance_id=acceptance_id, count=len(ids))


def void(session: Session, purchase_order_id: int) -> int:
    """End the vouchers of supplier orders that were cancelled; returns how many."""
    vouchers = session.execute(
        text(
            "SELECT v.id, v.sku_id, v.booked_for FROM voucher v JOIN supplier_order so ON so.id = v.supplier_order_id"
            " WHERE so.purchase_order_id = :id AND so.status = 'cancelled' AND v.status = ANY (:open) ORDER BY v.id FOR UPDATE OF v"
        ),
        {"id": purchase_order_id, "open": [str(state) for state in OPEN]},
    ).all()
    take(session, [(each.sku_id, each.booked_for, None) for each in vouchers])
    values = {"ids": [each.id for each in vouchers], "status": VoucherStatus.CANCELLED, "acceptance": None}
    session.execute(_CLOSE, values)
    return len(vouchers)


def _deliver(session: Session, who: Who, user_id: int, order: Any, units: Mapping[int, int], *, accepted: bool) -> int:
    """Ship and answer units of lines in one; what is accepted is a sale. Returns the acceptance's id."""
    lines = session.execute(_LINES, {"ids": sorted(units)}).all()
    counts = [units[line.id] for line in lines]
    amounts = [
        line_amount(line.accepted_quantity + count, line.unit_price_fen) - line.paid_fen if accepted else 0
        for line, count in zip(lines, counts, strict=True)
    ]
    ids = [line.id for line in lines]
    acceptance_id: int = session.execute(
        _DELIVER,
        {
            "order": order.id,
            "user": user_id,
            "now": clock.now(),
            "ids": ids,
            "accepted": counts if accepted else [0] * len(counts),
            "rejected": [0] * len(counts) if accepted else counts,
            "amounts": amounts,
            "reason": "服务券过期未使用",
        },
    ).scalar_one()
    moved = {"sku_ids": [line.sku_id for line in lines], "quantities": counts, "order_line_ids": ids}
    stock.ship(session, **moved)
    to_ship = session.execute(_TO_SHIP, {"id": order.id}).scalar_one()
    sent = step(session, who, order, SupplierOrderAction.SHIP_PART if to_ship else SupplierOrderAction.SHIP_REST)
    step(session, who, SimpleNamespace(id=order.id, status=sent), acceptance_step(session, order.id))
    if accepted:
        book_acceptance(session, acceptance_id)
        invoices.after_acceptance(session, order.id, acceptance_id)
    else:
        stock.take_back(session, **moved)
    terms.redraw_part(session, order.id)
    return acceptance_id
