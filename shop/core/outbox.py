"""Events for others, written in the transaction that caused them.

An event is a row. A relay hands the ids of due rows to Celery; the job claims its row first (lease and attempt counted, committed),
then does the work and marks the row done in one transaction. Redis may lose or repeat a wake-up: the row stays due until it is done,
and a handler that fails three times is parked for a person to look at.
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from shop.core import clock
from shop.core.db import Database

#: How long a claimed row is left alone, and how long a row waits between two wake-ups. Longer than any job may take.
LEASE = timedelta(seconds=60)
MAX_ATTEMPTS = 3

#: A handler takes the session of its transaction and the event's payload, and must be safe to run twice.
Handler = Callable[[Session, dict[str, Any]], None]


def publish(session: Session, name: str, **payload: Any) -> None:
    """Tell the others that ``name`` happened. Payloads hold ids, never personal data."""
    now = clock.now()
    session.execute(
        text(
            "INSERT INTO outbox_event (name, payload, created_at, next_attempt_at)"
            " VALUES (:name, CAST(:payload AS jsonb), :now, :now)"
        ),
        {"name": name, "payload": json.dumps(payload), "now": now},
    )
    session.info["outbox_published"] = True


def publish_each(session: Session, name: str, key: str, ids: Sequence[int], **common: Any) -> None:
    """The same for many things at once: one event for each id, with the payload ``{key: id}`` and what is common to all."""
    now = clock.now()
    session.execute(
        text(
            "INSERT INTO outbox_event (name, payload, created_at, next_attempt_at)"
            " SELECT :name, jsonb_build_object(CAST(:key AS text), id) || CAST(:common AS jsonb), :now, :now FROM unnest(CAST(:ids AS bigint[])) AS id"
        ),
        {"name": name, "key": key, "ids": list(ids), "common": json.dumps(common), "now": now},
    )
    session.info["outbox_published"] = True


def publish_all(session: Session, name: str, payloads: Sequence[Mapping[str, Any]]) -> None:
    """The same for many things at once that have more of their own than an id: one event for each payload."""
    if not payloads:
        return
    session.execute(
        text(
            "INSERT INTO outbox_event (name, payload, created_at, next_attempt_at)"
            " SELECT :name, payload, :now, :now FROM jsonb_array_elements(CAST(:payloads AS jsonb)) AS payload"
        ),
        {"name": name, "payloads": json.dumps(payloads), "now": clock.now()},
    )
    session.info["outbox_published"] = True


def due(session: Session, limit: int = 200, only: Collection[str] | None = None) -> list[int]:
    """Ids of events to wake a worker for, of all or ``only`` of those names; each is not offered again before its lease ends."""
    now = clock.now()
    return sorted(
        session.execute(
            text(
                "UPDATE outbox_event SET next_attempt_at = :later WHERE id IN ("
                " SELECT id FROM outbox_event WHERE done_at IS NULL AND parked_at IS NULL AND next_attempt_at <= :now"
                " AND (CAST(:only AS text[]) IS NULL OR name = ANY (CAST(:only AS text[])))"
                " ORDER BY next_attempt_at LIMIT :limit FOR UPDATE SKIP LOCKED) RETURNING id"
            ),
            {"now": now, "later": now + LEASE, "limit": limit, "only": None if only is None else sorted(only)},
        ).scalars()
    )


def work(database: Database, handlers: Mapping[str, Handler], event_id: int, then: Callable[[], object] = lambda: None) -> bool:
    """Do one event: claim, handle, mark done. Returns whether it was done here. ``then`` is called after the commit if the handler
    published others, so that they need not wait for the relay's next round; notifications do.

    A second worker that was woken for the same event finds it done or waits for the first one's row lock, so the effect happens once.
    """
    with database.unit_of_work() as session:
        claimed = session.execute(
            text(
                "UPDATE outbox_event SET attempts = attempts + 1, next_attempt_at = :later,"
                " parked_at = CASE WHEN attempts >= :max THEN :now END"
                " WHERE id = :id AND done_at IS NULL AND parked_at IS NULL RETURNING name, payload, attempts"
            ),
            {"id": event_id, "now": clock.now(), "later": clock.now() + LEASE, "max": MAX_ATTEMPTS},
        ).first()
    if claimed is None or claimed.attempts > MAX_ATTEMPTS:
        return False
    try:
        with database.unit_of_work() as session:
            done = session.execute(
                text("UPDATE outbox_event SET done_at = :now WHERE id = :id AND done_at IS NULL RETURNING id"),
                {"id": event_id, "now": clock.now()},
            ).first()
            if done is None:
                return False
            session.info["outbox_event"] = event_id
            handlers[claimed.name](session, claimed.payload)
            published = "outbox_published" in session.info
    except Exception as error:
        _failed(database, event_id, error, last=claimed.attempts >= MAX_ATTEMPTS)
        raise
    if published:
        then()
    return True


def in_hand(session: Session) -> int | None:
    """The id of the event that is being done in this transaction; none when a handler is called by itself."""
    return session.info.get("outbox_event")


def _failed(database: Database, event_id: int, error: Exception, *, last: bool) -> None:
    with database.unit_of_work() as session:
        session.execute(
            text(
                "UPDATE outbox_event SET last_error = :error, next_attempt_at = :soon,"
                " parked_at = CASE WHEN :last THEN CAST(:now AS timestamptz) END WHERE id = :id AND done_at IS NULL"
            ),
            {
                "id": event_id,
                "error": f"{type(error).__name__}: {error}"[:500],
                "now": clock.now(),
                "soon": clock.now() + timedelta(seconds=5),
                "last": last,
            },
        )


def drain(database: Database, handlers: Mapping[str, Handler]) -> int:
    """Do everything that is due, here and now (tests and seeding); returns how many."""
    done = 0
    while True:
        with database.unit_of_work() as session:
            ids = due(session)
        if not ids:
            return done
        done += sum(work(database, handlers, event_id) for event_id in ids)
