"""Periods, growth and weights."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.statistics.rules import (
    Before,
    Part,
    Shift,
    by_years,
    growth,
    parts,
    reached,
    rest_of_month,
    same_period_last_year,
    shares,
    span_before,
    tonnes,
)
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


@given(DAYS, st.integers(0, 40))
def test_a_month_is_some_of_its_days_and_the_rest_of_them_which_is_less(first, more):
    part = Part(first, first + timedelta(days=more), False)
    rest = rest_of_month(part)
    of_rest, of_part = [
        [each.first + timedelta(days=n) for each in several for n in range((each.last - each.first).days + 1)]
        for several in (rest, [part])
    ]
    whole = [first.replace(day=1) + timedelta(days=n) for n in range(month_end(first).day)]
    if rest:
        assert sorted(of_rest + of_part) == whole
        assert len(of_rest) < len(of_part)
    else:
        assert of_part == whole or part.last > month_end(first) or 2 * len(of_part) <= len(whole)


@given(DAYS, DAYS, DAYS)
def test_years_and_the_months_around_them_hold_the_same_days_up_to_today(one, other, today):
    first, last = sorted((one, other))
    whole = [part for part in parts(first, last, today) if part.whole]
    for part in whole:
        found = by_years(part, today)
        days = [each.first + timedelta(days=n) for each in found for n in range((each.last - each.first).days + 1)]
        wanted = [part.first + timedelta(days=n) for n in range((part.last - part.first).days + 1)]
        assert days == sorted(set(days))
        assert [day for day in days if day <= today] == [day for day in wanted if day <= today]
        assert set(wanted) <= set(days)
        assert len(found) <= 3
        for each in found:
            assert each.whole
            assert each.first.day == 1
            assert each.last == month_end(each.last)
            spans_a_year = (each.first.month, each.last.month) == (1, 12)
            assert each.years == spans_a_year or not each.years


def test_this_year_so_far_is_one_year_and_days_are_none():
    [only] = by_years(*parts(date(2026, 1, 1), date(2026, 11, 23), today=date(2026, 11, 23)), date(2026, 11, 23))
    assert (only.first, only.last, only.years) == (date(2026, 1, 1), date(2026, 12, 31), True)
    months = parts(date(2024, 11, 1), date(2026, 10, 31), today=date(2026, 11, 23))
    assert [each.years for each in by_years(*months, date(2026, 11, 23))] == [False, True, False]
    days = parts(date(2026, 1, 2), date(2026, 1, 3), today=date(2026, 11, 23))
    assert by_years(*days, date(2026, 11, 23)) == days


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


@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)), st.integers(0, 900), st.sampled_from([1, 3, 12]))
def test_a_period_moved_by_a_span_begins_and_ends_as_much_of_a_month(first, days, months):
    last = first + timedelta(days=days)
    before = span_before(first, last, Shift(months=months))
    assert before.first <= before.last
    for now, then in ((first, before.first), (last, before.last)):
        assert (now.year * 12 + now.month) - (then.year * 12 + then.month) == months
    if first.day == 1:
        assert before.first.day == 1
    if last == month_end(last):
        assert before.last == month_end(before.last)


@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)), st.integers(0, 40))
def test_days_within_a_month_stand_beside_as_many_where_the_month_before_has_them(first, days):
    last = min(first + timedelta(days=days), month_end(first))
    before = span_before(first, last, Shift(months=1))
    if first.day > 1:
        assert before.last - before.first == min(last - first, before.last - before.last.replace(day=1))


def test_spans_before():
    month, week = Shift(months=1), Shift(days=7)
    assert span_before(date(2026, 1, 1), date(2026, 3, 15), month) == Before(date(2025, 12, 1), date(2026, 2, 15), month)
    assert span_before(date(2026, 3, 30), date(2026, 3, 30), month) == Before(date(2026, 2, 28), date(2026, 2, 28), month)
    # days up to a month's end stand beside as many up to the end of the one before
    assert span_before(date(2026, 3, 30), date(2026, 3, 31), month) == Before(date(2026, 2, 27), date(2026, 2, 28), month)
    assert span_before(date(2026, 3, 29), date(2026, 3, 30), month) == Before(date(2026, 2, 27), date(2026, 2, 28), month)
    assert span_before(date(2026, 3, 30), date(2026, 4, 5), month) == Before(date(2026, 2, 27), date(2026, 3, 5), month)
    assert span_before(date(2026, 2, 27), date(2026, 2, 28), month) == Before(date(2026, 1, 30), date(2026, 1, 31), month)
    assert span_before(date(2026, 3, 10), date(2026, 3, 20), month) == Before(date(2026, 2, 10), date(2026, 2, 20), month)
    assert span_before(date(2026, 3, 2), date(2026, 3, 31), month) == Before(date(2026, 2, 1), date(2026, 2, 28), month)
    assert span_before(date(2026, 5, 4), date(2026, 5, 17), week) == Before(date(2026, 4, 27), date(2026, 5, 10), week)


@given(st.lists(st.integers(-(10**6), 10**13), min_size=1, max_size=8))
def test_shares_come_to_the_whole_and_none_is_off_by_more_than_the_last_digit(amounts):
    found, whole = shares(amounts), sum(amounts)
    if whole <= 0:
        assert found == [None] * len(amounts)
        return
    assert sum(Decimal(each or 0) for each in found) == 100
    for amount, each in zip(amounts, found, strict=True):
        assert abs(Decimal(each or 0) * whole - amount * 100) < Decimal("0.01") * whole


def test_three_equal_parts():
    assert shares([1, 1, 1]) == ["33.34", "33.33", "33.33"]
    assert shares([5, 0]) == ["100.00", "0.00"]
    assert shares([Decimal("0.001"), Decimal("0.002")]) == ["33.33", "66.67"]
    assert shares([4, -1]) == ["133.33", "-33.33"]


@given(st.decimals(0, 10**10, places=2), st.decimals(1, 10**10, places=2))
def test_what_is_reached_is_rounded_down(part, whole):
    found = reached(part, whole)
    assert found <= part * 100 / whole < found + Decimal("0.01")
    assert (found >= 100) == (part >= whole)
    assert reached(part, 0) is None
