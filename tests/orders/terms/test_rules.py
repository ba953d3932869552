"""Dues: they sum to what the order costs, to the fen, whatever was accepted, taken back and paid."""

import dataclasses
import itertools
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from orders.terms import rules
from orders.terms.rules import After, Due, Part, Share
from shop.core.money import share_out
from shop.programmes.errors import PaymentTooLate
from shop.programmes.payment import PaymentRules, PaymentTerms

DAY = date(2026, 11, 1)
TERMS = TypeAdapter(PaymentTerms)
PROGRAMME = PaymentRules()


def terms(**given):
    return PROGRAMME.settled(TERMS.validate_python(given))


def day(number):
    return DAY + timedelta(days=number)


def dues(parts, paid=0, **given):
    return rules.dues_of(parts, rules.shares_of(terms(**given)), DAY, paid)


days = st.integers(0, 60)


@st.composite
def parts(draw, number):
    """What was accepted and taken back never takes more than was accepted; something may still be open."""
    events, stands = [], 0
    for on in sorted(draw(st.lists(days, max_size=5))):
        fen = draw(st.integers(-stands, 500_000))
        stands += fen
        events.append((day(on), fen))
    open_fen = draw(st.integers(0, 500_000))
    confirmed = day(draw(days)) if draw(st.booleans()) else None
    return Part(number, stands + open_fen, confirmed, tuple(events))


orders = st.integers(1, 4).flatmap(lambda count: st.tuples(*(parts(number) for number in range(1, count + 1))))
plans = st.one_of(
    st.builds(lambda n: terms(kind="prepayment", days=n), st.integers(0, 30)),
    st.builds(lambda n: terms(kind="net", days=n), st.integers(0, 60)),
    st.builds(lambda p, n: terms(kind="deposit", percent=p, days=n), st.integers(1, 99), st.integers(0, 60)),
    st.lists(
        st.tuples(st.integers(1, 50), st.integers(0, 60), st.sampled_from(["order", "acceptance"])), min_size=1, max_size=6
    ).map(
        lambda wanted: terms(
            kind="instalments",
            instalments=[
                {"percent": percent, "days": number, "after": after}
                for percent, (_, number, after) in zip(share_out(100, [weight for weight, _, _ in wanted]), wanted, strict=True)
                if percent
            ],
        )
    ),
)


@given(orders, plans, st.integers(0, 3_000_000), st.integers(0, 3_000_000))
def test_what_arrived_covers_the_oldest_first_and_never_more_than_is_paid(order, plan, paid, not_arrived):
    found = rules.dues_of(order, rules.shares_of(plan), DAY, paid, not_arrived)
    assert [dataclasses.replace(due, arrived_fen=due.paid_fen) for due in found] == rules.dues_of(
        order, rules.shares_of(plan), DAY, paid
    )
    assert sum(due.arrived_fen for due in found) == min(max(paid - not_arrived, 0), sum(part.cost_fen for part in order))
    assert all(0 <= due.arrived_fen <= due.paid_fen for due in found)
    assert all(later.arrived_fen == 0 for before, later in itertools.pairwise(found) if before.arrived_fen < before.amount_fen)


@given(orders, plans, st.integers(0, 3_000_000))
def test_dues_sum_to_what_the_order_costs_and_the_oldest_is_paid_first(order, plan, paid):
    found = rules.dues_of(order, rules.shares_of(plan), DAY, paid)
    cost = sum(part.cost_fen for part in order)
    assert sum(due.amount_fen for due in found) == cost
    assert sum(due.paid_fen for due in found) == min(paid, cost)
    assert all(due.amount_fen > 0 and 0 <= due.paid_fen <= due.amount_fen for due in found)
    dates = [due.due_on or date.max for due in found]
    assert dates == sorted(dates)
    open_ones = [due.paid_fen < due.amount_fen for due in found]
    assert open_ones == sorted(open_ones)
    assert all(later.paid_fen == 0 for before, later in itertools.pairwise(found) if before.paid_fen < before.amount_fen)


@given(st.integers(1, 10**9), st.integers(0, 10**9), st.integers(1, 99))
def test_accepting_more_moves_no_fen_of_what_was_due_before(first, rest, percent):
    """Share by share: only what had no date yet is divided."""
    plan = rules.shares_of(terms(kind="deposit", percent=percent))
    cost = first + rest
    before = rules.dues_of([Part(1, cost, DAY, ((DAY, first),))], plan, DAY, 0)
    after = rules.dues_of([Part(1, cost, DAY, ((DAY, first), (day(5), rest)))], plan, DAY, 0)
    assert [due for due in before if due.due_on] == [due for due in after if due.due_on and due.due_on < day(35)]


@given(orders, plans)
def test_the_order_of_the_parts_does_not_matter(order, plan):
    shares = rules.shares_of(plan)
    assert rules.dues_of(order, shares, DAY, 100) == rules.dues_of(order[::-1], shares, DAY, 100)


def test_prepayment_is_due_after_the_confirmation_of_each_part():
    found = dues([Part(1, 500, day(2)), Part(2, 300)], kind="prepayment")
    assert found == [Due(1, After.CONFIRMATION, day(32), 500), Due(2, After.CONFIRMATION, None, 300)]
    later = rules.dues_of([Part(1, 500, day(2))], rules.shares_of(terms(kind="prepayment"), 15), DAY, 0)
    assert later[0].due_on == day(47)


def test_net_is_due_after_each_acceptance():
    found = dues([Part(1, 1000, DAY, ((day(1), 400), (day(9), 100)))], paid=450, kind="net", days=10)
    assert found == [
        Due(1, After.ACCEPTANCE, day(11), 400, 400, 400),
        Due(1, After.ACCEPTANCE, day(19), 100, 50, 50),
        Due(1, After.ACCEPTANCE, None, 500),
    ]


def test_what_goes_back_comes_off_the_newest_acceptance_of_its_part():
    part = Part(1, 450, DAY, ((day(1), 400), (day(5), 100), (day(8), -150)))
    other = Part(2, 70, DAY, ((day(7), 70),))
    assert [(due.part_id, due.amount_fen) for due in dues([part, other], kind="net", days=0)] == [(1, 350), (2, 70), (1, 100)]


def test_an_order_that_costs_nothing_owes_nothing():
    assert dues([Part(1, 0, DAY, ((day(1), 400), (day(3), -400)))], paid=400, kind="net") == []


def test_instalments_are_shares_of_the_whole():
    plan = {
        "kind": "instalments",
        "instalments": [{"percent": 30, "days": 0, "after": "order"}, {"percent": 70, "days": 5, "after": "acceptance"}],
    }
    found = dues([Part(1, 1001, DAY, ((day(4), 500),))], **plan)
    assert found == [
        Due(1, After.ORDER, DAY, 300),
        Due(1, After.ACCEPTANCE, day(9), 350),
        Due(1, After.ACCEPTANCE, None, 351),
    ]


def test_terms_that_do_not_hold_are_refused():
    for wrong in (
        {"kind": "instalments", "instalments": [{"percent": 30, "days": 0, "after": "order"}]},
        {"kind": "instalments", "instalments": []},
        {"kind": "deposit", "percent": 100},
        {"kind": "net", "days": -1},
        {"kind": "barter"},
        {"kind": "net", "days": 3, "percent": 4},
    ):
        with pytest.raises(ValidationError):
            TERMS.validate_python(wrong)
    for wrong in (
        {"kind": "net", "days": 61},
        {"kind": "prepayment", "days": 31},
        {"kind": "deposit", "percent": 30, "deposit_days": 31},
        {"kind": "deposit", "percent": 30, "days": 61},
        {"kind": "instalments", "instalments": [{"percent": 100, "days": 61, "after": "acceptance"}]},
        {"kind": "instalments", "instalments": [{"percent": 100, "days": 61, "after": "order"}]},
    ):
        with pytest.raises(PaymentTooLate):
            terms(**wrong)


def test_instalments_take_the_days_that_net_terms_take():
    shares = [{"percent": 50, "days": 60, "after": after} for after in ("order", "acceptance")]
    assert rules.shares_of(terms(kind="instalments", instalments=shares)) == (
        Share(50, 60, After.ORDER),
        Share(50, 60, After.ACCEPTANCE),
    )


def test_who_says_nothing_gets_what_the_unit_or_the_programme_says():
    net, ahead = terms(kind="net", days=45), terms(kind="prepayment")
    assert rules.chosen(None, None, PROGRAMME, may_owe=True) == terms(kind="net", days=30)
    assert rules.chosen(None, net, PROGRAMME, may_owe=True) == net
    assert rules.chosen(None, net, PROGRAMME, may_owe=False) == ahead
    # what was asked for is not changed silently: it is refused where it is not allowed
    assert rules.chosen(net, None, PROGRAMME, may_owe=False) == net


def test_a_contract_says_every_number():
    assert "30日内付清" in rules.words(terms(kind="prepayment"), 15)
    assert "延期一次15日" in rules.words(terms(kind="prepayment"), 15)
    assert "验收合格之日起45日内" in rules.words(terms(kind="net", days=45), 15)
    assert "总价的20%作为预付款" in rules.words(terms(kind="deposit", percent=20), 15)
    half = [{"percent": 50, "days": 0, "after": "order"}, {"percent": 50, "days": 7, "after": "acceptance"}]
    assert "总价的50%自每批货物验收合格之日起7日内支付" in rules.words(terms(kind="instalments", instalments=half), 15)


def test_shares_are_always_the_whole():
    assert rules.shares_of(terms(kind="deposit", percent=30)) == (
        Share(30, 30, After.CONFIRMATION),
        Share(70, 30, After.ACCEPTANCE),
    )
