"""Issuing vouchers for the services of a supplier order."""

import secrets
from datetime import date, timedelta

from sqlalchemy import text
from sqlmodel import Session

from orders.bookings.errors import BadValidity, NothingForVouchers, TooManyVouchers, VouchersIssued
from orders.bookings.schemas import IssueIn
from orders.fulfilment.errors import DispositionNeeded
from orders.purchasing.actions.moving import locked
from orders.purchasing.queries import stopped
from orders.purchasing.states import SUPPLIER_ORDER, SupplierOrderAction
from orders.terms import actions as terms
from shop.core import audit, clock, numbers, outbox
from shop.identity.actor import Actor
from shop.identity.public import LETTERS

#: So many for one supplier order.
MOST = 10_000
LONGEST = timedelta(days=731)

_LINES = text(
    """
    SELECT l.id, l.sku_id, l.quantity::int AS units
    FROM order_line l JOIN product p ON p.id = l.product_id
    WHERE l.supplier_order_id = :id AND p.kind = 'service' AND l.shipped_quantity = 0 AND l.quantity = trunc(l.quantity) ORDER BY l.line_no
    """
)
_ISSUED = text("SELECT valid_from, valid_until FROM voucher WHERE supplier_order_id = :id LIMIT 1")
_WRITE = text(
    """
    INSERT INTO voucher (number, code, supplier_order_id, order_line_id, sku_id, unit_no, valid_from, valid_until, issued_by, issued_at)
    SELECT u.number, u.code, :order, u.line, u.sku, u.unit_no, :valid_from, :valid_until, :user, :now
    FROM unnest(CAST(:numbers AS text[]), CAST(:codes AS text[]), CAST(:lines AS bigint[]), CAST(:skus AS bigint[]), CAST(:units AS int[]))
      AS u (number, code, line, sku, unit_no) ORDER BY u.number
    """
)


def issue(session: Session, actor: Actor, supplier_order_id: int, body: IssueIn) -> int:
    """One voucher for each unit of each service in a confirmed supplier order of which nothing was shipped; returns how many. From then on
    these lines are no longer shipped: each unit is delivered, accepted and sold when its voucher is redeemed.

    Raises:
        NotFound: not an order of the caller's organisation (404). IllegalMove: it is not confirmed, or delivered (409).
        VouchersIssued, NothingForVouchers, TooManyVouchers, DispositionNeeded, NotPaidYet, PaidFirst: see there (409). BadValidity:
        see there (422).
    """
    order = locked(session, actor, supplier_order_id, "supplier")
    SUPPLIER_ORDER.after(order.status, SupplierOrderAction.SHIP_PART)
    terms.require_paid(session, supplier_order_id, waived=body.before_payment)
    now = clock.now()
    today = clock.shanghai_date(now)
    valid_from = _validity(today, body)
    if undecided := stopped.undecided(session, supplier_order_id):
        raise DispositionNeeded(certificates=", ".join(undecided))
    if issued := session.execute(_ISSUED, {"id": supplier_order_id}).first():
        raise VouchersIssued(as_asked=(issued.valid_from, issued.valid_until) == (valid_from, body.valid_until))
    lines = session.execute(_LINES, {"id": supplier_order_id}).all()
    units = [(line, unit) for line in lines for unit in range(1, min(line.units, MOST + 1) + 1)]
    if not units:
        raise NothingForVouchers
    if len(units) > MOST:
        raise TooManyVouchers(most=MOST)
    series = numbers.next_numbers(session, f"voucher:{today.year}", len(units))
    session.execute(
        _WRITE,
        {
            "order": supplier_order_id,
            "valid_from": valid_from,
            "valid_until": body.valid_until,
            "user": actor.user_id,
            "now": now,
            "numbers": [f"FW{today.year}-{number:06}" for number in series],
            "codes": [new_code() for _ in units],
            "lines": [line.id for line, _ in units],
            "skus": [line.sku_id for line, _ in units],
            "units": [unit for _, unit in units],
        },
    )
    audit.record(
        session,
        actor,
        "vouchers.issued",
        "supplier_order",
        supplier_order_id,
        count=len(units),
        valid_from=valid_from.isoformat(),
        valid_until=body.valid_until.isoformat(),
    )
    outbox.publish(session, "vouchers.issued", supplier_order_id=supplier_order_id, count=len(units))
    return len(units)


def new_code() -> str:
    """Sixteen letters that cannot be taken for one another: more than 78 bits, found by nobody who tries."""
    return "FW-" + "".join(secrets.choice(LETTERS) for _ in range(16))


def _validity(today: date, body: IssueIn) -> date:
    valid_from = body.valid_from or today
    if not today <= valid_from <= body.valid_until <= today + LONGEST:
        raise BadValidity
    return valid_from
