"""Never oversold, whoever comes at once; and the proof that the guard is what prevents it."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from sqlalchemy import text

from orders.purchasing.actions import placing
from tests.conftest import connect
from tests.factories.identity import access_token
from tests.factories.orders import make_market

BUYERS, UNITS, AT_ONCE = 300, 100, 64
#: `make thorough` runs 20.
ROUNDS = int(os.environ.get("SHOP_RUSH_ROUNDS", "1"))


def rush(api, database, market, buyers=BUYERS):
    """Many single-unit orders at once, each on a connection of its own thread; returns how often each status came."""
    with database.unit_of_work() as session:
        token = access_token(session, market.purchaser)
    local = threading.local()

    def buy(_):
        if not hasattr(local, "client"):
            local.client = connect(str(api.base_url), database, {"Authorization": f"Bearer {token}"})
        return local.client.post("/v1/purchase-orders", json=market.order(1)).status_code

    with ThreadPoolExecutor(AT_ONCE) as pool:
        statuses = list(pool.map(buy, range(buyers)))
    return {status: statuses.count(status) for status in set(statuses)}


def stock_of(database, market):
    with database.unit_of_work() as session:
        return session.execute(
            text("SELECT on_hand, reserved FROM stock WHERE sku_id = :sku"), {"sku": market.products[0].sku_id}
        ).one()


def sold(database):
    with database.unit_of_work() as session:
        return session.execute(text("SELECT coalesce(sum(quantity), 0) FROM order_line")).scalar_one()


@pytest.mark.slow
def test_of_a_hundred_units_exactly_a_hundred_are_sold(api, database):
    market = make_market(database, stock=UNITS)
    for _ in range(ROUNDS):
        before = sold(database)
        assert rush(api, database, market) == {201: UNITS, 422: BUYERS - UNITS}
        assert sold(database) - before == UNITS
        assert stock_of(database, market) == (Decimal(UNITS), Decimal(UNITS))
        with database.unit_of_work() as session:
            session.execute(text("UPDATE stock SET reserved = 0 WHERE sku_id = :sku"), {"sku": market.products[0].sku_id})


@pytest.mark.slow
@pytest.mark.control
def test_without_the_guard_the_same_rush_oversells(api, database, monkeypatch):
    """The control: when this fails, the test above proves nothing."""
    market = make_market(database, stock=UNITS)
    with database.unit_of_work() as session:
        session.execute(text("ALTER TABLE stock DROP CONSTRAINT ck_stock_not_oversold"))
    unguarded = "UPDATE stock SET reserved = :was + :quantity WHERE sku_id = :sku"

    def check_then_write(session, facts, wanted):
        for sku, quantity in wanted.items():
            was = session.execute(text("SELECT reserved FROM stock WHERE sku_id = :sku"), {"sku": sku}).scalar_one()
            session.execute(text("SELECT pg_sleep(0.005)"))
            session.execute(text(unguarded), {"sku": sku, "quantity": quantity, "was": was})

    monkeypatch.setattr(placing, "reserve", check_then_write)
    statuses = rush(api, database, market)
    assert sold(database) == statuses[201] > UNITS


@pytest.mark.slow
def test_orders_of_the_same_goods_in_any_order_never_deadlock(api, database):
    market = make_market(database, stock=100_000)
    with database.unit_of_work() as session:
        token = access_token(session, market.purchaser)
    forward, backward = market.order(1, 1, 1), market.order(1, 1, 1)
    backward["lines"].reverse()

    def buy(number):
        client = connect(str(api.base_url), database, {"Authorization": f"Bearer {token}"})
        return client.post("/v1/purchase-orders", json=forward if number % 2 else backward).status_code

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(buy, range(200))) == {201}
    assert stock_of(database, market).reserved == 200
