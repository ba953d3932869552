"""Changes of confirmed orders: nothing changes without the other side's consent, and everything agrees afterwards."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text

from orders.amendments import actions
from orders.reconcile import report
from shop.core import clock, outbox
from shop.core.money import yuan_from_fen
from shop.identity.permissions import Role
from tests.conftest import connect
from tests.factories.buying import make_bureau
from tests.factories.catalog import make_product
from tests.factories.identity import access_token, signed_in
from tests.factories.orders import make_market
from workers.handlers import HANDLERS


@pytest.fixture
def market(database):
    market = make_market(database)
    with database.unit_of_work() as session:
        market.products.append(
            make_product(session, market.suppliers[0], name="巫山脆李", prices=((1, 5000),), net_grams=3000, vat_bp=900, stock=50)
        )
        market.products.append(make_product(session, market.suppliers[0], name="无证产品", certified=False))
    return market


@pytest.fixture
def sides(api, market):
    return api.as_(market.sellers[0]), api.as_(market.purchaser)


def confirmed(sides, market, *quantities):
    seller, buyer = sides
    order = buyer.post("/v1/purchase-orders", json=market.order(*quantities)).json()
    part = order["supplier_orders"][0]["id"]
    assert seller.post(f"/v1/supplier-orders/{part}/confirm").status_code == 200
    return order["id"], part, seller.get(f"/v1/supplier-orders/{part}").json()["lines"][0]["id"]


def propose(client, part, *lines, reason="货源不足", **head):
    return client.post(f"/v1/supplier-orders/{part}/amendments", json={"reason": reason, "lines": list(lines), **head})


def stock(database, market, place):
    with database.unit_of_work() as session:
        return session.execute(
            text("SELECT reserved FROM stock WHERE sku_id = :s"), {"s": market.products[place].sku_id}
        ).scalar_one()


def test_a_substitute_comes_only_with_the_buyers_consent(api, database, market, sides):
    seller, buyer = sides
    order, part, line = confirmed(sides, market, 100)
    sku = market.products[3].sku_id
    proposed = propose(
        seller, part, {"order_line_id": line, "sku_id": sku, "quantity": "40"}, deliver_by=f"{clock.today().year + 1}-12-20"
    )
    assert proposed.status_code == 201, proposed.text
    amendment = proposed.json()
    assert (amendment["status"], amendment["side"], amendment["lines"][0]["unit_price"]) == ("proposed", "supplier", "50.00")
    assert amendment["possible_actions"] == ["withdraw"]
    county = signed_in(api, Role.COUNTY_OFFICER, region_code="500236")
    for client, moves in ((buyer, ["accept", "refuse"]), (api.as_(market.finance), []), (county, [])):
        assert client.get(f"/v1/amendments/{amendment['id']}").json()["possible_actions"] == moves
    assert propose(buyer, part, {"order_line_id": line, "quantity": "1"}).json()["code"] == "amendment_open"
    assert seller.post(f"/v1/amendments/{amendment['id']}/accept").json()["code"] == "other_side_answers"
    assert buyer.post(f"/v1/amendments/{amendment['id']}/withdraw").json()["code"] == "own_side_withdraws"
    assert api.as_(market.sellers[1]).post(f"/v1/amendments/{amendment['id']}/accept").status_code == 404
    assert api.as_(market.finance).post(f"/v1/amendments/{amendment['id']}/accept").status_code == 403
    assert (stock(database, market, 0), stock(database, market, 3)) == (100, 0)
    assert [each["id"] for each in buyer.get("/v1/amendments?waiting_for=me").json()["items"]] == [amendment["id"]]
    assert seller.get("/v1/amendments?waiting_for=me").json()["items"] == []

    agreed = buyer.post(f"/v1/amendments/{amendment['id']}/accept")
    assert agreed.status_code == 200, agreed.text
    assert (agreed.json()["status"], agreed.json()["change"]) == ("accepted", "-4500.00")
    assert (stock(database, market, 0), stock(database, market, 3)) == (0, 40)
    shown = buyer.get(f"/v1/supplier-orders/{part}").json()
    assert (shown["total"], shown["payable"], shown["deliver_by"], shown["total_grams"]) == (
        "2000.00",
        "2000.00",
        f"{clock.today().year + 1}-12-20",
        120_000,
    )
    assert [(each["quantity"], each["product_name"], each["replaces_id"]) for each in shown["lines"]] == [
        ("0", "奉节脐橙", None),
        ("40", "巫山脆李", line),
    ]
    whole = buyer.get(f"/v1/purchase-orders/{order}").json()
    assert (whole["total"], whole["line_count"]) == ("2000.00", 2)
    contract = buyer.get(f"/v1/supplier-orders/{part}/contract").json()
    supplement = contract["supplements"][0]
    assert supplement["number"] == contract["number"] + "-1" == agreed.json()["supplement_number"]
    assert (contract["content"]["total"], supplement["content"]["total"]) == ("6500.00", "2000.00")
    assert "巫山脆李" in supplement["content"]["changes"][0]
    assert buyer.get(f"/v1/supplier-orders/{part}/contract.pdf?supplement=1").content[:5] == b"%PDF-"
    shipment = seller.post(f"/v1/supplier-orders/{part}/shipments", json={}).json()
    assert [each["quantity"] for each in shipment["lines"]] == ["40"]
    assert buyer.post(f"/v1/shipments/{shipment['id']}/acceptance", json={}).status_code == 201
    assert buyer.get(f"/v1/supplier-orders/{part}").json()["status"] == "accepted"
    outbox.drain(database, HANDLERS)
    assert "amendment.proposed" in [row["kind"] for row in buyer.get("/v1/notifications").json()["items"]]
    assert "amendment.accepted" in [row["kind"] for row in seller.get("/v1/notifications").json()["items"]]
    assert report.differences(database) == 0
    with database.unit_of_work() as session:
        assert session.execute(text("SELECT certified FROM sale_entry")).scalars().all() == [True]


def test_another_price_for_what_is_not_shipped(database, market, sides):
    seller, buyer = sides
    order, part, line = confirmed(sides, market, 100)
    first = {"lines": [{"order_line_id": line, "quantity": "60"}]}
    shipment = seller.post(f"/v1/supplier-orders/{part}/shipments", json=first).json()["id"]
    amendment = propose(buyer, part, {"order_line_id": line, "unit_price": "60.00", "quantity": "30"}, reason="市场降价").json()
    assert amendment["side"] == "buyer"
    assert seller.post(f"/v1/amendments/{amendment['id']}/accept").json()["change"] == "-800.00"  # 40 × 65 → 30 × 60
    assert seller.get(f"/v1/supplier-orders/{part}").json()["total"] == "5700.00"
    seller.post(f"/v1/supplier-orders/{part}/shipments", json={})
    for each in seller.get(f"/v1/supplier-orders/{part}/shipments").json()["items"]:
        assert buyer.post(f"/v1/shipments/{each['id']}/acceptance", json={}).status_code == 201
    assert shipment
    assert buyer.get(f"/v1/purchase-orders/{order}").json()["payable"] == "5700.00"
    assert report.differences(database) == 0


def test_less_of_what_is_open_ends_the_order_when_nothing_is_left(database, market, sides):
    seller, buyer = sides
    _, part, line = confirmed(sides, market, 10)
    first = seller.post(f"/v1/supplier-orders/{part}/shipments", json={"lines": [{"order_line_id": line, "quantity": "6"}]}).json()[
        "id"
    ]
    buyer.post(f"/v1/shipments/{first}/acceptance", json={})
    stale = propose(seller, part, {"order_line_id": line, "quantity": "2"}).json()["id"]
    second = seller.post(
        f"/v1/supplier-orders/{part}/shipments", json={"lines": [{"order_line_id": line, "quantity": "1"}]}
    ).json()["id"]
    assert buyer.post(f"/v1/amendments/{stale}/accept").json()["code"] == "line_moved"
    refused = buyer.post(f"/v1/amendments/{stale}/refuse", json={"reason": "请重新提出"}).json()
    assert (refused["status"], refused["answer"], refused["change"]) == ("refused", "请重新提出", None)
    again = propose(seller, part, {"order_line_id": line, "quantity": "0"}).json()["id"]
    buyer.post(f"/v1/shipments/{second}/acceptance", json={})
    assert buyer.post(f"/v1/amendments/{again}/accept").json()["change"] == "-209.70"
    assert buyer.get(f"/v1/supplier-orders/{part}").json()["status"] == "accepted"
    assert stock(database, market, 0) == 0
    assert propose(seller, part, {"order_line_id": line, "quantity": "0"}).json()["code"] == "not_amendable"
    assert report.differences(database) == 0


def test_what_cannot_be_proposed(market, sides):
    seller, _ = sides
    _, part, line = confirmed(sides, market, 10)
    skus = [product.sku_id for product in market.products]
    for change, code in (
        ({"order_line_id": line + 999, "quantity": "1"}, "unknown_line"),
        ({"order_line_id": line, "quantity": "11"}, "above_open"),
        ({"order_line_id": line, "quantity": "0.5"}, "wrong_step"),
        ({"order_line_id": line, "quantity": "10"}, "no_change"),
        ({"order_line_id": line, "quantity": "0"}, "nothing_left"),
        ({"order_line_id": line, "sku_id": skus[0]}, "same_sku"),
        ({"order_line_id": line, "sku_id": skus[1]}, "other_supplier"),
        ({"order_line_id": line, "sku_id": skus[4]}, "not_certified"),
        ({"order_line_id": line, "sku_id": skus[3], "quantity": "51"}, "stock_short"),
        ({"order_line_id": line, "sku_id": 999_999}, "unknown_sku"),
    ):
        answer = propose(seller, part, change)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, code), answer.text
    assert propose(seller, part, deliver_by="2020-01-01").json()["errors"][0]["code"] == "in_past"
    assert propose(seller, part).status_code == 422
    assert propose(seller, part, {"order_line_id": line, "quantity": "1"}, cancels=True).status_code == 422


def test_an_agreed_price_is_no_way_round_the_review_of_prices(database, market, sides):
    seller, _ = sides
    _, part, line = confirmed(sides, market, 10)  # 69.90 each, and 65.00 from 100 on
    other = market.products[3]
    with database.unit_of_work() as session:
        ceiling = text("UPDATE product SET ceiling_fen = 1500, ceiling_grams = 1000 WHERE id = ANY (:ids)")
        session.execute(ceiling, {"ids": [market.products[0].product_id, other.product_id]})
        highest = (
            "SELECT greatest(1500 * s.net_grams / 1000, max(t.unit_price_fen)) FROM sku s JOIN price_tier t ON t.sku_id = s.id"
        )
        fen = session.execute(text(f"{highest} WHERE s.id = :id GROUP BY s.id"), {"id": other.sku_id}).scalar_one()
    for change, field, most in (
        ({"order_line_id": line, "unit_price": "75.01"}, "lines[0].unit_price", "75.00"),
        ({"order_line_id": line, "sku_id": other.sku_id, "quantity": "1", "unit_price": "9999.00"}, "lines[0]", yuan_from_fen(fen)),
    ):
        refused = propose(seller, part, change)
        assert refused.status_code == 422, refused.text
        fault = refused.json()["errors"][0]
        assert (fault["code"], fault["field"], fault["ceiling"]) == ("above_ceiling", field, most)
    assert propose(seller, part, {"order_line_id": line, "unit_price": "75.00"}).status_code == 201


def test_a_cancellation_by_consent(database, market, sides):
    seller, buyer = sides
    _, part, _ = confirmed(sides, market, 10)
    amendment = propose(buyer, part, reason="食堂停业", cancels=True).json()["id"]
    assert seller.post(f"/v1/amendments/{amendment}/accept").json()["change"] == "0.00"
    shown = buyer.get(f"/v1/supplier-orders/{part}").json()
    assert (shown["status"], shown["reason_code"], shown["reason"]) == ("cancelled", "agreed", "食堂停业")
    assert stock(database, market, 0) == 0
    assert report.differences(database) == 0


def test_an_order_with_a_substitute_is_cancelled(database, market, sides):
    """By the buyer alone, and by consent: the line that was replaced holds nothing any more."""
    seller, buyer = sides
    for alone in (True, False):
        order, part, line = confirmed(sides, market, 10)
        amendment = propose(seller, part, {"order_line_id": line, "sku_id": market.products[3].sku_id, "quantity": "4"}).json()[
            "id"
        ]
        buyer.post(f"/v1/amendments/{amendment}/accept")
        if alone:
            done = buyer.post(f"/v1/purchase-orders/{order}/cancel", json={"reason": "食堂停业"})
        else:
            done = seller.post(f"/v1/amendments/{propose(buyer, part, cancels=True).json()['id']}/accept")
        assert done.status_code == 200, done.text
        assert (stock(database, market, 0), stock(database, market, 3)) == (0, 0)
    assert report.differences(database) == 0


def of_school(bureau, *quantities):
    """An order of a school with rules and budgets, confirmed; with both sides, its part and its first line."""
    buyer, seller = bureau.as_("school_purchaser"), bureau.as_("seller")
    placed = buyer.post("/v1/purchase-orders", json=bureau.order(*quantities))
    assert placed.status_code == 201, placed.text
    part = placed.json()["supplier_orders"][0]["id"]
    seller.post(f"/v1/supplier-orders/{part}/confirm")
    return buyer, seller, part, seller.get(f"/v1/supplier-orders/{part}").json()["lines"][0]["id"]


def test_a_cancellation_by_consent_gives_the_budget_back(api, database):
    bureau = make_bureau(api, database)
    budget = bureau.budget("1000.00")
    buyer, seller, part, _ = of_school(bureau, 10)
    amendment = propose(buyer, part, reason="食堂停业", cancels=True).json()["id"]
    assert bureau.as_("bureau_viewer").get(f"/v1/budgets/{budget['id']}").json()["available"] == "301.00"
    assert seller.post(f"/v1/amendments/{amendment}/accept").status_code == 200
    shown = bureau.as_("bureau_viewer").get(f"/v1/budgets/{budget['id']}").json()
    assert (shown["reserved"], shown["available"]) == ("0.00", "1000.00")
    assert report.differences(database) == 0


def test_a_higher_price_is_no_way_round_the_approvals(api, database):
    bureau = make_bureau(api, database)
    bureau.rule(min_amount="800.00")
    bureau.rule(min_amount="1000.00", cumulative=True)
    buyer, seller, part, line = of_school(bureau, 10)
    for price, code in (("80.00", "beyond_approval"), ("79.90", None)):
        amendment = propose(seller, part, {"order_line_id": line, "unit_price": price}).json()["id"]
        answer = buyer.post(f"/v1/amendments/{amendment}/accept")
        assert answer.json().get("code") == code, answer.text
        if code:
            buyer.post(f"/v1/amendments/{amendment}/refuse", json={"reason": "须经审批"})
    line = seller.get(f"/v1/supplier-orders/{part}").json()["lines"][-1]["id"]
    assert buyer.post("/v1/purchase-orders", json=bureau.order(2)).status_code == 201  # 799 + 139.80 of the year's 1000
    dearer = propose(seller, part, {"order_line_id": line, "quantity": "8", "unit_price": "109.00"}).json()["id"]
    assert buyer.post(f"/v1/amendments/{dearer}/accept").json()["code"] == "beyond_approval"
    assert seller.post(f"/v1/amendments/{dearer}/withdraw").status_code == 200
    cheaper = propose(seller, part, {"order_line_id": line, "quantity": "8", "unit_price": "95.00"}).json()["id"]
    assert buyer.post(f"/v1/amendments/{cheaper}/accept").status_code == 200
    assert report.differences(database) == 0


def test_what_was_approved_may_cost_as_much_as_was_approved(api, database):
    bureau = make_bureau(api, database)
    bureau.rule(min_amount="500.00")
    asked = bureau.ask(10).json()["purchase_request"]["id"]
    assert bureau.as_("bureau_approver").post(f"/v1/purchase-requests/{asked}/approve", json={}).status_code == 200
    [order] = bureau.as_("school_purchaser").get("/v1/purchase-orders").json()["items"]
    buyer, seller = bureau.as_("school_purchaser"), bureau.as_("seller")
    part = buyer.get(f"/v1/purchase-orders/{order['id']}").json()["supplier_orders"][0]["id"]
    seller.post(f"/v1/supplier-orders/{part}/confirm")
    line = seller.get(f"/v1/supplier-orders/{part}").json()["lines"][0]["id"]
    for lines, status in (
        ({"order_line_id": line, "quantity": "8", "unit_price": "60.00"}, 200),
        ({"quantity": "8", "unit_price": "87.38"}, 409),
        ({"quantity": "8", "unit_price": "87.37"}, 200),
    ):
        last = seller.get(f"/v1/supplier-orders/{part}").json()["lines"][-1]["id"]
        amendment = propose(seller, part, {"order_line_id": last, **lines}).json()["id"]
        answer = buyer.post(f"/v1/amendments/{amendment}/accept")
        assert answer.status_code == status
        if status == 409:
            assert answer.json()["data"] == {"total": "699.04", "approved": "699.00"}
        if status == 409:
            buyer.post(f"/v1/amendments/{amendment}/refuse", json={"reason": "超出审批"})


def test_a_supplier_does_not_see_what_the_buyer_may_spend(api, database):
    bureau = make_bureau(api, database)
    bureau.budget("700.00")
    buyer, seller, part, line = of_school(bureau, 10)
    amendment = propose(buyer, part, {"order_line_id": line, "unit_price": "75.00"}, reason="优质优价").json()["id"]
    refused = seller.post(f"/v1/amendments/{amendment}/accept")
    assert (refused.status_code, refused.json()["code"], refused.json().get("data")) == (409, "buyers_budget_short", None)
    buyer.post(f"/v1/amendments/{amendment}/withdraw")
    amendment = propose(seller, part, {"order_line_id": line, "unit_price": "75.00"}).json()["id"]
    refused = buyer.post(f"/v1/amendments/{amendment}/accept").json()
    sums = {"needed": "51.00", "available": "1.00", "unit": "区教委", "year": clock.today().year, "fund_source": "canteen"}
    assert (refused["code"], refused["data"]) == ("buyers_budget_short", sums)
    assert "51.00" in refused["title"]
    assert report.differences(database) == 0


def test_an_answer_to_another_version_is_refused(database, market, sides):
    seller, buyer = sides
    _, part, line = confirmed(sides, market, 10)
    amendment = propose(seller, part, {"order_line_id": line, "quantity": "5"}).json()["id"]
    stale = {"If-Match": '"7"'}
    for client, verb in ((buyer, "accept"), (buyer, "refuse"), (seller, "withdraw")):
        body = {"reason": "x"} if verb == "refuse" else None
        assert client.post(f"/v1/amendments/{amendment}/{verb}", json=body, headers=stale).status_code == 412
    assert buyer.post(f"/v1/amendments/{amendment}/accept", headers={"If-Match": '"1"'}).status_code == 200


def test_what_is_not_answered_lapses(database, market, sides):
    seller, buyer = sides
    _, part, line = confirmed(sides, market, 10)
    amendment = propose(seller, part, {"order_line_id": line, "quantity": "5"}).json()["id"]
    with clock.fixed(clock.now() + timedelta(days=30)):
        assert buyer.post(f"/v1/amendments/{amendment}/accept").json()["code"] == "amendment_expired"
        for count in (1, 0):
            with database.unit_of_work() as session:
                assert actions.expire(session) == count
    assert buyer.get(f"/v1/amendments/{amendment}").json()["status"] == "expired"
    another = propose(seller, part, {"order_line_id": line, "quantity": "5"}).json()["id"]
    assert seller.post(f"/v1/amendments/{another}/withdraw").json()["status"] == "withdrawn"
    page = buyer.get(f"/v1/supplier-orders/{part}/amendments?limit=1").json()
    assert [each["id"] for each in page["items"]] == [another]
    rest = buyer.get(f"/v1/supplier-orders/{part}/amendments?limit=1&after={page['next']}").json()
    assert ([each["id"] for each in rest["items"]], rest["next"]) == ([amendment], None)


def test_a_substitute_that_ran_out_is_refused_and_nothing_changes(database, market, sides):
    seller, buyer = sides
    _, part, line = confirmed(sides, market, 10)
    amendment = propose(seller, part, {"order_line_id": line, "sku_id": market.products[3].sku_id, "quantity": "50"}).json()["id"]
    assert buyer.post("/v1/purchase-orders", json=market.order(None, None, None, 1)).status_code == 201
    refused = buyer.post(f"/v1/amendments/{amendment}/accept")
    assert (refused.status_code, refused.json()["code"], refused.json()["errors"][0]["code"]) == (
        409,
        "no_longer_possible",
        "stock_short",
    )
    assert (stock(database, market, 0), stock(database, market, 3)) == (10, 1)
    assert report.differences(database) == 0


def test_answers_deliveries_and_orders_at_once(api, database, market, sides):
    """Consent, shipping and other orders of the substitute, all at once: whoever wins, stock and totals agree."""
    seller, _buyer = sides
    for _ in range(3):  # the substitute lasts so long, whoever wins
        _, part, line = confirmed(sides, market, 10)
        sku = market.products[3].sku_id
        amendment = propose(seller, part, {"order_line_id": line, "sku_id": sku, "quantity": "10"}).json()["id"]
        with database.unit_of_work() as session:
            tokens = [access_token(session, market.purchaser), access_token(session, market.sellers[0])]
        calls = [
            (0, f"/v1/amendments/{amendment}/accept", {}),
            (0, f"/v1/amendments/{amendment}/accept", {}),
            (0, f"/v1/amendments/{amendment}/refuse", {"reason": "不同意"}),
            (1, f"/v1/supplier-orders/{part}/shipments", {"lines": [{"order_line_id": line, "quantity": "1"}]}),
            (0, "/v1/purchase-orders", market.order(1, None, None, 5)),
            (0, "/v1/purchase-orders", market.order(2, None, None, 5)),
        ]

        def send(call, tokens=tokens):
            who, path, body = call
            client = connect(str(api.base_url), database, {"Authorization": f"Bearer {tokens[who]}"})
            return client.post(path, json=body).status_code

        with ThreadPoolExecutor(len(calls)) as pool:
            statuses = list(pool.map(send, calls))
        assert sum(status == 200 for status in statuses[:3]) <= 1
        assert set(statuses) <= {200, 201, 409, 422}
    assert report.differences(database) == 0
