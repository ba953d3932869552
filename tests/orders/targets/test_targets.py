"""Targets over HTTP: those of the programmes, those that officers set, and how far they are."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError

from orders.statistics import actions as statistics
from orders.statistics.rules import rise
from orders.targets import seed
from shop.core import clock, outbox
from shop.identity.permissions import Role
from tests.factories.figures import sell_alike
from tests.factories.identity import make_user, signed_in
from tests.factories.ledger import make_trade, sell
from tests.factories.outlets import make_outlet
from workers.handlers import HANDLERS

BODY = {
    "code": "east_west_sales",
    "region_code": "500237",
    "name": "鲁渝消费协作",
    "measure": "amount",
    "channel": "east_west",
    "first_on": "2026-01-01",
    "due_on": "2026-12-31",
    "value": "29000000",
    "reason": "市里下达",
    "source": "渝消费帮扶〔2026〕1号",
}


@pytest.fixture(autouse=True)
def _today():
    with clock.fixed(datetime(2026, 7, 2, 4, tzinfo=UTC)):
        yield


@pytest.fixture
def city(api):
    return signed_in(api, Role.CITY_OFFICER)


@pytest.fixture
def county(api):
    return signed_in(api, Role.COUNTY_OFFICER, region_code="500237")


def put(client, **other):
    answer = client.post("/v1/targets", json={**BODY, **other})
    assert answer.status_code == 201, answer.text
    return answer.json()


def listed(client, **query):
    answer = client.get("/v1/targets", params={"limit": 200, **query})
    assert answer.status_code == 200, answer.text
    return {(each["code"], each["region_code"]): each for each in answer.json()["items"]}


def test_the_programmes_targets_are_there(city):
    assert city.get("/v1/targets", params={"on": str(clock.today() + timedelta(days=1))}).json()["errors"][0]["field"] == "on"
    of_2020 = listed(city, programme="chongqing-2020", on="2020-08-01")
    values = {code: (each["value"], each["unit"], each["due"]) for (code, _), each in of_2020.items()}
    assert values == {
        "total_sales": ("4000000000.00", "yuan", "2020-12-31"),
        "east_west_sales": ("330000000.00", "yuan", "2020-12-31"),
        "central_unit_sales": ("80000000.00", "yuan", "2020-12-31"),
        "social_network_sales": ("100000000.00", "yuan", "2020-12-31"),
        "reserved_share": ("10", "percent", "2020-12-31"),
        "cabinets_by_june": ("5000", "count", "2020-06-30"),
        "cabinets": ("10000", "count", "2020-09-30"),
        "rural_online_retail_growth": ("25", "percent", "2020-12-31"),
        "poor_village_coverage": ("100", "percent", "2020-12-31"),
        "shandong_tonnes": ("100000", "tonnes", "2020-12-31"),
    }
    yearly = listed(city, programme="chongqing-2021")["reserved_share", "500000"]
    assert (yearly["yearly"], yearly["first"], yearly["due"], yearly["origin"]) == (True, "2026-01-01", "2026-12-31", "programme")
    assert yearly["progress"]["light"] == "none"  # nothing was accepted of any unit


def test_loading_them_again_changes_nothing_and_leaves_officers_values(database, city):
    target = listed(city, programme="chongqing-2020")["cabinets", "500000"]
    city.post(f"/v1/targets/{target['id']}/revisions", json={"value": "12000", "reason": "加码"})
    with database.unit_of_work() as session:
        seed.seed(session)
    now = city.get(f"/v1/targets/{target['id']}").json()
    assert (now["value"], now["number"]) == ("12000", 2)
    history = city.get(f"/v1/targets/{target['id']}/revisions").json()["items"]
    assert [(each["value"], each["set_by"] is None) for each in history] == [("12000", False), ("10000", True)]
    with pytest.raises(DBAPIError, match="append-only"), database.unit_of_work() as session:
        session.execute(text("UPDATE target_revision SET value = 1"))


def test_an_officer_sets_a_target_of_the_own_county(city, county):
    made = put(county)
    assert (made["programme"], made["number"], made["origin"], made["region_name"]) == ("chongqing-2021", 1, "officer", "Wushan")
    assert (made["value"], made["progress"]["done"]) == ("29000000.00", "0.00")
    twice = county.post("/v1/targets", json=BODY)
    assert (twice.status_code, twice.json()["code"]) == (409, "target_there")
    for other, field in (
        ({"region_code": "500236"}, "region_code"),
        ({"region_code": "500000"}, "region_code"),
        ({"due_on": "2025-12-31"}, "due_on"),
        ({"measure": "cabinets"}, "channel"),
        ({"indicator": "rural_online_retail"}, "indicator"),
        ({"measure": "indicator_growth", "channel": None, "indicator": "gdp"}, "indicator"),
    ):
        told = county.post("/v1/targets", json={**BODY, "code": "other", **other})
        assert told.status_code == 422, other
        assert field in {each["field"] for each in told.json()["errors"]}, other
    for other in ({"value": "0"}, {"value": "1.001"}, {"measure": "luck"}, {"reason": ""}, {"code": "Ä"}):
        assert county.post("/v1/targets", json={**BODY, **other}).status_code == 422, other
    assert city.post("/v1/targets", json={**BODY, "first_on": "2010-01-01"}).status_code == 404


def test_a_target_is_set_anew_with_a_reason_and_withdrawn(city, county):
    path = f"/v1/targets/{put(county)['id']}"
    assert county.post(f"{path}/revisions", json={"value": "30000000"}).status_code == 422
    for move, said in (("revisions", {"value": "1", "reason": "x"}), ("withdraw", {"reason": "x"})):
        assert county.post(f"{path}/{move}", json=said, headers={"If-Match": '"99"'}).status_code == 412, move
    now = county.post(f"{path}/revisions", json={"value": "30000000", "reason": "调增"}).json()
    assert (now["value"], now["number"]) == ("30000000.00", 2)
    assert county.post(f"{path}/withdraw", json={"reason": "合并考核"}).json()["withdraw_reason"] == "合并考核"
    again = county.post(f"{path}/withdraw", json={"reason": "合并考核"})
    assert (again.status_code, again.json()["code"]) == (409, "target_withdrawn")
    assert county.post(f"{path}/revisions", json={"value": "1", "reason": "x"}).json()["code"] == "target_withdrawn"
    assert ("east_west_sales", "500237") not in listed(city)
    assert ("east_west_sales", "500237") in listed(city, withdrawn=True)


def test_sales_against_the_days_and_against_last_year(database, city):
    with database.unit_of_work() as session:
        trade = make_trade(session)
        sell(session, trade, 10, first=date(2026, 1, 5), last=date(2026, 6, 30))
        session.execute(text("DELETE FROM sale_entry_pending"))
        total = session.execute(
            text("SELECT sum(amount_fen) FROM sale_entry WHERE sold_on BETWEEN '2026-01-01' AND '2026-12-31'")
        ).scalar_one()
        session.execute(text("INSERT INTO sale_entry_pending SELECT id FROM sale_entry"))
    value = Decimal(total) / 100 * 2
    made = put(city, region_code="500000", channel=None, code="all_sales", value=f"{value:.2f}")
    progress = made["progress"]
    assert Decimal(progress["done"]) * 100 == total
    assert (progress["rate"], progress["expected_method"], progress["days_over"], progress["days"]) == ("50", "linear", 183, 365)
    # half of it is done and half of the year is over: 183 of 365 days
    assert progress["light"] == "yellow"
    with database.unit_of_work() as session:
        before = sell_alike(session, 4, sold_on=date(2025, 3, 3)) + sell_alike(session, 9, sold_on=date(2025, 11, 3))
        assert before
        statistics.refresh(session)
    progress = city.get(f"/v1/targets/{made['id']}").json()["progress"]
    assert (progress["expected_method"], progress["forecast_method"], progress["light"]) == ("last_year", "last_year", "green")
    assert Decimal(progress["forecast"]) > value


def test_of_a_period_before_the_first_sale_nothing_is_known(database, city):
    past = {"region_code": "500000", "channel": None, "first_on": "2024-01-01", "value": "100.00"}
    of_2024, of_2025 = put(city, code="y2024", due_on="2024-12-31", **past), put(city, code="y2025", due_on="2025-12-31", **past)
    assert (of_2024["progress"]["done"], of_2024["progress"]["light"]) == ("0.00", "red")  # nobody sold anything, ever

    def told():
        found = [city.get(f"/v1/targets/{made['id']}").json()["progress"] for made in (of_2024, of_2025)]
        return [(each["done"], each["rate"], each["light"]) for each in found]

    with database.unit_of_work() as session:
        sell(session, make_trade(session), 10, first=date(2025, 3, 1), last=date(2026, 6, 30))
    for _ in range(2):
        (*nothing, none), (done, _, light) = told()
        assert (nothing, none, light) == ([None, None], "none", "green")
        assert Decimal(done) > 0
        with database.unit_of_work() as session:
            statistics.refresh(session)


def test_of_days_before_anybody_counted_cabinets_or_coverage_nothing_is_known(database, city):
    with database.unit_of_work() as session:
        clerk = make_user(session, Role.CITY_OFFICER)
        make_outlet(session, clerk, region_code="500236")
        session.execute(text("UPDATE outlet SET opened_on = '2019-05-01', verified_at = '2024-05-01 00:30+08'"))
        session.execute(
            text("INSERT INTO poor_village (township_code, name, valid_from) VALUES ('500236T01', '甲村', '2014-01-01')")
        )
        session.execute(
            text(
                "WITH s AS (INSERT INTO service_station (kind, name, region_code, address, opened_on, evidence, recorded_by, recorded_at)"
                " VALUES ('town_station', '站', '500236', '', '2024-03-01', '合同', :by, now()) RETURNING id)"
                " INSERT INTO station_village (station_id, village_id, valid_from) SELECT s.id, v.id, '2024-02-01' FROM s, poor_village v"
            ),
            {"by": clerk.id},
        )

    def told(of, code="cabinets", **asked):
        progress = listed(city, programme=of, **asked)[code, "500000"]["progress"]
        return progress["done"], progress["rate"], progress["forecast"], progress["light"]

    for code in ("cabinets_by_june", "cabinets", "poor_village_coverage"):
        assert told("chongqing-2020", code) == (None, None, None, "none"), code
        assert told("chongqing-2020", code, on="2020-05-01") == (None, None, None, "none"), code  # as it was seen then, neither
    body = {"region_code": "500000", "channel": None, "first_on": "2023-01-01"}
    for measure, last_unknown in (("cabinets", "2024-04-30"), ("coverage", "2024-02-29")):
        before = put(city, code=f"{measure}_before", measure=measure, due_on=last_unknown, value="1", **body)
        first = date.fromisoformat(last_unknown) + timedelta(days=1)
        known = put(city, code=f"{measure}_known", measure=measure, due_on=str(first), value="1", **body)
        assert [each["progress"]["light"] for each in (before, known)] == ["none", "green"], measure


def test_growth_over_last_year_is_a_level(database, city):
    with database.unit_of_work() as session:
        trade = make_trade(session)
        sell(session, trade, 10, first=date(2025, 1, 5), last=date(2025, 6, 30))
        sell_alike(session, 100, sold_on=date(2026, 3, 3))
    made = put(city, region_code="500000", channel=None, code="growth", measure="sales_growth", value="25")
    assert made["unit"] == "percent"
    assert (made["progress"]["done"], made["progress"]["light"], made["progress"]["expected"]) == ("0", "red", "25")


@pytest.fixture
def merged(database):
    """Sales of 500105 and 500112, and this year of 500157, which took them in on 6 November 2025. Returns their amounts in fen."""
    with database.unit_of_work() as session:
        sell(session, make_trade(session), 20, first=date(2024, 3, 1), last=date(2024, 3, 31))
        sold = {
            (code, on): sell_alike(session, count, sold_on=on, district_code=code, channel="market")
            for code, on, count in (
                ("500105", date(2025, 3, 3), 3),
                ("500112", date(2025, 5, 3), 5),
                ("500112", date(2025, 10, 3), 7),
                ("500157", date(2026, 2, 3), 20),
            )
        }
        statistics.refresh(session)
    return {code: [fen for (each, _), fen in sold.items() if each == code] for code in ("500105", "500112", "500157")}


@pytest.mark.slow
def test_last_years_sales_of_merged_districts_are_those_of_their_successor(city, merged):
    made = put(city, region_code="500157", channel=None, code="growth", measure="sales_growth", value="25")
    asked = {"from": "2026-01-01", "to": "2026-07-02", "district": "500157", "compare": "last_year", "measure": "amount"}
    shown = city.get("/v1/statistics/sales", params=asked).json()["totals"]
    assert Decimal(made["progress"]["done"]) == Decimal(shown["growth"]["amount"])
    assert Decimal(made["progress"]["done"]) == rise(merged["500157"][0], merged["500105"][0] + merged["500112"][0])
    flow = put(city, region_code="500157", channel=None, code="sales", value="1000000")["progress"]
    assert flow["expected_method"] == "last_year"
    last_year = sum(merged["500105"] + merged["500112"])
    by_now = Decimal(last_year - merged["500112"][1]) / last_year * 1_000_000
    assert abs(Decimal(flow["expected"]) - by_now) < 1


def test_a_target_of_a_district_that_is_merged_goes_on_with_its_successor(city, merged):
    of_2025 = {"region_code": "500112", "channel": None, "first_on": "2025-01-01", "due_on": "2025-12-31", "value": "100"}
    path = f"/v1/targets/{put(city, code='of_2025', **of_2025)['id']}"

    def done(on, path=path):
        return Decimal(city.get(path, params={"on": on}).json()["progress"]["done"]) * 100

    assert done("2025-11-05") == sum(merged["500112"])
    for on in ("2025-11-06", "2025-12-31", "2026-03-01"):
        assert done(on) == sum(merged["500112"] + merged["500105"])
    spring = f"/v1/targets/{put(city, code='spring', **{**of_2025, 'due_on': '2025-05-31'})['id']}"
    for on in ("2025-06-01", "2025-11-06", "2026-03-01"):
        assert done(on, spring) == merged["500112"][0]


def test_cabinets_of_a_merged_district_count_for_a_target_that_was_over_before(database, city):
    with database.unit_of_work() as session:
        clerk = make_user(session, Role.CITY_OFFICER)
        make_outlet(session, clerk, region_code="500112")
        session.execute(text("UPDATE outlet SET opened_on = '2025-01-01', verified_at = '2025-01-01 12:00+08'"))
    body = {"region_code": "500112", "channel": None, "measure": "cabinets", "first_on": "2025-01-01", "value": "1"}
    for due_on in ("2025-05-31", "2025-12-31"):
        made = put(city, code=f"until_{due_on[5:7]}", due_on=due_on, **body)
        assert made["progress"]["done"] == "1", due_on


def test_cabinets_coverage_and_the_lane(database, city):
    with database.unit_of_work() as session:
        clerk = make_user(session, Role.CITY_OFFICER)
        for n in range(3):
            make_outlet(session, clerk, region_code="500236" if n else "500237")
        make_outlet(session, clerk, kind="hall")
        township = "500236T01"
        for name in ("甲村", "乙村", "丙村"):
            session.execute(
                text("INSERT INTO poor_village (township_code, name, valid_from) VALUES (:township, :name, '2014-01-01')"),
                {"township": township, "name": name},
            )
        session.execute(
            text(
                "WITH s AS (INSERT INTO service_station (kind, name, region_code, address, opened_on, evidence, recorded_by, recorded_at)"
                " VALUES ('town_station', '站', '500236', '', '2026-02-01', '合同', :by, now()) RETURNING id)"
                " INSERT INTO station_village (station_id, village_id, valid_from) SELECT s.id, v.id, '2026-02-01' FROM s, poor_village v WHERE v.name <> '丙村'"
            ),
            {"by": clerk.id},
        )
        sell(session, make_trade(session), 5, first=date(2026, 1, 5), last=date(2026, 6, 30))
        sell_alike(session, 3, sold_on=date(2026, 4, 4), buyer_region_code="370600", kind="goods", grams=2_000_000)
        sell_alike(session, 2, sold_on=date(2026, 4, 4), buyer_region_code="370600", kind="service")
        to_shandong = session.execute(
            text("SELECT sum(grams) FROM sale_entry WHERE buyer_region_code LIKE '37%' AND kind = 'goods'")
        ).scalar_one()
    assert put(city, region_code="500000", channel=None, code="c", measure="cabinets", value="3")["progress"]["light"] == "green"
    assert put(city, region_code="500236", channel=None, code="c", measure="cabinets", value="4")["progress"]["done"] == "2"
    covered = put(city, region_code="500236", channel=None, code="v", measure="coverage", value="100")["progress"]
    assert (covered["done"], covered["expected_method"]) == ("66.66", "linear")
    assert put(city, region_code="500237", channel=None, code="v", measure="coverage", value="100")["progress"]["light"] == "none"
    lane = put(city, region_code="500000", channel=None, code="l", measure="lane_tonnes", value="10")["progress"]
    assert Decimal(lane["done"]) == (Decimal(to_shandong) / 1_000_000).quantize(Decimal("0.001"))


def test_counties_are_ranked_by_what_they_reached(database, city):
    with database.unit_of_work() as session:
        sell(session, make_trade(session), 20, first=date(2026, 1, 5), last=date(2026, 6, 30))
    for code, value in (("500236", "1.00"), ("500240", "10000000.00"), ("500237", "5.00")):
        put(city, region_code=code, channel=None, code="sales", value=value)
    found = city.get("/v1/targets/rank", params={"code": "sales"}).json()
    assert [(row["rank"], row["county"]) for row in found["rows"]] == [(1, "500236"), (2, "500240"), (3, "500237")]
    assert [row["light"] for row in found["rows"]] == ["green", "red", "red"]
    table = city.get("/v1/targets/rank", params={"code": "sales", "format": "csv"}).content.decode("utf-8-sig")
    assert next(csv.reader(io.StringIO(table)))[:3] == ["rank", "county code", "county"]


def test_a_page_asks_for_each_fact_once(database, city):
    for n in range(8):
        put(city, region_code="500236", channel=None, code=f"t{n}", value="100")
    heard = []
    event.listen(database.engine, "after_cursor_execute", lambda *told: heard.append(told[2]))
    listed(city, region="500236")
    assert sum("WITH tail" in statement for statement in heard) == 3  # this year, last year, last year to date


def test_targets_are_open_to_every_officer_and_set_within_reach(api, city, county):
    target_id = put(county)["id"]
    stranger = signed_in(api, Role.COUNTY_OFFICER, region_code="500229")
    assert stranger.get(f"/v1/targets/{target_id}").status_code == 200
    assert stranger.post(f"/v1/targets/{target_id}/revisions", json={"value": "1", "reason": "x"}).status_code == 404
    assert stranger.post(f"/v1/targets/{target_id}/withdraw", json={"reason": "x"}).status_code == 404
    monitor = signed_in(api, Role.MONITOR)
    assert ("east_west_sales", "500237") in listed(monitor)
    assert monitor.post("/v1/targets", json=BODY).status_code == 403
    assert city.get("/v1/targets/999999999").status_code == 404
    assert city.get("/v1/targets/999999999/revisions").status_code == 404


def test_a_part_of_a_whole_is_a_hundred_percent_at_most(city):
    for measure in ("reserved_share", "coverage"):
        wanted = {**BODY, "channel": None, "measure": measure, "code": measure, "value": "100.01"}
        refused = city.post("/v1/targets", json=wanted)
        assert (refused.status_code, refused.json()["code"]) == (422, "target_refused")
        assert [(each["field"], each["code"]) for each in refused.json()["errors"]] == [("value", "more_than_the_whole")]
        set_so = put(city, channel=None, measure=measure, code=measure, value="100")
        revision = {"value": "101", "reason": "笔误"}
        assert city.post(f"/v1/targets/{set_so['id']}/revisions", json=revision).json()["code"] == "target_refused"
    assert put(city, channel=None, measure="sales_growth", code="growth", value="130")["value"] == "130"


def test_what_is_counted_is_a_whole_number(city):
    wanted = {**BODY, "channel": None, "measure": "cabinets", "code": "cabinets", "value": "10.5"}
    refused = city.post("/v1/targets", json=wanted)
    assert (refused.status_code, refused.json()["code"]) == (422, "target_refused")
    assert [(each["field"], each["code"]) for each in refused.json()["errors"]] == [("value", "not_whole")]
    set_so = put(city, **{**wanted, "value": "10.00"})
    revision = {"value": "12.5", "reason": "笔误"}
    assert city.post(f"/v1/targets/{set_so['id']}/revisions", json=revision).json()["code"] == "target_refused"


def test_a_rank_is_asked_by_a_target_that_somebody_has(city):
    refused = city.get("/v1/targets/rank", params={"code": "nope"})
    assert (refused.status_code, refused.json()["errors"][0]["field"], refused.json()["errors"][0]["code"]) == (
        422,
        "code",
        "unknown_code",
    )
    elsewhere = {"code": "shandong_tonnes", "programme": "chongqing-2016"}
    assert city.get("/v1/targets/rank", params=elsewhere).status_code == 422
    assert city.get("/v1/targets/rank", params={"code": "shandong_tonnes"}).json()["rows"] == []  # only the city has it


def test_the_list_as_a_file(city, county):
    put(county)
    asked = {"format": "csv", "programme": "chongqing-2021"}
    rows = list(csv.reader(io.StringIO(city.get("/v1/targets/export", params=asked).content.decode("utf-8-sig"))))
    assert rows[0][:3] == ["programme", "code", "target"]
    assert len(rows) == 1 + len(listed(city, programme="chongqing-2021")) == 6
    assert city.get("/v1/targets/export").content[:2] == b"PK"
    chinese = city.get("/v1/targets/export", params=asked, headers={"Accept-Language": "zh-CN"}).content.decode("utf-8-sig")
    [own] = [
        row for row in csv.DictReader(io.StringIO(chinese)) if (row["目标代码"], row["区划代码"]) == ("east_west_sales", "500237")
    ]
    assert (own["指标"], own["单位"], own["信号灯"]) == ("销售额", "元", "红")
    assert own["应完成口径"] in ("按已过天数", "按上年同期进度")


def test_the_county_hears_of_its_target(database, city, county):
    put(city)
    with database.unit_of_work() as session:
        due = outbox.due(session)
    for each in due:
        outbox.work(database, HANDLERS, each)
    [told] = county.get("/v1/notifications").json()["items"]
    assert told["kind"] == "target.set"
