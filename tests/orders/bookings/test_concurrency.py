"""A voucher is redeemed once and a bed is booked once, whoever comes at once; and the proof that the guards are what prevents it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text

from orders.bookings.actions import booking, redeeming
from shop.core import clock
from tests.conftest import connect
from tests.factories.after_sales import differences, rows, token_of
from tests.factories.orders import make_market

AT_ONCE = 50


def issued(api, market, nights):
    buyer, host = api.as_(market.purchaser), api.as_(market.sellers[1])
    part = buyer.post("/v1/purchase-orders", json=market.order(None, None, nights)).json()["supplier_orders"][0]["id"]
    host.post(f"/v1/supplier-orders/{part}/confirm")
    host.post(f"/v1/supplier-orders/{part}/vouchers", json={"valid_until": str(clock.today() + timedelta(days=30))})
    return buyer.get(f"/v1/supplier-orders/{part}/vouchers", params={"limit": 200}).json()["items"]


def at_once(api, database, user, requests):
    token = token_of(database, user)

    def send(request):
        client = connect(str(api.base_url), database, {"Authorization": f"Bearer {token}"})
        return client.post(*request[:1], json=request[1]).status_code

    with ThreadPoolExecutor(16) as pool:
        return list(pool.map(send, requests))


def test_of_fifty_redemptions_of_one_voucher_one_counts(api, database):
    market = make_market(database)
    code = issued(api, market, 5)[0]["code"]
    statuses = at_once(api, database, market.sellers[1], [("/v1/vouchers/redeem", {"code": code})] * AT_ONCE)
    assert sorted(statuses) == [200] + [409] * (AT_ONCE - 1)
    assert rows(database, "SELECT count(*), sum(amount_fen) FROM sale_entry") == [(1, 16_800)]
    assert differences(database) == {}


@pytest.mark.slow
@pytest.mark.control
def test_without_the_guard_it_is_redeemed_more_than_once(api, database, monkeypatch):
    """The control: when this fails, the test above proves nothing."""
    market = make_market(database)
    code = issued(api, market, 40)[0]["code"]
    monkeypatch.setattr(
        redeeming,
        "locked",
        lambda session, actor, order_id, side: session.execute(
            text("SELECT * FROM supplier_order, pg_sleep(0.02) WHERE id = :id"), {"id": order_id}
        ).one(),
    )
    monkeypatch.setattr(redeeming, "_VOUCHER", text("SELECT v.* FROM voucher v WHERE id = :id"))
    unguarded = str(redeeming._REDEEM).replace("AND status IN ('issued', 'booked')", "")
    monkeypatch.setattr(redeeming, "_REDEEM", text(unguarded))
    statuses = at_once(api, database, market.sellers[1], [("/v1/vouchers/redeem", {"code": code})] * 20)
    assert statuses.count(200) > 1
    assert rows(database, "SELECT count(*) > 1 FROM sale_entry") == [(True,)]


def book(vouchers, day):
    return [("/v1/vouchers/book", {"voucher_ids": [voucher["id"]], "day": day}) for voucher in vouchers]


def test_of_ten_beds_ten_are_booked(api, database):
    market = make_market(database)
    vouchers = issued(api, market, 40)
    day = str(clock.today() + timedelta(days=9))
    sku = market.products[2].sku_id
    api.as_(market.sellers[1]).put(f"/v1/skus/{sku}/capacity", json={"days": [{"day": day, "units": 10}]})
    statuses = at_once(api, database, market.purchaser, book(vouchers, day))
    assert (statuses.count(200), statuses.count(409)) == (10, 30)
    assert rows(database, "SELECT booked FROM service_capacity") == [(10,)]
    assert differences(database) == {}


@pytest.mark.control
def test_without_the_guard_beds_are_booked_twice(api, database, monkeypatch):
    """The control: when this fails, the test above proves nothing."""
    market = make_market(database)
    vouchers = issued(api, market, 40)
    day = str(clock.today() + timedelta(days=9))
    sku = market.products[2].sku_id
    api.as_(market.sellers[1]).put(f"/v1/skus/{sku}/capacity", json={"days": [{"day": day, "units": 10}]})

    def check_then_write(session, moves):
        for sku_id, _, after in moves:
            row = {"s": sku_id, "d": after}
            booked = session.execute(text("SELECT booked FROM service_capacity WHERE sku_id = :s AND day = :d"), row).scalar_one()
            session.execute(text("SELECT pg_sleep(0.01)"))
            if booked >= 10:
                raise booking.DayFull(day=str(after))
            session.execute(
                text("UPDATE service_capacity SET booked = :b WHERE sku_id = :s AND day = :d"), {**row, "b": booked + 1}
            )

    monkeypatch.setattr(booking, "take", check_then_write)
    assert at_once(api, database, market.purchaser, book(vouchers, day)).count(200) > 10
