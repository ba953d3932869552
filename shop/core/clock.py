"""The one clock. Everything asks here for the time, so that tests and the demo can set it.

Moments are UTC; calendar dates are those of Asia/Shanghai, where every deadline of this field is counted. The clock is the database's: every process
goes by it, however wrong the clock of its machine is, so a sale near midnight is of the same day whichever server was asked.
"""

import time as timer
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlmodel import Session

SHANGHAI = ZoneInfo("Asia/Shanghai")

#: A process looks at the database's clock so often, in seconds; what is less than this apart is put down to the time that the answer takes.
FOLLOW_EVERY = 30.0
NEGLIGIBLE = timedelta(seconds=1)

#: By how much the clock of this machine is behind the database's, and when that was seen last.
_drift = timedelta(0)
_followed: float | None = None
_shift = timedelta(0)
_fixed: datetime | None = None


def now() -> datetime:
    """The present moment, in UTC."""
    return _fixed or _machine() + _drift + _shift


def machine_now() -> datetime:
    """The same without the shift that a demo set: by this go the stamps of others, who know nothing of it."""
    return _fixed or _machine() + _drift


def _machine() -> datetime:
    return datetime.now(UTC)


def follow(session: Session) -> None:
    """Go by the database's clock. Called with every transaction; asks once in half a minute."""
    global _drift, _followed
    if _followed is not None and timer.monotonic() - _followed < FOLLOW_EVERY:
        return
    before = _machine()
    there: datetime = session.execute(text("SELECT clock_timestamp()")).scalar_one()
    _followed, apart = timer.monotonic(), there - before
    _drift = apart if abs(apart) > NEGLIGIBLE else timedelta(0)


def today() -> date:
    """The present date in Shanghai."""
    return shanghai_date(now())


def shanghai_date(moment: datetime) -> date:
    return moment.astimezone(SHANGHAI).date()


def shanghai_text(moment: datetime, timespec: Literal["minutes", "seconds"] = "seconds") -> str:
    """A moment as clocks in Shanghai show it: ``2026-12-01 09:00:30``, or without seconds."""
    return moment.astimezone(SHANGHAI).replace(tzinfo=None).isoformat(" ", timespec)


def present() -> dict[str, datetime | date]:
    """The values of ``:now`` and ``:today`` in a statement: one moment, and its date in Shanghai."""
    moment = now()
    return {"now": moment, "today": shanghai_date(moment)}


def start_of_day(day: date) -> datetime:
    """The first moment of a Shanghai day, in UTC."""
    return datetime.combine(day, time.min, tzinfo=SHANGHAI).astimezone(UTC)


def end_of_day(day: date) -> datetime:
    """The first moment after a Shanghai day, in UTC."""
    return start_of_day(day + timedelta(days=1))


def read_shift(session: Session) -> None:
    """Take over the shift that the demo set. All processes read it, so they agree on the time."""
    global _shift
    seconds = session.execute(text("SELECT coalesce((SELECT seconds FROM clock_shift), 0)")).scalar_one()
    _shift = timedelta(seconds=seconds)


def move_shift(session: Session, seconds: int) -> None:
    """Move the clock of every process forward. Demo only; the caller checks ``settings().demo``."""
    session.execute(
        text(
            "INSERT INTO clock_shift (one, seconds) VALUES (true, :seconds)"
            " ON CONFLICT (one) DO UPDATE SET seconds = clock_shift.seconds + excluded.seconds"
        ),
        {"seconds": seconds},
    )
    read_shift(session)


@contextmanager
def fixed(moment: datetime) -> Iterator[None]:
    """Hold the clock of this process at ``moment`` (tests)."""
    global _fixed
    before, _fixed = _fixed, moment
    try:
        yield
    finally:
        _fixed = before
