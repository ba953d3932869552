"""Keeping the rollups: taking over waiting entries, and building everything anew from the ledger."""

from collections.abc import Callable

from sqlalchemy import text
from sqlmodel import Session

from orders.statistics import rebuilding
from orders.statistics.cubes import absorb_all
from orders.statistics.rebuilding import Rebuilt
from shop.core import locks
from shop.core.db import Database

_LOCK = "statistics.refresh"

_REFRESH = text(
    "WITH taken AS (DELETE FROM sale_entry_pending"  # noqa: S608
    " WHERE entry_id IN (SELECT entry_id FROM sale_entry_pending ORDER BY entry_id LIMIT :limit) RETURNING entry_id), "
    + absorb_all(
        batch="taken JOIN sale_entry e ON e.id = taken.entry_id",
        fresh="e.id IN (SELECT entry_id FROM taken)",
        taken="NOT EXISTS (SELECT FROM sale_entry_pending p WHERE p.entry_id = e.id)",
    )
)


def refresh(session: Session, limit: int = 20_000) -> int:
    """Move up to ``limit`` waiting entries into all rollups, in one statement; returns how many.

    One refresher at a time: a second one finds the lock taken and leaves the work to the first. Readers and writers of the ledger wait for
    nobody, and see each entry exactly once, before and after.
    """
    if not locks.try_hold(session, _LOCK):
        return 0
    # nobody waits for it; given up halfway it would find as many entries the next time, and more
    session.execute(text("SET LOCAL statement_timeout = 0"))
    return int(session.execute(_REFRESH, {"limit": limit}).scalar_one())


def rebuild(database: Database, say: Callable[[str], None] = lambda _: None) -> int:
    """Build every rollup anew from the ledger; returns the number of entries.

    One transaction with one snapshot: until it commits, readers see the old rollups; entries that arrive meanwhile wait in the queue.
    """
    with database.unit_of_work() as guard:
        # Held by a transaction of its own, because a snapshot must be taken after the last refresh has ended, not before the wait.
        locks.hold(guard, _LOCK)
        with database.session() as session:
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            session.execute(text("SET LOCAL statement_timeout = 0"))
            session.execute(text("SET LOCAL work_mem = '256MB'"))
            # rollups that were looked at while they were empty would be taken for empty, and compared row by row
            session.execute(text("SET LOCAL enable_nestloop = off"))
            rebuilt = rebuilding.fill(session, say)
            session.execute(text("DELETE FROM sale_entry_pending"))
            session.commit()
    _tidy(database, rebuilt)
    return rebuilt.entries


def _tidy(database: Database, rebuilt: Rebuilt) -> None:
    """Give the planner true row counts, and free the space of the rows that were replaced."""
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET statement_timeout = 0"))
        connection.execute(text(f"VACUUM (ANALYZE) {', '.join(['sale_entry_pending', *rebuilt.mended])}"))
        if rebuilt.grown:
            connection.execute(text(f"ANALYZE {', '.join(rebuilt.grown)}"))
        connection.execute(text("RESET statement_timeout"))
