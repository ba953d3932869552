"""Files whose time is over are deleted, and what is left of files that were never finished."""

from sqlalchemy import text
from sqlmodel import Session

from shop.core import clock, storage

#: So many files are deleted in one transaction.
AT_ONCE = 200

_OVER = text(
    """
    SELECT id, storage_key FROM export WHERE storage_key IS NOT NULL AND expires_at < :now AND status NOT IN ('waiting', 'running')
    ORDER BY expires_at LIMIT :rows FOR UPDATE SKIP LOCKED
    """
)
_GONE = text(
    """
    UPDATE export SET status = CASE status WHEN 'done' THEN 'expired' ELSE status END, storage_key = NULL
    WHERE id = ANY (CAST(:ids AS bigint[]))
    """
)


def expire(session: Session) -> int:
    """Delete the files whose time is over; returns how many. A file that is deleted twice is deleted once."""
    over = session.execute(_OVER, {"now": clock.now(), "rows": AT_ONCE}).all()
    for row in over:
        storage.delete(row.storage_key)
    if over:
        session.execute(_GONE, {"ids": [row.id for row in over]})
    return len(over)
