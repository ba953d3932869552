"""Periods of reported figures, and their growth."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.indicators.rules import Basis, Grain, Period, Stated, base_of, code_of, growth, joined, period_of, together

amounts = st.decimals(min_value=0, max_value=10**12, places=4)
positive = st.decimals(min_value=1, max_value=10**12, places=4)
methods = st.sampled_from(["平台监测", "抽样推算"])
figures = st.builds(Stated, amounts, methods)


@pytest.mark.parametrize(
    ("code", "first", "last"),
    [
        ("2026-02", date(2026, 2, 1), date(2026, 2, 28)),
        ("2026-Q1", date(2026, 1, 1), date(2026, 3, 31)),
        ("2026-Q4", date(2026, 10, 1), date(2026, 12, 31)),
        ("2024", date(2024, 1, 1), date(2024, 12, 31)),
    ],
)
def test_a_code_names_a_whole_period(code, first, last):
    period = period_of(code)
    assert (period.first, period.last, period.code) == (first, last, code)


@pytest.mark.parametrize("code", ["2026-13", "2026-Q5", "2026-1", "1999", "2026Q1", "", "2026-00"])
def test_other_codes_name_none(code):
    assert period_of(code) is None


@given(st.sampled_from(Grain), st.dates(date(2001, 1, 1), date(2099, 12, 31)))
def test_the_year_before_is_a_period_of_the_same_kind(grain, day):
    first = {
        Grain.MONTH: day.replace(day=1),
        Grain.QUARTER: date(day.year, 3 * ((day.month - 1) // 3) + 1, 1),
        Grain.YEAR: date(day.year, 1, 1),
    }[grain]
    period = Period(grain, first)
    before = period.year_before
    assert period_of(period.code) == period
    assert before.first.year == first.year - 1
    assert (period.last + timedelta(days=1)).day == 1
    assert abs((period.last - period.first) - (before.last - before.first)) <= timedelta(days=1)


@given(amounts, positive)
def test_growth_is_the_rise_over_the_base(value, base):
    found = growth(value, base)
    assert abs(found - (value - base) * 100 / base) <= Decimal("0.005")
    assert (found > 0) <= (value > base)


def test_the_goal_of_the_work_points():
    assert growth(Decimal("1.25"), Decimal(1)) == 25
    assert growth(Decimal("1.24999"), Decimal(1)) == 25  # to two decimals
    assert growth(Decimal(5), Decimal(0)) is None
    assert growth(None, Decimal(1)) is None


@given(methods, st.none() | figures, st.none() | figures)
def test_a_base_was_always_counted_in_the_same_way(method, published, stated):
    base = base_of(method, published, stated)
    if base.value is None:
        assert base.basis in (Basis.NONE, Basis.OTHER_METHOD)
        assert all(each is None or each.method != method for each in (published, stated))
        assert (base.basis is Basis.NONE) == (published is None and stated is None)
    else:
        assert Stated(base.value, method) in (published, stated)


def test_a_change_of_method_needs_a_restated_base():
    published = Stated(Decimal(100), "旧口径")
    assert base_of("新口径", published, None).basis is Basis.OTHER_METHOD
    restated = base_of("新口径", published, Stated(Decimal(80), "新口径"))
    assert (restated.basis, restated.value) == (Basis.RESTATED, Decimal(80))
    assert base_of("旧口径", published, Stated(Decimal(100), "旧口径")).basis is Basis.PUBLISHED


@given(st.lists(st.tuples(st.none() | amounts, st.none() | positive)))
def test_together_only_those_with_a_base_count(parts):
    found = together(parts)
    both = [(this, before) for this, before in parts if this is not None and before is not None]
    assert (found.counted, found.counties, found.complete) == (len(both), len(parts), len(both) == len(parts))
    sums = (sum((this for this, _ in both), Decimal(0)), sum((before for _, before in both), Decimal(0)))
    assert (found.value, found.base) == (sums if both else (None, None))


@given(st.lists(figures, min_size=1))
def test_a_merged_district_has_a_figure_where_its_parts_were_counted_alike(parts):
    found = joined(parts)
    alike = len({each.method for each in parts}) == 1
    assert (found is not None) == alike
    assert found is None or found.value == sum(each.value for each in parts)


@pytest.mark.parametrize(
    ("written", "code"),
    [
        *((each, "2026-10") for each in ("2026-10", "2026-10-01", "2026-10-01 00:00:00", "2026/10", "2026/10/1", "2026年10月")),
        *((each, "2026-10") for each in ("２０２６年１０月", " 2026年 10月1日", "2026－10")),
        *((each, "2026-05") for each in ("2026-5", "2026年5月")),
        *((each, "2026-Q3") for each in ("2026-Q3", "2026Q3", "2026-q3", "２０２６Ｑ３", "2026年第3季度", "2026年三季度")),
        *((each, "2026") for each in ("2026", "２０２６", "2026年")),
    ],
)
def test_a_period_is_understood_as_people_and_programs_write_it(written, code):
    assert code_of(written) == code
    assert period_of(code) is not None


@pytest.mark.parametrize("written", ["2026-10-02", "2026年3", "20263", "2026Q5", "202610", "2026-10-01 08:00:00", "x", ""])
def test_what_names_no_period_stays_none(written):
    assert period_of(code_of(written)) is None
