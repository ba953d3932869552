"""An order moves to another budget unit: at once before dispatch, by an application that an officer decides on afterwards."""

import pytest
from sqlalchemy import text

from orders.statistics import actions as statistics
from shop.core import outbox
from shop.identity.permissions import Role
from tests.factories.buying import make_bureau
from tests.factories.identity import make_user
from workers.handlers import HANDLERS


@pytest.fixture
def bureau(api, database):
    made = make_bureau(api, database)
    with database.unit_of_work() as session:
        made.people["county"] = make_user(session, Role.COUNTY_OFFICER, region_code="500106")
        made.people["elsewhere"] = make_user(session, Role.COUNTY_OFFICER, region_code="500236")
    return made


def code(answer):
    return answer.status_code, answer.json()["code"]


def sent(bureau, order, accept=True):
    part = order["supplier_orders"][0]["id"]
    bureau.as_("seller").post(f"/v1/supplier-orders/{part}/confirm")
    shipment = bureau.as_("seller").post(f"/v1/supplier-orders/{part}/shipments", json={}).json()["id"]
    if accept:
        assert bureau.as_("school_purchaser").post(f"/v1/shipments/{shipment}/acceptance", json={}).status_code == 201
    return shipment


def apply(bureau, order, unit, who="school_purchaser"):
    return bureau.as_(who).post(
        f"/v1/purchase-orders/{order['id']}/budget-unit-applications", json={"unit_id": unit.id, "reason": "选错单位"}
    )


def available(bureau, budget):
    return bureau.as_("bureau_viewer").get(f"/v1/budgets/{budget['id']}").json()["available"]


def test_before_dispatch_it_is_changed_at_once_with_its_budget(bureau, database):
    mine = bureau.budget("1000.00", organisation_id=bureau.school.id)
    theirs = bureau.budget("500.00", organisation_id=bureau.other.id)
    order = bureau.placed(5)
    assert code(bureau.move(order, bureau.school)) == (409, "same_unit")
    assert code(bureau.move(order, bureau.other, who="school_purchaser")) == (403, "not_your_unit")
    assert code(bureau.move(order, bureau.market.school)) == (422, "not_of_your_tree")
    assert bureau.move(order, bureau.other, who="stranger").status_code == 404
    assert code(apply(bureau, order, bureau.other)) == (409, "not_dispatched")
    moved = bureau.move(order, bureau.other)
    assert moved.status_code == 200, moved.text
    assert moved.json()["buyer_id"] == bureau.other.id
    assert (available(bureau, mine), available(bureau, theirs)) == ("1000.00", "150.50")
    # the unit that ordered still sees it
    assert bureau.as_("school_viewer").get(f"/v1/purchase-orders/{order['id']}").status_code == 200
    outbox.drain(database, HANDLERS)
    kinds = [each["kind"] for each in bureau.as_("seller").get("/v1/notifications").json()["items"]]
    assert kinds == ["purchase_order.reassigned", "purchase_order.placed"]
    large = bureau.placed(3)
    assert code(bureau.move(large, bureau.other)) == (409, "budget_exceeded")
    assert (available(bureau, mine), available(bureau, theirs)) == ("790.30", "150.50")


def sums(database):
    with database.unit_of_work() as session:
        statistics.refresh(session)
        rows = session.execute(
            text(
                "SELECT buyer_id, sum(quantity)::int, sum(grams)::bigint, sum(amount_fen)::bigint FROM sale_entry GROUP BY buyer_id"
                " ORDER BY buyer_id"
            )
        ).all()
        return {row[0]: tuple(row[1:]) for row in rows}


def test_after_dispatch_an_officer_moves_order_sales_and_budget(bureau, database):
    mine = bureau.budget("1000.00", organisation_id=bureau.school.id)
    theirs = bureau.budget("500.00", organisation_id=bureau.other.id)
    order = bureau.placed(5)
    sent(bureau, order)
    assert code(bureau.move(order, bureau.other)) == (409, "dispatched")
    filed = apply(bureau, order, bureau.other)
    assert filed.status_code == 201, filed.text
    assert code(apply(bureau, order, bureau.bureau)) == (409, "application_open")
    path = f"/v1/budget-unit-applications/{filed.json()['id']}"
    assert bureau.as_("elsewhere").post(path + "/approve", json={"reason": "同意"}).status_code == 404
    assert bureau.as_("school_buyer_admin").post(path + "/approve", json={"reason": "同意"}).status_code == 403
    assert [each["id"] for each in bureau.as_("county").get("/v1/budget-unit-applications?status=filed").json()["items"]] == [
        filed.json()["id"]
    ]
    before = sums(database)
    assert before == {bureau.school.id: (5, 25_000, 34_950)}
    approved = bureau.as_("county").post(path + "/approve", json={"reason": "属实"})
    assert approved.json()["status"] == "approved", approved.text
    assert sums(database) == {bureau.school.id: (0, 0, 0), bureau.other.id: (5, 25_000, 34_950)}
    assert (available(bureau, mine), available(bureau, theirs)) == ("1000.00", "150.50")
    assert code(bureau.as_("county").post(path + "/refuse", json={"reason": "改变主意"})) == (409, "illegal_move")
    outbox.drain(database, HANDLERS)
    assert "budget_unit_application.decided" in [
        each["kind"] for each in bureau.as_("school_viewer").get("/v1/notifications").json()["items"]
    ]


def test_what_is_moved_says_of_the_goods_what_was_booked(bureau, database):
    order = bureau.placed(5)
    sent(bureau, order)
    filed = apply(bureau, order, bureau.other).json()
    with database.unit_of_work() as session:
        session.execute(text("UPDATE certificate SET valid_from = valid_until"))
        session.execute(text("DELETE FROM region_designation WHERE designation = 'county_832'"))
    bureau.as_("county").post(f"/v1/budget-unit-applications/{filed['id']}/approve", json={"reason": "属实"})
    with database.unit_of_work() as session:
        goods = "buyer_id, certificate_id, certified, reserved_share_eligible"
        rows = session.execute(text(f"SELECT {goods} FROM sale_entry WHERE reverses_id IS NULL ORDER BY id")).all()
    assert [row.buyer_id for row in rows] == [bureau.school.id, bureau.other.id]
    assert rows[0][1:] == rows[1][1:]
    assert rows[0].certified
    assert rows[0].reserved_share_eligible


def test_what_is_accepted_later_is_the_new_units(bureau, database):
    order = bureau.placed(5)
    shipment = sent(bureau, order, accept=False)
    filed = apply(bureau, order, bureau.other).json()
    bureau.as_("county").post(f"/v1/budget-unit-applications/{filed['id']}/approve", json={"reason": "属实"})
    assert bureau.as_("school_purchaser").post(f"/v1/shipments/{shipment}/acceptance", json={}).status_code == 201
    assert sums(database) == {bureau.other.id: (5, 25_000, 34_950)}


def test_an_application_is_refused_or_taken_back(bureau):
    order = bureau.placed(1)
    sent(bureau, order)
    first = apply(bureau, order, bureau.other).json()
    path = f"/v1/budget-unit-applications/{first['id']}"
    assert bureau.as_("stranger").get(path).status_code == 404
    assert bureau.as_("school_purchaser").post(path + "/withdraw", json={"reason": "填错"}).json()["status"] == "withdrawn"
    second = apply(bureau, order, bureau.bureau).json()
    refused = bureau.as_("county").post(f"/v1/budget-unit-applications/{second['id']}/refuse", json={"reason": "材料不符"}).json()
    assert (refused["status"], refused["decision_reason"]) == ("refused", "材料不符")
    assert bureau.as_("school_purchaser").get(f"/v1/purchase-orders/{order['id']}").json()["buyer_id"] == bureau.school.id


def test_to_everybody_only_what_they_may_do_is_offered(bureau, database):
    with database.unit_of_work() as session:
        bureau.people["of_unit"] = make_user(session, Role.COUNTY_OFFICER, bureau.school, region_code="500106")
    order = bureau.placed(5)
    sent(bureau, order)
    path = f"/v1/budget-unit-applications/{apply(bureau, order, bureau.other).json()['id']}"

    def offered():
        told = {who: bureau.as_(who).get(path) for who in bureau.people}
        return {who: answer.json()["possible_actions"] for who, answer in told.items() if answer.status_code == 200}

    before = offered()
    assert before["county"] == ["approve", "refuse"]
    for who in ("school_purchaser", "bureau_purchaser", "bureau_buyer_admin"):
        assert before[who] == ["withdraw"], who
    # of the unit itself, without the right, only of the unit that it is to go to
    for who in ("of_unit", "school_viewer", "bureau_approver"):
        assert before[who] == [], who
    listed = bureau.as_("school_purchaser").get("/v1/budget-unit-applications").json()["items"]
    assert [each["possible_actions"] for each in listed] == [["withdraw"]]
    bureau.as_("county").post(f"{path}/refuse", json={"reason": "无据"})
    assert [moves for moves in offered().values() if moves] == []
