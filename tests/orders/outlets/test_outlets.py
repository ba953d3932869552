"""Outlets: registered by their operator, verified by the county, closed; their devices, goods, plans and silence."""

import io
import threading
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from orders.outlet_sales.actions.days import add_to_days
from orders.outlets.actions import devices
from orders.outlets.actions import goods as goods_actions
from orders.outlets.queries import Filters
from shop.core import clock, exports, outbox
from shop.identity.permissions import Permission, Role
from shop.identity.queries import holders
from tests.factories import tables
from tests.factories.catalog import make_product
from tests.factories.identity import make_organisation, make_supplier, make_user, signed_in
from workers.handlers import HANDLERS


@pytest.fixture
def operator(api, database):
    with database.unit_of_work() as session:
        organisation = make_organisation(session, kind="enterprise", role="outlet_operator", region_code="500106")
        user = make_user(session, Role.OUTLET_OPERATOR, organisation)
    client = api.as_(user)
    client.organisation = organisation
    return client


@pytest.fixture
def county(api):
    return signed_in(api, Role.COUNTY_OFFICER, region_code="500106")


def outlet(number="SN-1", **more):
    return {
        "external_number": number,
        "kind": "cabinet",
        "name": "北站一楼专柜",
        "region_code": "500106",
        "address": "大学城",
        "venue": "station",
        "opened_on": "2026-05-01",
    } | more


def register(client, number="SN-1", **more):
    answer = client.post("/v1/outlets", json=outlet(number, **more))
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_an_outlet_is_registered_verified_edited_and_closed(api, database, operator, county):
    made = register(operator)
    assert (made["number"], made["status"], made["region_name"]) == ("ZG-500106-000001", "registered", "Shapingba")
    assert register(operator, "SN-2")["number"] == "ZG-500106-000002"
    twice = operator.post("/v1/outlets", json=outlet())
    assert (twice.status_code, twice.json()["code"]) == (409, "outlet_already_registered")
    path = f"/v1/outlets/{made['id']}"
    assert (made["possible_actions"], county.get(path).json()["possible_actions"]) == (
        ["edit", "close"],
        ["edit", "verify", "refuse", "close"],
    )
    assert operator.post("/v1/outlets/verify", json={"outlet_ids": [made["id"]]}).status_code == 403
    refused = county.post(f"{path}/refuse", json={"reason": "现场无此专柜"}).json()
    assert (refused["status"], refused["reason"]) == ("refused", "现场无此专柜")
    stale = operator.put(path, json=outlet(address="北广场"), headers={"If-Match": '"1"'})
    assert stale.status_code == 412
    assert operator.put(path, json=outlet(address="北广场"), headers={"If-Match": '"2"'}).json()["status"] == "registered"
    [verified] = county.post("/v1/outlets/verify", json={"outlet_ids": [made["id"]]}).json()
    assert (verified["status"], verified["reason"]) == ("verified", None)
    moved = operator.put(path, json=outlet(region_code="500103"))
    assert (moved.status_code, moved.json()["code"]) == (409, "outlet_place_fixed")
    assert operator.put(path, json=outlet(name="新名")).json()["name"] == "新名"
    early = operator.post(f"{path}/close", json={"closed_on": "2026-04-30", "reason": "撤柜"})
    assert (early.status_code, early.json()["code"]) == (422, "closed_before_opened")
    closed = operator.post(f"{path}/close", json={"closed_on": str(clock.today()), "reason": "撤柜"}).json()
    assert (closed["status"], closed["possible_actions"]) == ("closed", [])
    assert county.post(f"{path}/refuse", json={"reason": "x"}).json()["code"] == "illegal_move"
    outbox.drain(database, HANDLERS)
    with database.unit_of_work() as session:
        kinds = session.execute(text("SELECT kind FROM notification ORDER BY id")).scalars().all()
    assert [kind for kind in kinds if kind.startswith("outlet")] == [
        "outlets.registered",
        "outlets.registered",
        "outlet.refused",
        "outlets.registered",
        "outlet.verified",
        "outlet.closed",
    ]


def test_the_place_of_an_outlet_that_has_sold_stays_though_nobody_has_verified_it(api, database, operator):
    """An officer may count sales of an outlet before it is verified: they stand in the ledger where it was then."""
    made = register(operator)
    path = f"/v1/outlets/{made['id']}"
    assert operator.put(path, json=outlet(region_code="500103"), headers={"If-Match": '"1"'}).status_code == 200
    with database.unit_of_work() as session:
        add_to_days(session, [(made["id"], clock.today(), "other", 100, 0, 1)])
    for change in ({}, {"region_code": "500103", "kind": "hall"}):
        moved = operator.put(path, json=outlet(**change), headers={"If-Match": '"2"'})
        assert (moved.status_code, moved.json()["code"]) == (409, "outlet_place_fixed")
    renamed = operator.put(path, json=outlet(region_code="500103", name="新名"), headers={"If-Match": '"2"'})
    assert (renamed.status_code, renamed.json()["name"]) == (200, "新名")


def test_a_county_registers_for_its_operators_and_decides_on_no_outlet_of_its_own(api, database, operator, county):
    made = register(county, operator_id=operator.organisation.id)
    assert made["operator_id"] == operator.organisation.id
    elsewhere = signed_in(api, Role.COUNTY_OFFICER, region_code="500229")
    refused = elsewhere.post("/v1/outlets", json=outlet("SN-9", operator_id=operator.organisation.id))
    assert (refused.status_code, refused.json()["code"]) == (422, "no_outlet_operator")
    assert elsewhere.get(f"/v1/outlets/{made['id']}").status_code == 404
    own = signed_in(api, Role.COUNTY_OFFICER, operator.organisation, region_code="500106")
    answer = own.post("/v1/outlets/verify", json={"outlet_ids": [made["id"]]})
    assert (answer.status_code, answer.json()["code"]) == (403, "own_outlet")


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"online": True}, "online"),
        ({"online": True, "kind": "hall"}, "url"),
        ({"address": ""}, "address"),
        ({"latitude": "29.5"}, "longitude"),
        ({"longitude": "106.5"}, "latitude"),
        ({"latitude": "0", "longitude": "106.5"}, "latitude"),
        ({"latitude": "29.5", "longitude": "0"}, "longitude"),
        ({"latitude": "106.5", "longitude": "29.5"}, "latitude"),
        ({"region_code": "5001"}, "region_code"),
        ({"township_code": "500236T01"}, "township_code"),
        ({"external_number": ""}, "external_number"),
        ({"opened_on": "0206-01-01"}, "opened_on"),
    ],
)
def test_what_is_no_outlet_is_refused(operator, more, field):
    answer = operator.post("/v1/outlets", json=outlet(**more))
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


def test_an_outlet_stands_anywhere_in_china(operator):
    made = register(operator, latitude="36.65", longitude="117.12")
    assert (made["latitude"], made["longitude"]) == ("36.65000", "117.12000")


def test_outlets_are_called_alike_in_any_width(operator):
    assert register(operator, "奉节-１号柜")["external_number"] == "奉节-1号柜"
    twice = operator.post("/v1/outlets", json=outlet("奉节-1号柜"))
    assert (twice.status_code, twice.json()["code"]) == (409, "outlet_already_registered")
    assert len(operator.get("/v1/outlets", params={"q": "奉节-１号柜"}).json()["items"]) == 1


def test_an_outlet_is_registered_a_year_before_it_opens_at_most(operator):
    register(operator, opened_on=str(clock.today() + timedelta(days=360)))
    for day in ("2100-12-31", str(clock.today() + timedelta(days=367))):
        answer = operator.post("/v1/outlets", json=outlet("SN-2", opened_on=day))
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "opened_on")


def test_an_outlet_that_was_never_heard_of_shows_no_such_moment(operator, database):
    made = register(operator)
    assert made["seen_at"] is None
    with database.unit_of_work() as session:
        session.execute(text("UPDATE outlet_pulse SET seen_at = seen_at + interval '1 minute'"))
    assert operator.get(f"/v1/outlets/{made['id']}").json()["seen_at"] is not None


def test_an_unknown_place_is_refused(operator):
    answer = operator.post("/v1/outlets", json=outlet(region_code="500199"))
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_place")
    assert [each["field"] for each in answer.json()["errors"]] == ["region_code"]


def test_lists_are_filtered_and_paged(operator, county, database):
    register(operator, "A", kind="hall", name="生活馆")
    register(operator, "B", online=True, kind="zone", url="https://example.com/zone", address="")
    for n in range(3):
        register(operator, f"C{n}", venue="campus")
    ids = lambda client, **filters: [each["external_number"] for each in client.get("/v1/outlets", params=filters).json()["items"]]  # noqa: E731
    assert ids(operator, kind="hall") == ids(operator, q="生活") == ["A"]
    assert ids(operator, online=True) == ids(operator, q="B") == ["B"]
    assert ids(county, venue="campus", region="5001", status="registered") == ["C0", "C1", "C2"]
    assert ids(county, silent=True) == []
    unknown = county.get("/v1/outlets", params={"operator_id": 10**9}).json()["errors"][0]
    assert (unknown["field"], unknown["code"]) == ("operator_id", "unknown_code")
    first = operator.get("/v1/outlets", params={"limit": 3}).json()
    rest = operator.get("/v1/outlets", params={"limit": 3, "after": first["next"]}).json()
    assert len(first["items"] + rest["items"]) == 5
    assert rest["next"] is None
    for kind in ("csv", "xlsx"):
        assert operator.get("/v1/outlets/export", params={"format": kind}).status_code == 200
    with database.unit_of_work() as session:
        session.execute(text("UPDATE outlet_pulse SET seen_at = '2026-11-26T22:48:58Z'"))
    told = operator.get("/v1/outlets/export", params={"format": "csv"}, headers={"Accept-Language": "zh"}).content.decode(
        "utf-8-sig"
    )
    assert "2026-11-27 06:48:58" in told
    assert "待核验" in told


@pytest.mark.parametrize(
    ("column", "cell", "said"),
    [("类型", "柜台", "专柜、专馆、专区"), ("启用日期", "46353", "2026-01-31"), ("线上", "也许", "是、否")],
)
def test_a_cell_of_a_file_is_refused_in_the_words_that_it_takes(operator, column, cell, said):
    good = dict(zip(HEADER, ["F1", "专柜", "甲", "500106", "某路", "校园", "2026年5月1日", "否", ""], strict=True))
    files, headers = sheet([[*(good | {column: cell}).values()]]), {"Accept-Language": "zh"}
    [fault] = operator.post("/v1/outlets/import", files=files, headers=headers).json()["errors"]
    assert fault["column"] == column
    assert said in fault["message"], fault


def test_filters_hold_what_was_asked():
    assert Filters(q="x").values["q"] == "x"


HEADER = ["设备或渠道编号*", "类型", "名称", "区县代码", "详细地址", "场所类型", "启用日期", "线上", "网址"]


def sheet(rows, kind="csv"):
    content = exports.as_csv(HEADER, rows) if kind == "csv" else exports.as_xlsx("网点", HEADER, rows)
    return {"file": (f"a.{kind}", io.BytesIO(content))}


def test_codes_that_a_workbook_holds_as_numbers_are_the_same_codes(operator):
    header = ["设备或渠道编号", "类型", "名称", "区县代码", "乡镇代码", "详细地址", "启用日期"]
    content = exports.as_xlsx("网点", header, [[1001, 2, "专柜", 500236, 500236999, "某路", date(2026, 5, 1)]])
    answer = operator.post("/v1/outlets/import", files={"file": ("a.xlsx", content)}, data={"dry_run": "true"})
    told = [(each["column"], each["code"]) for each in answer.json().get("errors", [])]
    assert told == [("乡镇代码", "unknown_place")]


@pytest.mark.slow
def test_ten_thousand_outlets_come_in_one_file(operator, database):
    rows = [
        [f"F{n}", "专柜", f"专柜{n}", "500106" if n % 2 else "500103", "某路", "校园", "2026/05/01", "否", ""]
        for n in range(10_000)
    ]
    content = exports.as_xlsx("网点", HEADER, rows)
    sent = {"files": {"file": ("a.xlsx", content)}}
    read = {"rows": 10_000, "dry_run": True, "ignored_columns": []}
    assert operator.post("/v1/outlets/import", **sent, data={"dry_run": "true"}).json() == read
    answer = operator.post("/v1/outlets/import", **sent)
    assert answer.status_code == 200, answer.text
    with database.unit_of_work() as session:
        found = session.execute(
            text("SELECT count(*), count(DISTINCT number), max(number) FROM outlet JOIN outlet_pulse ON outlet_id = id")
        ).one()
    assert tuple(found) == (10_000, 10_000, "ZG-500106-005000")


def test_every_fault_of_a_file_is_told_and_nothing_is_taken(operator, database):
    register(operator, "OLD")
    rows = [
        ["A", "专柜", "一", "500106", "某路", "", "2026-05-01"],
        ["A", "专柜", "二", "500106", "某路", "", "2026-05-01"],
        ["OLD", "专柜", "三", "500106", "某路", "", "2026-05-01"],
        ["B", "售货亭", "四", "500106", "某路", "", "2026-05-01"],
        ["C", "专柜", "五", "999999", "某路", "", "2026-05-01"],
        ["D", "专柜", "六", "500106", "", "", "昨天"],
        ["E", "专柜", "七", "500106", "", "", "2026-05-01"],
    ]
    answer = operator.post("/v1/outlets/import", files=sheet(rows))
    assert (answer.status_code, answer.json()["code"]) == (422, "rows_refused")
    assert {(each["row"], each["column"], each["code"]) for each in answer.json()["errors"]} == {
        (2, "设备或渠道编号", "number_twice"),
        (3, "设备或渠道编号", "number_twice"),
        (4, "设备或渠道编号", "outlet_already_registered"),
        (5, "类型", "bad_value"),
        (6, "区县代码", "unknown_place"),
        (7, "启用日期", "bad_value"),
        (8, "详细地址", "value_error"),
    }
    with database.unit_of_work() as session:
        assert session.execute(text("SELECT count(*) FROM outlet")).scalar_one() == 1


def test_two_imports_of_one_file_at_once_take_it_once(operator, database):
    rows = [[f"F{n}", "专柜", f"专柜{n}", "500106", "某路", "", "2026-05-01"] for n in range(50)]
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(operator.post("/v1/outlets/import", files=sheet(rows)).status_code))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers)[0] == 200
    assert set(answers[:]) <= {200, 409, 422}
    with database.unit_of_work() as session:
        assert session.execute(text("SELECT count(*) FROM outlet")).scalar_one() == 50


def test_a_key_is_shown_once_and_revoked_at_once(api, operator, database):
    made = register(operator)
    path = f"/v1/outlets/{made['id']}/devices"
    device = operator.post(path, json={"number": "till-1"}).json()
    assert device["key"].startswith("dev_")
    assert "key" not in operator.get(path).json()[0]
    assert operator.post(path, json={"number": "till-1"}).json()["code"] == "device_number_taken"
    till = {"Authorization": f"Bearer {device['key']}"}
    told = api.post(
        "/v1/outlets/heartbeat", headers=till, json={"software": "1.0", "stock": [{"goods_id": "G", "quantity": "5"}]}
    ).json()
    assert (told["outlet_id"], told["status"], told["waiting"], told["unknown_goods"]) == (made["id"], "registered", 0, ["G"])
    offered = {"goods": [given("G", device_id="SN-1")]}
    assert operator.post("/v1/outlet-goods", json=offered).status_code == 200
    stock = {"stock": [{"goods_id": each, "quantity": "5"} for each in ("G", "H")]}
    assert api.post("/v1/outlets/heartbeat", headers=till, json=stock).json()["unknown_goods"] == ["H"]
    assert operator.get(f"/v1/outlets/{made['id']}").json()["software"] == "1.0"
    assert operator.post("/v1/outlets/heartbeat", json={}).json()["code"] == "device_needed"
    assert operator.delete(f"{path}/{device['id']}").status_code == 204
    again = operator.delete(f"{path}/{device['id']}")
    assert (again.status_code, again.json()["code"], again.json()["data"]["already"]) == (409, "key_revoked", True)
    other = register(operator, "SN-2")
    assert operator.delete(f"/v1/outlets/{other['id']}/devices/{device['id']}").status_code == 404
    refused = api.post("/v1/outlets/heartbeat", headers=till, json={})
    assert (refused.status_code, refused.json()["code"]) == (401, "invalid_key")


def given(goods_id, **more):
    return {
        "device_id": "SN-1",
        "channel_type": "02",
        "action": "create",
        "goods_id": goods_id,
        "name": "脐橙",
        "is_poverty_goods": "2",
        "price": "9.90",
    } | more


def test_goods_are_matched_to_the_list_and_what_is_not_found_is_told(operator, database):
    made = register(operator)
    with database.unit_of_work() as session:
        supplier = make_supplier(session)
        product = make_product(session, supplier, name="奉节脐橙")
        code = supplier.uscc
    listed = {"is_poverty_goods": "1", "poverty_goods_name": "奉节 脐橙", "supplier_name": "某社", "supplier_uscc": code}
    goods = [
        given("A", **listed),
        given("B", **listed | {"poverty_goods_name": "别的"}),
        given("C", **listed | {"supplier_uscc": "91500236MA5U0000X6"}),
        given("D"),
        given("E", action="delete"),
    ]
    answer = operator.post("/v1/outlet-goods", json={"goods": goods})
    if answer.status_code == 422:  # the example's code must be a valid one
        pytest.fail(answer.text)
    notes = {(each["goods_id"], each["code"]) for each in answer.json()["notes"]}
    assert notes == {("B", "product_unknown"), ("C", "supplier_unknown"), ("E", "goods_unknown")}
    assert [answer.json()[name] for name in ("created", "replaced", "deleted")] == [4, 0, 0]
    kept = {each["goods_id"]: each for each in operator.get(f"/v1/outlets/{made['id']}/goods").json()["items"]}
    assert {name: each["match"] for name, each in kept.items()} == {
        "A": "matched",
        "B": "unmatched",
        "C": "unmatched",
        "D": "other",
    }
    assert (kept["A"]["product_id"], kept["A"]["sku_id"], kept["A"]["price"]) == (product.product_id, product.sku_id, "9.90")
    # the list grows: what was not on it is looked up once more
    with database.unit_of_work() as session:
        session.execute(text("UPDATE product SET name = '别的' WHERE id = :id"), {"id": product.product_id})
        assert goods_actions.match_again(session) == 1
    operator.post("/v1/outlet-goods", json={"goods": [given("D", action="delete"), given("A", action="modify", price="8.00")]})
    left = operator.get(f"/v1/outlets/{made['id']}/goods").json()["items"]
    assert [(each["goods_id"], each["price"]) for each in left] == [("A", "8.00"), ("B", "9.90"), ("C", "9.90")]


def test_goods_that_become_another_thing_than_they_were_told_for_are_named(operator, database):
    """Told as new they stood already, and are replaced; told as changed they were not there, and are new. Goods that were taken away are new again."""
    made = register(operator)
    operator.post("/v1/outlet-goods", json={"goods": [given("A"), given("B"), given("C")]})
    operator.post("/v1/outlet-goods", json={"goods": [given("C", action="delete")]})
    goods = [
        given("A", price="8.00"),
        given("B", action="modify"),
        given("C"),
        given("D", action="modify"),
        given("E", action="delete"),
    ]
    answer = operator.post("/v1/outlet-goods", json={"goods": goods}).json()
    assert {name: answer[name] for name in ("taken", "created", "replaced", "deleted")} == {
        "taken": 5,
        "created": 2,
        "replaced": 2,
        "deleted": 0,
    }
    assert [(each["goods_id"], each["code"]) for each in answer["notes"]] == [
        ("A", "goods_replaced"),
        ("D", "goods_created"),
        ("E", "goods_unknown"),
    ]
    kept = {each["goods_id"]: each["price"] for each in operator.get(f"/v1/outlets/{made['id']}/goods").json()["items"]}
    assert kept == {"A": "8.00", "B": "9.90", "C": "9.90", "D": "9.90"}
    lines = ["设备或渠道编号,操作类型,商品编号,商品名称,是否扶贫商品,单价", "SN-1,新增,A,商品,否,7.00", "SN-1,新增,F,商品,否,7.00"]
    lines += ["SN-1,修改,B,商品,否,7.00", "SN-1,修改,H,商品,否,7.00"]
    for dry_run in ("true", "false"):
        file = {"file": ("goods.csv", "\n".join(lines).encode())}
        answer = operator.post("/v1/outlet-goods/import", data={"dry_run": dry_run}, files=file).json()
        assert [answer[name] for name in ("created", "replaced", "deleted")] == [2, 2, 0]
        assert (answer["created_goods"], answer["replaced_goods"]) == (["H"], ["A"])


def test_goods_are_matched_by_the_barcode_of_a_pack(operator, database):
    """The pack is known without its code, and whatever the outlet calls the product; another supplier's barcode finds nothing."""
    made = register(operator)
    with database.unit_of_work() as session:
        supplier, other = make_supplier(session), make_supplier(session)
        product = make_product(session, supplier, name="奉节脐橙")
        session.execute(
            text("UPDATE sku SET barcode = '6901234567892', barcode_of = :id WHERE id = :sku"),
            {"id": supplier.id, "sku": product.sku_id},
        )
        codes = supplier.uscc, other.uscc
    listed = {"is_poverty_goods": "1", "poverty_goods_name": "夔州橙子", "supplier_name": "某社", "barcode": "6901234567892"}
    goods = [given("A", supplier_uscc=codes[0], **listed), given("B", supplier_uscc=codes[1], **listed)]
    answer = operator.post("/v1/outlet-goods", json={"goods": goods})
    assert [(each["goods_id"], each["code"]) for each in answer.json()["notes"]] == [("B", "product_unknown")]
    kept = {each["goods_id"]: each for each in operator.get(f"/v1/outlets/{made['id']}/goods").json()["items"]}
    assert (kept["A"]["product_id"], kept["A"]["sku_id"]) == (product.product_id, product.sku_id)
    assert kept["B"]["match"] == "unmatched"


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"device_id": "nowhere"}, "goods[0].device_id"),
        ({"channel_type": "03"}, "goods[0].channel_type"),
        ({"is_poverty_goods": "1"}, "goods[0].poverty_goods_name"),
        ({"price": None}, "goods[0].price"),
        ({"barcode": "abc"}, "goods[0].barcode"),
        ({"category_codes": "1/2"}, "goods[0].category_codes"),
    ],
)
def test_goods_that_are_not_as_the_field_list_says_are_refused(operator, more, field):
    register(operator)
    answer = operator.post("/v1/outlet-goods", json={"goods": [given("A", **more)]})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


def test_goods_come_as_a_file_with_the_public_headings(operator, database):
    register(operator)
    header = [
        "设备或渠道编号",
        "渠道类型",
        "操作类型",
        "商品编号",
        "商品名称",
        "是否扶贫商品",
        "单价",
        "69码",
        "是否开票",
        "上下架状态",
    ]
    rows = [["SN-1", "02", "新增", f"G{n}", "脐橙", "否", "9.90", "6901234567892", "是", "上架"] for n in range(200)]
    file = lambda rows: {"file": ("a.csv", io.BytesIO(exports.as_csv(header, rows)))}  # noqa: E731
    assert operator.post("/v1/outlet-goods/import", files=file(rows), data={"dry_run": "true"}).json()["rows"] == 200
    with database.unit_of_work() as session:
        assert session.execute(text("SELECT count(*) FROM outlet_goods")).scalar_one() == 0
    assert operator.post("/v1/outlet-goods/import", files=file(rows)).status_code == 200
    bad = [
        ["SN-1", "02", "新增", "H", "脐橙", "是", "9.90", "", "", ""],
        ["XX", "02", "新增", "H", "脐橙", "否", "一元", "", "", ""],
        ["ＳＮ－１", "02", "新增", "I", "脐橙", "否", "一元", "", "", ""],
    ]
    answer = operator.post("/v1/outlet-goods/import", files=file(rows + bad))
    assert answer.status_code == 422, answer.text
    # a cell that cannot be read keeps nobody from being told what else is wrong with its row
    told = {(each["row"], each["column"]) for each in answer.json()["errors"]}
    assert told >= {(203, "设备或渠道编号"), (203, "单价")}
    assert {row for row, _ in told} == {202, 203, 204}
    assert [column for row, column in told if row == 204] == ["单价"]
    with database.unit_of_work() as session:
        assert session.execute(text("SELECT count(*), bool_and(invoice AND on_shelf) FROM outlet_goods")).one() == (200, True)


def test_rows_of_goods_that_are_not_on_the_list_are_named(operator):
    """With why; of goods that stand in several rows the last one."""
    register(operator)
    header = [
        "设备或渠道编号",
        "操作类型",
        "商品编号",
        "商品名称",
        "是否扶贫商品",
        "扶贫产品名称",
        "供应商名称",
        "社会信用代码",
        "单价",
    ]
    listed = ["脐橙", "是", "脐橙", "某社", "91500236MA5U0000X6", "9.90"]
    rows = [
        ["SN-1", "新增", "A", "脐橙", "否", "", "", "", "9.90"],
        ["SN-1", "新增", "B", *listed],
        ["SN-1", "新增", "B", *listed],
        ["SN-1", "删除", "Z", "脐橙", "否", "", "", "", "9.90"],
        *(["SN-1", "新增", f"C{n}", *listed] for n in range(300)),
    ]
    file = {"file": ("a.csv", io.BytesIO(exports.as_csv(header, rows)))}
    answer = operator.post("/v1/outlet-goods/import", files=file, data={"dry_run": "true"})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["unmatched"], len(told["notes"])) == (301, 200)
    assert [(each["row"], each["goods_id"], each["code"]) for each in told["notes"][:3]] == [
        (4, "B", "supplier_unknown"),
        (5, "Z", "goods_unknown"),
        (6, "C0", "supplier_unknown"),
    ]
    assert told["notes"][0]["message"].startswith("no supplier of this code is on the list")


def test_many_devices_are_made_at_once_each_by_itself(operator, database, api):
    """Their keys are shown once, and each reports for its own outlet."""
    made = [register(operator, f"SN-{n}") for n in range(4)]
    with database.unit_of_work() as session:
        other = make_organisation(session, kind="enterprise", role="outlet_operator", region_code="500106")
        theirs = make_user(session, Role.OUTLET_OPERATOR, other)
    foreign = register(api.as_(theirs), "SN-X")
    operator.post(f"/v1/outlets/{made[2]['id']}/devices", json={"number": "till-1"})
    closed = {"closed_on": clock.today().isoformat(), "reason": "撤柜"}
    assert operator.post(f"/v1/outlets/{made[3]['id']}/close", json=closed).status_code == 200
    asked = [(each["id"], "till-1") for each in [*made, foreign]] + [
        (made[0]["id"], "till-2"),
        (made[1]["id"], "till-1"),
        (10**12, "1"),
    ]
    body = {"devices": [{"outlet_id": outlet_id, "number": number} for outlet_id, number in asked]}
    answer = operator.post("/v1/outlet-devices", json=body)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert [(each["outlet_id"], each["number"]) for each in told["results"]] == asked
    codes = [None, None, "device_number_taken", "outlet_is_closed", "not_found", None, "device_number_taken", "not_found"]
    assert ([each["code"] for each in told["results"]], told["done"], told["failed"]) == (codes, 3, 5)
    keys = {each["outlet_id"]: each["key"] for each in told["results"] if each["done"]}
    assert [each["outlet_number"] for each in told["results"]][:5] == [*(each["number"] for each in made), None]
    for outlet_id, key in keys.items():
        beat = api.post("/v1/outlets/heartbeat", json={}, headers={"Authorization": f"Bearer {key}"})
        assert (beat.status_code, beat.json()["outlet_id"]) == (200, outlet_id)
    with database.unit_of_work() as session:
        assert session.execute(text("SELECT count(*) FROM audit_event WHERE action = 'outlet_device.made'")).scalar_one() == 4
        assert not any(
            key.encode() in bytes(each)
            for key in keys.values()
            for each in session.execute(text("SELECT hash FROM outlet_device")).scalars()
        )
    assert operator.post("/v1/outlet-devices", json={"devices": []}).status_code == 422


def test_keys_come_as_a_file_and_many_end_at_once(operator, api):
    made = [register(operator, f"SN-{n}") for n in range(200)]
    body = {"devices": [{"outlet_id": each["id"], "number": "till-1"} for each in made]}
    for kind in ("xlsx", "csv"):
        file = operator.post("/v1/outlet-devices", params={"format": kind}, json=body, headers={"Accept-Language": "zh"})
        assert (file.status_code, file.headers["cache-control"]) == (200, "no-store")
        header, *rows = tables.rows(file.content)
        if kind == "xlsx":
            keys = [row[header.index("密钥（仅此一次显示）")] for row in rows]
            assert len({key for key in keys if key.startswith("dev_")}) == 200
        else:  # they are all there by now
            assert {row[header.index("未生成的原因代码")] for row in rows} == {"device_number_taken"}
    page = operator.get("/v1/outlet-devices", params={"limit": 200, "revoked": False}).json()["items"]
    assert [(each["outlet_number"], each["number"]) for each in page] == [(each["number"], "till-1") for each in made]
    ids = [each["id"] for each in page]
    first = operator.delete(f"/v1/outlets/{made[0]['id']}/devices/{ids[0]}")
    assert first.status_code == 204
    ended = operator.post("/v1/outlet-devices/revoke", json={"device_ids": [*ids, 10**12]}).json()
    assert (ended["done"], ended["failed"]) == (199, 2)
    assert [(each["device_id"], each["code"]) for each in ended["results"] if not each["done"]] == [
        (ids[0], "key_revoked"),
        (10**12, "not_found"),
    ]
    assert [each["already"] for each in ended["results"] if not each["done"]] == [True, False]
    assert operator.get("/v1/outlet-devices", params={"revoked": False}).json()["items"] == []
    dead = api.post("/v1/outlets/heartbeat", json={}, headers={"Authorization": f"Bearer {keys[7]}"})
    assert dead.status_code == 401


def test_of_many_keys_those_of_others_are_neither_made_nor_ended_nor_listed(operator, database, api):
    made = register(operator)
    device = operator.post(f"/v1/outlets/{made['id']}/devices", json={"number": "till-1"}).json()
    with database.unit_of_work() as session:
        theirs = make_user(session, Role.OUTLET_OPERATOR, make_organisation(session, kind="enterprise", role="outlet_operator"))
    other = api.as_(theirs)
    assert other.get("/v1/outlet-devices").json()["items"] == []
    assert other.post("/v1/outlet-devices/revoke", json={"device_ids": [device["id"]]}).json()["results"][0]["code"] == "not_found"
    beat = api.post("/v1/outlets/heartbeat", json={}, headers={"Authorization": f"Bearer {device['key']}"})
    assert beat.status_code == 200


def test_only_the_operator_makes_keys_and_hears_of_those_that_officers_end(operator, county, database):
    """Officers decide about the sales that a key tells."""
    made = [register(operator, f"SN-{n}") for n in range(3)]
    paths = [f"/v1/outlets/{each['id']}/devices" for each in made]
    refused = county.post(paths[0], json={"number": "till-1"})
    assert (refused.status_code, refused.json()["code"]) == (403, "not_your_outlet")
    body = {"devices": [{"outlet_id": made[0]["id"], "number": "till-1"}]}
    [told] = county.post("/v1/outlet-devices", json=body).json()["results"]
    assert (told["done"], told["code"], told["key"], told["already"]) == (False, "not_your_outlet", None, False)
    ids = [operator.post(path, json={"number": "till-1"}).json()["id"] for path in paths]
    assert operator.delete(f"{paths[2]}/{ids[2]}").status_code == 204
    ended = county.post("/v1/outlet-devices/revoke", json={"device_ids": ids}).json()["results"]
    assert [(each["done"], each["code"]) for each in ended] == [(True, None), (True, None), (False, "key_revoked")]
    outbox.drain(database, HANDLERS)
    with database.unit_of_work() as session:
        told = session.execute(text("SELECT count(*) FROM notification WHERE kind = 'outlet_keys.revoked'")).scalar_one()
        params = session.execute(text("SELECT data FROM notification WHERE kind = 'outlet_keys.revoked'")).scalars().first()
    assert (told, params["count"], params["number"]) == (1, 2, made[0]["number"])


def test_an_outlet_that_was_refused_gets_no_keys(operator, county):
    made = register(operator)
    assert county.post(f"/v1/outlets/{made['id']}/refuse", json={"reason": "现场无此专柜"}).status_code == 200
    path, number = f"/v1/outlets/{made['id']}/devices", {"number": "till-1"}
    assert operator.post(path, json=number).json()["code"] == "outlet_is_refused"
    body = {"devices": [{"outlet_id": made["id"], **number}]}
    assert operator.post("/v1/outlet-devices", json=body).json()["results"][0]["code"] == "outlet_is_refused"
    assert operator.put(f"/v1/outlets/{made['id']}", json=outlet(address="北广场")).json()["status"] == "registered"
    assert operator.post(path, json=number).status_code == 201


def test_the_number_of_an_ended_device_is_given_again(operator, api):
    made = register(operator)
    path, number = f"/v1/outlets/{made['id']}/devices", {"number": "till-1"}
    body = {"devices": [{"outlet_id": made["id"], **number}]}
    keys = []
    for _ in range(2):
        device = operator.post(path, json=number).json()
        assert operator.post(path, json=number).json()["code"] == "device_number_taken"
        assert operator.delete(f"{path}/{device['id']}").status_code == 204
        keys.append(device["key"])
    [last] = operator.post("/v1/outlet-devices", json=body).json()["results"]
    assert operator.post("/v1/outlet-devices", json=body).json()["results"][0]["code"] == "device_number_taken"
    beats = [
        api.post("/v1/outlets/heartbeat", json={}, headers={"Authorization": f"Bearer {key}"}).status_code
        for key in [*keys, last["key"]]
    ]
    assert beats == [401, 401, 200]


def test_a_plan_takes_the_place_of_the_one_before(operator, database):
    made = register(operator)
    with database.unit_of_work() as session:
        skus = [make_product(session, make_supplier(session)).sku_id for _ in range(2)]
    path = f"/v1/outlets/{made['id']}/plan"
    operator.put(path, json={"lines": [{"sku_id": sku, "planned_quantity": "5"} for sku in skus]})
    plan = operator.put(path, json={"lines": [{"sku_id": skus[0], "planned_quantity": "7.5"}]}).json()
    assert [(line["sku_id"], line["planned_quantity"]) for line in plan["lines"]] == [(skus[0], "7.5")]
    assert operator.get(path).json() == plan
    assert (
        operator.put(path, json={"lines": [{"sku_id": 10**9, "planned_quantity": "1"}]}).json()["errors"][0]["code"]
        == "unknown_sku"
    )


def test_silence_is_told_once_and_ends_with_the_next_sign_of_life(api, operator, county, database):
    made = register(operator)
    key = operator.post(f"/v1/outlets/{made['id']}/devices", json={"number": "1"}).json()["key"]
    county.post("/v1/outlets/verify", json={"outlet_ids": [made["id"]]})

    def sweep() -> int:
        with database.unit_of_work() as session:
            found = devices.tell_silent(session)
        outbox.drain(database, HANDLERS)
        return found

    def told() -> int:
        with database.unit_of_work() as session:
            return session.execute(text("SELECT count(*) FROM notification WHERE kind = 'outlets.silent'")).scalar_one()

    assert sweep() == 0
    with clock.fixed(clock.now() + timedelta(hours=73)):
        assert [sweep(), sweep()] == [1, 0]
        assert told() == 2  # operator and county
        assert len(operator.get("/v1/outlets", params={"silent": True}).json()["items"]) == 1
        api.post("/v1/outlets/heartbeat", headers={"Authorization": f"Bearer {key}"}, json={})
        assert operator.get("/v1/outlets", params={"silent": True}).json()["items"] == []
    with clock.fixed(clock.now() + timedelta(hours=200)):
        assert sweep() == 1
        assert told() == 4


def test_whoever_verifies_many_hears_of_each(operator, county):
    ids = [register(operator, f"SN-{n}")["id"] for n in range(51)]
    answer = county.post("/v1/outlets/verify", json={"outlet_ids": ids[::-1]})
    assert [(each["id"], each["status"]) for each in answer.json()] == [(each, "verified") for each in ids]


def test_whoever_verifies_many_hears_what_is_wrong_with_each(api, operator, county):
    ids = [register(operator, f"SN-{n}")["id"] for n in range(3)]
    assert county.post("/v1/outlets/verify", json={"outlet_ids": ids[:1]}).status_code == 200
    refused = county.post("/v1/outlets/verify", json={"outlet_ids": [ids[1], 999_999, ids[0], ids[2]]})
    assert (refused.status_code, refused.json()["code"], refused.json()["data"]) == (422, "some_refused", {"count": 2})
    assert [(each["field"], each["code"]) for each in refused.json()["errors"]] == [
        ("outlet_ids[1]", "not_found"),
        ("outlet_ids[2]", "illegal_move"),
    ]
    assert [operator.get(f"/v1/outlets/{each}").json()["status"] for each in ids] == ["verified", "registered", "registered"]
    alone = county.post("/v1/outlets/verify", json={"outlet_ids": [999_999]})
    assert (alone.status_code, alone.json()["code"]) == (404, "not_found")


def test_officers_of_the_region_that_a_region_was_merged_into_take_over(operator, county, api, database):
    made = register(operator)
    merge = "UPDATE region SET successor_code = '500112', valid_to = :on WHERE code = '500106'"
    successor = signed_in(api, Role.COUNTY_OFFICER, region_code="500112")
    for days, answer in ((1, 404), (0, 200)):
        with database.unit_of_work() as session:
            session.execute(text(merge), {"on": clock.today() + timedelta(days=days)})
        assert successor.get(f"/v1/outlets/{made['id']}").status_code == answer
    with database.unit_of_work() as session:
        told = holders(session, Permission.OUTLETS_VERIFY, "500106")
        officers = session.execute(text("SELECT user_id FROM user_role WHERE role = 'county_officer' ORDER BY 1")).scalars().all()
    assert told == officers
    assert successor.post("/v1/outlets/verify", json={"outlet_ids": [made["id"]]}).status_code == 200
