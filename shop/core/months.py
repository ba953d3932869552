"""Months in Shanghai: written ``2026-11``, kept as their first day."""

from datetime import date, timedelta
from typing import Annotated

from pydantic import Field

MONTH_PATTERN = r"^20[0-9]{2}-(0[1-9]|1[0-2])$"
Month = Annotated[str, Field(pattern=MONTH_PATTERN, examples=["2026-11"])]


def month_start(day: date) -> date:
    """The first day of a day's month."""
    return day.replace(day=1)


def month_end(day: date) -> date:
    """The last day of a day's month."""
    return following(day) - timedelta(days=1)


def following(day: date) -> date:
    """The first day of the month after a day's own."""
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def days_of(month: str) -> tuple[date, date]:
    """The first and the last day of a month as it is written."""
    first = date.fromisoformat(f"{month}-01")
    return first, month_end(first)


def month_before(day: date) -> str:
    """The month that was over last: ``2026-11`` on 5 December."""
    return f"{month_start(day) - timedelta(days=1):%Y-%m}"
