from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from sqlalchemy import text

from shop.core import clock
from tests.conftest import connect
from tests.factories.identity import access_token
from tests.factories.orders import make_market


def payment(amount, reference, **changes):
    return {
        "amount": amount,
        "bank_reference": reference,
        "payer_name": "沙坪坝中学",
        "paid_on": str(clock.today()),
        **changes,
    }


def test_finance_records_bank_transfers_up_to_what_is_due(api, database):
    market = make_market(database)
    order = api.as_(market.purchaser).post("/v1/purchase-orders", json=market.order(10, 1)).json()
    path = f"/v1/purchase-orders/{order['id']}/payments"
    finance = api.as_(market.finance)
    assert api.as_(market.purchaser).post(path, json=payment("1.00", "A")).status_code == 403
    first = finance.post(path, json=payment("500.00", "ICBC-1"))
    assert (first.status_code, first.json()["order_due"]) == (201, "349.00")
    assert finance.post(path, json=payment("1.00", "ICBC-1")).json()["code"] == "bank_reference_taken"
    over = finance.post(path, json=payment("349.01", "ICBC-2"))
    assert (over.status_code, over.json()["code"], over.json()["data"]["due"]) == (409, "payment_above_due", "349.00")
    tomorrow = str(clock.today() + timedelta(days=1))
    yesterday = str(clock.today() - timedelta(days=1))
    for on, code in ((tomorrow, "paid_in_future"), (yesterday, "paid_before_order")):
        refused = finance.post(path, json=payment("1.00", "ICBC-3", paid_on=on))
        [fault] = refused.json()["errors"]
        assert (refused.status_code, refused.json()["code"], fault["field"]) == (422, code, "paid_on")
    for amount in ("0.00", "-1.00", "0.001", "NaN", "1e99"):
        assert finance.post(path, json=payment(amount, "ICBC-4")).status_code == 422
    api.as_(market.sellers[1]).post(f"/v1/supplier-orders/{order['supplier_orders'][1]['id']}/reject", json={"reason": "歉收"})
    assert finance.post(path, json=payment("349.00", "ICBC-5")).json()["data"]["due"] == "199.00"
    assert finance.post(path, json=payment("199.00", "ICBC-5")).json()["order_due"] == "0.00"
    shown = finance.get(f"/v1/purchase-orders/{order['id']}").json()
    assert (shown["paid"], shown["announced"], shown["due"]) == ("0.00", "699.00", "0.00")
    assert api.as_(market.sellers[0]).get(path).status_code == 404


def test_rejected_goods_are_not_due(api, database):
    market = make_market(database)
    buyer, seller, finance = (api.as_(user) for user in (market.purchaser, market.sellers[0], market.finance))
    order = buyer.post("/v1/purchase-orders", json=market.order(4)).json()
    assert (order["total"], order["payable"], order["paid"]) == ("279.60", "279.60", "0.00")
    part = order["supplier_orders"][0]["id"]
    seller.post(f"/v1/supplier-orders/{part}/confirm")
    shipment = seller.post(f"/v1/supplier-orders/{part}/shipments", json={}).json()
    line = {
        "order_line_id": shipment["lines"][0]["order_line_id"],
        "accepted_quantity": "2",
        "rejected_quantity": "2",
        "reason": "冻伤",
    }
    buyer.post(f"/v1/shipments/{shipment['id']}/acceptance", json={"lines": [line]})
    assert buyer.get(f"/v1/purchase-orders/{order['id']}").json()["payable"] == "139.80"
    path = f"/v1/purchase-orders/{order['id']}/payments"
    assert finance.post(path, json=payment("279.60", "R-1")).json()["data"]["due"] == "139.80"
    assert finance.post(path, json=payment("139.80", "R-1")).json()["order_due"] == "0.00"


def test_payments_at_once_never_pass_what_is_due(api, database):
    market = make_market(database)
    order = api.as_(market.purchaser).post("/v1/purchase-orders", json=market.order(10)).json()
    with database.unit_of_work() as session:
        token = access_token(session, market.finance)

    def pay(number):
        client = connect(str(api.base_url), database, {"Authorization": f"Bearer {token}"})
        return client.post(f"/v1/purchase-orders/{order['id']}/payments", json=payment("100.00", f"R{number}")).status_code

    with ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(pay, range(16)))
    assert (statuses.count(201), statuses.count(409)) == (6, 10)
    with database.unit_of_work() as session:
        assert session.execute(text("SELECT sum(amount_fen) FROM payment")).scalar_one() == 60_000
