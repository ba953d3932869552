"""Where figures are read: in the database, or in a replica of it that may lie behind."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

import structlog
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from shop.core import clock
from shop.core.db import Database
from shop.core.settings import settings

_log = structlog.get_logger()
_WRITTEN = text("SELECT pg_current_wal_insert_lsn()::text")
#: How far the replica has come: whether as far as the database had written, and when what it came to was committed.
_REPLAYED = text(
    "SELECT pg_last_wal_replay_lsn() >= CAST(:written AS pg_lsn) AS caught_up, pg_last_xact_replay_timestamp() AS committed_at"
)


@dataclass(frozen=True)
class Source:
    """A session to read figures in, and the moment up to which it holds every sale."""

    session: Session
    exact_to: datetime
    #: By how many seconds that lies before now; None: the database itself is read.
    behind_seconds: float | None = None


@contextmanager
def source(session: Session) -> Iterator[Source]:
    """The replica, where there is one and it answers; else the database, in the caller's own session."""
    if (replica := _replica(settings().statistics_database_url)) is None:
        yield Source(session, clock.now())
        return
    with replica.session() as reading:
        yield _of_replica(session, reading) or Source(session, clock.now())


def _of_replica(session: Session, reading: Session) -> Source | None:
    now = clock.now()
    try:
        written = session.execute(_WRITTEN).scalar_one()
        found = reading.execute(_REPLAYED, {"written": written}).one()
    except OperationalError:
        _log.warning("replica_down")
        return None
    if found.caught_up:
        return Source(reading, now, 0.0)
    if found.committed_at is None:  # it has not replayed anything yet, or is no replica
        return None
    return Source(reading, min(found.committed_at, now), max((now - found.committed_at).total_seconds(), 0.001))


@lru_cache
def _replica(url: str | None) -> Database | None:
    return Database(url, pool_size=settings().threads) if url else None
