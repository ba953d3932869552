"""The one way by which what was seen of a payment takes effect here: from the answer to a call, a webhook's look, or the reconciler.

Each of them may come first, late, twice or never; whatever the order, money that came is booked once.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.online import rules, seen
from orders.online.actions import asking
from orders.online.states import OPEN, OnlineStatus, may_become
from orders.payments.actions import locked, take
from orders.payments.schemas import Taken
from shop.core import audit, clock, outbox
from shop.core.audit import SYSTEM

_LOCK = text("SELECT * FROM online_payment WHERE id = :id FOR UPDATE")
_KNOWN = text(
    "SELECT id FROM online_payment WHERE intent_id = :intent_id OR reference = :reference"
    " ORDER BY (intent_id IS NOT DISTINCT FROM :intent_id) DESC LIMIT 1"
)
_UPDATE = text(
    """
    UPDATE online_payment SET status = :status, intent_id = :intent_id, charge_id = coalesce(:charge_id, charge_id),
           client_secret = CASE WHEN :open THEN CAST(:client_secret AS text) END, action_url = CASE WHEN :open THEN CAST(:action_url AS text) END,
           qr_code = CASE WHEN :open THEN CAST(:qr_code AS text) END, received_fen = :received_fen, payment_id = :payment_id,
           error_code = :error_code, error_text = :error_text, looked_at = :now,
           ended_at = CASE WHEN NOT :open THEN coalesce(ended_at, CAST(:now AS timestamptz)) END, version = version + :changed
    WHERE id = :id
    """
)
_LOOKED = text("UPDATE online_payment SET looked_at = :now WHERE id = :id")
_PAYER = text("SELECT buyer.name FROM purchase_order po JOIN organisation buyer ON buyer.id = po.buyer_id WHERE po.id = :id")
_FOUND = text(
    """
    INSERT INTO online_payment (reference, purchase_order_id, method, amount_fen, received_fen, status, created_at, ended_at)
    SELECT :reference, po.id, :method, :amount_fen, 0, 'failed', :created_at, :now
    FROM purchase_order po WHERE po.id = :order_id AND po.placed_at = :placed_at
    ON CONFLICT (reference) DO NOTHING RETURNING id
    """
)
_BY_REFERENCE = text("SELECT id FROM online_payment WHERE reference = :reference")
_METHODS = ("card", "alipay", "wechat_pay")


def settle_outcome(session: Session, online_payment_id: int, observed: seen.Intent) -> bool:
    """Take over what was seen of a payment; returns whether it was news.

    What came is booked as it came: less than was asked leaves a due, more leaves a credit.
    """
    row = session.execute(_LOCK, {"id": online_payment_id}).one()
    status = rules.status_of(observed.status, row.method, declined=observed.error_code is not None)
    if row.intent_id not in (None, observed.id):
        return _of_another_attempt(session, row, observed, status)
    changed = may_become(row.status, status)
    if changed or (row.status == status and status in OPEN):
        _write(session, row, observed, status, changed=changed)
    else:
        session.execute(_LOOKED, {"id": row.id, "now": clock.now()})
    # while it is being processed the provider would refuse; asked again when it waits for its payer once more
    if (row.cancel_asked_at and status in OPEN and status != OnlineStatus.PROCESSING) or status == OnlineStatus.FAILED:
        asking.cancel(session, row.id, observed.id)  # so that nothing can come by it any more
    return changed


def settle_intent(session: Session, observed: seen.Intent) -> bool:
    """Take over what was seen of a payment that is known by its number or reference; returns whether it is one of ours.

    One that is not here although it names an order that is, and money came by it, was forgotten when the database was restored.
    """
    reference = observed.metadata.get("reference")
    known = session.execute(_KNOWN, {"intent_id": observed.id, "reference": reference}).scalar()
    if known is None and observed.status == "succeeded" and reference:
        known = _remember(session, observed, reference)
    if known is None:
        return False
    settle_outcome(session, known, observed)
    return True


def refuse(session: Session, online_payment_id: int, code: str, words: str) -> None:
    """The provider does not even begin with the payment."""
    row = session.execute(_LOCK, {"id": online_payment_id}).one()
    if row.status not in OPEN:
        return
    _end_without_money(session, row, OnlineStatus.FAILED, code, words)


def forget(session: Session, online_payment_id: int) -> None:
    """The provider knows nothing of a payment that was to be stopped: nothing can come by it."""
    row = session.execute(_LOCK, {"id": online_payment_id}).one()
    if row.status in OPEN:
        _end_without_money(session, row, OnlineStatus.CANCELLED, None, None)


def leave_unknown(session: Session, online_payment_id: int) -> None:
    """Nobody knows whether the provider has the payment; it stays open until somebody does."""
    session.execute(
        text("UPDATE online_payment SET status = 'unknown', version = version + 1 WHERE id = :id AND status = 'created'"),
        {"id": online_payment_id},
    )


def metadata_of(row: Any, placed_at: datetime) -> dict[str, str]:
    """What the provider keeps with a payment: numbers that mean something here alone. The moment tells the order from another one that
    a restored database gave the same number.
    """
    return {
        "reference": row.reference,
        "online_payment": str(row.id),
        "purchase_order": str(row.purchase_order_id),
        "placed": placed_at.isoformat(),
        "method": row.method,
    }


def _write(session: Session, row: Any, observed: seen.Intent, status: OnlineStatus, *, changed: bool) -> None:
    payment_id = _take(session, row, observed) if status == OnlineStatus.SUCCEEDED else None
    session.execute(
        _UPDATE,
        {
            "id": row.id,
            "status": status,
            "intent_id": observed.id,
            "charge_id": observed.charge_id if status == OnlineStatus.SUCCEEDED else None,
            "open": status in OPEN,
            "client_secret": observed.client_secret,
            "action_url": observed.action_url,
            "qr_code": observed.qr_code,
            "received_fen": observed.received_fen if payment_id else 0,
            "payment_id": payment_id,
            "error_code": None if payment_id else observed.error_code,
            "error_text": None if payment_id else observed.error_text,
            "now": clock.now(),
            "changed": int(changed),
        },
    )
    if changed and status not in OPEN:
        _tell(session, row, status)


def _take(session: Session, row: Any, observed: seen.Intent) -> int:
    locked(session, [row.purchase_order_id])
    payer = session.execute(_PAYER, {"id": row.purchase_order_id}).scalar_one()
    came = Taken(row.purchase_order_id, observed.received_fen, row.method, "online", observed.id, payer, clock.today())
    return take(session, SYSTEM, came)


def _end_without_money(session: Session, row: Any, status: OnlineStatus, code: str | None, words: str | None) -> None:
    session.execute(
        text(
            "UPDATE online_payment SET status = :status, error_code = :code, error_text = :words, ended_at = :now, client_secret = NULL,"
            " action_url = NULL, qr_code = NULL, version = version + 1 WHERE id = :id"
        ),
        {"id": row.id, "status": status, "code": code, "words": words, "now": clock.now()},
    )
    _tell(session, row, status)


def _tell(session: Session, row: Any, status: OnlineStatus) -> None:
    audit.record(session, SYSTEM, f"online_payment.{status}", "purchase_order", row.purchase_order_id, online_payment_id=row.id)
    outbox.publish(session, "online_payment.moved", online_payment_id=row.id, status=status)


def _of_another_attempt(session: Session, row: Any, observed: seen.Intent, status: OnlineStatus) -> bool:
    """An attempt that was lost sight of, beside the one that the payer was shown: it is stopped, unless money came by it."""
    if status != OnlineStatus.SUCCEEDED:
        if status in OPEN:
            asking.cancel(session, row.id, observed.id)
        return False
    if row.status != OnlineStatus.SUCCEEDED:
        if row.status in OPEN:
            asking.cancel(session, row.id, row.intent_id)
        _write(session, row, observed, status, changed=True)
        return True
    # paid twice: what came the second time is the buyer's credit
    other = _remember(session, observed, f"{row.reference}/{observed.id}")
    return other is not None and settle_outcome(session, other, observed)


def _remember(session: Session, observed: seen.Intent, reference: str) -> int | None:
    """A payment that is at the provider and not here, if the order that it names is still the same one."""
    told = observed.metadata
    order_id = seen.number_of_ours(told, "purchase_order")
    try:
        placed_at = datetime.fromisoformat(told["placed"])
    except (KeyError, ValueError):
        return None
    if order_id is None or observed.currency != seen.CURRENCY or told.get("method") not in _METHODS:
        return None
    found: int | None = session.execute(
        _FOUND,
        {
            "reference": reference,
            "order_id": order_id,
            "placed_at": placed_at,
            "method": told["method"],
            "amount_fen": observed.amount_fen,
            "created_at": observed.created_at,
            "now": clock.now(),
        },
    ).scalar()
    if found is None:  # somebody else may have remembered it just now
        return session.execute(_BY_REFERENCE, {"reference": reference}).scalar()
    audit.record(session, SYSTEM, "online_payment.found", "purchase_order", order_id, online_payment_id=found)
    return found
