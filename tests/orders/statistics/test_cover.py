"""Periods as few rows of kept sums."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from orders.statistics.cover import Cover, Edge, cover
from shop.core.months import following, month_end, month_start

DAYS = st.dates(date(2023, 11, 1), date(2026, 4, 30))


def days_of(first, last):
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def counted(found):
    """How often each day is counted."""
    times: dict[date, int] = {}
    spans = [(date(year, 1, 1), date(year, 12, 31), 1) for year in range(found.years[0], found.years[1] + 1)] if found.years else []
    for edge in found.months:
        assert edge.first == month_start(edge.first)
        assert edge.last == month_start(edge.last)
        spans.append((edge.first, month_end(edge.last), edge.sign))
    spans += [(edge.first, edge.last, edge.sign) for edge in found.days]
    for first, last, sign in spans:
        for day in days_of(first, last):
            times[day] = times.get(day, 0) + sign
    return {day: count for day, count in times.items() if count}


def rows(found):
    """How many rows of an outlet are read."""
    months = 0
    for edge in found.months:
        month = edge.first
        while month <= edge.last:
            month, months = following(month), months + 1
    return (
        (found.years[1] - found.years[0] + 1 if found.years else 0)
        + months
        + sum(len(days_of(e.first, e.last)) for e in found.days)
    )


@given(DAYS, DAYS, st.booleans())
def test_a_cover_counts_each_day_of_its_period_once_and_no_other(one, other, years):
    first, last = sorted((one, other))
    found = cover(first, last, years=years)
    assert counted(found) == dict.fromkeys(days_of(first, last), 1)
    assert len(found.months) <= 2
    assert len(found.days) <= 2


@given(DAYS, DAYS)
def test_a_cover_reads_few_rows(one, other):
    first, last = sorted((one, other))
    days, months = (last - first).days + 1, rows(cover(first, last))
    assert months <= days
    assert rows(cover(first, last, years=True)) <= months
    assert sum(len(days_of(edge.first, edge.last)) for edge in cover(first, last).days) <= 31


def test_a_year_less_a_month_and_some_days():
    assert cover(date(2025, 1, 1), date(2025, 11, 27), years=True) == Cover(
        (2025, 2025), (Edge(date(2025, 12, 1), date(2025, 12, 1), -1),), (Edge(date(2025, 11, 28), date(2025, 11, 30), -1),)
    )
    assert cover(date(2025, 3, 5), date(2025, 3, 6), years=True) == Cover(None, (), (Edge(date(2025, 3, 5), date(2025, 3, 6), 1),))
    assert cover(date(2025, 2, 1), date(2025, 4, 30), years=True) == Cover(None, (Edge(date(2025, 2, 1), date(2025, 4, 1), 1),), ())
