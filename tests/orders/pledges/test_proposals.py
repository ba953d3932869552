"""A basket is asked for, worked out in the background, ordered as it is; where there is none, the limit in the way is named."""

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from orders.pledges import solver
from orders.pledges.actions import proposing
from orders.pledges.handlers import remind
from shop.core import clock
from shop.identity.permissions import Role
from tests.conftest import connect
from tests.factories.identity import access_token, make_user


def ask(scene, pledge, **body):
    answer = scene.clients["buyer"].post(f"/v1/pledges/{pledge['id']}/basket-proposals", json={"budget": "20000.00", **body})
    assert answer.status_code == 202, answer.text
    return answer.json()


def found(scene, pledge, **body):
    asked = ask(scene, pledge, **body)
    scene.work()
    return scene.clients["buyer"].get(f"/v1/basket-proposals/{asked['id']}").json()


def test_a_basket_is_proposed_and_ordered_to_a_recipient(scene, code):
    buyer, pledge = scene.clients["buyer"], scene.pledge()
    asked = ask(scene, pledge, deep_township_share="30", supplier_share="70", max_products=3)
    assert (asked["status"], asked["progress"], asked["lines"]) == ("waiting", 0, [])
    assert code(buyer.post(f"/v1/basket-proposals/{asked['id']}/order", json={"delivery_address": "重庆"})) == (409, "illegal_move")
    scene.work()
    basket = buyer.get(f"/v1/basket-proposals/{asked['id']}").json()
    assert (basket["status"], basket["progress"], basket["candidates"]) == ("ready", 100, 3)  # tea of Chengkou is not pledged to
    assert "basket_proposal.ready" in scene.told("buyer")
    result = basket["result"]
    amount = Decimal(result["amount"])
    assert abs(amount - 20000) <= 400
    assert Decimal(result["deep_townships"]) >= amount * 30 / 100
    assert Decimal(result["largest_supplier"]) <= amount * 70 / 100
    assert result["missed"] == []
    assert sum(Decimal(line["amount"]) for line in basket["lines"]) == amount
    assert set(basket["baseline"]) == set(result)

    path = f"/v1/basket-proposals/{asked['id']}/order"
    assert code(buyer.post(path, json={})) == (422, "where_to")
    assert code(buyer.post(path, json={"recipient_id": 10**9})) == (404, "not_found")
    recipient = pledge["recipients"][0]["id"]
    ordered = buyer.post(path, json={"recipient_id": recipient, "buyer_reference": "工会-1"})
    assert ordered.status_code == 201, ordered.text
    order = ordered.json()["purchase_order"]
    assert ordered.json()["purchase_request_id"] is None
    assert (order["total"], order["fund_source"], order["delivery_address"]) == (
        result["amount"],
        "welfare",
        "重庆市渝中区健康路1号",
    )
    assert scene.figures(pledge)["ordered"] == result["amount"]
    again = buyer.get(f"/v1/basket-proposals/{asked['id']}").json()
    assert (again["status"], again["purchase_order_id"]) == ("ordered", order["id"])
    assert code(buyer.post(path, json={"recipient_id": recipient})) == (409, "illegal_move")


def test_equal_baskets_for_each_head_within_the_cap(scene):
    pledge = scene.pledge(per_head_cap="500.00")  # 40 heads
    basket = found(scene, pledge, identical=True, hard=True)
    assert basket["status"] == "ready"
    assert (basket["asked"]["heads"], basket["asked"]["per_head_cap"]) == (40, "500.00")
    assert Decimal(basket["result"]["amount"]) <= 20000
    assert Decimal(basket["result"]["per_head"]) <= 500
    for line in basket["lines"]:
        assert Decimal(line["quantity"]) == 40 * Decimal(line["per_head_quantity"])


def test_categories_villages_and_the_reserved_share_choose_the_goods(scene):
    pledge = scene.pledge(regions=["500236", "500240", "500229"])
    names = lambda basket: {line["product_name"] for line in basket["lines"]}  # noqa: E731
    assert names(found(scene, pledge, include_categories=["honey"])) == {"土蜂蜜"}
    assert "土蜂蜜" not in names(found(scene, pledge, exclude_categories=["honey", "tea"]))
    assert names(found(scene, pledge, new_village_share="100")) == {"平安脐橙"}
    scene.sql("DELETE FROM region_designation WHERE designation = 'county_832' AND region_code IN ('500236', '500229')")
    assert names(found(scene, pledge, reserved_share_only=True)) == {"土蜂蜜"}


def test_a_village_that_sold_this_year_is_not_new(scene):
    pledge, order = scene.pledge(), scene.order(1)
    assert found(scene, pledge, new_village_share="50")["status"] == "ready"
    scene.deliver(order)
    basket = found(scene, pledge, new_village_share="50")
    assert (basket["status"], basket["proven"], basket["lines"]) == ("infeasible", True, [])
    told = {each["limit"]: each["attainable"] for each in basket["obstacles"]}
    assert told == {"budget": None, "new_village_share": "0.00"}
    assert scene.told("buyer")[-1] == "basket_proposal.infeasible"


def test_it_says_how_far_one_comes_without_the_limit_in_the_way(scene):
    pledge = scene.pledge(per_head_cap="100.00")
    basket = found(scene, pledge, max_products=2)
    told = {each["limit"]: each["attainable"] for each in basket["obstacles"]}
    assert (basket["status"], basket["result"]) == ("infeasible", None)
    assert told["per_head_cap"].startswith("49")  # 19,600 yuan over 40 heads
    assert Decimal(told["budget"]) <= 4000
    assert told["max_products"] is None
    assert basket["baseline"]["missed"] == ["budget"]


def test_prices_and_stock_that_changed_meanwhile_are_noticed(scene, code):
    buyer, pledge = scene.clients["buyer"], scene.pledge()
    basket = found(scene, pledge)
    path = f"/v1/basket-proposals/{basket['id']}/order"
    scene.sql("UPDATE price_tier SET unit_price_fen = unit_price_fen - 1")
    refused = buyer.post(path, json={"delivery_address": "重庆市"})
    assert code(refused) == (409, "proposal_outdated")
    assert refused.json()["data"]["lines"] == list(range(1, len(basket["lines"]) + 1))
    scene.sql("UPDATE price_tier SET unit_price_fen = unit_price_fen + 1")
    scene.sql("UPDATE stock SET on_hand = 0, reserved = 0")
    assert code(buyer.post(path, json={"delivery_address": "重庆市"})) == (422, "lines_refused")
    assert buyer.get(f"/v1/basket-proposals/{basket['id']}").json()["status"] == "ready", "nothing was written"
    assert scene.figures(pledge)["orders"] == 0


def rush(scene, basket):
    with scene.database.unit_of_work() as session:
        token = access_token(session, scene.users["buyer"])
    barrier = threading.Barrier(6)

    def order(_):
        client = connect(str(scene.api.base_url), scene.database, {"Authorization": f"Bearer {token}"})
        barrier.wait()
        return client.post(f"/v1/basket-proposals/{basket['id']}/order", json={"delivery_address": "重庆市"}).status_code

    with ThreadPoolExecutor(6) as pool:
        return sorted(pool.map(order, range(6)))


def test_a_basket_is_ordered_once_however_many_order_it_at_once(scene):
    basket = found(scene, scene.pledge())
    assert rush(scene, basket) == [201, 409, 409, 409, 409, 409]
    assert scene.sql("SELECT count(*) FROM purchase_order").scalar_one() == 1


@pytest.mark.control
def test_without_the_lock_the_same_basket_is_ordered_twice(scene, monkeypatch):
    """The control: when this fails, the test above proves nothing."""
    basket = found(scene, scene.pledge())
    locking = proposing.text

    class Unlocked:
        def __call__(self, statement):
            return locking(statement.replace(" WHERE id = :id FOR UPDATE", " WHERE id = :id"))

    monkeypatch.setattr(proposing, "text", Unlocked())
    assert rush(scene, basket).count(201) > 1


def needs_approval(scene):
    """From now on every order of the firm does; returns who decides."""
    with scene.database.unit_of_work() as session:
        people = [make_user(session, role, scene.firm) for role in (Role.BUYER_ADMIN, Role.APPROVER)]
    admin, approver = (scene.api.as_(user) for user in people)
    rule = {"name": "审批", "min_amount": "0", "steps": [{"name": "领导", "role": "approver"}]}
    assert admin.post("/v1/approval-rules", json=rule).status_code == 201
    return approver


def requested(scene, pledge, basket):
    """The order of a basket waits for approval; returns its request and the one who decides."""
    approver = needs_approval(scene)
    recipient = {"recipient_id": pledge["recipients"][0]["id"]}
    asked = scene.clients["buyer"].post(f"/v1/basket-proposals/{basket['id']}/order", json=recipient).json()
    return f"/v1/purchase-requests/{asked['purchase_request_id']}", approver


def test_an_order_that_was_approved_later_counts_then(scene):
    pledge = scene.pledge()
    request, approver = requested(scene, pledge, found(scene, pledge))
    approved = approver.post(f"{request}/approve", json={}).json()
    scene.work()  # the order was placed
    (counted,) = scene.clients["buyer"].get(f"/v1/pledges/{pledge['id']}/orders").json()["items"]
    assert (counted["purchase_order_id"], counted["recipient"]) == (approved["purchase_order_id"], "市第一医院")


def test_working_it_out_twice_changes_nothing(scene):
    basket = found(scene, scene.pledge())
    with scene.database.unit_of_work() as session:
        assert proposing.work_out(session, basket["id"]) is None
        assert proposing.explain(session, basket["id"]) is None
    assert scene.clients["buyer"].get(f"/v1/basket-proposals/{basket['id']}").json() == basket


def test_a_solver_that_fails_fails_the_basket_and_nothing_else(scene, monkeypatch):
    def fail(*_):
        raise solver.SolverFailed("memory")

    monkeypatch.setattr(solver, "propose", fail)
    basket = found(scene, scene.pledge())
    assert (basket["status"], basket["progress"]) == ("failed", 100)
    assert "basket_proposal.failed" in scene.told("buyer")


def test_a_basket_that_nobody_works_on_is_given_up(scene):
    pledge = scene.pledge()
    asked = ask(scene, pledge)
    with clock.fixed(datetime.now(UTC) + timedelta(hours=2)), scene.database.unit_of_work() as session:
        remind(session)
    assert scene.clients["buyer"].get(f"/v1/basket-proposals/{asked['id']}").json()["status"] == "failed"
    done = scene.sql("SELECT action FROM audit_event WHERE subject_type = 'basket_proposal' ORDER BY id").scalars().all()
    assert done == ["basket_proposal.requested", "basket_proposal.fail"]


def test_what_cannot_be_asked(scene, code):
    buyer = scene.clients["buyer"]
    path = f"/v1/pledges/{scene.pledge(recipients=[])['id']}/basket-proposals"
    for body in ({"identical": True}, {"per_head_cap": "100.00"}):
        assert code(buyer.post(path, json={"budget": "100.00", **body})) == (422, "heads_needed")
    both = {"budget": "1.00", "include_categories": ["tea"], "exclude_categories": ["tea"]}
    for body in ({}, {"budget": "-1"}, {"budget": "1.00", "deep_township_share": "101"}, {"budget": "1.00", "heads": 0}, both):
        assert buyer.post(path, json=body).status_code == 422, body
    for _ in range(3):
        assert buyer.post(path, json={"budget": "9999999999.99"}).status_code == 202
    assert code(buyer.post(path, json={"budget": "100.00"})) == (409, "too_many_proposals")
    scene.work()
    rows = buyer.get(path, params={"limit": 2}).json()
    assert [row["status"] for row in rows["items"]] == ["infeasible", "infeasible"]
    assert len(buyer.get(path, params={"after": rows["next"]}).json()["items"]) == 1


def test_baskets_of_others_are_not_there(scene):
    basket = found(scene, scene.pledge())
    path = f"/v1/basket-proposals/{basket['id']}"
    assert scene.clients["fengjie"].get(path).status_code == 200
    assert scene.clients["approver"].post(f"{path}/order", json={"delivery_address": "x"}).status_code == 403
    for who in ("stranger", "branch", "chengkou"):
        assert scene.clients[who].get(path).status_code == 404
    assert scene.clients["stranger"].post(f"{path}/order", json={"delivery_address": "x"}).status_code == 404


@pytest.mark.slow
def test_no_server_pays_the_memory_of_the_solver_before_a_basket_is_made():
    program = "import sys, shop.app, workers.tasks; print('highspy' in sys.modules, 'numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


@pytest.mark.parametrize("how", ["cancel", "close", "end"])
def test_an_order_approved_too_late_does_not_count_and_is_free_for_another_pledge(scene, how):
    buyer, pledge = scene.clients["buyer"], scene.pledge()
    request, approver = requested(scene, pledge, found(scene, pledge))
    if how == "end":
        scene.sql("UPDATE pledge SET valid_until = :day", day=clock.today() - timedelta(days=1))
    else:
        assert (
            buyer.post(f"/v1/pledges/{pledge['id']}/{how}", json={"reason": "预算取消"} if how == "cancel" else {}).status_code
            == 200
        )
    order = approver.post(f"{request}/approve", json={}).json()["purchase_order_id"]
    scene.work()
    assert buyer.get(f"/v1/pledges/{pledge['id']}/orders").json()["items"] == []
    assert scene.figures(pledge)["orders"] == 0
    assert scene.count(scene.pledge(), {"id": order}).status_code == 201


def test_a_basket_whose_request_is_refused_or_withdrawn_can_be_ordered_again(scene):
    buyer, pledge = scene.clients["buyer"], scene.pledge()
    basket = found(scene, pledge)
    path = f"/v1/basket-proposals/{basket['id']}"
    request, approver = requested(scene, pledge, basket)
    assert approver.post(f"{request}/reject", json={"reason": "超预算"}).status_code == 200
    scene.work()
    assert buyer.get(path).json() == basket
    again = buyer.post(f"{path}/order", json={"delivery_address": "重庆市"}).json()["purchase_request_id"]
    assert buyer.post(f"/v1/purchase-requests/{again}/withdraw", json={"reason": "改期"}).status_code == 200
    scene.work()
    assert buyer.get(path).json() == basket


def test_a_basket_is_not_ordered_when_the_order_would_not_count(scene, code):
    pledge = scene.pledge()
    path = f"/v1/basket-proposals/{found(scene, pledge)['id']}/order"
    scene.sql("UPDATE pledge SET valid_until = :day", day=clock.today() - timedelta(days=1))
    assert code(scene.clients["buyer"].post(path, json={"delivery_address": "重庆市"})) == (409, "order_outside_period")
    needs_approval(scene)
    assert code(scene.clients["buyer"].post(path, json={"delivery_address": "重庆市"})) == (409, "order_outside_period")


def test_nobody_waits_for_a_basket_to_order_it_unseen(scene, code):
    asked = ask(scene, scene.pledge())
    with scene.database.session() as worker:  # holds the basket as long as it is worked out
        worker.execute(text("SELECT 1 FROM basket_proposal WHERE id = :id FOR UPDATE"), {"id": asked["id"]})
        began = time.monotonic()
        answer = scene.clients["buyer"].post(f"/v1/basket-proposals/{asked['id']}/order", json={"delivery_address": "重庆市"})
        assert code(answer) == (409, "illegal_move")
        assert time.monotonic() - began < 5


def test_more_recipients_than_a_basket_is_made_for_are_refused_with_their_number(scene, code):
    groups = [{"name": f"市民{n}", "heads": 1_000_000, "delivery_address": "重庆"} for n in range(2)]
    path = f"/v1/pledges/{scene.pledge(recipients=groups)['id']}/basket-proposals"
    refused = scene.clients["buyer"].post(path, json={"budget": "1000.00"})
    assert code(refused) == (422, "too_many_heads")
    assert "2000000" in refused.json()["title"]
    assert scene.clients["buyer"].post(path, json={"budget": "1000.00", "heads": 500}).status_code == 202


def rush_to_ask(scene):
    """As many ask at once, each for another pledge of the same firm; returns how many are in work then."""
    pledges = [scene.pledge() for _ in range(8)]
    with scene.database.unit_of_work() as session:
        token = access_token(session, scene.users["buyer"])
    barrier = threading.Barrier(8)

    def put(pledge):
        client = connect(str(scene.api.base_url), scene.database, {"Authorization": f"Bearer {token}"})
        barrier.wait()
        return client.post(f"/v1/pledges/{pledge['id']}/basket-proposals", json={"budget": "1000.00"}).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(put, pledges)) <= {202, 409}
    return scene.sql("SELECT count(*) FROM basket_proposal").scalar_one()


def test_of_one_firm_so_many_baskets_are_in_work_also_when_asked_at_once(scene):
    assert rush_to_ask(scene) == proposing.AT_ONCE


@pytest.mark.control
def test_without_the_lock_more_are_in_work(scene, monkeypatch):
    """The control: when this fails, the test above proves nothing."""
    monkeypatch.setattr(proposing.locks, "hold", lambda *_: None)
    assert rush_to_ask(scene) > proposing.AT_ONCE
