"""Periods seen from a day, and when a schedule is next due: pure functions."""

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from shop.core.clock import SHANGHAI
from shop.core.months import month_end, month_start
from shop.identity.actor import Grant


class Format(StrEnum):
    CSV = "csv"
    XLSX = "xlsx"
    JSON = "json"
    PARQUET = "parquet"


#: What people read; the others are read by programs.
FOR_PEOPLE = frozenset({Format.CSV, Format.XLSX})
#: So many rows a file may have: what is made within the time of a job on a machine that is not overloaded. A workbook is written at some 10,000 rows
#: a second; the others PostgreSQL writes.
MOST_ROWS = {Format.CSV: 2_000_000, Format.PARQUET: 2_000_000, Format.JSON: 2_000_000, Format.XLSX: 300_000}
#: So many rows a sheet of a workbook has below its header; what is more goes on to the next sheet.
SHEET_ROWS = 100_000
#: Exports of one person that wait or run at once, and that were asked for within a day.
MOST_OPEN, MOST_A_DAY = 3, 50
MOST_SCHEDULES = 20
#: For so long a file is kept.
KEPT = timedelta(days=7)
#: What tells people and systems of a schedule's answer.
DELIVERED = "export.delivered"
#: A file up to this size goes along with the mail.
LARGEST_ATTACHMENT = 2 * 1024 * 1024


class Period(StrEnum):
    """A stretch of days seen from the day on which the answer is made."""

    YESTERDAY = "yesterday"
    LAST_7_DAYS = "last_7_days"
    LAST_30_DAYS = "last_30_days"
    LAST_WEEK = "last_week"
    LAST_MONTH = "last_month"
    LAST_QUARTER = "last_quarter"
    LAST_YEAR = "last_year"
    THIS_MONTH = "this_month_to_date"
    THIS_YEAR = "this_year_to_date"


def days_of(period: Period, today: date) -> tuple[date, date]:
    """First and last day, both included. To date: up to yesterday, for today is not over; on the first day of a month or year that is the whole
    one before."""
    yesterday = today - timedelta(days=1)
    match period:
        case Period.YESTERDAY:
            return yesterday, yesterday
        case Period.LAST_7_DAYS:
            return today - timedelta(days=7), yesterday
        case Period.LAST_30_DAYS:
            return today - timedelta(days=30), yesterday
        case Period.LAST_WEEK:
            monday = today - timedelta(days=today.weekday() + 7)
            return monday, monday + timedelta(days=6)
        case Period.LAST_MONTH:
            last = month_start(today) - timedelta(days=1)
            return month_start(last), last
        case Period.LAST_QUARTER:
            last = date(today.year, (today.month - 1) // 3 * 3 + 1, 1) - timedelta(days=1)
            return date(last.year, last.month - 2, 1), month_end(last)
        case Period.LAST_YEAR:
            return date(today.year - 1, 1, 1), date(today.year - 1, 12, 31)
        case Period.THIS_MONTH:
            return month_start(yesterday), yesterday
        case Period.THIS_YEAR:
            return date(yesterday.year, 1, 1), yesterday


class Rhythm(StrEnum):
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


def next_after(moment: datetime, rhythm: Rhythm, hour: int, weekday: int | None, month_day: int | None) -> datetime:
    """The first moment after ``moment`` at which a schedule is due, in UTC. ``weekday`` from 1 (Monday), ``month_day`` up to 28."""
    day = moment.astimezone(SHANGHAI).date()
    while True:
        due = datetime.combine(day, time(hour), tzinfo=SHANGHAI).astimezone(UTC)
        fits = {
            Rhythm.DAILY: True,
            Rhythm.WEEKLY: day.isoweekday() == weekday,
            Rhythm.MONTHLY: day.day == month_day,
        }[rhythm]
        if fits and due > moment:
            return due
        day += timedelta(days=1)


def granted(grants: tuple[Grant, ...]) -> list[str]:
    """The roles of a person with their regions, as they are kept with a file."""
    return sorted(f"{grant.role}:{grant.region_code or ''}" for grant in grants)
