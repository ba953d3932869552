"""Which steps an order takes, and who may take them."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from orders.approvals.rules import Purchase, Rule, Step, first_unmet, matches, may_decide, steps_for

LEADER, FINANCE, COUNTY = Step("领导", 1, "approver"), Step("财务", 1, "finance"), Step("主管部门", 9, "approver")


def rule(min_fen=0, *, depth=3, position=0, cumulative=False, funds=(), categories=(), steps=(LEADER,), number=1):
    return Rule(number, depth, position, min_fen, cumulative, frozenset(funds), frozenset(categories), tuple(steps))


def test_a_rule_matches_by_amount_fund_and_category():
    purchase = Purchase("canteen", {"fruit": 6000, "honey": 5000})
    assert matches(rule(11000), purchase)
    assert not matches(rule(11001), purchase)
    assert not matches(rule(funds=["union"]), purchase)
    assert matches(rule(funds=["union", "canteen"]), purchase)
    assert matches(rule(5000, categories=["honey"]), purchase)
    assert not matches(rule(5001, categories=["honey"]), purchase)
    assert not matches(rule(categories=["tea"]), purchase)


def test_a_cumulative_rule_adds_what_was_spent_of_its_funds_and_categories():
    purchase = Purchase("canteen", {"fruit": 1000}, {("canteen", "fruit"): 8000, ("union", "fruit"): 500, ("canteen", "honey"): 70})
    assert matches(rule(9570, cumulative=True), purchase)
    assert not matches(rule(9571, cumulative=True), purchase)
    assert matches(rule(9070, cumulative=True, funds=["canteen"]), purchase)
    assert not matches(rule(9071, cumulative=True, funds=["canteen"]), purchase)
    assert matches(rule(9500, cumulative=True, categories=["fruit"]), purchase)
    assert not matches(rule(9501, cumulative=True, categories=["fruit"]), purchase)
    assert not matches(rule(1001), purchase)


def test_the_lowest_unit_is_asked_first_and_nobody_twice_for_the_same():
    rules = [
        rule(depth=1, steps=(COUNTY,), number=1),
        rule(depth=3, position=2, steps=(LEADER, FINANCE), number=2),
        rule(depth=3, position=1, steps=(FINANCE,), number=3),
    ]
    assert steps_for(rules, Purchase("canteen", {"fruit": 1})) == [FINANCE, LEADER, COUNTY]


amounts = st.dictionaries(st.sampled_from(["fruit", "honey", "tea"]), st.integers(1, 10**6), min_size=1)
rules = st.lists(
    st.builds(
        rule,
        st.integers(0, 10**6),
        depth=st.integers(1, 3),
        cumulative=st.booleans(),
        funds=st.sets(st.sampled_from(["canteen", "union"])),
        categories=st.sets(st.sampled_from(["fruit", "honey"])),
        steps=st.lists(st.sampled_from([LEADER, FINANCE, COUNTY]), min_size=1, max_size=3),
        number=st.integers(1, 9),
    ),
    max_size=5,
)


@given(rules, amounts, st.integers(0, 10**6))
def test_a_larger_order_never_takes_fewer_steps(drawn, bought, more):
    small = Purchase("canteen", bought)
    large = Purchase("canteen", {category: fen + more for category, fen in bought.items()})
    assert set(steps_for(drawn, small)) <= set(steps_for(drawn, large))


@given(rules, amounts, st.integers(2, 5))
def test_splitting_an_order_does_not_get_round_a_cumulative_rule(drawn, bought, parts):
    """The last part of an order takes every step of a cumulative rule that the whole would have taken."""
    cumulative = [each for each in drawn if each.cumulative]
    whole = steps_for(cumulative, Purchase("canteen", bought))
    shares = {category: max(fen // parts, 1) for category, fen in bought.items()}
    before = {("canteen", category): max(fen - shares[category], 0) for category, fen in bought.items()}
    assert set(whole) <= set(steps_for(cumulative, Purchase("canteen", shares, before)))


people = st.sets(st.integers(1, 8))


@given(
    people,
    st.dictionaries(st.integers(1, 8), st.frozensets(st.integers(1, 8))),
    st.integers(1, 8),
    st.frozensets(st.integers(1, 8)),
)
def test_nobody_approves_the_own_request_and_nobody_takes_two_steps(candidates, deputies, requester, decided):
    found = may_decide(candidates, deputies, requester, decided)
    assert requester not in found
    assert requester not in found.values()
    assert not decided & set(found)
    for user, in_place_of in found.items():
        assert in_place_of in candidates
        assert user == in_place_of or in_place_of in deputies[user]
    assert {user for user in candidates if user != requester and user not in decided} <= set(found)


@given(st.lists(st.sets(st.integers(1, 5)), max_size=5))
def test_steps_are_met_exactly_if_each_can_be_given_to_somebody_else(steps):
    possible = any(len(set(taken)) == len(taken) for taken in product(*steps))
    unmet = first_unmet(steps)
    assert (unmet is None) == possible
    if unmet is not None:
        assert first_unmet(steps[:unmet]) is None
