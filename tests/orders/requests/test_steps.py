"""Steps that nobody could take, deputies that would take two, papers that somebody saw, and what holds a budget meanwhile."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from orders.approvals import queries as approvals
from orders.reconcile import report
from shop.core import clock, outbox
from shop.identity.permissions import Role
from tests.factories.buying import make_bureau
from tests.factories.catalog import PDF
from tests.factories.identity import make_user
from workers.handlers import HANDLERS


@pytest.fixture
def bureau(api, database):
    return make_bureau(api, database)


def code(answer):
    return answer.status_code, answer.json()["code"]


def waiting(answer):
    assert answer.status_code == 201, answer.text
    return answer.json()["purchase_request"]


def test_two_steps_that_only_one_person_could_take_are_refused_at_once(bureau):
    boss = bureau.people["bureau_approver"].id
    bureau.rule({"name": "一", "role": "approver"}, {"name": "二", "user_ids": [boss]})
    refused = bureau.ask(1)
    assert code(refused) == (409, "nobody_to_approve")
    assert refused.json()["data"]["step"] == "二"


def test_whoever_alone_can_take_a_later_step_leaves_the_earlier_one_to_others(bureau, database):
    with database.unit_of_work() as session:
        bureau.people["second"] = make_user(session, Role.APPROVER, bureau.bureau)
    boss = bureau.people["bureau_approver"].id
    bureau.rule({"name": "一", "role": "approver"}, {"name": "二", "user_ids": [boss]})
    request = waiting(bureau.ask(1))
    refused = bureau.decide(request, "bureau_approver")
    assert code(refused) == (409, "nobody_to_approve")
    assert bureau.decide(request, "second").json()["next_step"] == "二"
    assert bureau.decide(request, "bureau_approver").json()["status"] == "ordered"


def test_nobody_takes_a_second_step_by_way_of_a_deputy(bureau):
    boss, finance, admin = (bureau.people[f"bureau_{role}"].id for role in ("approver", "finance", "buyer_admin"))
    bureau.rule({"name": "一", "user_ids": [boss]}, {"name": "二", "user_ids": [boss, admin]})
    today = str(clock.today())
    days = {"first_day": today, "last_day": today}
    bureau.as_("bureau_approver").post("/v1/approval-deputies", json={"deputy_id": finance, **days})
    todo = lambda who: bureau.as_(who).get("/v1/purchase-requests?to_decide=true").json()["items"]  # noqa: E731
    first = waiting(bureau.ask(1))
    assert bureau.decide(first, "bureau_approver").json()["next_step"] == "二"
    assert todo("bureau_finance") == []
    assert code(bureau.decide(first, "bureau_finance")) == (403, "not_yours_to_decide")
    assert bureau.decide(first, "bureau_buyer_admin").json()["status"] == "ordered"
    # nor the other way round: what was decided in somebody's place is that person's step
    second = waiting(bureau.ask(1))
    assert bureau.decide(second, "bureau_finance").json()["next_step"] == "二"
    assert todo("bureau_approver") == []
    shown = bureau.as_("bureau_approver").get(f"/v1/purchase-requests/{second['id']}").json()
    assert shown["mine_to_decide"] is False
    assert code(bureau.decide(second, "bureau_approver")) == (403, "not_yours_to_decide")


def test_an_administrator_has_somebody_stand_in_for_who_fell_ill(bureau, database):
    with database.unit_of_work() as session:
        bureau.people["second"] = make_user(session, Role.APPROVER, bureau.school)
    people = {who: each.id for who, each in bureau.people.items()}
    bureau.rule({"name": "校长", "user_ids": [people["school_approver"]]}, organisation_id=bureau.school.id)
    today = str(clock.today())
    body = {"user_id": people["school_approver"], "deputy_id": people["second"], "first_day": today, "last_day": today}

    def appoint(who, **changed):
        return bureau.as_(who).post("/v1/approval-deputies", json={**body, **changed})

    assert appoint("school_finance").status_code == 403
    assert appoint("other_buyer_admin").status_code == 404
    assert code(appoint("school_buyer_admin", deputy_id=people["school_buyer_admin"])) == (422, "unknown_deputy")
    assert code(appoint("bureau_buyer_admin", deputy_id=people["bureau_approver"])) == (422, "unknown_deputy")
    made = appoint("bureau_buyer_admin")
    assert (made.status_code, made.json()["user_id"], made.json()["deputy_id"]) == (201, body["user_id"], body["deputy_id"])
    assert bureau.decide(waiting(bureau.ask(1)), "second").json()["status"] == "ordered"


def test_people_of_a_unit_above_hear_of_the_steps_that_name_them(bureau, database):
    people = [bureau.people[who].id for who in ("school_approver", "bureau_approver")]
    bureau.rule({"name": "会签", "user_ids": people}, who="school_buyer_admin")
    waiting(bureau.ask(1))
    outbox.drain(database, HANDLERS)
    for who in ("school_approver", "bureau_approver"):
        kinds = [each["kind"] for each in bureau.as_(who).get("/v1/notifications").json()["items"]]
        assert kinds == ["purchase_request.waiting"]


def test_papers_that_somebody_decided_on_stay(bureau):
    bureau.rule({"name": "一", "role": "approver"}, {"name": "二", "role": "finance"})
    request = waiting(bureau.ask(1))
    path = f"/v1/purchase-requests/{request['id']}"
    school = bureau.as_("school_purchaser")
    papers = [school.post(path + "/files", files={"file": (f"{n}.pdf", PDF)}).json()[-1]["id"] for n in range(3)]
    assert school.delete(f"{path}/files/{papers[0]}").status_code == 204
    bureau.decide(request, "bureau_approver")
    assert code(school.delete(f"{path}/files/{papers[1]}")) == (409, "papers_fixed")
    bureau.decide(request, "bureau_finance", "return", reason="请换附件")
    assert school.delete(f"{path}/files/{papers[1]}").status_code == 204
    school.post(path + "/resubmit", json=bureau.order(1))
    bureau.decide(request, "bureau_approver")
    assert bureau.decide(request, "bureau_finance").json()["status"] == "ordered"
    assert code(school.delete(f"{path}/files/{papers[2]}")) == (409, "papers_fixed")


def test_a_telephone_number_of_an_address_is_one_of_an_order(bureau):
    bureau.rule()
    place = {"name": "食堂", "address": "大学城中路1号", "phone": "(023) 65100000", "is_default": True}
    assert bureau.as_("school_purchaser").post("/v1/delivery-addresses", json=place).status_code == 201
    body = bureau.order(1)
    del body["delivery_address"]
    request = waiting(bureau.as_("school_purchaser").post("/v1/purchase-requests", json=body))
    done = bureau.decide(request, "bureau_approver")
    assert done.status_code == 200, done.text
    assert done.json()["status"] == "ordered"


def test_an_unknown_relation_is_the_payloads_fault(bureau):
    bureau.rule()
    assert code(bureau.ask(1, declared_relation_id=10**15)) == (422, "unknown_relation")


def test_what_waits_over_the_new_year_counts_in_the_year_in_which_it_may_be_ordered(api, bureau):
    bureau.rule(min_amount="0.00", who="school_buyer_admin")
    bureau.rule({"name": "年度", "role": "finance"}, min_amount="500.00", cumulative=True)
    with clock.fixed(datetime(2026, 12, 31, 10, tzinfo=UTC)):
        asked = api.as_(bureau.people["school_purchaser"]).post("/v1/purchase-requests", json=bureau.order(5))
        assert [step["name"] for step in waiting(asked)["steps"]] == ["领导"]
    with clock.fixed(datetime(2027, 1, 1, 10, tzinfo=UTC)):
        asked = api.as_(bureau.people["school_purchaser"]).post("/v1/purchase-requests", json=bureau.order(5))
        assert [step["name"] for step in waiting(asked)["steps"]] == ["领导", "年度"]


def test_what_did_not_arrive_was_not_spent(bureau):
    bureau.rule(min_amount="500.00", cumulative=True)
    placed = bureau.as_("school_purchaser").post("/v1/purchase-orders", json=bureau.order(5)).json()
    part = placed["supplier_orders"][0]["id"]
    seller = bureau.as_("seller")
    seller.post(f"/v1/supplier-orders/{part}/confirm")
    line = seller.get(f"/v1/supplier-orders/{part}").json()["lines"][0]["id"]
    shipment = seller.post(f"/v1/supplier-orders/{part}/shipments", json={}).json()["id"]
    answer = {
        "order_line_id": line,
        "accepted_quantity": "2",
        "rejected_quantity": "0",
        "difference_quantity": "3",
        "reason": "短少",
    }
    taken = bureau.as_("school_purchaser").post(f"/v1/shipments/{shipment}/acceptance", json={"lines": [answer]})
    assert taken.status_code == 201, taken.text
    assert bureau.as_("school_purchaser").post("/v1/purchase-orders", json=bureau.order(5)).status_code == 201


def test_a_suspended_unit_orders_on_nobodys_budget(bureau, database):
    path = f"/v1/organisations/{bureau.school.id}/buying-settings"
    bureau.as_("bureau_buyer_admin").patch(path, json={"budget_unit_id": bureau.bureau.id})
    with database.unit_of_work() as session:
        session.execute(text("UPDATE organisation SET status = 'suspended' WHERE id = :id"), {"id": bureau.school.id})
    refused = bureau.as_("school_purchaser").post("/v1/purchase-orders", json=bureau.order(1))
    assert code(refused) == (409, "buyer_not_approved")


def stuck(bureau, database, quantity):
    """A request that was approved and could not be placed."""
    request = waiting(bureau.ask(quantity))
    with database.unit_of_work() as session:
        session.execute(text("UPDATE stock SET on_hand = 0"))
    assert bureau.decide(request, "bureau_approver").json()["status"] == "approved"
    with database.unit_of_work() as session:
        session.execute(text("UPDATE stock SET on_hand = 1000"))
    return request


def test_handing_in_again_locks_the_budget_last(bureau, database):
    """Whoever orders holds the unit's spending before the budget; so does who hands a request in again that still holds its budget."""
    bureau.rule(cumulative=True)
    budget = bureau.budget("1000.00")
    request = stuck(bureau, database, 5)
    school = bureau.as_("school_purchaser")
    with ThreadPoolExecutor(1) as pool, database.unit_of_work() as session:
        approvals.hold_spending(session, bureau.school.id)
        again = pool.submit(school.post, f"/v1/purchase-requests/{request['id']}/resubmit", json=bureau.order(6))
        time.sleep(0.5)
        session.execute(text("SELECT 1 FROM budget WHERE id = :id FOR UPDATE NOWAIT"), {"id": budget["id"]})
        session.commit()
        assert again.result().json()["status"] == "waiting"
    assert bureau.as_("bureau_viewer").get(f"/v1/budgets/{budget['id']}").json()["reserved"] == "419.40"


def test_where_nobody_has_to_approve_any_more_it_is_placed_or_keeps_its_budget(bureau, database):
    rule = bureau.rule()
    budget = bureau.budget("1000.00")
    path = f"/v1/purchase-requests/{stuck(bureau, database, 5)['id']}/resubmit"
    bureau.as_("bureau_buyer_admin").patch(f"/v1/approval-rules/{rule['id']}", json={"active": False})
    school = bureau.as_("school_purchaser")
    reserved = lambda: bureau.as_("bureau_viewer").get(f"/v1/budgets/{budget['id']}").json()["reserved"]  # noqa: E731
    assert code(school.post(path, json=bureau.order(15))) == (409, "budget_exceeded")
    assert reserved() == "349.50"
    assert school.post(path, json=bureau.order(14)).json()["status"] == "ordered"
    assert reserved() == "978.60"
    assert report.differences(database) == 0


def test_an_application_filed_while_another_is_decided_on_waits_for_it(bureau, database):
    with database.unit_of_work() as session:
        bureau.people["county"] = make_user(session, Role.COUNTY_OFFICER, region_code="500106")
    placed = bureau.as_("school_purchaser").post("/v1/purchase-orders", json=bureau.order(1)).json()
    part = placed["supplier_orders"][0]["id"]
    bureau.as_("seller").post(f"/v1/supplier-orders/{part}/confirm")
    bureau.as_("seller").post(f"/v1/supplier-orders/{part}/shipments", json={})
    path = f"/v1/purchase-orders/{placed['id']}/budget-unit-applications"
    asked = {"unit_id": bureau.other.id, "reason": "选错单位"}
    filed = bureau.as_("school_purchaser").post(path, json=asked).json()
    started = threading.Event()
    bureau.as_("county")

    def approve():
        started.set()
        return bureau.as_("county").post(f"/v1/budget-unit-applications/{filed['id']}/approve", json={"reason": "属实"})

    with ThreadPoolExecutor(1) as pool, database.unit_of_work() as session:
        session.execute(text("SELECT 1 FROM supplier_order WHERE id = :id FOR UPDATE"), {"id": part})
        approved = pool.submit(approve)
        started.wait()
        time.sleep(0.5)
        # who files another one has locked the parts, and meets the one that waits: it must not be taken by who waits for the parts
        session.execute(text("SELECT 1 FROM budget_unit_application WHERE id = :id FOR UPDATE NOWAIT"), {"id": filed["id"]})
        session.commit()
        assert approved.result().json()["status"] == "approved"


def test_deputies_days_are_shanghai_days(bureau, api):
    """The first and the last day count, from midnight to midnight in Shanghai."""
    bureau.rule({"name": "领导", "user_ids": [bureau.people["bureau_approver"].id]})
    last = clock.today() + timedelta(days=1)
    days = {"first_day": str(clock.today()), "last_day": str(last)}
    bureau.as_("bureau_approver").post("/v1/approval-deputies", json={"deputy_id": bureau.people["bureau_finance"].id, **days})
    request = waiting(bureau.ask(1))
    path = f"/v1/purchase-requests/{request['id']}"
    with clock.fixed(clock.end_of_day(last)):
        assert api.as_(bureau.people["bureau_finance"]).get(path).json()["mine_to_decide"] is False
    with clock.fixed(clock.end_of_day(last) - timedelta(seconds=1)):
        assert api.as_(bureau.people["bureau_finance"]).post(path + "/approve", json={}).json()["status"] == "ordered"
