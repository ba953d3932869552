"""What was approved, and what was never asked for, does not grow into something else afterwards."""

import pytest
from sqlalchemy import text

from orders.reconcile import report
from shop.core import outbox
from tests.factories.buying import make_bureau
from tests.factories.catalog import make_product
from workers.handlers import HANDLERS


@pytest.fixture
def bureau(api, database):
    return make_bureau(api, database)


def code(answer):
    return answer.status_code, answer.json()["code"]


def confirmed(bureau, order):
    part = order["supplier_orders"][0]["id"]
    assert bureau.as_("seller").post(f"/v1/supplier-orders/{part}/confirm").status_code == 200
    return part, bureau.as_("seller").get(f"/v1/supplier-orders/{part}").json()["lines"][0]["id"]


def proposed(bureau, part, *lines, who="school_purchaser", **head):
    body = {"reason": "市场涨价", "lines": list(lines), **head}
    answer = bureau.as_(who).post(f"/v1/supplier-orders/{part}/amendments", json=body)
    assert answer.status_code == 201, answer.text
    return f"/v1/amendments/{answer.json()['id']}/accept"


def test_an_order_below_the_rules_is_not_amended_above_them(bureau, database):
    bureau.rule(min_amount="500.00")
    part, line = confirmed(bureau, bureau.placed(5))
    dearer = proposed(bureau, part, {"order_line_id": line, "unit_price": "100.00"})
    assert code(bureau.as_("seller").post(dearer)) == (409, "beyond_approval")
    bureau.as_("school_purchaser").post(dearer.replace("accept", "withdraw"))
    a_little = proposed(bureau, part, {"order_line_id": line, "unit_price": "99.99"})
    assert bureau.as_("seller").post(a_little).json()["change"] == "150.45"
    assert report.differences(database) == 0


def test_an_approved_order_is_not_amended_above_its_approval(bureau):
    bureau.rule()
    request = bureau.ask(5).json()["purchase_request"]
    done = bureau.as_("bureau_approver").post(f"/v1/purchase-requests/{request['id']}/approve", json={}).json()
    order = bureau.as_("school_purchaser").get(f"/v1/purchase-orders/{done['purchase_order_id']}").json()
    part, line = confirmed(bureau, order)
    dearer = proposed(bureau, part, {"order_line_id": line, "unit_price": "69.91"})
    assert code(bureau.as_("seller").post(dearer)) == (409, "beyond_approval")
    bureau.as_("school_purchaser").post(dearer.replace("accept", "withdraw"))
    less = proposed(bureau, part, {"order_line_id": line, "unit_price": "80.00", "quantity": "4"})
    assert bureau.as_("seller").post(less).json()["change"] == "-29.50"


def test_a_part_that_got_dearer_counts_with_what_was_spent_before(bureau):
    bureau.rule(min_amount="500.00", cumulative=True)
    bureau.placed(2)
    part, line = confirmed(bureau, bureau.placed(2))
    dearer = proposed(bureau, part, {"order_line_id": line, "unit_price": "180.10"})
    assert code(bureau.as_("seller").post(dearer)) == (409, "beyond_approval")
    bureau.as_("school_purchaser").post(dearer.replace("accept", "withdraw"))
    assert bureau.as_("seller").post(proposed(bureau, part, {"order_line_id": line, "unit_price": "180.09"})).status_code == 200


def test_two_lines_take_the_same_substitute(bureau, database):
    with database.unit_of_work() as session:
        plums = make_product(session, bureau.market.suppliers[0], name="巫山脆李", prices=((1, 5000),), stock=7)
    order = bureau.order(3)
    order["lines"] *= 2
    order = bureau.as_("school_purchaser").post("/v1/purchase-orders", json=order).json()
    part, first = confirmed(bureau, order)
    second = bureau.as_("seller").get(f"/v1/supplier-orders/{part}").json()["lines"][1]["id"]
    swap = {"sku_id": plums.sku_id}
    path = proposed(
        bureau, part, {"order_line_id": first, "quantity": "2", **swap}, {"order_line_id": second, "quantity": "5", **swap}
    )
    assert bureau.as_("seller").post(path).json()["change"] == "-69.40"
    assert report.differences(database) == 0


def test_an_order_does_not_get_round_the_rules_by_way_of_another_unit(bureau):
    bureau.rule({"name": "校领导", "role": "approver"}, who="school_buyer_admin", min_amount="300.00")
    small, large = (bureau.placed(n, who="bureau_purchaser", buyer_id=bureau.other.id) for n in (4, 5))
    assert code(bureau.move(large, bureau.school)) == (409, "approval_needed")
    assert bureau.move(small, bureau.school).status_code == 200
    assert bureau.move(large, bureau.bureau).status_code == 200


def test_steps_that_were_taken_go_with_the_order(bureau):
    bureau.rule()
    request = bureau.ask(5).json()["purchase_request"]
    done = bureau.as_("bureau_approver").post(f"/v1/purchase-requests/{request['id']}/approve", json={}).json()
    order = {"id": done["purchase_order_id"]}
    assert bureau.move(order, bureau.other).status_code == 200
    bureau.rule({"name": "校领导", "role": "approver"}, who="school_buyer_admin")
    refused = bureau.move(order, bureau.school)
    assert code(refused) == (409, "approval_needed")
    assert refused.json()["data"]["steps"] == "校领导"


def test_a_unit_that_needs_a_budget_takes_over_no_order_without_one(bureau):
    path = f"/v1/organisations/{bureau.school.id}/buying-settings"
    bureau.as_("bureau_buyer_admin").patch(path, json={"budget_required": True})
    order = bureau.placed(1, who="bureau_purchaser", buyer_id=bureau.other.id)
    assert code(bureau.move(order, bureau.school)) == (409, "budget_missing")
    bureau.budget("100.00", organisation_id=bureau.school.id)
    assert bureau.move(order, bureau.school).status_code == 200


def test_the_suppliers_hear_of_every_move(bureau, database):
    order = bureau.placed(1)
    for unit in (bureau.other, bureau.school, bureau.other):
        assert bureau.move(order, unit).status_code == 200
        outbox.drain(database, HANDLERS)
    with database.unit_of_work() as session:
        told = text("SELECT count(*) FROM notification WHERE kind = 'purchase_order.reassigned'")
        assert session.execute(told).scalar_one() == 3
