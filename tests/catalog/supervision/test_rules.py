"""The pure rules of supervision: draws that can be repeated, prices gram for gram, shares of a capacity."""

from datetime import date, timedelta
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from catalog.supervision import rules
from catalog.supervision.rules import REASONS, RISKS, CheckKind
from shop.core.workdays import Calendar
from shop.programmes import seed

NUMBERS = st.lists(st.integers(1, 10**6).map(lambda n: f"CQ-2026-500236-{n:06}"), unique=True, min_size=1, max_size=60)
FEN, GRAMS = st.integers(1, 10**7), st.integers(1, 10**6)


@given(NUMBERS, st.text("0123456789abcdef", min_size=32, max_size=32), st.data())
def test_a_draw_is_the_same_however_the_numbers_are_ordered_and_grows_with_its_size(numbers, seed_, data):
    size = data.draw(st.integers(1, len(numbers)))
    drawn = rules.drawn(numbers, seed_, size)
    assert len(set(drawn)) == size
    assert set(drawn) <= set(numbers)
    assert rules.drawn(data.draw(st.permutations(numbers)), seed_, size) == drawn
    assert rules.drawn(numbers, seed_, min(size + 1, len(numbers)))[:size] == drawn
    assert rules.population_digest(numbers) != rules.population_digest(numbers[:-1])


def test_every_number_is_drawn_about_equally_often():
    numbers = [f"N{place}" for place in range(20)]
    counts = dict.fromkeys(numbers, 0)
    for run in range(2000):
        for number in rules.drawn(numbers, f"seed {run}", 5):
            counts[number] += 1
    assert all(400 < count < 600 for count in counts.values())


@given(FEN, GRAMS, FEN, GRAMS)
def test_prices_are_compared_gram_for_gram_and_rounded_half_up(own, own_grams, found, found_grams):
    exact = (Fraction(own, own_grams) / Fraction(found, found_grams) - 1) * 10_000
    bp = rules.above_bp(own, own_grams, found, found_grams)
    assert -Fraction(1, 2) < bp - exact <= Fraction(1, 2)
    assert rules.above_bp(own, None, found, None) == rules.above_bp(own, 7, found, 7)


@given(st.integers(0, 10**12), st.integers(0, 10**12))
def test_a_share_of_a_capacity_never_rounds_up(committed, capacity):
    percent = rules.percent_of(committed, capacity)
    if capacity:
        assert percent * capacity <= committed * 100 < (percent + 1) * capacity
    else:
        assert percent == (200 if committed else 0)


@given(st.dates(date(2024, 1, 1), date(2030, 1, 1)), st.integers(1, 20))
def test_a_flag_has_all_of_its_working_days(today, days):
    weeks = Calendar({})
    last = rules.last_day_to_hold(today, days, weeks)
    assert weeks.add(last, days) < today
    assert weeks.add(last + timedelta(days=1), days) >= today


def test_every_kind_of_check_has_a_reason_that_every_programme_names():
    for file in seed.files():
        assert {REASONS[kind] for kind in CheckKind} <= set(file.terms["reason"])
    assert all(risk.weight > 0 for risk in RISKS.values())
