"""Who hears of what is due, and what a supplier may do when it is not paid."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.terms.errors import NotOverdue, NotWarned
from shop.core import clock
from shop.core.money import yuan_from_fen
from shop.core.outbox import Handler
from shop.notifications.actions import notify
from shop.programmes import queries as programmes
from shop.programmes.errors import NoProgramme

# What is due before shipping and was announced, but did not arrive in time, is overdue like what nobody announced; unless what is announced counts.
_MISSING = """d.amount_fen - CASE WHEN :received AND d.counted_from = 'confirmation' AND d.due_on < CAST(:today AS date)
                                    THEN d.arrived_fen ELSE d.paid_fen END"""
# The newest reminder that has come up, of each order and day; one that came up while nobody looked is not told after the next one.
_ORIGIN = "format('payment.due:%s:%s:%s', d.purchase_order_id, d.due_on, d.stage)"
_TO_TELL = text(
    f"""
    SELECT d.*, {_ORIGIN} AS origin FROM (
        SELECT d.purchase_order_id, po.number, po.buyer_id, po.ordering_unit_id, d.due_on, sum({_MISSING})::bigint AS fen,
               bool_or(d.counted_from = 'confirmation' AND so.status = 'confirmed') AS may_be_cancelled,
               (SELECT max(s) FROM unnest(CAST(:stages AS int[])) s WHERE d.due_on + s <= :today) AS stage
        FROM payment_due d JOIN purchase_order po ON po.id = d.purchase_order_id JOIN supplier_order so ON so.id = d.supplier_order_id
        WHERE d.arrived_fen < d.amount_fen AND {_MISSING} > 0 AND d.due_on <= CAST(:today AS date) - CAST(:first AS int)
        GROUP BY d.purchase_order_id, po.id, d.due_on
    ) d
    WHERE d.stage IS NOT NULL AND NOT EXISTS (SELECT FROM notification n WHERE n.origin = {_ORIGIN})
    ORDER BY d.purchase_order_id, d.due_on
    """  # noqa: S608
)
_OVERDUE = text(
    """
    SELECT d.purchase_order_id, min(d.due_on) AS due_on FROM payment_due d
    WHERE d.supplier_order_id = :id AND d.counted_from = 'confirmation'
      AND CASE WHEN :received THEN d.arrived_fen ELSE d.paid_fen END < d.amount_fen GROUP BY d.purchase_order_id
    """
)
_WARNED = text("SELECT 1 FROM notification WHERE origin = ANY (CAST(:origins AS text[])) LIMIT 1")
_PARTS = text(
    """
    SELECT po.number, so.id, so.supplier_id, p.extended_days
    FROM purchase_order po JOIN payment_plan p ON p.purchase_order_id = po.id JOIN supplier_order so ON so.purchase_order_id = po.id
    WHERE po.id = :id AND so.status IN ('placed', 'confirmed') ORDER BY so.id
    """
)


def remind(session: Session) -> int:
    """Tell buyers of amounts that are due soon or overdue, each once for each day of the programme's; returns how many. Safe to run at any time."""
    today = clock.today()
    try:
        payment = programmes.config_of(session, today).payment
    except NoProgramme:
        return 0
    stages = sorted({*(-days for days in payment.remind_before), *payment.remind_after})
    rows = session.execute(
        _TO_TELL, {"stages": stages, "first": stages[0], "today": today, "received": payment.paid_means == "received"}
    ).all()
    for row in rows:
        late = row.stage > 0
        kind = "payment.due_soon"
        if late:
            kind = "payment.overdue_ahead" if row.may_be_cancelled else "payment.overdue"
        for organisation_id in sorted({row.buyer_id, row.ordering_unit_id}):
            notify(
                session,
                origin=row.origin if organisation_id == row.buyer_id else f"{row.origin}:{organisation_id}",
                kind=kind,
                subject_type="purchase_order",
                subject_id=row.purchase_order_id,
                organisation_id=organisation_id,
                number=row.number,
                amount=yuan_from_fen(row.fen),
                due_on=row.due_on.isoformat(),
                days=payment.cancel_after_days,
            )
    return len(rows)


def require_overdue(session: Session, supplier_order_id: int) -> None:
    """Make sure that a part may be given up because what is due before shipping was not paid: long enough ago, and the buyer was told after that.

    Raises:
        NotOverdue, NotWarned: see there (409).
    """
    today = clock.today()
    payment = programmes.config_of(session, today).payment
    row = session.execute(_OVERDUE, {"id": supplier_order_id, "received": payment.paid_means == "received"}).first()
    if row is None or row.due_on is None or (today - row.due_on).days <= payment.cancel_after_days:
        raise NotOverdue
    origins = [f"payment.due:{row.purchase_order_id}:{row.due_on}:{days}" for days in payment.remind_after]
    if session.execute(_WARNED, {"origins": origins}).first() is None:
        raise NotWarned


def _extended(session: Session, payload: dict[str, Any]) -> None:
    """The suppliers that wait for the payment hear that it may come later."""
    for part in session.execute(_PARTS, {"id": payload["purchase_order_id"]}):
        notify(
            session,
            origin=f"payment.extended:{payload['purchase_order_id']}:{part.id}",
            kind="payment.extended",
            subject_type="supplier_order",
            subject_id=part.id,
            organisation_id=part.supplier_id,
            number=part.number,
            days=part.extended_days,
        )


def _limit_set(session: Session, payload: dict[str, Any]) -> None:
    """The buyer hears how much it may owe from now on, or that it has no limit of its own any more."""
    organisation_id, limit_fen = payload["organisation_id"], payload["limit_fen"]
    notify(
        session,
        origin=f"credit_limit.set:{organisation_id}:{payload['version']}",
        kind="credit_limit.removed" if limit_fen is None else "credit_limit.set",
        subject_type="credit_limit",
        subject_id=organisation_id,
        organisation_id=organisation_id,
        limit=None if limit_fen is None else yuan_from_fen(limit_fen),
    )


HANDLERS: dict[str, Handler] = {"credit_limit.set": _limit_set, "payment.extended": _extended}
