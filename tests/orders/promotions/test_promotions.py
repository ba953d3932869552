"""Linked campaigns over HTTP."""

import csv
import io
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text

from orders.statistics import actions as statistics
from shop.core import clock, outbox
from shop.identity.permissions import Role
from tests.factories.catalog import make_product
from tests.factories.figures import sell_alike
from tests.factories.identity import make_supplier, make_user, signed_in
from tests.factories.ledger import make_trade, sell
from tests.factories.outlets import make_outlet
from workers.handlers import HANDLERS

COUNTY = "500236"
STARTS = date(2026, 6, 8)  # a Monday


@pytest.fixture(autouse=True)
def _today():
    with clock.fixed(datetime(2026, 6, 14, 4, tzinfo=UTC)):
        yield


@pytest.fixture
def officer(api):
    return signed_in(api, Role.COUNTY_OFFICER, region_code=COUNTY)


@pytest.fixture
def goods(database):
    """A pack at 69.90 yuan, the outlet that sells it, and its supplier."""
    with database.unit_of_work() as session:
        supplier = make_supplier(session)
        made = make_product(session, supplier)
        session.execute(text("UPDATE product SET ceiling_fen = 7000, ceiling_grams = 5000 WHERE id = :id"), {"id": made.product_id})
        outlet = make_outlet(session, make_user(session, Role.COUNTY_OFFICER, region_code=COUNTY), region_code=COUNTY)
        return {
            "sku": made.sku_id,
            "product": made.product_id,
            "outlet": outlet.id,
            "supplier": supplier,
            "operator": outlet.operator_id,
        }


def body(goods, **other):
    return {
        "name": "奉节脐橙节",
        "region_code": COUNTY,
        "starts_on": "2026-06-08",
        "ends_on": "2026-06-21",
        "online_place": "本平台奉节专区",
        "outlets": [goods["outlet"]],
        "lines": [{"sku_id": goods["sku"], "online_price": "59.90", "offline_price": "60.00"}],
        **other,
    }


def draft(client, goods, **other):
    answer = client.post("/v1/promotions", json=body(goods, **other))
    assert answer.status_code == 201, answer.text
    return answer.json()


def faults(answer):
    assert answer.status_code == 422, answer.text
    return {(each["field"], each["code"]) for each in answer.json()["errors"]}


def test_a_campaign_is_drafted_published_and_ends_by_itself(officer, goods):
    made = draft(officer, goods)
    assert (made["status"], made["possible_actions"], made["lines"][0]["list_price"]) == (
        "draft",
        ["edit", "publish", "cancel"],
        "69.90",
    )
    path = f"/v1/promotions/{made['id']}"
    edited = officer.put(path, json=body(goods, name="脐橙节"), headers={"If-Match": '"1"'}).json()
    assert (edited["name"], edited["version"]) == ("脐橙节", 2)
    assert officer.put(path, json=body(goods), headers={"If-Match": '"1"'}).status_code == 412
    for move, words in (("publish", None), ("cancel", {"reason": "x"})):
        assert officer.post(f"{path}/{move}", json=words, headers={"If-Match": '"1"'}).status_code == 412, move
    assert officer.post(f"{path}/publish", headers={"If-Match": '"2"'}).json()["status"] == "published"
    assert officer.put(path, json=body(goods)).json()["code"] == "illegal_move"
    with clock.fixed(datetime(2026, 6, 21, 17, tzinfo=UTC)):  # the day after in Shanghai
        over = officer.get(path).json()
        assert (over["status"], over["possible_actions"]) == ("ended", [])
        assert [each["id"] for each in officer.get("/v1/promotions", params={"status": "ended"}).json()["items"]] == [made["id"]]
        assert officer.post(f"{path}/end", json={"reason": "x"}).json()["code"] == "illegal_move"


def test_prices_must_hold_in_both_places(officer, goods, database):
    line = {"sku_id": goods["sku"], "online_price": "70.01", "offline_price": "69.91"}
    path = f"/v1/promotions/{draft(officer, goods, lines=[line])['id']}"
    assert faults(officer.post(f"{path}/publish")) == {
        ("lines[0].online_price", "above_list_price"),
        ("lines[0].online_price", "above_ceiling"),
        ("lines[0].offline_price", "above_list_price"),
    }
    bare = f"/v1/promotions/{draft(officer, goods, lines=[], outlets=[])['id']}"
    assert faults(officer.post(f"{bare}/publish")) == {("lines", "missing"), ("outlets", "missing")}
    with database.unit_of_work() as session:
        session.execute(text("UPDATE certificate SET valid_until = '2026-06-20'"))
        session.execute(text("UPDATE outlet SET opened_on = '2026-06-09'"))
    path = f"/v1/promotions/{draft(officer, goods)['id']}"
    assert faults(officer.post(f"{path}/publish")) == {("lines[0].sku_id", "not_certified"), ("outlets[0]", "not_open")}


def test_what_cannot_be_drafted(officer, goods):
    for other in (
        {"ends_on": "2026-06-01"},
        {"lines": [{"sku_id": goods["sku"], "online_price": "0", "offline_price": "1.00"}]},
        {"lines": body(goods)["lines"] * 2},
        {"outlets": [goods["outlet"]] * 2},
        {"region_code": "500237"},
        {"region_code": "500000"},
        {"name": " "},
        {"outlets": [999_999]},
        {"lines": [{"sku_id": 999_999, "online_price": "1.00", "offline_price": "1.00"}]},
    ):
        assert officer.post("/v1/promotions", json=body(goods, **other)).status_code == 422, other
    for field, named in (("lines", body(goods)["lines"]), ("outlets", [goods["outlet"]])):
        refused = officer.post("/v1/promotions", json=body(goods, **{field: named * 2}))
        assert faults(refused) == {(f"{field}[1]", "named_twice")}


def test_a_campaign_is_ended_early_or_cancelled(officer, goods):
    path = f"/v1/promotions/{draft(officer, goods)['id']}"
    officer.post(f"{path}/publish")
    ended = officer.post(f"{path}/end", json={"reason": "售罄"}).json()
    assert (ended["status"], ended["ends_on"], ended["reason"]) == ("ended", "2026-06-14", "售罄")
    later = f"/v1/promotions/{draft(officer, goods, starts_on='2026-06-15')['id']}"
    officer.post(f"{later}/publish")
    assert officer.post(f"{later}/end", json={"reason": "x"}).json()["code"] == "not_started"
    assert officer.post(f"{later}/cancel", json={"reason": "撤展"}).json()["status"] == "cancelled"
    assert officer.post(f"{later}/cancel", json={"reason": "撤展"}).json()["code"] == "illegal_move"


def test_what_it_brought_against_the_same_weekdays(database, officer, goods):
    with database.unit_of_work() as session:
        sell(session, make_trade(session), 3, first=date(2025, 1, 5), last=date(2025, 1, 30))
        own = {
            "product_id": goods["product"],
            "supplier_id": goods["supplier"].id,
            "sku_id": goods["sku"],
            "grams": 0,
            "amount_fen": 1000,
        }
        for week in range(1, 5):  # every Monday before: 10 yuan
            sell_alike(session, 1, **own, sold_on=STARTS - timedelta(days=7 * week))
        sell_alike(session, 1, **{**own, "amount_fen": 99_000}, sold_on=STARTS - timedelta(days=29))  # before the weeks looked at
        sell_alike(session, 1, **{**own, "amount_fen": 2500}, sold_on=STARTS)
        at_outlet = {"source": "outlet", "outlet_id": goods["outlet"], "buyer_id": None, "buyer_kind": "consumer"}
        at_outlet |= {"order_id": None, "supplier_order_id": None}
        sell_alike(session, 1, **own, **at_outlet, sold_on=STARTS + timedelta(days=1))
    path = f"/v1/promotions/{draft(officer, goods)['id']}"
    assert officer.get(f"{path}/effect").json()["code"] == "no_effect_yet"
    officer.post(f"{path}/publish")
    for _ in range(2):  # waiting, then in the rollups
        found = officer.get(f"{path}/effect").json()
        assert {row["place_name"] for row in found["rows"]} <= {"线上", "线下", "online", "offline"}
        rows = {row["place"]: (row["days"], row["sold"], row["expected"], row["uplift"]) for row in found["rows"]}
        assert rows == {"online": (7, "25.00", "10.00", "150.00"), "offline": (7, "10.00", "0.00", None)}
        assert (found["totals"]["sold"], found["totals"]["uplift"]) == ("35.00", "250.00")
        assert (found["first"], found["last"]) == ("2026-06-08", "2026-06-14")
        with database.unit_of_work() as session:
            statistics.refresh(session)
    longer = officer.get(f"{path}/effect", params={"weeks": 5}).json()["rows"][0]
    assert longer["expected"] == "206.00"
    rows = list(csv.reader(io.StringIO(officer.get(f"{path}/effect", params={"format": "csv"}).content.decode("utf-8-sig"))))
    assert rows[0][-2:] == ["uplift (%)", "days before under another campaign"]
    assert rows[-1][0] == "Total"


def test_days_before_it_that_lay_in_another_campaign_are_named(api, database, officer, goods):
    path = f"/v1/promotions/{draft(officer, goods)['id']}"
    officer.post(f"{path}/publish")
    assert (officer.get(f"{path}/effect").json()["others"], officer.get(f"{path}/effect").json()["rows"][0]["other_days"]) == (
        [],
        0,
    )
    with database.unit_of_work() as session:
        elsewhere = make_outlet(session, make_user(session, Role.COUNTY_OFFICER, region_code=COUNTY), region_code=COUNTY).id
        session.execute(text("UPDATE outlet SET opened_on = '2026-01-01'"))
    city = signed_in(api, Role.CITY_OFFICER)
    made = {}
    for name, client, days, more in (
        ("五一", officer, ("2026-04-20", "2026-05-12"), {}),
        ("网上", officer, ("2026-05-12", "2026-05-14"), {"outlets": [elsewhere]}),
        ("全市", city, ("2026-06-07", "2026-06-30"), {"region_code": "500237"}),
        ("再早", officer, ("2026-04-01", "2026-05-10"), {}),  # over before the weeks looked at
        ("草稿", officer, ("2026-05-20", "2026-06-01"), {}),
    ):
        made[name] = draft(client, goods, name=name, starts_on=days[0], ends_on=days[1], **more)["id"]
    # published in their time, which is over
    with database.unit_of_work() as session:
        session.execute(
            text("UPDATE promotion SET status = 'published', published_at = now() WHERE name <> '草稿' AND status = 'draft'")
        )
    found = officer.get(f"{path}/effect").json()
    told = [(each["id"], each["name"], each["first"], each["last"], each["shares_outlets"]) for each in found["others"]]
    assert told == [
        (made["五一"], "五一", "2026-05-11", "2026-05-12", True),
        (made["网上"], "网上", "2026-05-12", "2026-05-14", False),
        (None, None, "2026-06-07", "2026-06-07", True),
    ]
    assert found["others"][0]["products"] == [goods["product"]]
    assert {row["place"]: row["other_days"] for row in found["rows"]} == {"online": 5, "offline": 3}


def test_a_campaign_stays_within_its_region(api, officer, goods):
    path = f"/v1/promotions/{draft(officer, goods)['id']}"
    stranger = signed_in(api, Role.MONITOR, region_code="500229")
    assert [stranger.get(path).status_code, stranger.get(f"{path}/effect").status_code] == [404, 404]
    other = signed_in(api, Role.COUNTY_OFFICER, region_code="500229")
    assert other.put(path, json=body(goods, region_code="500229")).status_code == 404
    assert other.post(f"{path}/publish").status_code == 404
    monitor = signed_in(api, Role.MONITOR, region_code=COUNTY)
    assert monitor.get(path).json()["possible_actions"] == []
    assert monitor.post(f"{path}/publish").status_code == 403
    assert signed_in(api, Role.CITY_OFFICER).post("/v1/promotions", json=body(goods, region_code="500000")).status_code == 201


def test_suppliers_and_operators_hear_of_it(api, database, officer, goods):
    officer.post(f"/v1/promotions/{draft(officer, goods)['id']}/publish")
    with database.unit_of_work() as session:
        due = outbox.due(session)
    for each in due:
        outbox.work(database, HANDLERS, each)
    [told] = signed_in(api, Role.SUPPLIER_ADMIN, goods["supplier"]).get("/v1/notifications").json()["items"]
    assert told["kind"] == "promotion.published"
    with database.unit_of_work() as session:
        heard = session.execute(text("SELECT organisation_id FROM notification WHERE kind = 'promotion.published'")).scalars().all()
    assert set(heard) == {goods["supplier"].id, goods["operator"]}
