"""An operator's file of sales; reading batches and days; checks of the reconciliation."""

import csv
import io
import itertools
from datetime import UTC, date, datetime, timedelta

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import text

from orders.outlet_sales.actions.days import add_to_days
from orders.outlets.models import Outlet
from orders.reconcile.checks.outlets import OUTLETS
from orders.statistics.rules import year_before
from shop.core import clock, outbox
from shop.identity.models import Organisation
from shop.identity.permissions import Role
from shop.programmes import queries as programmes
from tests.factories import tables
from tests.factories.identity import make_organisation, make_user, signed_in
from tests.factories.outlets import make_outlet, sale
from tests.orders.outlet_sales.conftest import Shop
from workers.handlers import HANDLERS

HEADER = "设备或渠道编号,销售流水号,销售时间,商品编号,数量,金额（元）,小票号,退货原流水号"


def operator(shop: Shop):
    with shop.database.unit_of_work() as session:
        user = make_user(session, Role.OUTLET_OPERATOR, session.get(Organisation, shop.outlet.operator_id))
    return shop.api.as_(user)


def send(client, rows, header=HEADER, **more):
    content = "\n".join([header, *rows]).encode("gb18030")
    return client.post("/v1/sales-batches/import", files={"file": ("sales.csv", content)}, data=more)


def test_a_file_of_sales_counts_once_and_says_every_fault(shop: Shop):
    client, day = operator(shop), clock.today() - timedelta(days=1)
    number = shop.outlet.external_number
    good = [f"{number},F1,{day} 10:00,G1,2,50.00,R1,", f"{number},F2,{day} 11:00,X,1,9.9,,", f"{number},F3,{day} 12:00,G1,1,25,,F1"]
    bad = [
        f"nowhere,F4,{day} 10:00,G1,1,1,,",
        f"{number},F5,some day,G1,1,1,,",
        f"{number},F1,{day} 10:00,G1,1,1,,",
        f"{number},F6,{day},G1,1,1,,F99",
        f"{number},F8,{day} 10:00,G1,1,1,=1+1,",
        f"nowhere,F9,{day} 10:00,G1,many,1,,",
        f"{number},F8,{day} 10:00,G1,1,one,,F98",
    ]
    refused = send(client, good + bad)
    assert refused.status_code == 422
    assert {(each["row"], each["code"]) for each in refused.json()["errors"]} == {
        (2, "line_twice"),
        (5, "unknown_outlet"),
        (6, "bad_value"),
        (7, "line_twice"),
        (8, "unknown_sale"),
        (9, "formulas_not_accepted"),
        (9, "line_twice"),
        (10, "unknown_outlet"),
        (10, "bad_value"),
        (11, "line_twice"),
        (11, "unknown_sale"),
        (11, "bad_value"),
    }
    back = [f"{number},F{n},{day} 10:00,G1,1,1,,F{sale}" for n, sale in ((7, 7), (8, 9), (9, 8))]
    assert [(each["row"], each["code"]) for each in send(client, back).json()["errors"]] == [
        (row, "refunds_no_sale") for row in (2, 3, 4)
    ]
    assert send(client, good, dry_run="true").json()["rows"] == 3
    assert shop.sums()["certified"] == 0
    taken = send(client, good)
    assert (taken.status_code, taken.json()["outlets"], taken.json()["amount"]) == (200, 1, "34.90")
    assert shop.sums() == {"certified": 2500, "other": 990, "resale": 0, "grams": 750}
    again = send(client, good)
    assert (again.status_code, again.json()["code"]) == (409, "sales_file_seen")
    told = again.json()["data"]
    assert (told["batch_ids"], told["imported_at"][:10]) == (taken.json()["batch_ids"], clock.today().isoformat())
    assert told["already"] is True
    seen = send(client, good[:1])
    assert seen.json()["errors"][0]["code"] == "line_seen"


def test_of_an_outlet_in_full_width_only_what_is_wrong_beside_it_is_told(shop: Shop):
    wide = "".join(chr(ord(each) + 0xFEE0) for each in shop.outlet.external_number)
    day = clock.today() - timedelta(days=1)
    refused = send(operator(shop), [f"{wide},F1,some day,G1,1,1,,", f"{wide},F2,{day} 10:00,G1,many,1,,"])
    assert [(each["row"], each["code"]) for each in refused.json()["errors"]] == [(2, "bad_value"), (3, "bad_value")]


@pytest.mark.parametrize(
    "slip",
    [
        "退货流水号",
        "退货单号",
        "原销售单号",
        "是否退货",
        "原流水号",
        "原单号",
        "原单据号",
        "原凭证号",
        "原收款编号",
        "原交易流水号",
        "原始订单编号",
        "冲红",
        "Refund of",
    ],
)
def test_what_is_given_back_is_never_booked_as_a_sale_because_a_column_is_called_otherwise(shop: Shop, slip):
    client, day, number = operator(shop), clock.today() - timedelta(days=1), shop.outlet.external_number
    rows = [f"{number},RF1,{day} 10:00,G1,2,210.00,R1,,员工1", f"{number},RF2,{day} 11:00,G1,1,105.00,R2,RF1,员工1"]
    refused = send(client, rows, header=f"{HEADER},收银员".replace("退货原流水号", slip))
    assert (refused.status_code, [each["code"] for each in refused.json()["errors"]]) == (422, ["column_unclear"])
    assert "退货原流水号" in refused.text
    taken = send(client, rows, header=f"{HEADER},收银员").json()
    assert (taken["amount"], taken["ignored_columns"]) == ("105.00", ["收银员"])


@pytest.mark.parametrize("column", ["原产地编号", "原料批号", "原厂货号", "原单位编号"])
def test_a_column_that_only_speaks_of_origin_is_passed_over(shop: Shop, column):
    row = f"{shop.outlet.external_number},RF1,{clock.today() - timedelta(days=1)} 10:00,G1,2,210.00,R1,,7"
    taken = send(operator(shop), [row], header=f"{HEADER},{column}")
    assert (taken.status_code, taken.json().get("ignored_columns")) == (200, [column])


def test_a_wrong_file_is_taken_back_and_the_right_one_taken_instead(shop: Shop):
    client, day, number = operator(shop), clock.today() - timedelta(days=1), shop.outlet.external_number
    wrong = [f"{number},F1,{day} 10:00,G1,2,50.00,,", f"{number},F2,{day} 11:00,G1,1,25.00,,"]
    made = send(client, wrong).json()["batch_ids"]
    sent = shop.send(shop.till.batch([sale("1", "G1", 1), sale("2", "G1", 1, refunds_line_id="F1")]))
    assert shop.sums()["certified"] == 7500
    path, said = "/v1/sales-batches/take-back", {"ids": made, "reason": "退货误报为销售"}
    stranger = signed_in(shop.api, Role.COUNTY_OFFICER, region_code="500229")
    assert stranger.post(path, json=said).status_code == 404
    refused = client.post(path, json={**said, "ids": [999_999, *made, sent["id"]]})
    assert (refused.status_code, refused.json()["code"]) == (422, "some_refused")
    assert [(each["field"], each["code"]) for each in refused.json()["errors"]] == [
        ("ids[0]", "not_found"),
        ("ids[2]", "not_from_file"),
    ]
    assert shop.sums()["certified"] == 7500
    assert client.post(path, json=said).json() == {"taken_back": 1, "held": 0}
    assert shop.sums()["certified"] == 2500
    again = client.post(path, json=said)
    assert (again.status_code, again.json()["code"]) == (409, "taken_back_before")
    right = [wrong[0], f"{number},F2,{day} 11:00,G1,1,25.00,,F1"]
    assert send(client, right).json()["certified"] == "25.00"
    # what was given back at the till waited for its sale; it takes the rest
    assert shop.sums()["certified"] == 2500


def test_a_file_in_whose_place_a_device_told_something_else_is_not_taken_back(shop: Shop):
    client, day = operator(shop), clock.today() - timedelta(days=1)
    [made] = send(client, [f"{shop.outlet.external_number},F1,{day} 10:00,G1,2,50.00,,"]).json()["batch_ids"]
    named = client.get(f"/v1/sales-batches/{made}").json()["batch_id"]
    shop.send(shop.till.batch([sale("1", "G1", 1)], corrects=named))
    before = client.get(f"/v1/sales-batches/{made}").json()
    assert (before["status"], shop.sums()["certified"]) == ("replaced", 2500)
    refused = client.post("/v1/sales-batches/take-back", json={"ids": [made], "reason": "误报"})
    assert (refused.status_code, refused.json()["code"]) == (409, "replaced_before")
    assert (client.get(f"/v1/sales-batches/{made}").json(), shop.sums()["certified"]) == (before, 2500)


def test_a_file_of_which_much_counts_is_taken_back_by_two_persons(shop: Shop):
    number, day = shop.outlet.external_number, clock.today() - timedelta(days=1)
    rows = [f"{number},F{n},{day} 1{n}:00,G1,1001,25025.00,," for n in range(2)]
    officer = signed_in(shop.api, Role.CITY_OFFICER)
    made = send(officer, rows[:1]).json()["batch_ids"] + send(officer, rows[1:]).json()["batch_ids"]
    counted = shop.sums()
    assert counted["certified"] == 5_005_000
    path = "/v1/sales-batches/take-back"
    # together they are more than one person takes out
    said = {"ids": made, "reason": "整批误报"}
    assert officer.post(path, json=said).json() == {"taken_back": 0, "held": 2}
    assert shop.sums() == counted
    again = officer.post(path, json={**said, "ids": made[:1]})
    assert (again.status_code, again.json()["code"]) == (409, "take_back_held")
    other = signed_in(shop.api, Role.CITY_OFFICER)
    holds = other.get("/v1/counting-holds", params={"reason": "withdrawal", "status": "open", "sold_to": str(day)}).json()["items"]
    assert [(each["amount"], each["subject"]["sold_on"]) for each in holds] == [("25025.00", str(day))] * 2
    shown = other.get(f"/v1/counting-holds/{holds[0]['id']}").json()
    assert (shown["would_give_back"], shown["evidence"]["why"]) == ("25025.00", "整批误报")
    own = officer.post(f"/v1/counting-holds/{holds[0]['id']}/count", json={"reason": "属实"})
    assert (own.status_code, own.json()["code"]) == (403, "own_batch")
    assert operator(shop).post(f"/v1/counting-holds/{holds[0]['id']}/count", json={"reason": "属实"}).status_code == 403
    verdict = {"ids": [holds[1]["id"]], "reason": "属实"}
    assert other.post("/v1/counting-holds/decide", json={**verdict, "verdict": "count"}).status_code == 200
    assert shop.sums()["certified"] == 2_502_500
    assert other.post(f"/v1/counting-holds/{holds[0]['id']}/void", json={"reason": "不属实"}).status_code == 200
    assert shop.sums()["certified"] == 2_502_500
    outbox.drain(shop.database, HANDLERS)
    found = {each["id"]: (each["status"], each["batch_id"]) for each in other.get("/v1/sales-batches").json()["items"]}
    assert [found[each][0] for each in made] == ["withdrawn", "accepted"]
    assert found[made[0]][1].endswith(f"-taken-back-{made[0]}")
    assert sorted(status for each, (status, _) in found.items() if each not in made) == ["accepted", "void"]
    # the file of which all was taken back may be sent again, and what stays taken back less than that is one person's word
    assert send(officer, rows[:1]).json()["certified"] == "25025.00"
    assert officer.post(path, json={**said, "ids": made[1:]}).json() == {"taken_back": 1, "held": 0}
    assert shop.sums()["certified"] == 2_502_500


@pytest.mark.parametrize("verdict", ["count", "void"])
def test_the_operator_hears_what_became_of_what_it_asked_to_take_back(shop: Shop, verdict):
    row = f"{shop.outlet.external_number},F1,{clock.today() - timedelta(days=1)} 10:00,G1,2001,50025.00,,"
    client = operator(shop)
    [made] = send(client, [row]).json()["batch_ids"]
    named = client.get(f"/v1/sales-batches/{made}").json()["batch_id"]
    assert client.post("/v1/sales-batches/take-back", json={"ids": [made], "reason": "误报"}).json()["held"] == 1
    outbox.drain(shop.database, HANDLERS)
    officer = signed_in(shop.api, Role.CITY_OFFICER)
    [hold] = officer.get("/v1/counting-holds", params={"status": "open"}).json()["items"]
    assert officer.post(f"/v1/counting-holds/{hold['id']}/{verdict}", json={"reason": "已核实"}).status_code == 200
    outbox.drain(shop.database, HANDLERS)
    decided, held = client.get("/v1/notifications", headers={"Accept-Language": "zh"}).json()["items"][:2]
    assert (held["kind"], f"撤回批次 {named} 的申请" in held["text"]) == ("sales_batch.take_back_held", True)
    assert "50025.00 元认定商品销售仍计入统计" in held["text"]
    kind, words = {
        "count": ("sales_batch.taken_back", "已撤回（take-back-{made}-1），该批次的 50025.00 元销售不再计入统计：已核实"),
        "void": (
            "sales_batch.take_back_refused",
            "不予撤回（take-back-{made}-1），该批次的 50025.00 元认定商品销售仍计入统计：已核实",
        ),
    }[verdict]
    assert (decided["kind"], named in decided["text"]) == (kind, True)
    assert words.format(made=made) in decided["text"]
    assert shop.sums()["certified"] == (0 if verdict == "count" else 5_002_500)


def test_who_asked_for_much_to_be_taken_back_gives_it_up(shop: Shop):
    row = f"{shop.outlet.external_number},F1,{clock.today() - timedelta(days=1)} 10:00,G1,2001,50025.00,,"
    client = operator(shop)
    [made] = send(client, [row]).json()["batch_ids"]
    for _ in range(2):
        said = {"ids": [made], "reason": "误报"}
        assert client.post("/v1/sales-batches/take-back", json=said).json() == {"taken_back": 0, "held": 1}
        [asked] = client.get("/v1/sales-batches", params={"status": "held"}).json()["items"]
        assert (asked["reason_code"], asked["line_count"]) == ("withdrawal", 0)
        given_up = client.post("/v1/sales-batches/take-back", json={"ids": [asked["id"]], "reason": "无误"})
        assert given_up.json() == {"taken_back": 1, "held": 0}
        assert shop.sums()["certified"] == 5_002_500
    assert signed_in(shop.api, Role.CITY_OFFICER).get("/v1/counting-holds", params={"status": "open"}).json()["items"] == []


def told_by_a_till_and_a_file(shop: Shop):
    """Which way comes second is held."""
    at = (clock.now() - timedelta(hours=5)).replace(second=30, microsecond=0)
    row = f"{shop.outlet.external_number},R-z1,{at.astimezone(clock.SHANGHAI):%Y-%m-%d %H:%M},G1,2,50.00,,"
    return row, sale("z1", "G1", 2, at=at)


def test_a_file_that_was_left_out_has_nothing_to_be_taken_back(shop: Shop):
    row = f"{shop.outlet.external_number},F1,{clock.today() - timedelta(days=100)} 10:00,G1,2,50.00,,"
    [made] = send(operator(shop), [row]).json()["batch_ids"]
    officer = signed_in(shop.api, Role.CITY_OFFICER)
    [hold] = officer.get("/v1/counting-holds", params={"status": "open"}).json()["items"]
    officer.post(f"/v1/counting-holds/{hold['id']}/void", json={"reason": "逾期"})
    answer = operator(shop).post("/v1/sales-batches/take-back", json={"ids": [made], "reason": "文件有误"})
    assert (answer.status_code, answer.json()["code"]) == (409, "left_out")


def test_what_was_held_against_a_wrong_file_counts_when_that_is_taken_back(shop: Shop):
    client, (row, line) = operator(shop), told_by_a_till_and_a_file(shop)
    [wrong] = send(client, [row]).json()["batch_ids"]
    back = sale("z2", "G1", 1, refunds_line_id="R-z1", price=9)
    assert shop.send(shop.till.batch([line, back]))["undecided"] == "41.00"
    assert client.post("/v1/sales-batches/take-back", json={"ids": [wrong], "reason": "文件有误"}).status_code == 200
    outbox.drain(shop.database, HANDLERS)
    assert shop.sums()["certified"] == 5000
    # nobody has looked at what was given back: it waits for its sale again, and is doubted again
    assert signed_in(shop.api, Role.CITY_OFFICER).get("/v1/counting-holds", params={"status": "open"}).json()["items"] == []
    assert send(client, [row]).json()["undecided"] == "50.00"


def test_what_was_held_against_a_till_is_judged_anew_when_that_is_corrected(shop: Shop):
    client, (row, line) = operator(shop), told_by_a_till_and_a_file(shop)
    shop.send(shop.till.batch([line]))
    assert send(client, [row]).json()["undecided"] == "50.00"
    # the correction tells the same sale
    shop.send(shop.till.batch([line], corrects=f"{shop.till.name}-1"))
    outbox.drain(shop.database, HANDLERS)
    assert shop.sums()["certified"] == 5000
    [held] = signed_in(shop.api, Role.CITY_OFFICER).get("/v1/counting-holds", params={"status": "open"}).json()["items"]
    assert held["other"]["status"] == "counted"
    shop.send(shop.till.batch([sale("z9", "G1", 1)], corrects=f"{shop.till.name}-2"))
    outbox.drain(shop.database, HANDLERS)
    assert shop.sums()["certified"] == 7500


def test_a_file_that_was_taken_back_may_be_sent_again_as_often_as_that(shop: Shop):
    client, row = operator(shop), f"{shop.outlet.external_number},F1,{clock.today() - timedelta(days=1)} 10:00,G1,2,50.00,,"
    for _ in range(2):
        taken = send(client, [row])
        assert (taken.status_code, taken.json()["certified"]) == (200, "50.00")
        assert send(client, [row]).json()["code"] == "sales_file_seen"
        said = {"ids": taken.json()["batch_ids"], "reason": "文件有误"}
        assert client.post("/v1/sales-batches/take-back", json=said).status_code == 200
    assert shop.sums()["certified"] == 0
    found = client.get("/v1/sales-batches").json()["items"]
    assert [(each["status"], each["batch_id"].endswith(f"-taken-back-{each['id']}")) for each in found] == [("withdrawn", True)] * 2


def test_a_line_on_the_edge_of_what_is_late_holds_no_others(shop: Shop, monkeypatch):
    """However long the file takes: the clock goes on between any two looks at it."""
    client, now, ticks = operator(shop), datetime(2026, 11, 26, 4, tzinfo=UTC), itertools.count()
    with shop.database.unit_of_work() as session:
        late = timedelta(days=programmes.config_of(session, now.date()).counting.late_days)
    rows = [
        f"{shop.outlet.external_number},F{n},{now + timedelta(seconds=n) - late:%Y-%m-%dT%H:%M:%SZ},G1,1,25.00,," for n in range(60)
    ]
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(seconds=next(ticks)))
    taken = send(client, rows).json()
    assert {each["reason_code"] for each in taken["held"]} == {"late"}
    assert sum(each["rows"] for each in taken["held"]) + int(float(taken["certified"])) // 25 == 60
    assert float(taken["certified"]) > 0


def test_a_file_tells_what_of_it_counts_and_what_does_not_also_on_a_dry_run(shop: Shop):
    with shop.database.unit_of_work() as session:
        first = clock.today() - timedelta(days=10)
        session.execute(text("UPDATE outlet SET opened_on = :day, verified_at = :day"), {"day": first})
    client, number, day = operator(shop), shop.outlet.external_number, clock.today() - timedelta(days=1)
    at = (clock.now() - timedelta(hours=5)).replace(second=30, microsecond=0)
    shop.send(shop.till.batch([sale("z1", "G1", 2, at=at)]))
    rows = [
        f"{number},F1,{day} 10:00,G1,2,50.00,,",
        f"{number},F2,{day} 11:00,G-404,1,9.90,,",
        f"{number},F3,{first - timedelta(days=1)} 11:00,G1,1,25.00,,",
        f"{number},F4,{at.astimezone(clock.SHANGHAI):%Y-%m-%d %H:%M},G1,2,50.00,,",
        f"{number},F5,{day} 12:00,G1,1,25.00,,F3",
    ]
    before = shop.sums()
    looked = send(client, rows, dry_run="true").json()
    assert shop.sums() == before
    taken = send(client, rows).json()
    assert {**taken, "batch_ids": [], "dry_run": True} == looked
    assert len(taken["batch_ids"]) == 2
    assert [taken[name] for name in ("amount", "certified", "other", "undecided")] == ["109.90", "50.00", "9.90", "50.00"]
    assert [(each["reason_code"], each["amount"], each["line_ids"]) for each in taken["held"]] == [
        ("outlet_closed", "25.00", ["F3"]),
        ("suspected_duplicate", "50.00", ["F4"]),
        (None, "-25.00", ["F5"]),
    ]
    assert taken["unknown_goods"] == ["G-404"]
    assert shop.sums()["certified"] == before["certified"] + 5000
    assert send(client, rows).json()["code"] == "sales_file_seen"
    late = [row for row in rows if ",F3," in row]
    again = send(client, late, dry_run="true").json()
    assert [each["reason_code"] for each in again["held"]] == ["outlet_closed"]


def test_a_day_alone_is_no_time_to_come(shop: Shop):
    """Before noon a sale of today is one of now; one of tomorrow is doubted."""
    with clock.fixed(datetime(2026, 11, 26, 22, 40, tzinfo=UTC)):  # 06:40 in Chongqing on the 27th
        client, number = operator(shop), shop.outlet.external_number
        taken = send(client, [f"{number},F1,2026-11-27,G1,1,25.00,,", f"{number},F2,2026-11-28,G1,1,25.00,,"]).json()
    assert (taken["certified"], [each["reason_code"] for each in taken["held"]]) == ("25.00", ["clock"])


def test_batches_and_lines_are_read_by_the_operator_and_the_county_and_nobody_else(shop: Shop):
    shop.send(shop.till.batch([sale("1", "G1", 2), sale("2", "X", 1)]))
    shop.send(shop.till.batch([sale("3", "G1", 2)], sent_at=clock.now() + timedelta(hours=2)))
    for client in (
        operator(shop),
        signed_in(shop.api, Role.COUNTY_OFFICER, region_code="500112"),
        signed_in(shop.api, Role.MONITOR),
    ):
        found = client.get("/v1/sales-batches").json()["items"]
        assert [(each["status"], each["reason_code"]) for each in found] == [("held", "clock"), ("accepted", None)]
        assert len(client.get("/v1/sales-batches", params={"status": "held", "reason_code": "clock"}).json()["items"]) == 1
        lines = client.get(f"/v1/sales-batches/{found[1]['id']}/lines").json()["items"]
        assert [(each["line_id"], each["status"]) for each in lines] == [("1", "counted"), ("2", "other")]
    stranger = signed_in(shop.api, Role.COUNTY_OFFICER, region_code="500229")
    assert stranger.get("/v1/sales-batches").json()["items"] == []
    assert stranger.get(f"/v1/sales-batches/{found[1]['id']}").status_code == 404


@pytest.mark.parametrize("path", ["/v1/outlet-sales", "/v1/outlet-sales/export"])
def test_days_are_summed_by_one_thing_alone(shop: Shop, path):
    answer = operator(shop).get(path, params={"group_by": ["day", "month"]})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "group_by")


@pytest.mark.parametrize("group", ["outlet", "day", "month", "county", "operator", "kind"])
def test_days_are_summed_by_whatever_is_asked(shop: Shop, group):
    shop.send(shop.till.batch([sale("1", "G1", 2), sale("2", "X", 1)]))
    with shop.database.unit_of_work() as session:
        add_to_days(session, [(shop.outlet.id, year_before(clock.today()), "counted", 4000, 0, 1)])
    client = operator(shop)
    first = clock.today() - timedelta(days=2)
    [row, *rest] = client.get("/v1/outlet-sales", params={"group_by": group, "from": str(first), "kind": "cabinet"}).json()["items"]
    assert (row["certified"], row["other"], row["lines"], row["outlets"]) == ("50.00", "25.00", 2, 1)
    assert (row["certified_a_year_before"], row["growth_percent"], rest) == ("40.00", "25.00", [])
    for kind in ("csv", "xlsx"):
        file = client.get("/v1/outlet-sales/export", params={"group_by": group, "format": kind})
        assert file.status_code == 200
        if kind == "csv":
            assert file.content.decode("utf-8-sig").splitlines()[-1] == "Total,,,50.00,0.00,25.00,1500,2,40.00,"
        if (kind, group) == ("csv", "kind"):
            assert "cabinet,Cabinet,1," in file.content.decode("utf-8-sig")
    assert client.get("/v1/outlet-sales", params={"group_by": group, "from": "2026-02-01", "to": "2026-01-01"}).status_code == 422


def test_sales_of_outlets_say_what_days_they_are_of_and_how_they_are_counted(shop: Shop):
    shop.send(shop.till.batch([sale("1", "G1", 2)]))
    client, today = operator(shop), str(clock.today())
    asked = {"group_by": "county", "from": today, "kind": "cabinet"}
    for language, name in (("en", "Yubei"), ("zh", "渝北区")):
        headers = {"Accept-Language": language}
        found = client.get("/v1/outlet-sales", params=asked, headers=headers).json()
        assert name in found["items"][0]["name"]
        assert ("退货" if language == "zh" else "given back") in found["definition"]
        assert name in client.get(f"/v1/outlets/{shop.outlet.id}", headers=headers).json()["region_name"]
        [listed] = client.get("/v1/outlets", headers=headers).json()["items"]
        assert name in listed["region_name"]
    file = client.get("/v1/outlet-sales/export", params=asked, headers={"Accept-Language": "zh"})
    about = dict(CalamineWorkbook.from_filelike(io.BytesIO(file.content)).get_sheet_by_name("说明").to_python()[1:])
    assert (about["期间"], about["筛选"], about["口径"]) == (f"{today} … {today}", "类型: cabinet", found["definition"])
    assert file.headers["content-disposition"] == f'attachment; filename="outlet_sales_{today}_{today}.xlsx"'


def test_totals_are_of_all_rows_whatever_the_page(shop: Shop):
    days = [clock.today() - timedelta(days=back) for back in range(3)]
    with shop.database.unit_of_work() as session:
        add_to_days(session, [(shop.outlet.id, day, "counted", 1000, 20, 1) for day in days])
        add_to_days(session, [(shop.outlet.id, year_before(days[0]), "counted", 4000, 0, 1)])
    client, asked = operator(shop), {"group_by": "day", "from": str(days[-1]), "limit": 2}
    first = client.get("/v1/outlet-sales", params=asked).json()
    second = client.get("/v1/outlet-sales", params={**asked, "after": first["next"]}).json()
    assert [len(page["items"]) for page in (first, second)] == [2, 1]
    assert first["totals"] == second["totals"]
    expected = {"certified": "30.00", "resale": "0.00", "other": "0.00", "grams": 60, "lines": 3}
    assert first["totals"] == {**expected, "certified_a_year_before": "40.00", "growth_percent": "-25.00"}
    nothing = client.get("/v1/outlet-sales", params={"from": "2020-01-01", "to": "2020-01-02"}).json()
    assert (nothing["items"], nothing["totals"]["certified"], nothing["totals"]["growth_percent"]) == ([], "0.00", None)


def test_a_month_that_is_not_over_stands_beside_as_many_days_of_the_last(shop: Shop):
    today = clock.today()
    end = (today.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    with shop.database.unit_of_work() as session:
        add_to_days(session, [(shop.outlet.id, today, "counted", 1000, 0, 1)])
        for day, fen in ((year_before(today), 4000), (year_before(today) + timedelta(days=1), 7000)):
            add_to_days(session, [(shop.outlet.id, day, "counted", fen, 0, 1)])
    asked = {"group_by": "outlet", "from": str(today), "to": str(end)}
    [row] = operator(shop).get("/v1/outlet-sales", params=asked).json()["items"]
    assert (row["certified"], row["certified_a_year_before"]) == ("10.00", "40.00")


def test_february_is_compared_with_the_whole_february_of_a_leap_year(shop: Shop):
    with shop.database.unit_of_work() as session:
        for day, fen in ((date(2024, 2, 28), 3000), (date(2024, 2, 29), 6000), (date(2025, 2, 28), 4000)):
            add_to_days(session, [(shop.outlet.id, day, "counted", fen, 0, 1)])
    asked = {"group_by": "month", "from": "2025-02-01", "to": "2025-02-28"}
    [row] = operator(shop).get("/v1/outlet-sales", params=asked).json()["items"]
    assert (row["key"], row["certified_a_year_before"], row["growth_percent"]) == ("2025-02", "90.00", "-55.56")


@pytest.mark.parametrize(
    ("change", "check"),
    [
        ("UPDATE outlet_day SET other_fen = other_fen + 1", "outlet_days"),
        ("UPDATE outlet_ten_days SET other_fen = other_fen + 1", "outlet_ten_days"),
        ("UPDATE outlet_month SET other_fen = other_fen + 1", "outlet_months"),
        ("UPDATE outlet_year SET other_fen = other_fen + 1", "outlet_years"),
        ("UPDATE county_pending_day SET other_fen = other_fen + 1", "county_days"),
        ("UPDATE county_pending_month SET outlets = outlets + 1", "county_months"),
        ("UPDATE outlet SET kind = 'hall'", "county_days"),
        ("UPDATE sales_batch_line SET amount_fen = amount_fen + 1 WHERE line_id = '1'", "sales_of_outlets"),
        ("UPDATE sales_batch_line SET status = 'other' WHERE line_id = '1'", "sales_of_outlets"),
        ("UPDATE sale_entry SET sold_on = sold_on - 1 WHERE reverses_id IS NOT NULL", "sales_taken_back"),
        ("UPDATE sale_entry SET grams = grams + 1 WHERE reverses_id IS NOT NULL", "sales_taken_back"),
        ("UPDATE outlet_device SET last_sequence = last_sequence - 1", "chains_of_devices"),
        ("UPDATE sales_batch SET status = 'waiting'", "chains_of_devices"),
    ],
)
def test_the_reconciliation_finds_what_was_changed_by_hand(shop: Shop, change, check):
    shop.send(shop.till.batch([sale("1", "G1", 2), sale("2", "X", 1), sale("3", "G1", 1, refunds_line_id="1")]))
    shop.send(shop.till.batch([sale("4", "G1", 1)]))
    shop.send(shop.till.batch([], corrects="t-2"))
    shop.sums()
    with shop.database.unit_of_work() as session:
        session.execute(text("SET LOCAL session_replication_role = replica"))
        session.execute(text(change))
        assert check in {each.name for each in OUTLETS if each.find(session, 5)[0]}


def test_what_two_outlets_are_called_by_is_asked_about(shop: Shop):
    with shop.database.unit_of_work() as session:
        other = make_outlet(session, shop.trade.clerk, region_code="500112")
        session.execute(
            text("UPDATE outlet SET external_number = :name WHERE id = :id"), {"name": shop.outlet.external_number, "id": other.id}
        )
    officer, day = signed_in(shop.api, Role.COUNTY_OFFICER, region_code="500112"), clock.today() - timedelta(days=1)
    refused = send(officer, [f"{shop.outlet.external_number},F1,{day} 10:00,X,2,50.00,R1,"])
    assert [each["code"] for each in refused.json()["errors"]] == ["ambiguous_outlet"]
    taken = send(officer, [f"{shop.outlet.number},F1,{day} 10:00,X,2,50.00,R1,"])
    assert (taken.status_code, taken.json()["outlets"]) == (200, 1)


def test_a_sale_that_a_till_and_a_file_tell_is_held(shop: Shop):
    """By another number: the same goods, quantity and amount within a minute. What a file tells twice in itself is two sales."""
    at = (clock.now() - timedelta(hours=5)).replace(second=30, microsecond=0)
    shop.send(shop.till.batch([sale("z1", "G1", 2, at=at), sale("z2", "G1", 1, at=at)]))
    number, written = shop.outlet.external_number, at.astimezone(clock.SHANGHAI)

    def row(line_id, minutes, quantity=2, goods="G1"):
        return f"{number},{line_id},{written + timedelta(minutes=minutes):%Y-%m-%d %H:%M},{goods},{quantity},{quantity * 25}.00,,"

    client = operator(shop)
    rows = [row("R-z1", 0), row("R-late", 3), row("R-late-2", 3), row("R-three", 0, 3), row("R-other", 0, 2, "X")]
    assert send(client, rows).status_code == 200
    assert shop.sums()["certified"] == 7500 + 5000 + 5000 + 7500
    [held] = signed_in(shop.api, Role.CITY_OFFICER).get("/v1/counting-holds", params={"status": "open"}).json()["items"]
    assert (held["reason_code"], held["amount"]) == ("suspected_duplicate", "50.00")

    # what a file told first holds the till's line, and another file's
    assert send(client, [row("S-1", 3)]).status_code == 200
    answer = shop.send(shop.till.batch([sale("z3", "X", 2, at=at + timedelta(seconds=20)), sale("z4", "G1", 2, at=at)]))
    assert (answer["status"], answer["certified"], answer["undecided"]) == ("accepted", "50.00", "50.00")
    assert shop.sums()["certified"] == 30_000


@pytest.mark.parametrize(
    ("column", "cell", "told"),
    [
        ("销售时间", "46353.5", "2026-01-31 09:58"),
        ("销售时间", "27/11/2026", "2026-01-31 09:58"),
        ("销售时间", "2026-1-110:58", "2026-01-31 09:58"),
        ("销售时间", "2026/5/19:58", "2026-01-31 09:58"),
        ("销售时间", "2026-05-01 noon", "2026-01-31 09:58"),
        ("销售时间", "1026-05-01 10:58", "日期须在"),
        ("数量", "十", "须为数字"),
        ("金额（元）", "1，98", "1234.50"),
        ("销售流水号", "🍊1", "表情"),
    ],
)
def test_a_cell_that_is_none_is_told_with_what_is_expected(shop: Shop, column, cell, told):
    good = dict(
        zip(HEADER.split(","), [shop.outlet.external_number, "F1", f"{clock.today()}", "G1", "1", "25", "", ""], strict=True)
    )
    with io.StringIO() as held:
        csv.writer(held).writerows([HEADER.split(","), [*(good | {column: cell}).values()]])
        content = held.getvalue().encode()
    headers = {"Accept-Language": "zh"}
    answer = operator(shop).post("/v1/sales-batches/import", files={"file": ("a.csv", content)}, headers=headers)
    assert answer.status_code == 422
    [fault] = answer.json()["errors"]
    assert fault["column"] == column.removesuffix("（元）")
    assert told in fault["message"], fault


@pytest.mark.parametrize(
    "written",
    [
        "2026年11月20日 10:00",
        "2026年11月20日10:00",
        "2026年11月20日",
        "20261120",
        "2026/11/20 10:00",
        "2026-11-20T10:00",
    ],
)
def test_moments_and_thousands_are_read_as_people_write_them(shop: Shop, written):
    with clock.fixed(datetime(2026, 11, 21, tzinfo=UTC)):
        answer = send(operator(shop), [f'{shop.outlet.external_number},F1,{written},G1,1,"1,980.00",,'])
    assert answer.json()["certified"] == "1980.00"


def test_an_outlet_is_found_whatever_the_case_of_its_number_unless_two_differ_in_that_alone(shop: Shop):
    client, day = operator(shop), clock.today() - timedelta(days=1)
    with shop.database.unit_of_work() as session:
        session.execute(text("UPDATE outlet SET external_number = 'SN-1003' WHERE id = :id"), {"id": shop.outlet.id})
        number = session.execute(text("SELECT number FROM outlet WHERE id = :id"), {"id": shop.outlet.id}).scalar_one()
    rows = [f"{called},F{n},{day} 10:00,X,1,9.90,," for n, called in enumerate(("sn-1003", "SN-1003", number.lower()))]
    assert send(client, rows, dry_run="true").status_code == 200
    with shop.database.unit_of_work() as session:
        other = {"id": None, "number": "ZG-500112-999999", "external_number": "sN-1003"}
        session.add(Outlet(**shop.outlet.model_dump() | other))
    told = {(each["row"], each["code"]) for each in send(client, rows, dry_run="true").json()["errors"]}
    assert told == {(2, "ambiguous_outlet")}


def test_a_number_with_commas_is_taken_and_what_is_none_is_told_with_how_one_is_written(shop: Shop):
    client, day = operator(shop), clock.today() - timedelta(days=1)
    number = shop.outlet.external_number
    assert send(client, [f'{number},F1,{day} 10:00,X,1,"1,069.90",,'], dry_run="true").status_code == 200
    answer = client.post("/v1/sales-batches/import", files={"file": ("a.csv", "\n".join([HEADER, f"{number},F1,{day} 10:00,X,1,1.069.90,,"]).encode())},
                         headers={"Accept-Language": "zh"})  # fmt: skip
    [fault] = answer.json()["errors"]
    assert "1,234.50" in fault["message"]


def test_files_are_read_as_people_write_them(shop: Shop):
    """As Excel writes moments, in full width; outlets and goods by a name in either width."""
    with shop.database.unit_of_work() as session:
        session.execute(text("UPDATE outlet SET external_number = '奉节-1号柜'"))
        session.execute(text("UPDATE outlet_goods SET goods_id = '橙(5斤)' WHERE goods_id = 'G1'"))
    day = clock.today() - timedelta(days=1)
    written = f"{day.year}/{day.month}/{day.day} 3:36"
    assert send(operator(shop), [f"奉节-１号柜,F1,{written},橙（５斤）,２,５０．００,,"]).status_code == 200
    with shop.database.unit_of_work() as session:
        sold_at = session.execute(text("SELECT sold_at FROM sales_batch_line")).scalar_one()
    assert sold_at.astimezone(clock.SHANGHAI).strftime("%Y-%m-%d %H:%M") == f"{day} 03:36"
    assert shop.sums()["certified"] == 5000


def test_goods_are_the_same_in_any_width_in_lists_tills_and_files(shop: Shop):
    client, number, day = operator(shop), shop.outlet.external_number, clock.today() - timedelta(days=1)
    listed = f"设备或渠道编号,操作类型,商品编号,商品名称,是否扶贫商品,单价\n{number},修改,Ｇ１,脐橙,否,9.90\n"
    changed = client.post("/v1/outlet-goods/import", files={"file": ("goods.csv", listed.encode())})
    assert (changed.status_code, changed.json().get("notes")) == (200, []), changed.text
    sold = send(client, [f"{number},F1,{day} 10:00,Ｇ１,1,10,,"]).json()
    assert sold["unknown_goods"] == []


def sent(client, content, **data):
    return client.post("/v1/sales-batches/import", files={"file": ("sales.xlsx", content)}, data=data)


def test_a_workbook_and_its_csv_tell_the_same_sale(shop: Shop):
    """A number whose cell shows its zeros is read with them, so that the sale is known when it comes as a text."""
    with shop.database.unit_of_work() as session:
        session.execute(text("UPDATE outlet SET external_number = '000042'"))
        session.execute(text("UPDATE outlet_goods SET goods_id = '007' WHERE goods_id = 'G1'"))
    client, day = operator(shop), clock.today() - timedelta(days=1)
    cells = [(42, "000000"), (12, "0000"), f"{day} 10:00", (7, "000"), (2, "000"), (50, '0"元"'), (3001, '"R-"0')]
    made = sent(client, tables.workbook({"销售": [HEADER.split(",")[:-1], cells]}))
    assert (made.status_code, made.json()["unknown_goods"], made.json()["amount"]) == (200, [], "50.00")
    with shop.database.unit_of_work() as session:
        kept = session.execute(text("SELECT line_id, goods_id, receipt_number, quantity FROM sales_batch_line")).one()
    assert kept == ("0012", "007", "R-3001", 2)
    again = send(client, [f"000042,0012,{day} 10:00,007,2,50,R-3001,"])
    assert [each["code"] for each in again.json()["errors"]] == ["line_seen"], again.text


def test_the_sheets_of_a_file_of_sales_are_sent_one_by_one(shop: Shop):
    client, number, day = operator(shop), shop.outlet.external_number, clock.today() - timedelta(days=1)
    months = {
        name: [HEADER.split(","), [number, name, f"{day} 10:0{n}", "G1", n, 25 * n]] for n, name in ((1, "11月"), (2, "12月"))
    }
    content = tables.workbook({"说明": [["每月一表"]], **months})
    refused = sent(client, content)
    assert (refused.status_code, refused.json()["code"], refused.json()["data"]) == (
        422,
        "several_sheets",
        {"sheets": "11月、12月"},
    )
    assert [sent(client, content, sheet=name).json()["rows"] for name in months] == [1, 1]
    assert shop.sums()["certified"] == 7500
    assert sent(client, content, sheet="１２月").json()["code"] == "sales_file_seen"
    assert sent(client, content, sheet="10月").json()["code"] == "no_such_sheet"


def test_a_month_is_no_day_of_a_sale_and_an_error_no_number_of_one(shop: Shop):
    client, number = operator(shop), shop.outlet.external_number
    rows = [
        [number, "F1", (date(2026, 11, 1), "yyyy年m月"), "G1", 1, 25],
        [number, "#N/A", f"{clock.today()} 00:01", "G1", 1, 25],
        [number, True, f"{clock.today()} 00:01", "G1", 1, 25],
    ]
    answer = sent(client, tables.workbook({"销售": [HEADER.split(","), *rows]}))
    told = [(each["row"], each["column"], each["code"]) for each in answer.json()["errors"]]
    assert told == [(2, "销售时间", "bad_value"), (3, "销售流水号", "cell_error")]
    assert sent(client, tables.workbook({"销售": [HEADER.split(","), rows[2]]}), dry_run="true").json()["rows"] == 1


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
@pytest.mark.parametrize("path", ["sales-batches", "outlets", "outlet-goods"])
def test_a_template_is_taken_as_it_is_filled_in(shop: Shop, path, kind):
    """Its example is of nobody's outlet: nothing but what it names is wrong with it."""
    client = operator(shop)
    template = client.get(f"/v1/{path}/template", params={"format": kind})
    assert template.status_code == 200
    answer = client.post(f"/v1/{path}/import", files={"file": (f"a.{kind}", template.content)}, data={"dry_run": "true"})
    told = {each["code"] for each in answer.json().get("errors", [])}
    assert told == {"sales-batches": {"unknown_outlet"}, "outlets": set(), "outlet-goods": {"unknown_outlet"}}[path], answer.text


def test_an_outlet_is_not_closed_before_the_day_of_a_sale_that_counts(shop: Shop):
    shop.send(shop.till.batch([sale("1", "X", 1)]))
    client, path = operator(shop), f"/v1/outlets/{shop.outlet.id}/close"
    day = clock.shanghai_date(clock.now() - timedelta(minutes=5))
    early = client.post(path, json={"closed_on": str(day - timedelta(days=1)), "reason": "撤柜"})
    assert (early.status_code, early.json()["code"]) == (409, "outlet_sold_later")
    assert str(day) in early.text
    assert client.post(path, json={"closed_on": str(day), "reason": "撤柜"}).status_code == 200


@pytest.mark.parametrize("path", ["/v1/outlet-sales", "/v1/outlet-sales/export", "/v1/outlets", "/v1/outlets/export"])
def test_a_list_is_asked_for_by_an_operator_that_there_is(shop: Shop, path):
    """One that there is not, and one out of reach of which nothing is seen, are alike; one of which there is something is found by whoever sees that."""
    with shop.database.unit_of_work() as session:
        own = session.execute(text("SELECT operator_id FROM outlet")).scalar_one()
        # the outlet stands in one county, its operator sits in another
        session.execute(text("UPDATE organisation SET region_code = '500236' WHERE id = :id"), {"id": own})
        silent = make_outlet(session, shop.trade.clerk, region_code="500240").operator_id
        without = make_organisation(session, kind="enterprise", role="outlet_operator", region_code="500112").id
    shop.send(shop.till.batch([sale("1")]))
    there, here = (signed_in(shop.api, Role.COUNTY_OFFICER, region_code=code) for code in ("500112", "500236"))

    def found(client, operator_id, **more):
        answer = client.get(path, params={"operator_id": operator_id, **({"format": "csv"} if "export" in path else {}), **more})
        if answer.status_code == 422:
            return [(each["field"], each["code"]) for each in answer.json()["errors"]]
        return shop.outlet.number in answer.text

    assert (found(there, own), found(there, own, kind="hall"), found(there, own, q="x")) == (True, False, False)
    assert found(there, without) is False
    unknown = [("operator_id", "unknown_code")]
    assert (found(there, 999_999), found(there, silent), found(there, silent, kind="hall")) == (unknown, unknown, unknown)
    assert found(here, own, kind="hall") is False
    operator_client = operator(shop)
    assert (found(operator_client, own), found(operator_client, own, kind="hall"), found(operator_client, silent)) == (
        True,
        False,
        unknown,
    )


def test_batches_are_asked_for_by_an_outlet_within_reach(shop: Shop):
    with shop.database.unit_of_work() as session:
        elsewhere = make_outlet(session, shop.trade.clerk, region_code="500240").id
    officer = signed_in(shop.api, Role.COUNTY_OFFICER, region_code="500112")
    assert officer.get("/v1/sales-batches", params={"outlet_id": shop.outlet.id}).json()["items"] == []
    for unknown in (elsewhere, 999_999):
        answer = officer.get("/v1/sales-batches", params={"outlet_id": unknown})
        assert (answer.status_code, [(each["field"], each["code"]) for each in answer.json()["errors"]]) == (
            422,
            [("outlet_id", "unknown_code")],
        )


@pytest.mark.parametrize(
    "path", ["/v1/outlet-sales", "/v1/outlet-sales/export", "/v1/outlets", "/v1/outlets/export", "/v1/sales-batches"]
)
def test_a_list_is_asked_for_by_a_region_or_the_whole_city(shop: Shop, path):
    shop.send(shop.till.batch([sale("1")]))
    officer = signed_in(shop.api, Role.CITY_OFFICER)
    found = {}
    for region in ("500000", "50", "500112", "500236"):
        answer = officer.get(path, params={"region": region, **({"format": "csv"} if "export" in path else {})})
        assert answer.status_code == 200, answer.text
        found[region] = shop.outlet.number in answer.text
    assert found == {"500000": True, "50": True, "500112": True, "500236": False}
    for unknown in ("500999", "000000"):
        answer = officer.get(path, params={"region": unknown})
        assert (answer.status_code, [(each["field"], each["code"]) for each in answer.json()["errors"]]) == (
            422,
            [("region", "unknown_code")],
        )
