"""Whoever claims sales, operates outlets, reports or reads bulletins hears in the feed what became of them."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from orders.outlets.actions import devices
from shop.core import clock
from shop.identity.models import Organisation
from shop.identity.permissions import Role
from tests.conftest import connect
from tests.factories.claims import make_trading
from tests.factories.identity import make_organisation, make_user, signed_in
from tests.factories.ledger import make_trade
from tests.factories.outlets import Till, make_device, make_goods, make_outlet, sale
from tests.orders.bulletins.conftest import Scene as Bulletins
from tests.orders.feed.conftest import changes, happened, path_of, told
from tests.orders.reports.conftest import Scene as Reports

COUNTY = "500106"


@pytest.fixture
def trading(api, database):
    return make_trading(api, database)


def of(kind, subject, times=1):
    return [(kind, subject)] * times


def readable(client):
    return all(client.get(path_of(change)).status_code == 200 for change in changes(client))


# --- claims ------------------------------------------------------------------------------------------------------------


def test_who_claimed_a_sale_hears_of_each_step_once_it_is_handed_in(trading, database):
    seller = trading.as_("seller")
    draft = trading.draft()
    happened(database)
    assert told(seller) == []  # nobody else has seen it yet
    seller.post(f"/v1/external-sales/{draft['id']}/submit")
    trading.as_("officer").post(f"/v1/external-sales/{draft['id']}/accept")
    trading.as_("officer").post(f"/v1/external-sales/{draft['id']}/void", json={"reason": "合同作废"})
    happened(database)
    assert told(seller, type="external_sale.*") == of("external_sale.moved", "external_sale", 3)
    assert {change["subject_id"] for change in changes(seller)} == {draft["id"]}
    assert readable(seller)
    for stranger in ("neighbours_seller", "purchaser"):
        assert told(trading.as_(stranger)) == []


def test_the_other_party_of_a_sale_hears_of_its_claim(trading, database):
    trading.accepted(of="buyer")
    happened(database)
    for party in ("purchaser", "seller"):
        assert told(trading.as_(party)) == of("external_sale.moved", "external_sale", 2)
        assert readable(trading.as_(party))
    assert told(trading.as_("neighbours_seller")) == []


def test_claims_that_hold_each_other_are_told_to_whoever_claimed(trading, database):
    number = "05000190010412345678"
    trading.submitted(invoice=number)
    trading.submitted(of="neighbour", invoice=number)
    happened(database)
    for claimant in ("seller", "neighbours_seller"):
        # handed in, and held; the doubt itself is the officers'
        assert told(trading.as_(claimant)) == of("external_sale.moved", "external_sale", 2)


# --- outlets -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def operator(api, database):
    with database.unit_of_work() as session:
        organisation = make_organisation(session, kind="enterprise", role="outlet_operator", region_code=COUNTY)
        user = make_user(session, Role.OUTLET_OPERATOR, organisation)
    return api.as_(user)


def register(operator, number):
    body = {
        "external_number": number,
        "kind": "cabinet",
        "name": "北站一楼专柜",
        "region_code": COUNTY,
        "address": "大学城",
        "venue": "station",
        "opened_on": "2026-05-01",
    }
    return operator.post("/v1/outlets", json=body).json()["id"]


def test_the_operator_hears_what_became_of_its_outlets(api, database, operator):
    county = signed_in(api, Role.COUNTY_OFFICER, region_code=COUNTY)
    first, second = register(operator, "SN-1"), register(operator, "SN-2")
    county.post("/v1/outlets/verify", json={"outlet_ids": [first]})
    county.post(f"/v1/outlets/{second}/refuse", json={"reason": "地址不符"})
    operator.post(f"/v1/outlets/{first}/close", json={"closed_on": str(clock.today()), "reason": "搬迁"})
    happened(database)
    assert told(operator) == [("outlet.verified", "outlet"), ("outlet.refused", "outlet"), ("outlet.closed", "outlet")]
    assert readable(operator)


def test_many_silent_outlets_are_one_change_that_leads_to_all_of_them(api, database, operator, on):
    on(2026, 11, 2)
    county = signed_in(api, Role.COUNTY_OFFICER, region_code=COUNTY)
    made = [register(operator, f"SN-{n}") for n in range(3)]
    for outlet_id in made:
        operator.post(f"/v1/outlets/{outlet_id}/devices", json={"number": "till-1"})
    county.post("/v1/outlets/verify", json={"outlet_ids": made})
    on(2026, 11, 20)
    with database.unit_of_work() as session:
        assert devices.tell_silent(session) == 3
    happened(database)
    [change] = changes(operator, type="outlets.silent")
    assert len(operator.get(path_of(change)).json()["items"]) == 3


def test_the_operator_hears_what_is_held_and_what_was_decided(api, database):
    with database.unit_of_work() as session:
        trade = make_trade(session)
        outlet = make_outlet(session, trade.clerk, region_code=COUNTY)
        make_goods(session, outlet, "G1", trade.goods[0].made)
        session.execute(text("UPDATE outlet SET opened_on = '2026-01-01', verified_at = '2026-01-01'"))
        key = make_device(session, outlet, trade.clerk)[1]
        operator = make_user(session, Role.OUTLET_OPERATOR, session.get_one(Organisation, outlet.operator_id))
    till = connect(str(api.base_url), database, {"Authorization": f"Bearer {key}"})
    early = Till().batch([sale("1", "G1", 2)], sent_at=clock.now() + timedelta(hours=1))
    assert till.post("/v1/sales-batches", json=early).json()["status"] == "held"
    city = signed_in(api, Role.CITY_OFFICER)
    [hold] = city.get("/v1/counting-holds", params={"status": "open"}).json()["items"]
    city.post(f"/v1/counting-holds/{hold['id']}/count", json={"reason": "时钟偏差，属实"})
    happened(database)
    client = api.as_(operator)
    assert told(client) == [("sales_batch.held", "sales_batch"), ("counting_hold.decided", "sales_batch")]
    assert readable(client)
    assert told(api.as_(trade.clerk)) == []


def test_operators_may_have_their_own_systems_called(operator):
    assert operator.get("/v1/webhook-endpoints").status_code == 200


# --- reports and bulletins ---------------------------------------------------------------------------------------------


def test_a_unit_hears_that_its_report_was_reviewed(api, database, on):
    on(2026, 10, 3)
    scene = Reports(api, database)
    report = scene.submitted()
    assert scene.move("county", report, "return", reason="请补充说明").status_code == 200
    happened(database)
    assert told(scene["school"]) == of("report.reviewed", "report")
    assert readable(scene["school"])
    assert told(scene["stranger"]) == []


@pytest.mark.slow
def test_every_organisation_hears_of_a_bulletin_and_of_its_revision(api, database, on):
    on(2026, 10, 6)
    scene = Bulletins(api, database)
    with database.unit_of_work() as session:
        unit = make_organisation(session, kind="school", parent=scene.trade.buyers[0])
        people = [
            make_user(session, Role.BUYER_ADMIN, scene.trade.buyers[0]),
            make_user(session, Role.VIEWER, unit),
            make_user(session, Role.SUPPLIER_ADMIN, scene.trade.goods[0].supplier),
        ]
    scene.published()
    happened(database)
    for person in people:
        [change] = changes(api.as_(person), type="bulletin.*")  # once, though a unit below hears of it, too
        assert [row["number"] for row in api.get(path_of(change)).json()["items"]] == ["2026-01"]
    on(2026, 10, 20)
    scene.tell_late()
    scene.publish(scene.revise().json())
    happened(database)
    assert told(api.as_(people[0]), type="bulletin.*") == of("bulletin.published", "bulletin", 2)
