"""Periods, commission and closings: pure, and the same in the database."""

import dataclasses
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from orders.settlement.rules import (
    Cadence,
    CommissionKind,
    SettledPart,
    carried_sql,
    commission_sql,
    last_ended,
    most_ahead,
    period_of,
    to_bear,
    to_give_back,
    uncovered,
    used_sql,
)
from tests.orders.settlement.oracle import closing, commission

days = st.dates(date(2020, 1, 1), date(2035, 12, 31))
cadences = st.sampled_from(list(Cadence))
amounts = st.integers(-(10**9), 10**9)
rules = st.one_of(
    st.builds(lambda bp: {"kind": CommissionKind.RATE, "rate_bp": bp}, st.integers(0, 10_000)),
    st.builds(lambda fen: {"kind": CommissionKind.FIXED, "fixed_fen": fen}, st.integers(0, 10**6)),
    st.just({"kind": CommissionKind.NONE}),
)


@given(days, cadences)
def test_every_day_lies_in_one_period_and_periods_follow_one_another(day, cadence):
    period = period_of(day, cadence)
    assert period.first <= day <= period.last
    assert period_of(period.first, cadence) == period_of(period.last, cadence) == period
    assert period_of(period.last + timedelta(days=1), cadence).first == period.last + timedelta(days=1)
    assert last_ended(day, cadence).last == period.first - timedelta(days=1)


@pytest.mark.parametrize(
    ("day", "cadence", "first", "last"),
    [
        ("2026-11-15", "half_monthly", "2026-11-01", "2026-11-15"),
        ("2028-02-16", "half_monthly", "2028-02-16", "2028-02-29"),
        ("2026-12-31", "monthly", "2026-12-01", "2026-12-31"),
        ("2026-11-29", "weekly", "2026-11-23", "2026-11-29"),
    ],
)
def test_where_periods_end(day, cadence, first, last):
    period = period_of(date.fromisoformat(day), cadence)
    assert (str(period.first), str(period.last)) == (first, last)


@given(st.lists(amounts, min_size=1, max_size=12), rules, st.randoms())
def test_lines_in_any_order_bear_together_what_the_whole_bears(lines, rule, chance):
    chance.shuffle(lines)
    borne, so_far = [], 0
    for amount in lines:
        borne.append(commission(so_far + amount, **rule) - commission(so_far, **rule))
        so_far += amount
    assert sum(borne) == commission(sum(lines), **rule)
    if rule["kind"] == CommissionKind.RATE:
        assert all(abs(part * 10_000 - amount * rule["rate_bp"]) <= 10_000 for part, amount in zip(borne, lines, strict=True))


@given(amounts, rules)
def test_what_goes_back_takes_its_commission_along(amount, rule):
    there = commission(amount, **rule) - commission(0, **rule)
    back = commission(0, **rule) - commission(amount, **rule)
    assert there + back == 0


@given(st.integers(0, 10**9), rules)
def test_commission_is_never_above_the_sale(amount, rule):
    assert 0 <= commission(amount, **rule) <= amount


@given(st.integers(-(10**9), 0), amounts, st.integers(0, 10**9))
def test_a_settlement_closes_to_the_fen(carried, net, advance):
    sums = closing(carried, net, advance)
    assert sums.due >= 0
    assert 0 <= sums.advance_used <= advance
    assert sums.carried_on <= 0
    assert sums.due + sums.advance_used + sums.carried_on == carried + net
    assert not (sums.due and sums.carried_on)
    assert not (sums.due and sums.advance_used < advance)


@pytest.mark.parametrize(
    ("cap", "lines", "most"),
    [
        (None, [2_640_000], 2_640_000),
        (100_000, [2_640_000], 100_000),
        (100_000, [30_000, 40_000], 70_000),
        (100_000, [30_000, None], 100_000),
        (None, [30_000, None], None),
        (None, [], None),
        (100_000, [], 100_000),
    ],
)
def test_what_may_be_paid_ahead(cap, lines, most):
    assert most_ahead(cap, lines) == most


def test_the_database_reckons_the_same(database):
    statement = text(
        f"SELECT {commission_sql('b.base', 'r')} FROM (SELECT CAST(:base AS bigint) AS base) b,"
        " (SELECT CAST(:kind AS text) AS kind, CAST(:rate_bp AS int) AS rate_bp, CAST(:fixed_fen AS bigint) AS fixed_fen) r"
    )
    with database.unit_of_work() as session:

        @settings(max_examples=300)
        @given(amounts, rules)
        def same(base, rule):
            values = {"rate_bp": None, "fixed_fen": None, **rule, "kind": str(rule["kind"]), "base": base}
            assert session.execute(statement, values).scalar_one() == commission(base, **rule)

        same()


def test_the_database_closes_the_same(database):
    """What is due is what the constraint ``due_fen`` says of what is used."""
    statement = text(
        f"SELECT {used_sql('x.carried', 'x.net', 'x.advance')}, {carried_sql('x.carried', 'x.net')} FROM"
        " (SELECT CAST(:carried AS bigint) AS carried, CAST(:net AS bigint) AS net, CAST(:advance AS bigint) AS advance) x"
    )
    with database.unit_of_work() as session:

        @settings(max_examples=300)
        @given(st.integers(-(10**9), 0), amounts, st.integers(0, 10**9))
        def same(carried, net, advance):
            used, carried_on = session.execute(statement, {"carried": carried, "net": net, "advance": advance}).one()
            sums = closing(carried, net, advance)
            assert (used, carried_on) == (sums.advance_used, sums.carried_on)

        same()


@st.composite
def settled_parts(draw):
    """Parts of an order of which settlements took up no more than was once owed; nobody bears anything yet."""
    drawn = draw(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), min_size=1, max_size=5))
    return [SettledPart(number, cost, settled) for number, (cost, settled) in enumerate(drawn)]


@given(settled_parts(), st.integers(0, 5 * 10**6), st.integers(1, 5 * 10**6), st.integers(0, 5 * 10**6))
def test_what_is_lost_is_borne_once_and_given_back_as_far_as_it_is_there(parts, there, lost, came):
    gaps = dict(zip((part.id for part in parts), uncovered(parts, there), strict=True))
    borne = to_bear(parts, there, lost)
    assert sum(borne.values()) == min(lost, sum(gaps.values()))
    assert all(0 < fen <= gaps[part_id] for part_id, fen in borne.items())
    after = [dataclasses.replace(part, borne_fen=borne.get(part.id, 0)) for part in parts]
    # nothing is given back before more is there; what is borne and what is covered never exceed what was settled
    assert to_give_back(after, there) == {}
    back = to_give_back(after, there + came)
    assert all(0 < fen <= borne[part_id] for part_id, fen in back.items())
    left = [dataclasses.replace(part, borne_fen=part.borne_fen - back.get(part.id, 0)) for part in after]
    assert all(part.borne_fen <= gap for part, gap in zip(left, uncovered(left, there + came), strict=True))
    assert to_give_back(after, sum(part.cost_fen for part in parts)) == borne
