"""What speaks against a claim of whatever kind is put on record once, shown to who decides, and told when it is decided."""

import csv
import io
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from orders.counting import actions as counting
from orders.counting.actions import Doubted
from orders.counting.rules import Subject
from shop.core import clock, outbox
from shop.identity.models import Organisation
from shop.identity.permissions import Role
from tests.factories.catalog import make_product
from tests.factories.claims import DISTRICT, OTHER_DISTRICT, make_trading
from tests.factories.identity import make_supplier, make_user, signed_in
from tests.factories.outlets import make_batch_line, make_outlet
from workers.handlers import HANDLERS

SOLD_AT = datetime(2026, 10, 12, 4, tzinfo=UTC)


@pytest.fixture
def line(database):
    with clock.fixed(datetime(2026, 10, 20, tzinfo=UTC)), database.unit_of_work() as session:
        clerk = make_user(session, Role.PURCHASER)
        return make_batch_line(session, make_outlet(session, clerk), make_product(session, make_supplier(session)), sold_at=SOLD_AT)


def hold(session, line, reason="clock", amount=5_000):
    doubted = Doubted(Subject.SALES_BATCH_LINE, line.id, reason, {"ahead_minutes": 90}, DISTRICT, amount)
    return counting.hold(session, [doubted])[0]


def test_a_doubt_is_opened_once_until_it_is_decided(api, database, line):
    with database.unit_of_work() as session:
        first = hold(session, line)
        assert hold(session, line, amount=6_000) == first
        assert hold(session, line, reason="over_capacity") != first
    officer = signed_in(api, Role.COUNTY_OFFICER, region_code=DISTRICT)
    shown = officer.get(f"/v1/counting-holds/{first}").json()
    assert (shown["subject"]["number"], shown["amount"], shown["evidence"]) == (line.line_id, "60.00", {"ahead_minutes": 90})
    assert (shown["other"], shown["other_hold_id"]) == (None, None)
    assert officer.post(f"/v1/counting-holds/{first}/void", json={"reason": "时钟有误"}).json()["status"] == "void"
    with database.unit_of_work() as session:
        assert hold(session, line) > first


def test_what_is_not_there_is_named_and_what_nothing_speaks_against_has_no_doubts(api, line):
    asked = {"subject": "sales_batch_line", "subject_id": line.id}
    officer = signed_in(api, Role.CITY_OFFICER)
    assert officer.get("/v1/counting-holds", params=asked).json()["items"] == []
    elsewhere = signed_in(api, Role.COUNTY_OFFICER, region_code=OTHER_DISTRICT)
    for client, wrong in ((officer, {"subject_id": 999_999}), (officer, {"subject": "external_sale"}), (elsewhere, {})):
        refused = client.get("/v1/counting-holds", params=asked | wrong)
        assert (refused.status_code, [each["field"] for each in refused.json()["errors"]]) == (422, ["subject_id"])


def test_officers_hear_of_doubts_and_whoever_keeps_the_claim_of_decisions(api, database, line):
    with database.unit_of_work() as session:
        made = hold(session, line)
    outbox.drain(database, HANDLERS)
    officer = signed_in(api, Role.COUNTY_OFFICER, region_code=DISTRICT)
    assert [row["kind"] for row in officer.get("/v1/notifications").json()["items"]] == ["counting_hold.clock"]
    signed_in(api, Role.CITY_OFFICER).post(f"/v1/counting-holds/{made}/count", json={"reason": "已核对"})
    with database.unit_of_work() as session:
        [payload] = session.execute(text("SELECT payload FROM outbox_event WHERE name = 'counting_hold.decided'")).scalars()
    assert payload == {"hold_id": made, "subject_kind": "sales_batch_line", "subject_id": line.id, "status": "counted"}
    outbox.drain(database, HANDLERS)
    assert [row["kind"] for row in officer.get("/v1/notifications").json()["items"]] == [
        "counting_hold.counted",
        "counting_hold.clock",
    ]


def test_the_queue_is_filtered_paged_and_exported_within_reach(api, database, line):
    with database.unit_of_work() as session:
        ids = [hold(session, line, reason) for reason in ("clock", "over_capacity", "not_certified")]
    officer = signed_in(api, Role.COUNTY_OFFICER, region_code=DISTRICT)
    first = officer.get("/v1/counting-holds?limit=2").json()
    assert [row["id"] for row in first["items"]] == ids[:0:-1]
    assert [row["id"] for row in officer.get("/v1/counting-holds", params={"after": first["next"]}).json()["items"]] == ids[:1]
    for query, found in (("reason=clock", 1), ("status=void", 0), ("subject=external_sale", 0), (f"district={DISTRICT}", 3)):
        assert len(officer.get(f"/v1/counting-holds?{query}").json()["items"]) == found, query
    chinese = officer.get("/v1/counting-holds?format=csv", headers={"Accept-Language": "zh-CN"}).content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(chinese)))
    assert [(row["原因"], row["状态"], row["对象"]) for row in rows] == [
        ("未认定产品", "待处理", "网点销售行"),
        ("超出认定产能", "待处理", "网点销售行"),
        ("时间异常", "待处理", "网点销售行"),
    ]
    assert not any(row["区县"].isdigit() for row in rows)
    assert officer.get("/v1/counting-holds?format=xlsx").content[:2] == b"PK"
    stranger = signed_in(api, Role.COUNTY_OFFICER, region_code=OTHER_DISTRICT)
    assert stranger.get("/v1/counting-holds").json()["items"] == []
    assert stranger.get(f"/v1/counting-holds/{ids[0]}").status_code == 404
    assert stranger.post(f"/v1/counting-holds/{ids[0]}/count", json={"reason": "x"}).status_code == 404
    assert signed_in(api, Role.MONITOR).post(f"/v1/counting-holds/{ids[0]}/count", json={"reason": "x"}).status_code == 403


def test_a_sale_at_an_outlet_that_looks_the_same_holds_the_claim_alone(api, database):
    trading = make_trading(api, database)
    with database.unit_of_work() as session:
        outlet = make_outlet(session, trading.seller)
        line = make_batch_line(session, outlet, trading.product, sold_at=clock.now(), amount_fen=98_000)
    sale = trading.submitted()
    assert sale["status"] == "held"
    [found] = trading.holds()
    assert (found["other"]["kind"], found["other"]["id"]) == ("sales_batch_line", line.id)
    decided = trading.as_("officer").post(f"/v1/counting-holds/{found['id']}/count", json={"reason": "两笔销售"})
    assert decided.json()["status"] == "counted"
    assert trading.status(sale) == "submitted"


def test_nobody_decides_who_stands_on_either_side(api, database):
    trading = make_trading(api, database)
    with database.unit_of_work() as session:
        outlet = make_outlet(session, trading.seller)
        make_batch_line(session, outlet, trading.product, sold_at=clock.now(), amount_fen=98_000)
        operator = session.get(Organisation, outlet.operator_id)
        helper = make_user(session, Role.PURCHASER, trading.buyer)
    trading.submitted(helper_id=trading.buyer.id, client=api.as_(helper))
    [found] = trading.holds()
    for organisation in (operator, trading.buyer, trading.supplier):
        officer = signed_in(api, Role.COUNTY_OFFICER, organisation, DISTRICT)
        answer = officer.post(f"/v1/counting-holds/{found['id']}/count", json={"reason": "两笔销售"})
        assert (answer.status_code, answer.json()["code"]) == (403, "own_organisation")
