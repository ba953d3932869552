"""Baskets: whatever is asked, what is proposed meets all of it, is never worse than the greedy basket, and "there is none" is true."""

import itertools
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orders.pledges import solver
from orders.pledges.rules.asking import Aim, Demand, Limit
from orders.pledges.rules.choosing import Facts, Item, allowed, broken, greedy, offer, offers, score, shortlist, totals
from orders.pledges.rules.program import model
from shop.core.money import line_amount
from shop.core.quantities import is_multiple

CATEGORIES = ["fruit", "tea", "honey"]


@st.composite
def goods(draw, sku_id=1):
    step = draw(st.sampled_from(["1", "1", "5", "0.5", "0.001"]))
    least = Decimal(step) * draw(st.integers(1, 12 if step != "0.001" else 3000))
    price = draw(st.integers(1, 40_000))
    tiers = [(least, price)]
    if draw(st.booleans()):
        tiers.append((least + Decimal(step) * draw(st.integers(1, 50)), max(1, price - draw(st.integers(0, price)))))
    return Facts(
        sku_id=sku_id,
        product_id=draw(st.integers(1, 8)) if draw(st.booleans()) else 100 + sku_id,
        supplier_id=draw(st.integers(1, 4)),
        category=draw(st.sampled_from(CATEGORIES)),
        step=Decimal(step),
        min_quantity=least,
        available=Decimal(draw(st.integers(0, 400))),
        tiers=tuple(tiers),
        deep=draw(st.booleans()),
        new_village=draw(st.booleans()),
        eligible=draw(st.booleans()),
    )


@st.composite
def catalogues(draw, most=12):
    return [draw(goods(sku_id=n)) for n in range(1, draw(st.integers(0, most)) + 1)]


demands = st.builds(
    Demand,
    budget_fen=st.integers(100, 5_000_000),
    hard=st.booleans(),
    heads=st.none() | st.integers(1, 30),
    identical=st.booleans(),
    per_head_cap_fen=st.none() | st.integers(1000, 500_000),
    deep_bp=st.sampled_from([0, 0, 2500, 6000, 10_000]),
    new_village_bp=st.sampled_from([0, 0, 1000, 5000]),
    supplier_bp=st.none() | st.sampled_from([3000, 5000, 10_000]),
    max_products=st.none() | st.integers(1, 5),
    include=st.sampled_from([frozenset(), frozenset(["fruit", "tea"])]),
    exclude=st.sampled_from([frozenset(), frozenset(["honey"])]),
    reserved_share_only=st.booleans(),
    aim=st.sampled_from(list(Aim)),
)


def can_be_ordered(item, demand):
    facts = item.offer.facts
    price = [price for least, price in facts.tiers if least <= item.quantity][-1]
    return (
        is_multiple(item.quantity, facts.step)
        and is_multiple(item.quantity / demand.each, facts.step)
        and facts.min_quantity <= item.quantity <= facts.available
        and price == item.unit_price_fen
        and line_amount(item.quantity, price) == item.amount_fen
    )


@pytest.mark.slow
@given(catalogues(), demands)
@settings(max_examples=150, deadline=None)
def test_what_is_proposed_meets_everything_and_is_never_worse_than_the_greedy_basket(catalogue, demand):
    found = solver.propose(demand, catalogue)
    for basket in filter(None, (found.basket, found.baseline)):
        assert all(can_be_ordered(item, demand) for item in basket)
        assert len({item.offer.facts.sku_id for item in basket}) == len(basket)
    if not broken(demand, found.baseline):
        assert found.basket is not None
        assert score(demand, found.basket) >= score(demand, found.baseline)
    if found.basket is None:
        for obstacle in solver.explain(demand, catalogue):
            assert obstacle.limit in demand.limits()
        return
    assert broken(demand, found.basket) == []
    amount = totals(found.basket).amount_fen
    assert abs(amount - demand.budget_fen) * 100 <= 2 * demand.budget_fen
    assert not demand.hard or amount <= demand.budget_fen
    assert all(allowed(item.offer.facts, demand) for item in found.basket)


def every_basket(demand, catalogue):
    """All baskets there are; for small catalogues."""
    choices = offers(catalogue, demand)
    counts = [[0, *(n for tier in each.tiers for n in range(tier.least, tier.most + 1))] for each in choices]
    for portions in itertools.product(*counts):
        yield [Item(each, n) for each, n in zip(choices, portions, strict=True) if n]


small = st.builds(
    lambda n, price, least, available, step, deep, new: Facts(
        n,
        n,
        n % 2,
        "tea",
        Decimal(step),
        Decimal(least * step),
        Decimal(available),
        ((Decimal(least * step), price),),
        deep,
        new,
        True,
    ),
    st.just(1),
    st.integers(40, 400),
    st.integers(1, 3),
    st.integers(0, 6),
    st.sampled_from([1, 2]),
    st.booleans(),
    st.booleans(),
)


@given(st.lists(small, max_size=4), st.integers(100, 2000), demands)
@settings(max_examples=150, deadline=None)
def test_there_is_a_basket_exactly_if_one_is_found_by_trying_all(goods, budget, demand):
    catalogue = [replace(facts, sku_id=n, product_id=n, supplier_id=n % 2) for n, facts in enumerate(goods, 1)]
    demand = replace(demand, budget_fen=budget, include=frozenset(), exclude=frozenset(), identical=False)
    possible = [basket for basket in every_basket(demand, catalogue) if not broken(demand, basket)]
    found = solver.propose(demand, catalogue)
    if not possible:
        assert found.basket is None
        assert found.proven
    else:
        assert found.basket is not None
        best = max(score(demand, basket) for basket in possible)
        # within a ten-thousandth of the budget, and the weight of the second aim
        assert score(demand, found.basket)[0] >= best[0] - budget / 500


def facts(sku_id, price, **changes):
    plain = {
        "product_id": sku_id,
        "supplier_id": sku_id,
        "category": "tea",
        "step": Decimal(1),
        "min_quantity": Decimal(1),
        "available": Decimal(1000),
        "tiers": ((Decimal(1), price),),
        "deep": False,
        "new_village": False,
        "eligible": True,
    }
    return Facts(sku_id=sku_id, **plain | changes)


CATALOGUE = [facts(1, 5000), facts(2, 9000, deep=True, available=Decimal(10)), facts(3, 4000, category="fruit", eligible=False)]


@pytest.mark.parametrize(
    ("changes", "limit", "attainable"),
    [
        ({"deep_bp": 5000}, Limit.DEEP_SHARE, "9.00"),
        ({"per_head_cap_fen": 90_00, "heads": 100}, Limit.PER_HEAD_CAP, "98.00"),
        ({"supplier_bp": 5000, "exclude": frozenset(["fruit"])}, Limit.CATEGORIES, None),
        ({"max_products": 1, "deep_bp": 100}, Limit.MAX_PRODUCTS, "2"),
        ({"include": frozenset(["honey"])}, Limit.CATEGORIES, "100.00"),
        ({"include": frozenset(["fruit"]), "reserved_share_only": True}, Limit.RESERVED_SHARE_ONLY, "100.00"),
        ({"supplier_bp": 3000}, Limit.SUPPLIER_SHARE, None),
    ],
)
def test_the_limit_that_stands_in_the_way_is_named_with_what_can_be_had(changes, limit, attainable):
    demand = Demand(budget_fen=10_000_00, **changes)
    found = solver.propose(demand, CATALOGUE)
    assert (found.basket, found.proven) == (None, True)
    told = {obstacle.limit: obstacle.attainable for obstacle in solver.explain(demand, CATALOGUE)}
    if attainable is None:
        assert told[limit] is not None
    else:
        assert told[limit].startswith(attainable[:2]), told


def test_a_budget_below_the_smallest_lot_says_what_the_smallest_lot_costs():
    demand = Demand(budget_fen=100)
    assert solver.propose(demand, CATALOGUE).proven
    assert [(o.limit, o.attainable) for o in solver.explain(demand, CATALOGUE)] == [(Limit.BUDGET, "40.00")]


def test_equal_baskets_hold_whole_steps_for_each_head():
    demand = Demand(budget_fen=7 * 300_00, heads=7, identical=True, per_head_cap_fen=300_00)
    basket = solver.propose(demand, CATALOGUE).basket
    assert basket
    assert all(item.quantity % 7 == 0 for item in basket)
    assert totals(basket).amount_fen <= demand.capped_fen


def test_the_price_is_that_of_the_tier_that_the_quantity_reaches():
    tiers = ((Decimal(1), 1000), (Decimal(100), 900))
    found = solver.propose(Demand(budget_fen=100_000, hard=True), [facts(1, 0, tiers=tiers, available=Decimal(110))])
    (item,) = found.basket
    assert (item.quantity, item.unit_price_fen) == (110, 900)


def test_a_portion_costs_whole_fen():
    each = offer(
        facts(1, 0, step=Decimal("0.001"), min_quantity=Decimal("0.5"), tiers=((Decimal("0.001"), 6990),)),
        Demand(budget_fen=10**6),
        10**6,
    )
    assert (each.portion, each.tiers[0].price_fen, each.tiers[0].least) == (Decimal("0.1"), 699, 5)


def test_the_same_question_gives_the_same_answer():
    catalogue = [facts(n, 700 + 37 * n % 5000, supplier_id=n % 9, deep=n % 4 == 0) for n in range(1, 400)]
    demand = Demand(budget_fen=50_000_00, deep_bp=3000, supplier_bp=2000, max_products=12)
    one, two = (solver.propose(demand, catalogue).basket for _ in range(2))
    assert one == two
    assert not broken(demand, one)


def test_a_shortlist_keeps_every_kind_of_place_and_many_suppliers():
    catalogue = [facts(n, 1000 + n, supplier_id=n % 50, deep=n > 990, new_village=n > 995) for n in range(1, 1001)]
    choices = offers(catalogue, Demand(budget_fen=10**7))
    short = shortlist(choices, 100, keep=[7])
    assert len(short) == 101
    assert len({each.facts.supplier_id for each in short}) == 50
    assert sum(each.facts.deep for each in short) == 10
    assert 7 in {each.facts.sku_id for each in short}


def test_the_greedy_basket_stays_within_what_it_looks_at():
    demand = Demand(budget_fen=10_000_00, supplier_bp=5000, max_products=2)
    basket = greedy(demand, offers(CATALOGUE, demand))
    assert set(broken(demand, basket)) <= {Limit.BUDGET, Limit.SUPPLIER_SHARE}


def test_a_model_that_starts_with_a_basket_stands_for_it():
    demand = Demand(budget_fen=10_000_00, max_products=3)
    choices = offers(CATALOGUE, demand)
    basket, made = greedy(demand, choices), model(demand, choices)
    start = made.start(basket)
    values = [start.get(at, 0.0) for at in range(len(made.cost))]
    assert made.basket(values) == sorted(basket, key=lambda item: item.offer.facts.sku_id)


def test_a_few_portions_within_the_solvers_tolerance_are_no_line():
    tiers = ((Decimal(500), 10), (Decimal(1000), 9))
    choices = offers([facts(1, 0, tiers=tiers, min_quantity=Decimal(500), available=Decimal(5000))], Demand(budget_fen=10_000_00))
    made = model(Demand(budget_fen=10_000_00), choices)
    low, high = made.portions
    values = [0.0] * len(made.cost)
    values[low] = 3.0
    assert made.basket(values) == []
    values[high] = 2000.0
    assert [item.portions for item in made.basket(values)] == [2000]
    values[low] = 600.0
    assert [item.portions for item in made.basket(values)] == [2000]
