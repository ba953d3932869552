"""Writing changes, putting them in order for readers and endpoints, and forgetting old ones."""

from collections.abc import Iterable
from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import text
from sqlmodel import Session

from shop.core import clock, outbox
from shop.webhooks import rules


class Concerned(NamedTuple):
    """An organisation that hears of a change, and the thing by which it can look it up."""

    organisation_id: int
    subject_type: str
    subject_id: int


#: The event's number and moment together tell it from one of a restored database that counts the same numbers.
_RECORD = text(
    """
    INSERT INTO change (event_id, organisation_id, type, subject_type, subject_id, at)
    SELECT 'evt_' || md5(e.id || ':' || extract(epoch FROM e.created_at)), c.organisation_id, :type, c.subject_type, c.subject_id, e.created_at
    FROM outbox_event e CROSS JOIN unnest(CAST(:organisations AS bigint[]), CAST(:subject_types AS text[]), CAST(:subject_ids AS bigint[]))
         AS c (organisation_id, subject_type, subject_id)
    WHERE e.id = :event
    ON CONFLICT (event_id, organisation_id) DO NOTHING
    """
)
_WATERMARK = text("SELECT last_position FROM change_feed FOR UPDATE SKIP LOCKED")
_PUT_IN_ORDER = text(
    """
    WITH waiting AS (SELECT id FROM change WHERE position IS NULL ORDER BY id LIMIT :limit),
    numbered AS (SELECT id, :last + row_number() OVER (ORDER BY id) AS position FROM waiting),
    placed AS (
        UPDATE change c SET position = n.position FROM numbered n WHERE c.id = n.id
        RETURNING c.id, c.event_id, c.organisation_id, c.type, c.at, c.position),
    counted AS (UPDATE change_feed SET last_position = last_position + (SELECT count(*) FROM placed)),
    queued AS (
        INSERT INTO webhook_delivery (endpoint_id, kind, change_id, event_id, type, event_at, status, next_attempt_at, created_at)
        SELECT w.id, 'change', p.id, p.event_id, p.type, p.at, 'pending', :now, :now
        FROM placed p
        JOIN organisation o ON o.id = p.organisation_id
        JOIN webhook_endpoint w ON w.status = 'enabled'
             AND ('*' = ANY (w.types) OR p.type = ANY (w.types) OR split_part(p.type, '.', 1) || '.*' = ANY (w.types))
        JOIN organisation above ON above.id = w.organisation_id AND above.path <> '' AND starts_with(o.path, above.path)
        ORDER BY p.position
        ON CONFLICT (endpoint_id, event_id) WHERE kind = 'change' DO NOTHING)
    SELECT count(*) FROM placed
    """
)

#: Only what lies before the first change that is to stay: an old event that was told late does not take younger ones with it.
_FORGET = text(
    """
    WITH bound AS (
        SELECT coalesce((SELECT min(position) - 1 FROM change WHERE at >= :before), (SELECT last_position FROM change_feed)) AS position),
    deliveries AS (
        DELETE FROM webhook_delivery d USING change c, bound b WHERE c.id = d.change_id AND c.position <= b.position RETURNING 1),
    noted AS (
        UPDATE change_feed SET removed_position = greatest(removed_position, b.position) FROM bound b)
    SELECT position, (SELECT count(*) FROM deliveries) FROM bound
    """
)
_FORGET_CHANGES = text("DELETE FROM change WHERE position <= :position")
#: A change that was queued just when its endpoint was switched off.
_CANCEL_LEFT = text(
    """
    UPDATE webhook_delivery d SET status = 'cancelled', slot = NULL, finished_at = :now FROM webhook_endpoint e
    WHERE e.id = d.endpoint_id AND d.status = 'pending' AND e.status <> 'enabled'
    """
)
_FORGET_DELIVERIES = text("DELETE FROM webhook_delivery WHERE status <> 'pending' AND finished_at < :before")


def record(session: Session, kind: str, concerned: Iterable[Concerned]) -> None:
    """Write the event in hand into the feeds of those whom it concerns; a second time it changes nothing.

    Without an event in hand (a handler that is called by itself) there is nothing to tell.
    """
    event, rows = outbox.in_hand(session), list(concerned)
    if event is None or not rows:
        return
    session.execute(
        _RECORD,
        {
            "event": event,
            "type": kind,
            "organisations": [row.organisation_id for row in rows],
            "subject_types": [row.subject_type for row in rows],
            "subject_ids": [row.subject_id for row in rows],
        },
    )


def put_in_order(session: Session, limit: int = 1000) -> int:
    """Give the committed changes that have none their positions, and queue them for the endpoints; returns how many.

    The row of the feed is held until the commit, so positions become visible in their order. One at a time; others find nothing to do.
    """
    last = session.execute(_WATERMARK).scalar()
    if last is None:
        return 0
    placed: int = session.execute(_PUT_IN_ORDER, {"last": last, "limit": limit, "now": clock.now()}).scalar_one()
    return placed


def forget_old(session: Session) -> None:
    """Remove changes and deliveries after their time, and remember up to where; cancel what waits for an endpoint that is off."""
    now = clock.now()
    bound = session.execute(_FORGET, {"before": now - timedelta(days=rules.CHANGES_DAYS)}).one()
    session.execute(_FORGET_CHANGES, {"position": bound.position})
    session.execute(_CANCEL_LEFT, {"now": now})
    session.execute(_FORGET_DELIVERIES, {"before": now - timedelta(days=rules.DELIVERIES_DAYS)})
