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


def ask(session: Session, operation: Operation, subject_id: int, reference: str, object_id: str | None = None) -> None:
    """Have the provider asked for something; once for each operation and reference, however often this is called."""
    key = rules.key_of(operation, reference, 1)
    values = {"operation": operation, "subject_id": subject_id, "key": key, "object_id": object_id, "now": clock.now()}
    session.execute(_ASK, values)


def look_at(session: Session, object_ids: Sequence[str]) -> None:
    """Have objects of the provider looked at; several wishes to look at one are one, as long as nobody has begun to look."""
    if object_ids:
        session.execute(_LOOK, {"ids": sorted(set(object_ids)), "now": clock.now()})
