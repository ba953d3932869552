"""Chinese working days: weekends, public holidays and make-up workdays as the State Council published them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import chinese_calendar
from chinese_calendar.constants import holidays
from sqlalchemy import text
from sqlmodel import Session

from shop.core import holidays as law

#: The ``source`` of the rows that :func:`seed` writes of published years; a row that :func:`publish` wrote wins.
SEED_SOURCE = "chinesecalendar"
#: The ``source`` of the days off by law of years that are not published yet; whatever is published wins.
LAW_SOURCE = "statutory"
#: The ``source`` of a year that somebody here copied from the State Council's notice.
NOTICE_SOURCE = "notice"
#: From this month on the calendar of the next year is missed: the State Council has told it by then, and deadlines reach into it.
MISSED_FROM_MONTH = 12
#: What to do about a year that is missing.
HOW_TO_LOAD = "shop calendar {year} --off FIRST/LAST … --worked DAY …, from the State Council's notice (docs/working-days.md)"


@dataclass(frozen=True)
class Calendar:
    """``published`` says for each announced date whether it is worked; other dates follow the week and are provisional. Of a year
    that is not announced yet only the days off by law are there."""

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
    """Fill ``workday`` with every day of every year that the calendar package knows, and the days off by law of later ones. Safe to run
    again."""
    first, last = date(min(holidays).year, 1, 1), date(max(holidays).year, 12, 31)
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    _write(session, {day: chinese_calendar.is_workday(day) for day in days}, SEED_SOURCE, over=[SEED_SOURCE, LAW_SOURCE])
    _write(session, dict.fromkeys(law.all_statutory(), False), LAW_SOURCE, over=[])


class NotTheNotice(ValueError):
    """What was entered cannot be the State Council's arrangement of that year."""


def days_told(spans: Collection[str]) -> set[date]:
    """The days of ``2027-01-01`` or ``2027-02-05/2027-02-11``, several of them.

    Raises:
        NotTheNotice: one is no day and no span of days.
    """
    days: set[date] = set()
    for span in spans:
        try:
            first, last = (date.fromisoformat(part) for part in (span.split("/") * 2)[:2])
        except ValueError:
            raise NotTheNotice(f"{span} is no day, as 2027-01-01, and no span of days, as 2027-02-05/2027-02-11") from None
        if last < first:
            raise NotTheNotice(f"{span} ends before it begins")
        days |= {first + timedelta(days=n) for n in range((last - first).days + 1)}
    return days


def publish(session: Session, year: int, off: Collection[date], worked: Collection[date]) -> int:
    """Enter a year as the State Council arranged it: the days off, and the weekend days worked in exchange; all others follow the week. It may
    touch the December before. Returns how many days were written.

    Raises:
        NotTheNotice: days of other years, one both off and worked, a weekday that is worked anyway, or a day off by law that is worked.
    """
    first, last = date(year, 1, 1), date(year, 12, 31)
    if strange := sorted(day for day in {*off, *worked} if not date(year - 1, 12, 1) <= day <= last):
        raise NotTheNotice(f"{strange[0]} is not told by the notice of {year}")
    if both := sorted({*off} & {*worked}):
        raise NotTheNotice(f"{both[0]} is both off and worked")
    if plain := sorted(day for day in worked if day.weekday() < 5):
        raise NotTheNotice(f"{plain[0]} is no weekend day; only those are worked in exchange")
    if forgotten := sorted(law.statutory(year) - {*off}):
        raise NotTheNotice(f"{forgotten[0]} is off by law")
    days = {first + timedelta(days=n): (first + timedelta(days=n)).weekday() < 5 for n in range((last - first).days + 1)}
    days |= dict.fromkeys(off, False) | dict.fromkeys(worked, True)
    _write(session, days, NOTICE_SOURCE, over=[SEED_SOURCE, LAW_SOURCE, NOTICE_SOURCE])
    return len(days)


def _write(session: Session, days: Mapping[date, bool], source: str, over: Collection[str]) -> None:
    """Write days, over those that came from one of the sources named."""
    session.execute(
        text(
            "INSERT INTO workday (day, working, source)"
            " SELECT d.day, d.working, :source"
            " FROM unnest(CAST(:days AS date[]), CAST(:working AS boolean[])) AS d(day, working)"
            " ON CONFLICT (day) DO UPDATE SET working = excluded.working, source = excluded.source"
            " WHERE workday.source = ANY (CAST(:over AS text[]))"
        ),
        {"source": source, "days": list(days), "working": list(days.values()), "over": list(over)},
    )


_KNOWN_DAYS = text("SELECT count(*) FROM workday WHERE day BETWEEN :first AND :last")


def missing_year(session: Session, today: date) -> int | None:
    """The year whose calendar should be here by now and is not: this one, or from December on the next."""
    for year in range(today.year, today.year + 1 + (today.month >= MISSED_FROM_MONTH)):
        span = {"first": date(year, 1, 1), "last": date(year, 12, 31)}
        if session.execute(_KNOWN_DAYS, span).scalar_one() <= (span["last"] - span["first"]).days:
            return year
    return None
