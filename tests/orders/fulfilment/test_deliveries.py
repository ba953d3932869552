from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from tests.conftest import connect
from tests.factories.identity import access_token
from tests.factories.orders import make_market


@pytest.fixture
def market(database):
    return make_market(database)


def place(api, market, *quantities):
    order = api.as_(market.purchaser).post("/v1/purchase-orders", json=market.order(*quantities)).json()
    return order, [part["id"] for part in order["supplier_orders"]]


def rows(database, statement, **values):
    with database.unit_of_work() as session:
        return session.execute(text(statement), values).all()


def test_part_deliveries_acceptance_by_weight_and_the_ledger(api, database, market):
    seller, buyer = api.as_(market.sellers[0]), api.as_(market.purchaser)
    _, (part,) = place(api, market, 100)
    assert seller.post(f"/v1/supplier-orders/{part}/shipments", json={}).json()["code"] == "illegal_move"
    assert seller.post(f"/v1/supplier-orders/{part}/confirm").json()["status"] == "confirmed"
    line = seller.get(f"/v1/supplier-orders/{part}").json()["lines"][0]["id"]

    first = seller.post(
        f"/v1/supplier-orders/{part}/shipments",
        json={"carrier": "顺丰冷链", "waybill": "SF1", "lines": [{"order_line_id": line, "quantity": "60", "grams": 299_000}]},
    ).json()
    assert seller.get(f"/v1/supplier-orders/{part}").json()["status"] == "partly_shipped"
    answer = {
        "order_line_id": line,
        "accepted_quantity": "55",
        "accepted_grams": 274_500,
        "rejected_quantity": "5",
        "rejected_grams": 24_500,
        "reason": "冻伤",
    }
    accepted = buyer.post(f"/v1/shipments/{first['id']}/acceptance", json={"lines": [answer]})
    assert accepted.status_code == 201, accepted.text
    assert accepted.json()["lines"][0]["amount"] == "3575.00"  # 55 × 65.00, the tier of the ordered hundred
    assert seller.get(f"/v1/supplier-orders/{part}").json()["status"] == "partly_accepted"

    second = seller.post(f"/v1/supplier-orders/{part}/shipments", json={}).json()
    assert [(each["quantity"], each["grams"]) for each in second["lines"]] == [("40", 200_000)]
    buyer.post(f"/v1/shipments/{second['id']}/acceptance", json={})
    assert seller.get(f"/v1/supplier-orders/{part}").json()["status"] == "accepted"

    booked = rows(database, "SELECT amount_fen, grams, quantity, district_code, mode, certified FROM sale_entry ORDER BY id")
    assert [tuple(row) for row in booked] == [
        (357_500, 274_500, 55, "500236", "policy_procurement", True),
        (260_000, 200_000, 40, "500236", "policy_procurement", True),
    ]
    assert [
        tuple(row) for row in rows(database, "SELECT on_hand, reserved FROM stock WHERE sku_id = :s", s=market.products[0].sku_id)
    ] == [(900, 0)]


def test_what_does_not_fit_is_refused_and_changes_nothing(api, database, market):
    seller, buyer = api.as_(market.sellers[0]), api.as_(market.purchaser)
    _, (part,) = place(api, market, 10)
    seller.post(f"/v1/supplier-orders/{part}/confirm")
    line = seller.get(f"/v1/supplier-orders/{part}").json()["lines"][0]["id"]
    path = f"/v1/supplier-orders/{part}/shipments"
    for lines, code in (
        ([{"order_line_id": line, "quantity": "11"}], "above_open"),
        ([{"order_line_id": line + 999, "quantity": "1"}], "unknown_line"),
        ([{"order_line_id": line, "quantity": "1"}, {"order_line_id": line, "quantity": "1"}], "line_twice"),
        ([{"order_line_id": line, "quantity": "0.5"}], "wrong_step"),
    ):
        answer = seller.post(path, json={"lines": lines})
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, code)
    assert rows(database, "SELECT 1 FROM shipment") == []
    shipment = seller.post(path, json={}).json()["id"]
    assert seller.post(path, json={}).status_code == 409
    wrong = {"lines": [{"order_line_id": line, "accepted_quantity": "9", "rejected_quantity": "0"}]}
    assert buyer.post(f"/v1/shipments/{shipment}/acceptance", json=wrong).json()["errors"][0]["code"] == "not_what_was_shipped"
    assert seller.post(f"/v1/shipments/{shipment}/acceptance", json={}).status_code == 403
    assert api.as_(market.sellers[1]).post(path, json={}).status_code == 404
    assert rows(database, "SELECT 1 FROM sale_entry") == []


def test_a_shipment_is_accepted_once_however_many_try_at_once(api, database, market):
    seller = api.as_(market.sellers[0])
    _, (part,) = place(api, market, 10)
    seller.post(f"/v1/supplier-orders/{part}/confirm")
    shipment = seller.post(f"/v1/supplier-orders/{part}/shipments", json={}).json()["id"]
    with database.unit_of_work() as session:
        token = access_token(session, market.purchaser)

    def accept(_):
        client = connect(str(api.base_url), database, {"Authorization": f"Bearer {token}"})
        return client.post(f"/v1/shipments/{shipment}/acceptance", json={}).status_code

    with ThreadPoolExecutor(10) as pool:
        statuses = list(pool.map(accept, range(10)))
    assert sorted(statuses) == [201] + [409] * 9
    assert [tuple(row) for row in rows(database, "SELECT count(*), sum(amount_fen) FROM sale_entry")] == [(1, 69_900)]


def test_of_ten_confirmations_at_once_one_wins(api, database, market):
    _, (part,) = place(api, market, 1)
    with database.unit_of_work() as session:
        token = access_token(session, market.sellers[0])

    def confirm(_):
        client = connect(str(api.base_url), database, {"Authorization": f"Bearer {token}"})
        return client.post(f"/v1/supplier-orders/{part}/confirm").status_code

    with ThreadPoolExecutor(10) as pool:
        statuses = list(pool.map(confirm, range(10)))
    assert sorted(statuses) == [200] + [409] * 9
    assert len(rows(database, "SELECT 1 FROM audit_event WHERE action = 'supplier_order.confirm'")) == 1


def test_goods_and_services_of_several_suppliers(api, database, market):
    _, parts = place(api, market, 1, 2, 3)
    for part, seller in zip(parts, market.sellers, strict=True):
        client = api.as_(seller)
        client.post(f"/v1/supplier-orders/{part}/confirm")
        shipment = client.post(f"/v1/supplier-orders/{part}/shipments", json={}).json()
        assert api.as_(market.purchaser).post(f"/v1/shipments/{shipment['id']}/acceptance", json={}).status_code == 201
    booked = rows(database, "SELECT category, kind, grams, amount_fen FROM sale_entry ORDER BY amount_fen")
    assert [tuple(row) for row in booked] == [
        ("fruit", "goods", 5000, 6990),
        ("honey", "goods", 1000, 30_000),
        ("rural_tourism", "service", 0, 50_400),
    ]


def test_deliveries_are_listed_in_pages(api, market):
    seller, buyer = api.as_(market.sellers[0]), api.as_(market.purchaser)
    _, (part,) = place(api, market, 10)
    seller.post(f"/v1/supplier-orders/{part}/confirm")
    line = seller.get(f"/v1/supplier-orders/{part}").json()["lines"][0]["id"]
    path = f"/v1/supplier-orders/{part}/shipments"
    sent = [seller.post(path, json={"lines": [{"order_line_id": line, "quantity": str(n)}]}).json() for n in (1, 2, 3)]
    seller.post(f"/v1/shipments/{sent[1]['id']}/tracking", json={"text": "到达万州中转"})
    buyer.post(f"/v1/shipments/{sent[0]['id']}/acceptance", json={})
    first = buyer.get(path, params={"limit": 2}).json()
    second = buyer.get(path, params={"limit": 2, "after": first["next"]}).json()
    assert [each["id"] for page in (first, second) for each in page["items"]] == [each["id"] for each in sent]
    assert second["next"] is None
    assert first["items"] == [buyer.get(f"/v1/shipments/{each['id']}").json() for each in sent[:2]]
    assert (first["items"][0]["lines"][0]["accepted_quantity"], len(first["items"][1]["tracking"])) == ("1", 1)
    assert api.as_(market.sellers[1]).get(path).status_code == 404
