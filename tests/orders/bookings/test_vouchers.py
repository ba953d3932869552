from datetime import timedelta

import pytest
from sqlalchemy import text

from orders.bookings import queries
from orders.bookings.actions import redeeming
from shop.core import clock, outbox
from shop.identity.permissions import Role
from tests.factories.after_sales import days_later, differences, rows
from tests.factories.catalog import make_product
from tests.factories.identity import make_organisation, make_user, signed_in
from tests.factories.orders import make_market
from workers.handlers import HANDLERS


@pytest.fixture
def market(database):
    return make_market(database)


@pytest.fixture
def buyer(api, market):
    return api.as_(market.purchaser)


@pytest.fixture
def host(api, market):
    return api.as_(market.sellers[1])


def day(days):
    return str(clock.today() + timedelta(days=days))


def order(buyer, host, market, nights=3, honey=None):
    placed = buyer.post("/v1/purchase-orders", json=market.order(None, honey, nights)).json()
    part = placed["supplier_orders"][0]["id"]
    assert host.post(f"/v1/supplier-orders/{part}/confirm").status_code == 200
    return placed["id"], part


def issue(buyer, host, part, until=60):
    issued = host.post(f"/v1/supplier-orders/{part}/vouchers", json={"valid_until": day(until)})
    assert issued.status_code == 201, issued.text
    assert {voucher["code"] for voucher in issued.json()["items"]} == {None}
    return buyer.get(f"/v1/supplier-orders/{part}/vouchers").json()["items"]


@pytest.mark.slow
def test_issued_booked_redeemed_sold(api, database, market, buyer, host):
    order_id, part = order(buyer, host, market)
    sku = market.products[2].sku_id
    vouchers = issue(buyer, host, part)
    assert len({voucher["code"] for voucher in vouchers}) == 3
    days = {"days": [{"day": day(0), "units": 1}, {"day": day(10), "units": 2}]}
    assert [one["free"] for one in host.put(f"/v1/skus/{sku}/capacity", json=days).json()] == [1, 2]

    ids = [voucher["id"] for voucher in vouchers]
    full = buyer.post("/v1/vouchers/book", json={"voucher_ids": ids, "day": day(10)})
    assert (full.status_code, full.json()["code"]) == (409, "day_full")
    booked = buyer.post("/v1/vouchers/book", json={"voucher_ids": ids[:2], "day": day(10), "guest": "工会第一批"}).json()
    assert {(each["status"], each["booked_for"]) for each in booked} == {("booked", day(10))}
    assert [one["free"] for one in buyer.get(f"/v1/skus/{sku}/capacity").json()] == [1, 0]
    assert len(host.get("/v1/vouchers", params={"day": day(10)}).json()["items"]) == 2
    early = host.post("/v1/vouchers/redeem", json={"code": vouchers[0]["code"]})
    assert early.json()["code"] == "booked_for_later"
    assert buyer.post("/v1/vouchers/release", json={"voucher_ids": ids[1:2]}).json()[0]["status"] == "issued"

    done = host.post("/v1/vouchers/redeem", json={"code": vouchers[1]["code"]})
    assert done.json()["status"] == "redeemed", done.text
    assert host.post("/v1/vouchers/redeem", json={"code": vouchers[1]["code"]}).json()["code"] == "already_redeemed"
    assert host.post("/v1/vouchers/redeem", json={"code": vouchers[2]["code"]}).json()["code"] == "day_full"
    assert host.get(f"/v1/supplier-orders/{part}").json()["status"] == "partly_accepted"
    assert rows(database, "SELECT kind, quantity, grams, amount_fen FROM sale_entry") == [("service", 1, 0, 16_800)]
    assert differences(database) == {}

    host.put(f"/v1/skus/{sku}/capacity", json={"days": [{"day": day(0), "units": 5}]})
    buyer.post("/v1/vouchers/release", json={"voucher_ids": ids[:1]})
    for voucher in (vouchers[0], vouchers[2]):
        assert host.post("/v1/vouchers/redeem", json={"code": voucher["code"]}).status_code == 200
    assert host.get(f"/v1/supplier-orders/{part}").json()["status"] == "accepted"
    assert buyer.get(f"/v1/purchase-orders/{order_id}").json()["payable"] == "504.00"
    outbox.drain(database, HANDLERS)
    kinds = [row["kind"] for row in buyer.get("/v1/notifications").json()["items"]]
    assert kinds.count("voucher.redeemed") == 3
    assert differences(database) == {}


def test_what_is_redeemed_is_not_shipped(api, database, market, buyer, host):
    _, part = order(buyer, host, market, nights=2, honey=4)
    vouchers = issue(buyer, host, part)
    assert len(vouchers) == 2
    line = vouchers[0]["order_line_id"]
    refused = host.post(f"/v1/supplier-orders/{part}/shipments", json={"lines": [{"order_line_id": line, "quantity": "1"}]})
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "redeemed_by_voucher")
    shipment = host.post(f"/v1/supplier-orders/{part}/shipments", json={}).json()
    assert [(each["product_name"], each["quantity"]) for each in shipment["lines"]] == [("中益土蜂蜜", "4")]
    assert host.get(f"/v1/supplier-orders/{part}").json()["status"] == "partly_shipped"
    host.post("/v1/vouchers/redeem", json={"code": vouchers[0]["code"]})
    buyer.post(f"/v1/shipments/{shipment['id']}/acceptance", json={})
    host.post("/v1/vouchers/redeem", json={"code": vouchers[1]["code"]})
    assert host.get(f"/v1/supplier-orders/{part}").json()["status"] == "accepted"
    assert host.post(f"/v1/supplier-orders/{part}/vouchers", json={"valid_until": day(9)}).json()["code"] == "illegal_move"
    assert differences(database) == {}


def test_what_nobody_redeems_is_not_owed(api, database, market, buyer, host, monkeypatch):
    order_id, part = order(buyer, host, market)
    vouchers = issue(buyer, host, part, until=5)
    host.post("/v1/vouchers/redeem", json={"code": vouchers[0]["code"]})
    days_later(monkeypatch, 6)
    buyer, host = api.as_(market.purchaser), api.as_(market.sellers[1])
    late = host.post("/v1/vouchers/redeem", json={"code": vouchers[1]["code"]})
    assert late.json()["code"] == "outside_validity"
    for expected in (2, 0):
        with database.unit_of_work() as session:
            assert queries.expired_orders(session) == ([part] if expected else [])
            assert redeeming.expire(session, part) == expected
    assert buyer.get(f"/v1/purchase-orders/{order_id}").json()["payable"] == "168.00"
    assert host.get(f"/v1/supplier-orders/{part}").json()["status"] == "accepted"
    stock = rows(database, "SELECT on_hand, reserved FROM stock WHERE sku_id = :s", s=market.products[2].sku_id)
    assert stock == [(999, 0)]
    assert rows(database, "SELECT sum(quantity) FROM sale_entry") == [(1,)]
    outbox.drain(database, HANDLERS)
    assert differences(database) == {}


def test_or_it_is_forfeited_by_the_programme(api, database, market, buyer, host, monkeypatch):
    _, part = order(buyer, host, market)
    issue(buyer, host, part, until=5)
    with database.unit_of_work() as session:
        session.execute(text("UPDATE programme SET config = jsonb_set(config, '{vouchers,unredeemed}', '\"forfeited\"')"))
    days_later(monkeypatch, 6)
    with database.unit_of_work() as session:
        assert redeeming.expire(session, part) == 3
    assert rows(database, "SELECT sum(amount_fen) FROM sale_entry") == [(50_400,)]
    assert differences(database) == {}


def test_a_stopped_certificate_forfeits_nothing(api, database, market, buyer, host, monkeypatch):
    order_id, part = order(buyer, host, market)
    issue(buyer, host, part, until=5)
    with database.unit_of_work() as session:
        session.execute(text("UPDATE programme SET config = jsonb_set(config, '{vouchers,unredeemed}', '\"forfeited\"')"))
        stop = "UPDATE certificate SET held_at = :now WHERE id = :id"
        session.execute(text(stop), {"now": clock.now(), "id": market.products[2].certificate_id})
    days_later(monkeypatch, 6)
    with database.unit_of_work() as session:
        assert redeeming.expire(session, part) == 3
    assert rows(database, "SELECT count(*) FROM sale_entry") == [(0,)]
    assert api.as_(market.purchaser).get(f"/v1/purchase-orders/{order_id}").json()["payable"] == "0.00"


def test_lines_with_vouchers_are_not_changed(database, market, buyer, host):
    _, part = order(buyer, host, market, nights=3, honey=4)
    lines = {line["product_name"]: line["id"] for line in host.get(f"/v1/supplier-orders/{part}").json()["lines"]}
    fewer = {"reason": "人数减少", "lines": [{"order_line_id": lines["黄水避暑民宿"], "quantity": "1"}]}
    path = f"/v1/supplier-orders/{part}/amendments"
    before = buyer.post(path, json=fewer).json()["id"]
    vouchers = issue(buyer, host, part)
    late = host.post(f"/v1/amendments/{before}/accept")
    assert (late.status_code, late.json()["code"]) == (409, "line_moved")
    buyer.post(f"/v1/amendments/{before}/withdraw")
    refused = buyer.post(path, json=fewer)
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "redeemed_by_voucher")
    other = {"reason": "用量减少", "lines": [{"order_line_id": lines["中益土蜂蜜"], "quantity": "1"}]}
    assert host.post(f"/v1/amendments/{buyer.post(path, json=other).json()['id']}/accept").status_code == 200
    for voucher in vouchers:
        assert host.post("/v1/vouchers/redeem", json={"code": voucher["code"]}).status_code == 200
    assert differences(database) == {}


def test_goods_that_came_short_do_not_keep_the_order_open(database, market, buyer, host):
    with database.unit_of_work() as session:
        pork = make_product(session, market.suppliers[1], prices=((1, 4567),), net_grams=1000)
        session.execute(text("UPDATE sku SET unit = 'kg', step = 0.001 WHERE id = :id"), {"id": pork.sku_id})
        market.products.append(pork)
    placed = buyer.post("/v1/purchase-orders", json=market.order(None, None, 1, 300)).json()
    part = placed["supplier_orders"][0]["id"]
    host.post(f"/v1/supplier-orders/{part}/confirm")
    [voucher] = issue(buyer, host, part)
    line = next(line["id"] for line in host.get(f"/v1/supplier-orders/{part}").json()["lines"] if line["unit"] == "kg")
    short = {"lines": [{"order_line_id": line, "quantity": "270", "short": True}]}
    shipment = host.post(f"/v1/supplier-orders/{part}/shipments", json=short).json()["id"]
    answer = {"order_line_id": line, "accepted_quantity": "268.4", "difference_quantity": "1.6", "reason_code": "short_weight"}
    assert buyer.post(f"/v1/shipments/{shipment}/acceptance", json={"lines": [answer]}).status_code == 201
    assert host.post("/v1/vouchers/redeem", json={"code": voucher["code"]}).status_code == 200
    shown = host.get(f"/v1/supplier-orders/{part}").json()
    assert (shown["status"], shown["payable"]) == ("accepted", "12425.83")  # 268.4 × 45.67 + 168
    assert differences(database) == {}


def test_a_guest_who_comes_late_takes_a_place_of_that_day(api, database, market, buyer, host, monkeypatch):
    _, part = order(buyer, host, market)
    sku = market.products[2].sku_id
    first, second, _ = issue(buyer, host, part)
    days = {"days": [{"day": day(4), "units": 1}, {"day": day(5), "units": 1}]}
    host.put(f"/v1/skus/{sku}/capacity", json=days)
    for voucher, when in ((first, day(4)), (second, day(5))):
        assert buyer.post("/v1/vouchers/book", json={"voucher_ids": [voucher["id"]], "day": when}).status_code == 200
    days_later(monkeypatch, 5)
    host = api.as_(market.sellers[1])
    full = host.post("/v1/vouchers/redeem", json={"code": first["code"]})
    assert (full.status_code, full.json()["code"]) == (409, "day_full")
    assert host.put(f"/v1/skus/{sku}/capacity", json={"days": [{"day": day(0), "units": 2}]}).status_code == 200
    assert host.post("/v1/vouchers/redeem", json={"code": first["code"]}).json()["booked_for"] == day(0)
    assert host.post("/v1/vouchers/redeem", json={"code": second["code"]}).json()["booked_for"] == day(0)
    assert rows(database, "SELECT booked FROM service_capacity ORDER BY day") == [(0,), (2,)]
    assert differences(database) == {}


def test_redeemed_then_refunded(api, database, market, buyer, host):
    order_id, part = order(buyer, host, market, nights=2)
    vouchers = issue(buyer, host, part)
    host.post("/v1/vouchers/redeem", json={"code": vouchers[0]["code"]})
    [shipment] = buyer.get(f"/v1/supplier-orders/{part}/shipments").json()["items"]
    back = buyer.post(f"/v1/shipments/{shipment['id']}/returns", json={"reason_code": "quality", "reason": "停水停电"}).json()["id"]
    host.post(f"/v1/returns/{back}/approve", json={"without_goods": True})
    assert rows(database, "SELECT sum(quantity), sum(amount_fen) FROM sale_entry") == [(0, 0)]
    assert buyer.get(f"/v1/purchase-orders/{order_id}").json()["payable"] == "168.00"
    again = host.post("/v1/vouchers/redeem", json={"code": vouchers[0]["code"]})
    assert (again.status_code, again.json()["code"]) == (409, "already_redeemed")
    assert differences(database) == {}


def test_a_cancelled_order_has_no_vouchers(api, database, market, buyer, host):
    order_id, part = order(buyer, host, market)
    vouchers = issue(buyer, host, part)
    sku = market.products[2].sku_id
    host.put(f"/v1/skus/{sku}/capacity", json={"days": [{"day": day(9), "units": 1}]})
    buyer.post("/v1/vouchers/book", json={"voucher_ids": [vouchers[0]["id"]], "day": day(9)})
    assert buyer.post(f"/v1/purchase-orders/{order_id}/cancel", json={"reason": "计划变更"}).status_code == 200
    assert host.post("/v1/vouchers/redeem", json={"code": vouchers[1]["code"]}).status_code == 409
    outbox.drain(database, HANDLERS)
    assert rows(database, "SELECT DISTINCT status FROM voucher") == [("cancelled",)]
    assert buyer.get(f"/v1/skus/{sku}/capacity").json()[0]["free"] == 1


def test_refusals_and_reach(api, database, market, buyer, host, monkeypatch):
    _, part = order(buyer, host, market)
    path = f"/v1/supplier-orders/{part}/vouchers"
    assert host.post(path, json={"valid_until": day(-1)}).json()["code"] == "bad_validity"
    assert host.post(path, json={"valid_until": day(800)}).json()["code"] == "bad_validity"
    vouchers = issue(buyer, host, part)
    assert host.post(path, json={"valid_until": day(9)}).json()["code"] == "vouchers_issued"
    first = vouchers[0]
    with database.unit_of_work() as session:
        user = make_user(session, Role.PURCHASER, make_organisation(session, kind="school"))
    stranger = api.as_(user)
    assert stranger.get(f"/v1/vouchers/{first['id']}").status_code == 404
    assert stranger.get(path, params={"format": "csv"}).status_code == 404
    assert stranger.post("/v1/vouchers/book", json={"voucher_ids": [first["id"]], "day": day(9)}).status_code == 404
    assert api.as_(market.sellers[0]).post("/v1/vouchers/redeem", json={"code": first["code"]}).status_code == 404
    assert host.post("/v1/vouchers/redeem", json={"code": "FW-UNKNOWN"}).status_code == 404
    assert buyer.post("/v1/vouchers/redeem", json={"code": first["code"]}).status_code == 403
    sku = market.products[2].sku_id
    days = {"days": [{"day": day(5), "units": 2}]}
    assert api.as_(market.sellers[0]).put(f"/v1/skus/{sku}/capacity", json=days).status_code == 403
    host.put(f"/v1/skus/{sku}/capacity", json=days)
    for when, code in ((day(61), "outside_validity"), (day(-1), "outside_validity"), (day(6), "day_full")):
        assert buyer.post("/v1/vouchers/book", json={"voucher_ids": [first["id"]], "day": when}).json()["code"] == code
    assert buyer.post("/v1/vouchers/book", json={"voucher_ids": [first["id"]] * 2, "day": day(5)}).status_code == 422
    buyer.post("/v1/vouchers/book", json={"voucher_ids": [first["id"]], "day": day(5)})
    assert host.put(f"/v1/skus/{sku}/capacity", json={"days": [{"day": day(5), "units": 0}]}).json()["code"] == "below_booked"
    goods = order_goods(api, market)
    assert api.as_(market.sellers[0]).post(f"/v1/supplier-orders/{goods}/vouchers", json={"valid_until": day(9)}).json()[
        "code"
    ] == ("nothing_for_vouchers")
    days_later(monkeypatch, 3)
    late = api.as_(market.purchaser).post("/v1/vouchers/release", json={"voucher_ids": [first["id"]]})
    assert (late.status_code, late.json()["code"]) == (409, "too_late_to_change")


def order_goods(api, market):
    placed = api.as_(market.purchaser).post("/v1/purchase-orders", json=market.order(2)).json()
    part = placed["supplier_orders"][0]["id"]
    api.as_(market.sellers[0]).post(f"/v1/supplier-orders/{part}/confirm")
    return part


def test_files(api, market, buyer, host):
    _, part = order(buyer, host, market, nights=9)
    vouchers = issue(buyer, host, part)
    path = f"/v1/supplier-orders/{part}/vouchers"
    csv = buyer.get(path, params={"format": "csv"}, headers={"Accept-Language": "zh"}).content.decode("utf-8-sig")
    assert all(voucher["code"] in csv for voucher in vouchers)
    assert vouchers[0]["code"] not in host.get(path, params={"format": "csv"}).text
    assert buyer.get(path, params={"format": "xlsx"}).content.startswith(b"PK")
    assert buyer.get(path, params={"format": "pdf"}).content.startswith(b"%PDF")
    assert host.get(path, params={"format": "pdf"}).status_code == 403
    page = buyer.get(path, params={"limit": 4}).json()
    assert len(page["items"]) == 4
    assert len(buyer.get(path, params={"after": page["next"]}).json()["items"]) == 5


def test_to_everybody_only_what_they_may_do_is_offered(api, market, buyer, host):
    _, part = order(buyer, host, market, nights=1)
    (voucher,) = issue(buyer, host, part)
    viewer = signed_in(api, Role.VIEWER, market.school)
    county = signed_in(api, Role.COUNTY_OFFICER, region_code="500240")

    def offered():
        return [client.get(f"/v1/vouchers/{voucher['id']}").json()["possible_actions"] for client in (buyer, host, viewer, county)]

    assert offered() == [["book"], ["redeem"], [], []]
    host.put(f"/v1/skus/{voucher['sku_id']}/capacity", json={"days": [{"day": day(10), "units": 1}]})
    assert buyer.post("/v1/vouchers/book", json={"voucher_ids": [voucher["id"]], "day": day(10)}).status_code == 200
    assert offered() == [["book", "release"], ["redeem"], [], []]
    (listed,) = host.get(f"/v1/supplier-orders/{part}/vouchers").json()["items"]
    assert listed["possible_actions"] == ["redeem"]
