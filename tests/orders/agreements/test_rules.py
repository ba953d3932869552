"""Prices, caps, schedules and shares, over whatever comes."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.agreements import rules
from orders.agreements.rules import Caps, Closure, Drawn, Entry, Portion, Price, PriceKind, Scheduled, Wanted
from orders.agreements.states import AgreementState, SkipReason, state_on

fens = st.integers(1, 10**9)
quantities = st.decimals("0.001", "100000", places=3)
percents = st.decimals("0", "99.99", places=2)
tolerances = st.decimals("0", "20", places=2)
days = st.dates(date(2024, 1, 1), date(2028, 12, 31))


@given(fens, fens, quantities)
def test_a_fixed_price_is_fixed(fixed, listed, quantity):
    assert rules.unit_price(Price(PriceKind.FIXED, fixed), quantity, listed) == fixed


@given(fens, percents, quantities)
def test_less_than_the_list_is_never_above_it_and_off_by_half_a_fen_at_most(listed, percent, quantity):
    price = rules.unit_price(Price(PriceKind.LIST_MINUS, percent_off=percent), quantity, listed)
    exact = listed * (100 - percent) / 100
    assert 1 <= price <= listed
    assert price == 1 or abs(price - exact) <= Decimal("0.5")


def test_formulas_round_half_up_once():
    off = Price(PriceKind.LIST_MINUS, percent_off=Decimal(50))
    assert rules.unit_price(off, Decimal(1), 333) == 167
    assert rules.unit_price(off, Decimal(1), None) is None
    assert rules.unit_price(Price(PriceKind.LIST_MINUS, percent_off=Decimal("99.99")), Decimal(1), 1) == 1


@given(st.dictionaries(quantities, fens, min_size=1, max_size=8), quantities)
def test_the_highest_tier_reached_holds(tiers, quantity):
    found = rules.unit_price(Price(PriceKind.TIERS, tiers=tuple(tiers.items())), quantity, None)
    reached = [least for least in tiers if least <= quantity]
    assert found == (tiers[max(reached)] if reached else None)


@given(quantities, tolerances, st.lists(quantities, min_size=1, max_size=20), fens)
def test_no_series_of_call_offs_passes_a_cap(cap, tolerance, wanted, price):
    """Whatever is let through sums to no more than the cap with its tolerance, and what is refused would have passed it."""
    limit = cap * (100 + tolerance) / 100
    drawn = Drawn()
    for quantity in wanted:
        line = Wanted(0, 1, quantity, price)
        faults = rules.over_caps(Caps(), {1: Caps(cap)}, {1: drawn}, [line], tolerance)
        if faults:
            assert drawn.quantity + quantity > limit
        else:
            drawn = Drawn(drawn.quantity + quantity, drawn.amount_fen + line.amount_fen)
    assert drawn.quantity <= limit


@given(fens, tolerances, st.lists(st.tuples(st.integers(1, 3), quantities, st.integers(1, 10**6)), min_size=1, max_size=20))
def test_no_series_passes_a_cap_of_the_whole(cap, tolerance, wanted):
    caps, drawn = {n: Caps() for n in (1, 2, 3)}, {n: Drawn() for n in (1, 2, 3)}
    for line_id, quantity, price in wanted:
        line = Wanted(0, line_id, quantity, price)
        if not rules.over_caps(Caps(amount_fen=cap), caps, drawn, [line], tolerance):
            before = drawn[line_id]
            drawn[line_id] = Drawn(before.quantity + quantity, before.amount_fen + line.amount_fen)
    assert sum(each.amount_fen for each in drawn.values()) <= cap * (100 + tolerance) / 100


def test_two_lines_of_one_call_off_count_together():
    lines = [Wanted(0, 1, Decimal(6), 100), Wanted(1, 1, Decimal(5), 100)]
    (fault,) = rules.over_caps(Caps(), {1: Caps(Decimal(10))}, {1: Drawn()}, lines, Decimal(0))
    assert (fault.code, fault.field, fault.data["left"]) == ("quantity_cap", "lines[1].quantity", "10")


entries = st.builds(
    lambda weekdays, every, first, length, term, holidays: Entry(
        weekdays, every, first, first + timedelta(days=length), term, holidays
    ),
    st.sets(st.integers(1, 7), min_size=1),
    st.integers(1, 8),
    days,
    st.integers(0, 400),
    st.booleans(),
    st.booleans(),
)
closures = st.lists(
    st.builds(lambda first, length: Closure("假期", first, first + timedelta(days=length)), days, st.integers(0, 60)), max_size=4
)


@given(entries, closures, st.dictionaries(days, st.booleans(), max_size=30))
def test_a_schedule_names_every_day_once_in_order_and_says_why_one_is_skipped(entry, closed, published):
    found = list(rules.expand(entry, closed, published))
    on = [due.on for due in found]
    assert on == sorted(set(on))
    assert all(entry.starts_on <= day <= entry.ends_on and day.isoweekday() in entry.weekdays for day in on)
    for due in found:
        in_closure = any(c.starts_on <= due.on <= c.ends_on for c in closed)
        holiday = due.on.isoweekday() < 6 and published.get(due.on) is False
        assert (due.skipped is SkipReason.CLOSURE) == (entry.in_term_only and in_closure)
        if due.skipped is None:
            assert not (entry.skips_public_holidays and holiday)
    if entry.every_weeks == 1:
        span = [entry.starts_on + timedelta(days=n) for n in range((entry.ends_on - entry.starts_on).days + 1)]
        assert on == [day for day in span if day.isoweekday() in entry.weekdays]


def test_every_second_week_counts_from_the_week_of_the_first_day():
    entry = Entry([1, 3], 2, date(2026, 9, 2), date(2026, 9, 30))  # a Wednesday
    assert [due.on.day for due in rules.expand(entry, [], {})] == [2, 14, 16, 28, 30]


@given(st.integers(0, 10**12), days, st.integers(0, 1500))
def test_a_cap_spread_over_months_is_kept(grams, first, length):
    found = rules.spread(grams, first, first + timedelta(days=length))
    assert sum(found.values()) == grams
    assert max(found.values()) - min(found.values()) <= 1
    assert list(found) == sorted(found)


portions = st.lists(
    st.tuples(
        st.integers(1, 5), st.integers(0, 500), st.sampled_from([1, 500, 1000, 5000]), st.sampled_from(["0.001", "0.5", "1"])
    ),
    min_size=1,
    max_size=40,
).map(
    lambda rows: [Portion(n, line, Decimal(q) * Decimal(step), net, Decimal(step)) for n, (line, q, net, step) in enumerate(rows)]
)


@given(st.integers(1, 5_000_000), portions)
def test_the_cuts_sum_to_the_loss_or_to_all_that_was_planned(loss, planned):
    cuts = rules.shared_loss(loss, planned)
    total = sum(portion.grams for portion in planned)
    assert sum(cut.grams for cut in cuts) == min(loss, total)
    of = {portion.id: portion for portion in planned}
    for cut in cuts:
        portion = of[cut.id]
        assert 0 <= cut.grams <= portion.grams
        assert 0 <= cut.quantity <= portion.quantity
        assert cut.quantity % portion.step == 0
        assert cut.grams > 0 or cut.quantity == portion.quantity
    by_line = {line: sum(portion.grams for portion in planned if portion.line_id == line) for line in {p.line_id for p in planned}}
    for line, grams in by_line.items():
        if total:
            assert abs(sum(c.grams for c in cuts if c.line_id == line) - Decimal(min(loss, total)) * grams / total) < 1


def test_whole_kilograms_are_cut_to_the_gram():
    planned = [Portion(1, 1, Decimal(300), 1000, Decimal("0.001")), Portion(2, 2, Decimal(200), 1000, Decimal("0.001"))]
    assert [(cut.grams, cut.quantity) for cut in rules.shared_loss(100_000, planned)] == [
        (60_000, Decimal("240.000")),
        (40_000, Decimal("160.000")),
    ]


@pytest.mark.parametrize(
    ("day", "state"),
    [(1, AgreementState.UPCOMING), (2, AgreementState.ACTIVE), (5, AgreementState.ACTIVE), (6, AgreementState.TERMINATED)],
)
def test_the_state_follows_from_the_day(day, state):
    first, last, ended = date(2026, 9, 2), date(2026, 9, 9), date(2026, 9, 5)
    assert state_on("active", first, last, ended, date(2026, 9, day)) is state
    assert state_on("active", first, last, None, date(2026, 9, 10)) is AgreementState.EXPIRED
    assert state_on("declined", first, last, None, date(2026, 9, 10)) is AgreementState.DECLINED


def test_what_is_not_drawn_whole_is_not_shown_as_all():
    assert rules.percent_of(Decimal("79.999"), 100) == Decimal("79.9")
    assert rules.percent_of(99_996, 100_000) == Decimal("99.9")
    assert rules.percent_of(100, Decimal(100)) == 100
    assert rules.percent_of(1, None) is None


amounts = st.integers(0, 10**9)
counts = st.decimals("0", "100000", places=3)


@given(quantities, counts, counts, fens, amounts, amounts, tolerances)
def test_a_schedule_passes_a_cap_where_ordering_all_of_it_would(
    cap, ordered, planned, cap_fen, ordered_fen, planned_fen, tolerance
):
    line = Scheduled(1, Caps(cap), Drawn(ordered), Drawn(planned))
    whole = Scheduled(None, Caps(amount_fen=cap_fen), Drawn(amount_fen=ordered_fen), Drawn(amount_fen=planned_fen))
    found = {(fault.code, fault.data["line_no"]) for fault in rules.beyond_caps([line, whole], tolerance)}
    by_quantity = planned > 0 and (ordered + planned) * 100 > cap * (100 + tolerance) and "quantity_cap"
    by_amount = planned_fen > 0 and (ordered_fen + planned_fen) * 100 > cap_fen * (100 + tolerance) and "amount_cap"
    assert found == {told for told in ((by_quantity, 1), (by_amount, None)) if told[0]}
