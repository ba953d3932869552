"""What a unit may spend: never more, whoever comes at once; given back on cancel, used up on acceptance."""

import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from orders.budgets import actions
from orders.budgets.rules import OrderedLine, reserved_by
from orders.reconcile import report
from shop.core.money import line_amount
from tests.conftest import connect
from tests.factories.buying import make_bureau
from tests.factories.identity import access_token

PRICE = 6990


@pytest.fixture
def bureau(api, database):
    return make_bureau(api, database)


def seen(bureau, budget, who="bureau_viewer"):
    shown = bureau.as_(who).get(f"/v1/budgets/{budget['id']}").json()
    return shown["reserved"], shown["consumed"], shown["available"]


def test_an_order_draws_on_the_nearest_budget_and_gives_it_back(bureau):
    whole = bureau.budget("1000.00")
    own = bureau.budget("100.00", organisation_id=bureau.school.id)
    placed = bureau.as_("school_purchaser").post("/v1/purchase-orders", json=bureau.order(1)).json()
    assert seen(bureau, own) == ("69.90", "0.00", "30.10")
    assert seen(bureau, whole) == ("0.00", "0.00", "1000.00")
    refused = bureau.as_("school_purchaser").post("/v1/purchase-orders", json=bureau.order(1))
    assert (refused.status_code, refused.json()["code"]) == (409, "budget_exceeded")
    assert refused.json()["data"]["available"] == "30.10"
    assert bureau.as_("other_purchaser").post("/v1/purchase-orders", json=bureau.order(1)).status_code == 201
    assert seen(bureau, whole) == ("69.90", "0.00", "930.10")
    # another fund, another year: no limit
    assert bureau.as_("school_purchaser").post("/v1/purchase-orders", json=bureau.order(9, fund_source="union")).status_code == 201
    bureau.as_("school_purchaser").post(f"/v1/purchase-orders/{placed['id']}/cancel", json={"reason": "计划有变"})
    assert seen(bureau, own) == ("0.00", "0.00", "100.00")


def test_a_refused_order_leaves_nothing_behind(bureau, database):
    bureau.budget("10.00")
    assert bureau.as_("school_purchaser").post("/v1/purchase-orders", json=bureau.order(1)).status_code == 409
    with database.unit_of_work() as session:
        assert session.execute(text("SELECT count(*) FROM purchase_order")).scalar_one() == 0
        assert session.execute(text("SELECT sum(reserved) FROM stock")).scalar_one() == 0


def test_what_is_accepted_is_used_up_and_what_is_rejected_is_free(bureau):
    budget = bureau.budget("10000.00")
    placed = bureau.as_("school_purchaser").post("/v1/purchase-orders", json=bureau.order(10, 2)).json()
    part = placed["supplier_orders"][0]["id"]
    honey = placed["supplier_orders"][1]["id"]
    seller = bureau.as_("seller")
    seller.post(f"/v1/supplier-orders/{part}/confirm")
    line = seller.get(f"/v1/supplier-orders/{part}").json()["lines"][0]["id"]
    shipped = seller.post(
        f"/v1/supplier-orders/{part}/shipments", json={"lines": [{"order_line_id": line, "quantity": "6"}]}
    ).json()
    assert seen(bureau, budget) == ("999.00", "0.00", "9001.00")
    answer = {"lines": [{"order_line_id": line, "accepted_quantity": "5", "rejected_quantity": "1", "reason": "破损"}]}
    assert bureau.as_("school_purchaser").post(f"/v1/shipments/{shipped['id']}/acceptance", json=answer).status_code == 201
    assert seen(bureau, budget) == ("579.60", "349.50", "9070.90")
    bureau.as_("honey_seller").post(f"/v1/supplier-orders/{honey}/reject", json={"reason": "缺货"})
    assert seen(bureau, budget) == ("279.60", "349.50", "9370.90")
    draws = bureau.as_("bureau_finance").get(f"/v1/budgets/{budget['id']}/draws").json()["items"]
    assert [(draw["number"], draw["ordering_unit"], draw["consumed"]) for draw in draws] == [
        (placed["number"], "第一中学", "349.50")
    ]


def test_freight_is_used_up_with_the_first_goods_that_are_accepted(bureau, database):
    budget = bureau.budget("1000.00")
    placed = bureau.placed(4)
    part, seller, buyer = placed["supplier_orders"][0]["id"], bureau.as_("seller"), bureau.as_("school_purchaser")
    seller.put(f"/v1/supplier-orders/{part}/freight", json={"freight": "12.34"})
    seller.post(f"/v1/supplier-orders/{part}/confirm")
    line = seller.get(f"/v1/supplier-orders/{part}").json()["lines"][0]["id"]

    def delivered(accepted):
        sent = seller.post(
            f"/v1/supplier-orders/{part}/shipments", json={"lines": [{"order_line_id": line, "quantity": "2"}]}
        ).json()
        answer = {
            "order_line_id": line,
            "accepted_quantity": str(accepted),
            "rejected_quantity": str(2 - accepted),
            "reason": "破损",
        }
        buyer.post(f"/v1/shipments/{sent['id']}/acceptance", json={"lines": [answer]})

    def owed():
        with database.unit_of_work() as session:
            sums = text("SELECT coalesce(sum(amount_fen), 0) FROM money_posting WHERE account = 'payable'")
            return -session.execute(sums).scalar_one()

    delivered(0)
    # nobody owes it as yet, so it is still set aside
    assert (seen(bureau, budget), owed()) == (("152.14", "0.00", "847.86"), 0)
    delivered(1)
    assert (seen(bureau, budget), owed()) == (("0.00", "82.24", "917.76"), 82_24)
    assert report.differences(database) == 0


def test_limits_are_raised_and_lowered_but_not_below_what_is_drawn(bureau):
    budget = bureau.budget("100.00")
    assert (
        bureau.as_("bureau_finance")
        .post("/v1/budgets", json={"year": budget["year"], "fund_source": "canteen", "limit": "5.00"})
        .json()["code"]
        == "budget_exists"
    )
    bureau.as_("school_purchaser").post("/v1/purchase-orders", json=bureau.order(1))
    path = f"/v1/budgets/{budget['id']}"
    low = bureau.as_("bureau_finance").patch(path, json={"limit": "69.89", "reason": "压缩"})
    assert (low.status_code, low.json()["code"], low.json()["data"]) == (409, "limit_below_drawn", {"drawn": "69.90"})
    assert bureau.as_("bureau_finance").patch(path, json={"limit": "69.90", "reason": "压缩"}).json()["available"] == "0.00"
    # a school sees the budget that it draws on, and does not change it
    assert bureau.as_("school_finance").get(path).status_code == 200
    assert bureau.as_("school_finance").patch(path, json={"limit": "500.00", "reason": "增加"}).status_code == 404
    assert bureau.as_("school_purchaser").patch(path, json={"limit": "500.00", "reason": "增加"}).status_code == 403
    for who in ("stranger", "seller"):
        assert bureau.as_(who).get(path).status_code == 404
        assert bureau.as_(who).get("/v1/budgets").json()["items"] == []
    assert (
        bureau.as_("bureau_finance")
        .post(
            "/v1/budgets", json={"organisation_id": bureau.market.school.id, "year": 2026, "fund_source": "union", "limit": "5.00"}
        )
        .status_code
        == 404
    )
    table = bureau.as_("bureau_viewer").get("/v1/budgets/export", params={"format": "csv"}).content.decode("utf-8-sig")
    assert "区教委" in table
    assert ",69.90,69.90,0.00,0.00" in table.replace("\r", "")


def rush(bureau, database, orders=50, goods=1):
    """Many orders at once, of the first products in turn: orders of one product wait for one another at its stock already."""
    with database.unit_of_work() as session:
        token = access_token(session, bureau.people["school_purchaser"])
    local = threading.local()

    def buy(number):
        if not hasattr(local, "client"):
            local.client = connect(str(bureau.api.base_url), database, {"Authorization": f"Bearer {token}"})
        return local.client.post("/v1/purchase-orders", json=bureau.order(*[None] * (number % goods), 1)).status_code

    with ThreadPoolExecutor(orders) as pool:
        statuses = list(pool.map(buy, range(orders)))
    return {status: statuses.count(status) for status in set(statuses)}


def test_fifty_orders_at_once_never_pass_the_limit(bureau, database):
    budget = bureau.budget("1400.00")  # twenty of 69.90
    assert rush(bureau, database) == {201: 20, 409: 30}
    assert seen(bureau, budget) == ("1398.00", "0.00", "2.00")


def test_nor_do_orders_of_different_goods(bureau, database):
    budget = bureau.budget("1400.00")
    rush(bureau, database, goods=3)
    reserved, _, available = seen(bureau, budget)
    assert Decimal(reserved) <= 1400
    assert Decimal(available) < 168


@pytest.mark.control
def test_without_the_guard_the_same_rush_passes_it(bureau, database, monkeypatch):
    """The control: when this fails, the test above proves nothing."""
    bureau.budget("1400.00")
    with database.unit_of_work() as session:
        session.execute(text("ALTER TABLE budget DROP CONSTRAINT ck_budget_limit"))

    def look_then_write(session, budget_id, holder, holder_id, amount_fen):
        row = session.execute(text("SELECT reserved_fen, limit_fen FROM budget WHERE id = :id"), {"id": budget_id}).one()
        session.execute(text("SELECT pg_sleep(0.01)"))
        if row.reserved_fen + amount_fen > row.limit_fen:
            raise actions.BudgetExceeded
        written = {"now": row.reserved_fen + amount_fen, "id": budget_id}
        session.execute(text("UPDATE budget SET reserved_fen = :now WHERE id = :id"), written)

    monkeypatch.setattr(actions, "reserve", look_then_write)
    rush(bureau, database, goods=3)
    with database.unit_of_work() as session:
        assert session.execute(text("SELECT sum(total_fen) FROM purchase_order")).scalar_one() > 140_000


def test_two_parts_accepted_at_once_are_both_used_up(bureau, database):
    budget = bureau.budget("10000.00")
    placed = bureau.as_("school_purchaser").post("/v1/purchase-orders", json=bureau.order(10, 2)).json()
    shipments = []
    for part, who in zip(placed["supplier_orders"], ("seller", "honey_seller"), strict=True):
        bureau.as_(who).post(f"/v1/supplier-orders/{part['id']}/confirm")
        shipments.append(bureau.as_(who).post(f"/v1/supplier-orders/{part['id']}/shipments", json={}).json()["id"])
    buyer = bureau.as_("school_purchaser")
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda each: buyer.post(f"/v1/shipments/{each}/acceptance", json={}).status_code, shipments))
    assert answers == [201, 201]
    assert seen(bureau, budget) == ("0.00", "999.00", "9001.00")


quantities = st.decimals(min_value="0.001", max_value="5000", places=3)


@given(st.lists(st.tuples(quantities, st.integers(1, 10**6), st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=8))
def test_reserved_and_accepted_together_are_what_an_order_costs(drawn):
    lines, costs, accepted = [], 0, 0
    for ordered, price, rejected, share in drawn:
        wanted = round(ordered * Decimal(str(rejected)), 3)
        taken = round(wanted * Decimal(str(share)), 3)
        lines.append(OrderedLine(wanted, taken, price, True))
        costs += line_amount(wanted, price)
        accepted += line_amount(taken, price)
    assert reserved_by(lines) >= 0
    assert reserved_by(lines) + accepted == costs
    assert reserved_by(OrderedLine(line.wanted, line.accepted, line.unit_price_fen, False) for line in lines) == 0


def test_the_statement_says_what_the_rule_says(bureau, database):
    budget = bureau.budget("100000.00")
    placed = bureau.as_("school_purchaser").post("/v1/purchase-orders", json=bureau.order(7, 3, 2)).json()
    seller, part = bureau.as_("seller"), placed["supplier_orders"][0]["id"]
    seller.post(f"/v1/supplier-orders/{part}/confirm")
    line = seller.get(f"/v1/supplier-orders/{part}").json()["lines"][0]["id"]
    sent = seller.post(f"/v1/supplier-orders/{part}/shipments", json={"lines": [{"order_line_id": line, "quantity": "3"}]}).json()
    bureau.as_("school_purchaser").post(f"/v1/shipments/{sent['id']}/acceptance", json={})
    with database.unit_of_work() as session:
        rows = session.execute(
            text(
                "SELECT l.quantity - l.rejected_quantity - l.difference_quantity - l.closed_quantity, l.accepted_quantity,"
                " l.unit_price_fen, so.status NOT IN ('rejected', 'cancelled') FROM order_line l JOIN supplier_order so ON so.id = l.supplier_order_id"
            )
        ).all()
        expected = reserved_by(OrderedLine(*row) for row in rows)
        assert (
            session.execute(text("SELECT reserved_fen FROM budget WHERE id = :id"), {"id": budget["id"]}).scalar_one() == expected
        )
