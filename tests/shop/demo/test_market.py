"""What the demo's buyers want, and what becomes of it: pure planning."""

import random
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orders.purchasing.states import SUPPLIER_ORDER, SupplierOrderAction, SupplierOrderStatus
from shop.core.workdays import Calendar
from shop.demo.market import Market, Offer, Relation
from shop.demo.people import Buyer
from shop.demo.plan import Planner
from shop.demo.progress import by_time

START = date(2024, 3, 1)


def offer(number, *, place="500236", season=(1.0,) * 12, step="1", least="1", category="fruit"):
    tiers = tuple((Decimal(least) * times, 7000 - times) for times in (1, 20, 100))
    return Offer(
        sku_id=number,
        product_id=number,
        supplier_id=number % 3,
        supplier_user_id=1,
        place=place,
        category=category,
        kind="goods",
        tiers=tiers,
        step=Decimal(step),
        unit="box",
        net_grams=5000,
        vat_bp=0,
        certificate_id=1,
        on_sale_from=START,
        on_sale_until=None,
        season=season,
        stock=0,
    )


def buyer(number=1, *, roles=("school",), region="500106", supporters=(), since=START):
    return Buyer(
        id=number,
        user_id=1,
        user_role="purchaser",
        name="b",
        kind="school",
        region_code=region,
        address="",
        size=1.0,
        roles=frozenset(roles),
        supporters=frozenset(supporters),
        since=since,
    )


def market(offers, buyers=(), relations=(), seed=1):
    return Market(random.Random(seed), offers, buyers or [buyer()], relations, START)


def bought(made, who, day, times=400):
    counts: dict[int, int] = {}
    for _ in range(times):
        for one, _ in made.basket(who, day):
            counts[one.sku_id] = counts.get(one.sku_id, 0) + 1
    return counts


def two_districts():
    return [offer(1), offer(2, place="500240")]


def test_fruit_is_bought_in_its_season():
    winter = (3.0, 2.0, 1.0, *(0.1,) * 8, 3.0)
    made = market([offer(1, season=winter), *(offer(n) for n in range(2, 11))])
    assert bought(made, buyer(), date(2024, 12, 5))[1] > 3 * bought(made, buyer(), date(2024, 7, 5))[1]


def test_a_supporter_buys_where_it_supports_while_it_supports():
    relation = Relation(1, "central_unit", "水利部", None, "500240", START, date(2025, 1, 1))
    who = buyer(roles=("central_unit",), supporters=("水利部",))
    made = market(two_districts(), [who], [relation])
    during, afterwards = bought(made, who, date(2024, 6, 3)), bought(made, who, date(2025, 6, 3))
    assert during[2] > 1.3 * during[1]
    assert afterwards[2] < 1.3 * afterwards[1]


@pytest.mark.parametrize(
    ("kind", "region", "joins"),
    [
        ("east_west", "370600", True),
        ("district_pair", "370600", True),
        ("central_unit", "370600", False),
        ("east_west", "370700", False),
    ],
)
def test_a_region_supports_through_every_buyer_in_it(kind, region, joins):
    assert Relation(1, kind, "烟台市", "370600", "500237", None, None).joins(buyer(region=region)) is joins


def test_orders_grow_from_year_to_year():
    made = market(two_districts())
    first = sum(made.orders_on(START + timedelta(days=n), True) for n in range(365))
    second = sum(made.orders_on(START + timedelta(days=365 + n), True) for n in range(365))
    assert 1.2 < second / first < 1.3


def test_nobody_orders_before_taking_part():
    late = buyer(2, since=date(2025, 1, 1))
    made = market(two_districts(), [buyer(1), late])
    assert {made.buyer_on(date(2024, 12, 31)).id for _ in range(100)} == {1}
    assert {made.buyer_on(date(2025, 1, 1)).id for _ in range(100)} == {1, 2}


def test_what_is_not_on_sale_is_not_bought():
    made = market([offer(1), offer(2)])
    assert made.basket(buyer(), START - timedelta(days=1)) == []


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), step=st.sampled_from(["1", "0.5", "0.001"]), least=st.integers(1, 10))
def test_planned_orders_are_whole_and_in_order(seed, step, least):
    offers = [offer(n, step=step, least=str(least)) for n in range(1, 8)]
    made = market(offers, seed=seed)
    planner = Planner(made.chance, made, Calendar({}))
    orders = list(planner.orders(START, START + timedelta(days=3)))
    assert [order.placed_at for order in orders] == sorted(order.placed_at for order in orders)
    for order in orders:
        assert sorted(n for part in order.parts for d in part.deliveries for n in d.portions) or any(
            part.answer != "confirm" for part in order.parts
        )
        for one, quantity in order.lines:
            assert quantity >= one.tiers[0][0]
            assert quantity % one.step == 0
        for part in order.parts:
            check_part(order, part)


def check_part(order, part):
    """Everything shipped is what was ordered, each step follows the table, and refusals stay within what came."""
    numbers = [n for n, (one, _) in enumerate(order.lines, start=1) if one.supplier_id == part.supplier_id]
    assert order.placed_at < part.answered_at
    if part.answer != "confirm":
        assert part.deliveries == []
        assert part.reason
        return
    for number in numbers:
        shipped = sum(delivery.portions.get(number, 0) for delivery in part.deliveries)
        assert shipped == order.lines[number - 1][1]
    status = SUPPLIER_ORDER.after(SupplierOrderStatus.PLACED, SupplierOrderAction.CONFIRM)
    shipments = len(part.deliveries)
    for at, act, delivery in by_time(part.deliveries):
        assert at > part.answered_at
        if act == "ship":
            shipments -= 1
            status = SUPPLIER_ORDER.after(status, SupplierOrderAction.SHIP_PART if shipments else SupplierOrderAction.SHIP_REST)
        for number, (refused, reason) in delivery.rejected.items():
            assert 0 < refused <= delivery.portions[number]
            assert refused % order.lines[number - 1][0].step == 0
            assert reason
