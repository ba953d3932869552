"""Periods, growth and weights."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.statistics.rules import growth, parts, same_period_last_year, tonnes
from shop.core.months import month_end

DAYS = st.dates(date(2015, 1, 1), date(2030, 12, 31))


@given(DAYS, DAYS, DAYS)
def test_parts_hold_every_day_once_and_no_other_day_up_to_today(one, other, today):
    first, last = sorted((one, other))
    found = parts(first, last, today)
    days = [part.first + timedelta(days=n) for part in found for n in range((part.last - part.first).days + 1)]
    assert days == sorted(set(days))
    wanted = {first + timedelta(days=n) for n in range((last - first).days + 1)}
    assert set(days) - wanted <= {last + timedelta(days=n) for n in range(1, 31)} if last >= today else set(days) == wanted
    assert wanted <= set(days)
    assert all(not part.whole or (part.first.day == 1 and part.last == month_end(part.last)) for part in found)
    assert sum(part.whole for part in found) <= 1
    assert len(found) <= 3


def test_the_current_month_is_whole_because_nothing_is_sold_tomorrow():
    [only] = parts(date(2026, 1, 1), date(2026, 11, 23), today=date(2026, 11, 23))
    assert (only.whole, only.last) == (True, date(2026, 11, 30))
    assert [part.whole for part in parts(date(2026, 1, 1), date(2026, 11, 22), today=date(2026, 11, 23))] == [True, False]


def test_last_year_follows_the_calendar():
    assert same_period_last_year(date(2024, 2, 29), date(2024, 2, 29)) == (date(2023, 2, 28), date(2023, 2, 28))
    assert same_period_last_year(date(2025, 2, 1), date(2025, 2, 28)) == (date(2024, 2, 1), date(2024, 2, 29))
    assert same_period_last_year(date(2025, 1, 1), date(2025, 11, 23)) == (date(2024, 1, 1), date(2024, 11, 23))


@pytest.mark.parametrize(
    ("now", "before", "expected"),
    [
        (150, 100, "50.00"),
        (100, 150, "-33.33"),
        (0, 7, "-100.00"),
        (5, 0, None),
        (5, -3, None),
        (100005, 100000, "0.01"),
        (1, 3, "-66.67"),
    ],
)
def test_growth(now, before, expected):
    assert growth(now, before) == expected


@given(st.integers(-(10**15), 10**15), st.integers(1, 10**15))
def test_growth_is_within_half_a_hundredth_of_the_truth(now, before):
    exact = Decimal(now - before) * 100 / Decimal(before)
    assert abs(Decimal(growth(now, before)) - exact) <= Decimal("0.005") + abs(exact) * Decimal("1e-20")


@given(st.integers(-(10**15), 10**15))
def test_tonnes_are_within_half_a_kilogram(grams):
    shown = tonnes(grams)
    assert len(shown.partition(".")[2]) == 3
    assert abs(Decimal(shown) * 1_000_000 - grams) <= 500
