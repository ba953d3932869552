"""Periods as few rows of kept sums."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.statistics.cover import Stretch, Unit, cover

DAYS = st.dates(date(2023, 11, 1), date(2026, 4, 30))
UNITS = st.sampled_from(
    [[], [Unit.MONTH], [Unit.TEN_DAYS, Unit.MONTH], [Unit.MONTH, Unit.YEAR], [Unit.TEN_DAYS, Unit.MONTH, Unit.YEAR]]
)


def days_of(first, last):
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def counted(found):
    """How often each day is counted."""
    times: dict[date, int] = {}
    for stretch in found:
        first, last = (stretch.unit.number(day) for day in (stretch.first, stretch.last))
        assert [stretch.unit.first_day(number) for number in (first, last)] == [stretch.first, stretch.last]
        for day in days_of(stretch.first, stretch.unit.first_day(last + 1) - timedelta(days=1)):
            times[day] = times.get(day, 0) + stretch.sign
    return {day: count for day, count in times.items() if count}


def rows(found):
    """How many rows of an outlet are read."""
    return sum(stretch.unit.number(stretch.last) - stretch.unit.number(stretch.first) + 1 for stretch in found)


@given(DAYS, DAYS, UNITS)
def test_a_cover_counts_each_day_of_its_period_once_and_no_other(one, other, units):
    first, last = sorted((one, other))
    found = cover(first, last, units)
    assert counted(found) == dict.fromkeys(days_of(first, last), 1)
    assert all(sum(stretch.unit is unit for stretch in found) <= 2 for unit in Unit)


@given(DAYS, DAYS)
def test_a_cover_reads_few_rows(one, other):
    first, last = sorted((one, other))
    days, months = rows(cover(first, last, [])), rows(cover(first, last, [Unit.MONTH]))
    assert months <= days == (last - first).days + 1
    assert rows(cover(first, last, [Unit.MONTH, Unit.YEAR])) <= months
    # five days and a 旬 at each end, six months less or more of the years, and the years between
    fine = cover(first, last, [Unit.TEN_DAYS, Unit.MONTH, Unit.YEAR])
    assert rows(fine) <= 2 * (5 + 1 + 6) + 3
    assert rows([stretch for stretch in fine if stretch.unit is Unit.DAY]) <= 10


@pytest.mark.parametrize("unit", Unit)
@given(day=DAYS)
def test_a_unit_holds_the_days_from_its_first_to_the_first_of_the_next(unit, day):
    number = unit.number(day)
    assert unit.first_day(number) <= day < unit.first_day(number + 1)
    assert unit.number(unit.first_day(number)) == number


def test_a_year_less_a_month_and_some_days():
    found = cover(date(2025, 1, 1), date(2025, 11, 27), [Unit.MONTH, Unit.YEAR])
    assert found == [
        Stretch(Unit.YEAR, date(2025, 1, 1), date(2025, 1, 1)),
        Stretch(Unit.MONTH, date(2025, 12, 1), date(2025, 12, 1), -1),
        Stretch(Unit.DAY, date(2025, 11, 28), date(2025, 11, 30), -1),
    ]
    assert cover(date(2025, 3, 5), date(2025, 3, 6), list(Unit)[1:]) == [Stretch(Unit.DAY, date(2025, 3, 5), date(2025, 3, 6))]
    assert cover(date(2025, 2, 1), date(2025, 4, 30), [Unit.MONTH, Unit.YEAR]) == [
        Stretch(Unit.MONTH, date(2025, 2, 1), date(2025, 4, 1))
    ]


def test_odd_days_are_read_by_the_ten():
    found = cover(date(2025, 3, 15), date(2025, 6, 11), [Unit.TEN_DAYS, Unit.MONTH])
    assert found == [
        Stretch(Unit.MONTH, date(2025, 3, 1), date(2025, 5, 1)),
        Stretch(Unit.TEN_DAYS, date(2025, 6, 1), date(2025, 6, 1)),
        Stretch(Unit.TEN_DAYS, date(2025, 3, 1), date(2025, 3, 1), -1),
        Stretch(Unit.DAY, date(2025, 6, 11), date(2025, 6, 11)),
        Stretch(Unit.DAY, date(2025, 3, 11), date(2025, 3, 14), -1),
    ]
