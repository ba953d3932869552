"""Beginning and stopping an online payment."""

import secrets
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.online import rules
from orders.online.actions import asking
from orders.online.errors import AlreadyOpen, AmountOutside, NeedsReturnUrl, NotStoppable, PaymentOff
from orders.online.models import OnlinePayment
from orders.online.schemas import OnlinePaymentIn
from orders.online.states import OPEN, OnlineStatus, Operation, possible
from orders.payments.actions import due_fen, locked
from orders.payments.errors import AboveDue
from shop.core import audit, clock, outbox
from shop.core.audit import SYSTEM, Who
from shop.core.errors import Fault, NotFound
from shop.core.money import yuan_from_fen
from shop.core.settings import settings
from shop.identity.actor import Actor

_OPEN = text("SELECT id FROM online_payment WHERE purchase_order_id = :id AND status = ANY (:open)")
_LOCK = text("SELECT * FROM online_payment WHERE id = :id FOR UPDATE")
_NEVER_SENT = text(
    "UPDATE provider_call SET status = 'refused', ended_at = :now, last_error = 'cancelled before it was sent'"
    " WHERE operation = 'pay' AND subject_id = :id AND sent_at IS NULL AND status = 'due' RETURNING id"
)
_TO_STOP = text("SELECT id FROM online_payment WHERE purchase_order_id = :id AND status = ANY (:open) AND cancel_asked_at IS NULL")
_OVERDUE = text(
    "SELECT id FROM online_payment WHERE status = ANY (:open) AND status <> 'processing' AND cancel_asked_at IS NULL AND created_at < :before"
    " ORDER BY id"
)


def begin(session: Session, actor: Actor, purchase_order_id: int, body: OnlinePaymentIn) -> int:
    """Begin to pay for an order online; returns the online payment's id. The provider is asked in the background, with a key that is stored
    here and now.

    Raises:
        PaymentOff: there is no provider (409). NotFound: no such order in the caller's branch (404).
        AlreadyOpen: one is under way (409). AboveDue: more than is due, or nothing is (409).
        AmountOutside, NeedsReturnUrl: see there (422).
    """
    rows = locked(session, [purchase_order_id])
    if not rows or not (actor.within_branch(rows[0].path) or actor.within_branch(rows[0].unit_path)):
        raise NotFound
    if not settings().stripe_key:
        raise PaymentOff
    if body.method == "alipay" and not body.return_url:
        raise NeedsReturnUrl.one("return_url", NeedsReturnUrl.code, NeedsReturnUrl.zh, NeedsReturnUrl.en)
    if session.execute(_OPEN, {"id": purchase_order_id, "open": list(OPEN)}).first():
        raise AlreadyOpen
    due = due_fen(session, purchase_order_id)
    amount = body.amount or due
    if due <= 0 or amount > due:
        raise AboveDue(due=yuan_from_fen(max(due, 0)))
    if not rules.LEAST_FEN <= amount <= rules.MOST_FEN:
        least, most = yuan_from_fen(rules.LEAST_FEN), yuan_from_fen(rules.MOST_FEN)
        zh, en = (sentence.format(least=least, most=most) for sentence in (AmountOutside.zh, AmountOutside.en))
        raise AmountOutside(faults=[Fault("amount", AmountOutside.code, zh, en)], least=least, most=most)
    now = clock.now()
    made = OnlinePayment(
        reference=secrets.token_hex(16),
        purchase_order_id=purchase_order_id,
        method=body.method,
        amount_fen=amount,
        return_url=body.return_url,
        created_by=actor.user_id,
        created_at=now,
    )
    session.add(made)
    session.flush()
    asking.ask(session, Operation.PAY, made.id, made.reference)
    audit.record(
        session, actor, "online_payment.begun", "purchase_order", purchase_order_id, online_payment_id=made.id, amount_fen=amount
    )
    return made.id


def cancel(session: Session, actor: Actor, online_payment_id: int) -> None:
    """Stop an online payment that nobody has paid yet. If the provider was asked already, it is asked to stop, and has the last word.

    Raises:
        NotFound: none of an order of the caller's branch (404). NotStoppable: it has ended, or is being processed (409).
    """
    row = _of_branch(session, actor, online_payment_id)
    if not possible(row.status):
        raise NotStoppable
    stop(session, actor, row)


def stop(session: Session, who: Who, row: Any) -> None:
    """Stop an open payment whose row is locked; asked for twice, the provider is asked once, unless it was asked too early."""
    if row.cancel_asked_at:
        if row.intent_id:
            asking.cancel(session, row.id, row.intent_id)
        return
    now = clock.now()
    status = row.status
    if status == OnlineStatus.CREATED and session.execute(_NEVER_SENT, {"id": row.id, "now": now}).first():
        status = OnlineStatus.CANCELLED
        outbox.publish(session, "online_payment.moved", online_payment_id=row.id, status=status)
    elif row.intent_id:
        asking.cancel(session, row.id, row.intent_id)
    session.execute(
        text(
            "UPDATE online_payment SET cancel_asked_at = :now, status = CAST(:status AS text), version = version + 1,"
            " ended_at = CASE WHEN CAST(:status AS text) = 'cancelled' THEN CAST(:now AS timestamptz) END WHERE id = :id"
        ),
        {"id": row.id, "now": now, "status": status},
    )
    audit.record(session, who, "online_payment.stopped", "purchase_order", row.purchase_order_id, online_payment_id=row.id)


def stop_if_nothing_due(session: Session, purchase_order_id: int) -> None:
    """Stop the open payment of an order that owes nothing any more: it was given up, or paid in another way. What is being processed is the
    provider's to decide; what comes all the same is the buyer's credit."""
    open_id = session.execute(_TO_STOP, {"id": purchase_order_id, "open": list(OPEN)}).scalar()
    if open_id is None or due_fen(session, purchase_order_id) > 0:
        return
    row = session.execute(_LOCK, {"id": open_id}).one()
    if possible(row.status):
        stop(session, SYSTEM, row)


def stop_overdue(session: Session) -> int:
    """Stop what nobody has paid in a day, so that the order can be paid otherwise; returns how many."""
    before = clock.now() - rules.OPEN_FOR
    ids = session.execute(_OVERDUE, {"open": list(OPEN), "before": before}).scalars().all()
    for each in ids:
        row = session.execute(_LOCK, {"id": each}).one()
        if row.status in OPEN:
            stop(session, SYSTEM, row)
    return len(ids)


def _of_branch(session: Session, actor: Actor, online_payment_id: int) -> Any:
    """The online payment, locked, of an order of the caller's branch."""
    row = session.execute(_LOCK, {"id": online_payment_id}).first()
    if row is None:
        raise NotFound
    [order] = locked(session, [row.purchase_order_id])
    if not (actor.within_branch(order.path) or actor.within_branch(order.unit_path)):
        raise NotFound
    return row
