"""What is expected of a target by a day, what will come of it, and its light."""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import assume, given
from hypothesis import strategies as st

from orders.targets.rules import NATURES, Course, Light, Method, Nature, elapsed, expected, forecast, light, period_in
from shop.programmes.targets import UNITS, TargetRules

values = st.decimals(min_value=1, max_value=10**10, places=2)
amounts = st.decimals(min_value=0, max_value=10**10, places=2)
natures = st.sampled_from(Nature)
RULES = TargetRules(green_percent=100, yellow_percent=80)


@st.composite
def courses(draw):
    days = draw(st.integers(1, 400))
    whole = draw(amounts)
    part = draw(st.decimals(min_value=0, max_value=whole, places=2))
    return Course(draw(st.integers(0, days)), days, whole, part)


@given(values, natures, courses())
def test_expected_lies_between_nothing_and_the_whole(value, nature, course):
    found = expected(value, nature, course)
    assert 0 <= found.value <= value
    if course.over:
        assert found.value == value
    if not course.begun:
        assert found.value == 0


@given(values, natures, st.integers(1, 400), st.data())
def test_by_the_days_more_is_expected_every_day(value, nature, days, data):
    sooner = data.draw(st.integers(0, days))
    later = data.draw(st.integers(sooner, days))
    assert expected(value, nature, Course(sooner, days)).value <= expected(value, nature, Course(later, days)).value


@given(values, courses())
def test_a_flow_follows_last_year_where_that_tells(value, course):
    assume(0 < course.days_over < course.days)
    found = expected(value, Nature.FLOW, course)
    if course.telling:
        assert found.method is Method.LAST_YEAR
        assert abs(found.value - value * course.last_year_to_date / course.last_year) <= Decimal("0.01")
    else:
        assert found.method is Method.LINEAR
    assert expected(value, Nature.BUILD_UP, course).method is Method.LINEAR


@given(amounts, natures, courses())
def test_a_forecast_is_never_below_what_is_done_and_at_the_end_just_that(done, nature, course):
    found = forecast(done, nature, course)
    assert found.value >= done
    if course.over or nature is Nature.LEVEL:
        assert found.value == done


@given(values, natures, courses())
def test_who_does_what_is_expected_is_foreseen_to_arrive(value, nature, course):
    assume(course.begun)
    due = expected(value, nature, course)
    assume(due.value > 0)
    foreseen = forecast(due.value, nature, course)
    # both go the same way; what is left is rounding to the cent, blown up by the rest of the period
    assert abs(foreseen.value - value) <= Decimal("0.01") + Decimal("0.01") * value / due.value


@given(values, courses(), amounts, amounts, natures)
def test_more_done_never_darkens_a_light(value, course, one, other, nature):
    order = [Light.RED, Light.YELLOW, Light.GREEN]
    due = expected(value, nature, course).value
    lights = [light(done, value, due, course, RULES) for done in sorted((one, other))]
    if not course.begun:
        assert lights == [Light.NONE, Light.NONE]
    else:
        assert order.index(lights[0]) <= order.index(lights[1])


def test_the_lights():
    half = Course(50, 100)
    due = expected(Decimal(100), Nature.FLOW, half).value
    assert due == 50
    told = [light(Decimal(done), Decimal(100), due, half, RULES) for done in (50, 49, 40, 39, 100)]
    assert told == [Light.GREEN, Light.YELLOW, Light.YELLOW, Light.RED, Light.GREEN]
    over = Course(100, 100)
    told = [
        light(Decimal(done), Decimal(100), Decimal(100), over, TargetRules(green_percent=90, yellow_percent=80))
        for done in (100, 95, 79)
    ]
    assert told == [Light.GREEN, Light.YELLOW, Light.RED]
    assert light(None, Decimal(100), due, half, RULES) is Light.NONE


@given(st.dates(date(2020, 1, 1), date(2030, 12, 31)), st.integers(0, 500), st.dates(date(2019, 1, 1), date(2032, 12, 31)))
def test_days_over_never_pass_the_days(first, length, on):
    over, days = elapsed(first, first + timedelta(days=length), on)
    assert 0 <= over <= days == length + 1


def test_a_yearly_target_is_that_of_the_year_but_not_before_it_begins():
    assert period_in(date(2021, 5, 1), None, date(2026, 7, 3)) == (date(2026, 1, 1), date(2026, 12, 31))
    assert period_in(date(2021, 5, 1), None, date(2021, 7, 3)) == (date(2021, 5, 1), date(2021, 12, 31))
    assert period_in(date(2021, 5, 1), None, date(2019, 7, 3)) == (date(2021, 5, 1), date(2021, 12, 31))
    assert period_in(date(2020, 1, 1), date(2020, 9, 30), date(2026, 7, 3)) == (date(2020, 1, 1), date(2020, 9, 30))


def test_every_measure_has_a_nature_and_a_unit():
    assert set(NATURES) == set(UNITS)
