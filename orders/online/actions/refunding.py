"""Refunds of online payments: asked for when they are released, taken over as the provider shows them."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.online import seen
from orders.online.actions.asking import ask
from orders.online.states import Operation
from orders.payments.actions import locked
from orders.refunds import actions as refunds
from orders.refunds.states import RefundStatus
from shop.core.audit import SYSTEM

_RELEASED = text(
    """
    SELECT r.*, o.intent_id FROM refund r JOIN online_payment o ON o.payment_id = r.payment_id
    WHERE r.id = :id AND r.method = 'online'
    """
)
_PAID_BY = text("SELECT payment_id, purchase_order_id FROM online_payment WHERE intent_id = :intent_id AND payment_id IS NOT NULL")
_BY_NUMBER = text("SELECT * FROM refund WHERE reference = :id AND method = 'online' FOR UPDATE")
_BY_ID = text("SELECT * FROM refund WHERE id = :id AND payment_id = :payment_id FOR UPDATE")

#: A refund that is at the provider is on its way; these have not moved money, or moved it back.
_ENDED = ("failed", "canceled")


def reference_of(row: Any) -> str:
    """What the provider knows a refund by: the same whenever it is worked out, and never that of another one, not even in a restored database."""
    return f"{row.number}-{int(row.requested_at.timestamp() * 1_000_000)}"


def start(session: Session, refund_id: int) -> None:
    """Have the provider asked for a refund that was released; safe to run twice."""
    row = session.execute(_RELEASED, {"id": refund_id}).first()
    if row is not None and row.status == RefundStatus.APPROVED:
        ask(session, Operation.REFUND, refund_id, reference_of(row))


def to_send(session: Session, refund_id: int) -> Any:
    """The refund as it is to be asked for, with the payment that it goes back by; None if it needs nothing any more."""
    row = session.execute(_RELEASED, {"id": refund_id}).first()
    return row if row is not None and row.status == RefundStatus.APPROVED else None


def settle_refund(session: Session, observed: seen.Refunded) -> bool:
    """Take over what was seen of a refund; returns whether it is of one of our payments.

    A refund that was paid may fail days later: then the buyer has its credit back, by new entries.
    """
    paid = session.execute(_PAID_BY, {"intent_id": observed.intent_id}).first()
    if paid is None:
        return False
    locked(session, [paid.purchase_order_id])
    row = _mine(session, observed, paid.payment_id)
    if row is None:
        if observed.status in _ENDED:
            return True  # what was never known here and came to nothing
        made = refunds.recover(session, SYSTEM, paid.payment_id, observed.amount_fen, "按支付服务商记录补录")
        _follow(session, made, RefundStatus.APPROVED, observed)
        return True
    status = row.status
    if status == RefundStatus.REQUESTED and observed.status not in _ENDED:
        refunds.recover(session, SYSTEM, paid.payment_id, row.amount_fen, row.reason, row.id)
        status = RefundStatus.APPROVED
    _follow(session, row.id, status, observed)
    return True


def refuse(session: Session, refund_id: int, words: str) -> None:
    """The provider will not make the refund: the buyer has its credit back, and may be refunded otherwise."""
    row = session.execute(text("SELECT purchase_order_id FROM refund WHERE id = :id"), {"id": refund_id}).one()
    locked(session, [row.purchase_order_id])
    status = session.execute(text("SELECT status FROM refund WHERE id = :id FOR UPDATE"), {"id": refund_id}).scalar_one()
    if status in (RefundStatus.APPROVED, RefundStatus.SENT):
        refunds.fail(session, SYSTEM, refund_id, words)


def _mine(session: Session, observed: seen.Refunded, payment_id: int) -> Any:
    """The row that a refund at the provider is of: by its number, or by the reference that it was asked for with."""
    row = session.execute(_BY_NUMBER, {"id": observed.id}).first()
    named = seen.number_of_ours(observed.metadata, "refund")
    if row is None and named is not None:
        row = session.execute(_BY_ID, {"id": named, "payment_id": payment_id}).first()
        if row is not None and not _is_for(row, observed):
            row = None
    return row


def _is_for(row: Any, observed: seen.Refunded) -> bool:
    """Whether a refund at the provider was asked for by this row, and not by one of which a restored database knows nothing."""
    decided_otherwise = row.status in (RefundStatus.REFUSED, RefundStatus.CANCELLED, RefundStatus.FAILED)
    same = reference_of(row) == observed.metadata.get("reference") and row.amount_fen == observed.amount_fen
    return same and not decided_otherwise


def _follow(session: Session, refund_id: int, status: str, observed: seen.Refunded) -> None:
    if observed.status == "succeeded" and status in (RefundStatus.APPROVED, RefundStatus.SENT):
        refunds.pay(session, SYSTEM, refund_id, observed.id)
    elif observed.status in _ENDED and status in (RefundStatus.APPROVED, RefundStatus.SENT, RefundStatus.PAID):
        refunds.fail(session, SYSTEM, refund_id, observed.failure or observed.status)
    elif observed.status not in ("succeeded", *_ENDED) and status == RefundStatus.APPROVED:
        refunds.hand_over(session, SYSTEM, refund_id, observed.id)
