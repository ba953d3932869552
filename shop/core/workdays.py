"""Chinese working days: weekends, public holidays and make-up workdays as the State Council published them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import chinese_calendar
from chinese_calendar.constants import holidays
from sqlalchemy import text
from sqlmodel import Session

#: The ``source`` of the rows that :func:`seed` writes; a row that an administrator entered names another one and wins.
SEED_SOURCE = "chinesecalendar"


@dataclass(frozen=True)
class Calendar:
    """``published`` says for each announced date whether it is worked; other dates follow the week and are provisional."""

    published: Mapping[date, bool]

    def is_working(self, day: date) -> bool:
        return self.published.get(day, day.weekday() < 5)

    def is_known(self, day: date) -> bool:
        return day in self.published

    def add(self, day: date, count: int) -> date:
        """The ``count``-th working day after ``day``; the day itself is not counted (as legal periods are)."""
        if count < 0:
            raise ValueError("count must not be negative")
        while count:
            day += timedelta(days=1)
            count -= self.is_working(day)
        return day

    def between(self, start: date, end: date) -> int:
        """Working days after ``start`` up to and including ``end``."""
        return sum(self.is_working(start + timedelta(days=n)) for n in range(1, (end - start).days + 1))


def calendar(session: Session, around: date, days: int = 400) -> Calendar:
    """The calendar for ``days`` days on both sides of a date; read once in a session, which is one transaction."""
    kept: dict[tuple[date, int], Calendar] = session.info.setdefault("workdays", {})
    if (around, days) not in kept:
        rows = session.execute(
            text("SELECT day, working FROM workday WHERE day BETWEEN :first AND :last"),
            {"first": around - timedelta(days=days), "last": around + timedelta(days=days)},
        )
        kept[around, days] = Calendar({row.day: row.working for row in rows})
    return kept[around, days]


def add_sql(day: str, count: str) -> str:
    """SQL: the ``count``-th working day after the date ``day``, as :meth:`Calendar.add` has it, for statements that cannot ask beforehand."""
    # a subquery for each day is an index lookup; a join reads the whole calendar
    return (
        f"(SELECT d.day FROM (SELECT {day} + n AS day FROM generate_series(1, 2 * {count} + 15) n) d"  # noqa: S608
        " WHERE coalesce((SELECT w.working FROM workday w WHERE w.day = d.day), extract(isodow FROM d.day) < 6)"
        f" ORDER BY d.day OFFSET {count} - 1 LIMIT 1)"
    )


def seed(session: Session) -> None:
    """Fill ``workday`` with every day of every year that the calendar package knows. Safe to run again."""
    first, last = date(min(holidays).year, 1, 1), date(max(holidays).year, 12, 31)
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    session.execute(
        text(
            "INSERT INTO workday (day, working, source)"
            " SELECT d.day, d.working, :source"
            " FROM unnest(CAST(:days AS date[]), CAST(:working AS boolean[])) AS d(day, working)"
            " ON CONFLICT (day) DO UPDATE SET working = excluded.working WHERE workday.source = excluded.source"
        ),
        {"source": SEED_SOURCE, "days": days, "working": [chinese_calendar.is_workday(day) for day in days]},
    )
