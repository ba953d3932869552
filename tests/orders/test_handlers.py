"""Both sides of an order hear what happens to it, each once."""

from sqlalchemy import text

from shop.core import clock, outbox
from tests.factories.orders import make_market
from workers.handlers import HANDLERS


def told(client):
    return [row["kind"] for row in client.get("/v1/notifications").json()["items"]][::-1]


def test_each_side_hears_of_every_step_once(api, database):
    market = make_market(database)
    buyer, seller, finance = (api.as_(user) for user in (market.purchaser, market.sellers[0], market.finance))
    order = buyer.post("/v1/purchase-orders", json=market.order(2, 1)).json()
    first, second = (part["id"] for part in order["supplier_orders"])
    seller.post(f"/v1/supplier-orders/{first}/confirm")
    api.as_(market.sellers[1]).post(f"/v1/supplier-orders/{second}/reject", json={"reason": "歉收"})
    shipment = seller.post(f"/v1/supplier-orders/{first}/shipments", json={}).json()["id"]
    buyer.post(f"/v1/shipments/{shipment}/acceptance", json={})
    payment = {"amount": "10.00", "bank_reference": "B-1", "payer_name": "中学", "paid_on": str(clock.today())}
    finance.post(f"/v1/purchase-orders/{order['id']}/payments", json=payment)

    outbox.drain(database, HANDLERS)
    assert told(buyer) == ["supplier_order.confirmed", "supplier_order.rejected", "shipment.sent"]
    assert told(seller) == ["purchase_order.placed", "acceptance.recorded", "payment.announced"]

    with database.unit_of_work() as session:  # every event once more, as after a lost answer
        for name, payload in session.execute(text("SELECT name, payload FROM outbox_event ORDER BY id")):
            HANDLERS[name](session, payload)
    assert len(told(buyer)) == 3
    assert len(told(seller)) == 3


def test_suppliers_hear_of_a_cancelled_order(api, database):
    market = make_market(database)
    order = api.as_(market.purchaser).post("/v1/purchase-orders", json=market.order(2)).json()
    api.as_(market.purchaser).post(f"/v1/purchase-orders/{order['id']}/cancel", json={"reason": "计划变更"})
    outbox.drain(database, HANDLERS)
    assert told(api.as_(market.sellers[0])) == ["purchase_order.placed", "purchase_order.cancelled"]
