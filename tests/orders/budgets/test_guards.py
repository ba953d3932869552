"""Who may set a limit, who sees it, and what gives it back."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from orders.budgets import actions
from orders.reconcile import report
from shop.core import clock
from tests.factories.buying import make_bureau


@pytest.fixture
def bureau(api, database):
    return make_bureau(api, database)


def code(answer):
    return answer.status_code, answer.json()["code"]


def available(bureau, budget):
    return bureau.as_("bureau_viewer").get(f"/v1/budgets/{budget['id']}").json()["available"]


def test_nobody_raises_the_limit_that_a_unit_above_set(bureau):
    school = bureau.as_("school_finance")
    own = bureau.budget("100.00", organisation_id=bureau.school.id)
    path = f"/v1/budgets/{own['id']}"
    assert code(school.patch(path, json={"limit": "1000.00", "reason": "增加"})) == (403, "set_above")
    assert bureau.as_("bureau_finance").patch(path, json={"limit": "200.00", "reason": "追加"}).json()["limit"] == "200.00"
    # nor does a unit leave the budget of the one above by one of its own
    whole = bureau.budget("500.00", fund_source="union")
    asked = {"year": whole["year"], "fund_source": "union", "limit": "9000.00"}
    assert code(school.post("/v1/budgets", json=asked)) == (403, "set_above")
    # where nobody above has set anything, it is the unit's own
    mine = school.post("/v1/budgets", json={**asked, "fund_source": "welfare"})
    assert mine.json()["set_by_id"] == bureau.school.id
    assert school.patch(f"/v1/budgets/{mine.json()['id']}", json={"limit": "1.00", "reason": "压缩"}).status_code == 200
    taken_over = bureau.as_("bureau_finance").patch(f"/v1/budgets/{mine.json()['id']}", json={"limit": "2.00", "reason": "核定"})
    assert taken_over.json()["set_by_id"] == bureau.bureau.id
    assert code(school.patch(f"/v1/budgets/{mine.json()['id']}", json={"limit": "3.00", "reason": "增加"})) == (403, "set_above")


def test_what_was_bought_before_the_budget_was_set_counts(bureau, database):
    bureau.placed(2)
    waiting = bureau.placed(1, fund_source="union")
    bureau.rule(min_amount="500.00")
    assert bureau.ask(10).json()["purchase_request"]
    asked = {"organisation_id": bureau.school.id, "year": clock.today().year, "fund_source": "canteen", "limit": "838.79"}
    refused = bureau.as_("bureau_buyer_admin").post("/v1/budgets", json=asked)
    assert (code(refused), refused.json()["data"]) == ((409, "limit_below_drawn"), {"drawn": "838.80"})
    own = bureau.budget("838.80", organisation_id=bureau.school.id)
    assert (own["reserved"], own["available"]) == ("838.80", "0.00")
    # a budget above it takes up the rest, and of other funds
    assert bureau.budget("1000.00")["reserved"] == "0.00"
    assert bureau.budget("1000.00", fund_source="union")["reserved"] == waiting["total"]
    assert report.differences(database) == 0


def test_a_unit_sees_what_others_drew_on_its_budget(bureau):
    own = bureau.budget("1000.00", organisation_id=bureau.school.id)
    order = bureau.placed(1, who="bureau_purchaser", buyer_id=bureau.school.id)
    draws = bureau.as_("school_finance").get(f"/v1/budgets/{own['id']}/draws").json()["items"]
    assert [(draw["number"], draw["ordering_unit"]) for draw in draws] == [(order["number"], "区教委")]


def test_a_supplier_is_not_told_what_its_customer_has_left(bureau):
    bureau.budget("400.00")
    part = bureau.placed(5)["supplier_orders"][0]["id"]
    seller, buyer = bureau.as_("seller"), bureau.as_("school_purchaser")
    refused = seller.put(f"/v1/supplier-orders/{part}/freight", json={"freight": "50.51"})
    assert code(refused) == (409, "buyers_budget_short")
    assert "data" not in refused.json()
    seller.post(f"/v1/supplier-orders/{part}/confirm")
    line = seller.get(f"/v1/supplier-orders/{part}").json()["lines"][0]["id"]
    dearer = {"reason": "涨价", "lines": [{"order_line_id": line, "unit_price": "90.00"}]}
    proposed = buyer.post(f"/v1/supplier-orders/{part}/amendments", json=dearer).json()
    refused = seller.post(f"/v1/amendments/{proposed['id']}/accept")
    assert code(refused) == (409, "buyers_budget_short")
    assert "data" not in refused.json()


def test_orders_that_change_places_do_not_wait_for_one_another(bureau, monkeypatch):
    units = (bureau.school, bureau.other)
    budgets = [bureau.budget("1000.00", organisation_id=unit.id) for unit in units]
    orders = [bureau.placed(1, who="bureau_purchaser", buyer_id=unit.id) for unit in units]
    released = actions.release

    def slowly(session, *rest):
        released(session, *rest)
        session.execute(text("SELECT pg_sleep(0.3)"))

    monkeypatch.setattr(actions, "release", slowly)

    def move(order, unit):
        body = {"unit_id": unit.id, "reason": "选错单位"}
        return bureau.as_("bureau_purchaser").post(f"/v1/purchase-orders/{order['id']}/budget-unit", json=body).status_code

    bureau.as_("bureau_purchaser")
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(move, orders, reversed(units))) == [200, 200]
    assert [available(bureau, budget) for budget in budgets] == ["930.10", "930.10"]


def test_what_is_released_together_waits_for_whoever_accepts(bureau, database):
    """Draws come before budgets: whoever holds the draw of the second order gets the budget, and does not find it taken by the first."""
    bureau.budget("1000.00")
    first, second = (bureau.placed(1)["id"] for _ in range(2))
    started = threading.Event()

    def release():
        with database.unit_of_work() as session:
            started.set()
            actions.redraw_all(session, [first, second])

    with ThreadPoolExecutor(1) as pool, database.unit_of_work() as session:
        session.execute(text("SELECT 1 FROM budget_draw WHERE holder_id = :id FOR UPDATE"), {"id": second})
        other = pool.submit(release)
        started.wait()
        time.sleep(0.3)
        actions.redraw(session, second)
        session.commit()
        other.result()
