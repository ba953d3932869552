"""Writing down what the provider is to be asked. It is asked later, outside of every transaction (see ``sending``)."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlmodel import Session

from orders.online import rules
from orders.online.states import Operation
from shop.core import clock

_ASK = text(
    """
    INSERT INTO provider_call (operation, subject_id, attempt, key, object_id, next_attempt_at, created_at)
    VALUES (:operation, :subject_id, 1, :key, :object_id, :now, :now) ON CONFLICT (key) DO NOTHING
    """
)
_LOOK = text(
    """
    INSERT INTO provider_call (operation, object_id, next_attempt_at, created_at)
    SELECT 'look', id, :now, :now FROM unnest(CAST(:ids AS text[])) AS t (id)
    ON CONFLICT (object_id) WHERE operation = 'look' AND status = 'due' DO NOTHING
    """
)


#: Another attempt once the one before came to an end: a payment that was being processed then may wait for its payer again.
_CANCEL = text(
    """
    INSERT INTO provider_call (operation, subject_id, attempt, key, object_id, next_attempt_at, created_at)
    SELECT 'cancel', :subject_id, coalesce(max(attempt), 0) + 1, format(CAST(:key AS text), coalesce(max(attempt), 0) + 1), CAST(:object_id AS text), :now, :now
    FROM provider_call WHERE operation = 'cancel' AND subject_id = :subject_id AND object_id = CAST(:object_id AS text)
    HAVING coalesce(bool_and(status IN ('done', 'refused')), true)
    ON CONFLICT (key) DO NOTHING
    """
)


def ask(session: Session, operation: Operation, subject_id: int, reference: str, object_id: str | None = None) -> None:
    """Have the provider asked for something; once for each operation and reference, however often this is called."""
    key = rules.key_of(operation, reference, 1)
    values = {"operation": operation, "subject_id": subject_id, "key": key, "object_id": object_id, "now": clock.now()}
    session.execute(_ASK, values)


def cancel(session: Session, online_payment_id: int, intent_id: str) -> None:
    """Have the provider asked to stop a payment, whose row is locked; once at a time, and anew when it was asked in vain before."""
    key = rules.key_of(Operation.CANCEL, intent_id, "%s")
    session.execute(_CANCEL, {"subject_id": online_payment_id, "key": key, "object_id": intent_id, "now": clock.now()})


def look_at(session: Session, object_ids: Sequence[str]) -> None:
    """Have objects of the provider looked at; several wishes to look at one are one, as long as nobody has begun to look."""
    if object_ids:
        session.execute(_LOOK, {"ids": sorted(set(object_ids)), "now": clock.now()})
