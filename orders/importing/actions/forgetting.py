"""Lists that nobody ordered from are dropped in time; an order's list stays with it, and so does every file."""

from datetime import timedelta

from sqlalchemy import text
from sqlmodel import Session

from shop.core import clock

#: So long a list that was not ordered is kept.
KEPT = timedelta(days=90)
#: So many lists are dropped in one transaction; they may have ten thousand rows each.
AT_ONCE = 100

_OLD = text(
    """
    SELECT id FROM order_import WHERE status <> 'ordered' AND uploaded_at < :before ORDER BY id LIMIT :rows FOR UPDATE SKIP LOCKED
    """
)
_ROWS = text("DELETE FROM order_import_row WHERE import_id = ANY (CAST(:ids AS bigint[]))")
_LISTS = text("DELETE FROM order_import WHERE id = ANY (CAST(:ids AS bigint[]))")


def forget_old(session: Session) -> int:
    """Drop old lists that were never ordered; returns how many."""
    ids = list(session.execute(_OLD, {"before": clock.now() - KEPT, "rows": AT_ONCE}).scalars())
    if ids:
        session.execute(_ROWS, {"ids": ids})
        session.execute(_LISTS, {"ids": ids})
    return len(ids)
