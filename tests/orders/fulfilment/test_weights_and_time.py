"""Deliveries by weight, what is said of a batch, photos, holds, and what the clock accepts."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from orders.fulfilment import actions, queries
from orders.fulfilment.actions import accepting
from orders.fulfilment.handlers import remind_to_accept
from orders.reconcile import report
from shop.core import clock, outbox
from tests.conftest import connect
from tests.factories.catalog import PDF, make_product
from tests.factories.identity import access_token
from tests.factories.orders import make_market
from tests.factories.pictures import PNG
from workers.handlers import HANDLERS


@pytest.fixture
def market(database):
    market = make_market(database)
    with database.unit_of_work() as session:
        pork = make_product(
            session, market.suppliers[0], name="城口腊肉", category="meat", prices=((1, 4567),), net_grams=1000, step="0.001"
        )
        session.execute(text("UPDATE sku SET unit = 'kg' WHERE id = :id"), {"id": pork.sku_id})
        market.products.append(pork)
    return market


def confirmed(api, market, *quantities):
    order = api.as_(market.purchaser).post("/v1/purchase-orders", json=market.order(*quantities)).json()
    part = order["supplier_orders"][0]["id"]
    seller = api.as_(market.sellers[0])
    assert seller.post(f"/v1/supplier-orders/{part}/confirm").status_code == 200
    return order, part, seller.get(f"/v1/supplier-orders/{part}").json()["lines"][0]["id"]


def rows(database, statement, **values):
    with database.unit_of_work() as session:
        return [tuple(row) for row in session.execute(text(statement), values)]


def kinds(client):
    return [row["kind"] for row in client.get("/v1/notifications").json()["items"]]


def test_three_hundred_ordered_two_hundred_and_seventy_came(api, database, market):
    seller, buyer = api.as_(market.sellers[0]), api.as_(market.purchaser)
    order, part, line = confirmed(api, market, None, None, None, 300)
    sent = seller.post(
        f"/v1/supplier-orders/{part}/shipments",
        json={
            "carrier": "冷链",
            "waybill": "CL-1",
            "expected_on": str(clock.today() + timedelta(days=2)),
            "lines": [
                {
                    "order_line_id": line,
                    "quantity": "270",
                    "short": True,
                    "lot": "20261120-3",
                    "origin": "沿河乡北坡村",
                    "produced_on": str(clock.today()),
                    "best_before": str(clock.today() + timedelta(days=90)),
                }
            ],
        },
    )
    assert sent.status_code == 201, sent.text
    shipment = sent.json()
    assert (shipment["lines"][0]["closed_quantity"], shipment["lines"][0]["origin"]) == ("30", "沿河乡北坡村")
    assert shipment["number"].startswith("FH20")
    assert seller.get(f"/v1/supplier-orders/{part}").json()["status"] == "shipped"
    assert rows(database, "SELECT on_hand, reserved FROM stock WHERE sku_id = :s", s=market.products[3].sku_id) == [(730, 0)]

    pdf = buyer.get(f"/v1/shipments/{shipment['id']}/delivery-note.pdf")
    assert (pdf.status_code, pdf.content[:5]) == (200, b"%PDF-")
    photo = buyer.post(f"/v1/shipments/{shipment['id']}/photos", files={"file": ("坏.png", PNG)})
    assert photo.status_code == 201, photo.text
    assert buyer.post(f"/v1/shipments/{shipment['id']}/photos", files={"file": ("a.pdf", PDF)}).json()["code"] == "not_a_photo"
    answer = {
        "order_line_id": line,
        "accepted_quantity": "267",
        "rejected_quantity": "1.4",
        "difference_quantity": "1.6",
        "reason_code": "spoiled",
        "photo_ids": [photo.json()["id"]],
    }
    accepted = buyer.post(f"/v1/shipments/{shipment['id']}/acceptance", json={"lines": [answer]})
    assert accepted.status_code == 201, accepted.text
    assert accepted.json()["lines"][0]["amount"] == "12193.89"  # 267 × 45.67
    assert accepted.json()["lines"][0]["photo_ids"] == [photo.json()["id"]]
    assert seller.get(f"/v1/shipments/{shipment['id']}/photos/{photo.json()['id']}").content == PNG
    assert api.as_(market.sellers[1]).get(f"/v1/shipments/{shipment['id']}/photos").status_code == 404
    shown = seller.get(f"/v1/supplier-orders/{part}").json()
    assert (shown["status"], shown["payable"], shown["total"]) == ("accepted", "12193.89", "13701.00")
    assert buyer.get(f"/v1/purchase-orders/{order['id']}").json()["payable"] == "12193.89"
    outbox.drain(database, HANDLERS)
    assert "shipment.short" in kinds(buyer)
    assert report.differences(database) == 0


def test_what_is_ordered_by_the_half_kilogram_is_what_the_scale_says(api, database, market):
    """Sent, taken, refused, lost, given back, put right and counted to the gram; only what is ordered goes by the step."""
    seller, buyer = api.as_(market.sellers[0]), api.as_(market.purchaser)
    sku = market.products[3].sku_id
    with database.unit_of_work() as session:
        session.execute(text("UPDATE sku SET step = 0.5 WHERE id = :id"), {"id": sku})
    refused = buyer.post("/v1/purchase-orders", json=market.order(None, None, None, "500.137")).json()
    assert refused["errors"][0]["code"] == "wrong_step"
    order, part, line = confirmed(api, market, None, None, None, 500)

    def ship(quantity):
        body = {"lines": [{"order_line_id": line, "quantity": quantity}]}
        sent = seller.post(f"/v1/supplier-orders/{part}/shipments", json=body)
        assert sent.status_code == 201, sent.text
        return sent.json()["id"]

    def accept(shipment, **parts):
        answer = {"order_line_id": line, "reason_code": "short_weight", **parts}
        accepted = buyer.post(f"/v1/shipments/{shipment}/acceptance", json={"lines": [answer]})
        assert accepted.status_code == 201, accepted.text

    def answered(client, path, **body):
        done = client.post(path, json=body)
        assert done.status_code in (200, 201), done.text
        return done.json()

    first = ship("400.137")
    cheaper = {"order_line_id": line, "quantity": "99.863", "unit_price": "45.66"}  # what is open stays as it is
    proposed = answered(buyer, f"/v1/supplier-orders/{part}/amendments", reason="降价", lines=[cheaper])
    answered(buyer, f"/v1/amendments/{proposed['id']}/withdraw")
    accept(first, accepted_quantity="399.137", rejected_quantity="0.877", difference_quantity="0.123")
    accept(ship("99.863"), accepted_quantity="99.863")
    assert seller.get(f"/v1/supplier-orders/{part}").json()["payable"] == "22789.33"  # 499 × 45.67
    assert rows(database, "SELECT on_hand, reserved FROM stock WHERE sku_id = :s", s=sku) == [(500, 0)]

    asked = {"reason_code": "quality", "reason": "变质", "lines": [{"order_line_id": line, "quantity": "1.234"}]}
    back = answered(buyer, f"/v1/shipments/{first}/returns", **asked)
    path = f"/v1/returns/{back['id']}"
    answered(seller, f"{path}/approve")
    answered(buyer, f"{path}/send")
    came = {"id": back["lines"][0]["id"], "received_quantity": "1.229", "restock_quantity": "0.618"}
    assert answered(seller, f"{path}/receive", lines=[came])["refund"] == "56.13"
    truth = {"order_line_id": line, "accepted_quantity": "398.999"}
    made = answered(seller, f"/v1/shipments/{first}/corrections", reason="复秤", lines=[truth])
    answered(buyer, f"/v1/acceptance-corrections/{made['id']}/agree")
    assert rows(database, "SELECT sum(quantity), sum(grams), sum(amount_fen) FROM sale_entry") == [
        (Decimal("497.633"), 497_633, 2_272_690)
    ]
    assert buyer.get(f"/v1/purchase-orders/{order['id']}").json()["payable"] == "22726.90"
    counted = {"kind": "adjust", "quantity": "-0.618", "reason": "盘点"}
    assert answered(seller, f"/v1/skus/{sku}/stock-movements", **counted)["on_hand"] == "500"
    assert report.differences(database) == 0


def test_short_weight_and_dates_are_checked(api, market):
    seller = api.as_(market.sellers[0])
    _, part, line = confirmed(api, market, None, None, None, 300)
    for said, code in (
        ({"quantity": "200", "short": True}, "too_short"),
        ({"quantity": "1", "produced_on": "2099-01-01"}, "in_future"),
        ({"quantity": "1", "best_before": "2020-01-01"}, "past_best_before"),
    ):
        answer = seller.post(f"/v1/supplier-orders/{part}/shipments", json={"lines": [{"order_line_id": line, **said}]})
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, code)


def test_a_waybill_is_corrected_and_followed_until_the_answer(api, database, market):
    seller, buyer = api.as_(market.sellers[0]), api.as_(market.purchaser)
    _, part, _ = confirmed(api, market, 10)
    shipment = seller.post(f"/v1/supplier-orders/{part}/shipments", json={"waybill": "SF1"}).json()
    later = str(clock.today() + timedelta(days=20))
    changed = seller.patch(f"/v1/shipments/{shipment['id']}", json={"waybill": "SF2", "expected_on": later}).json()
    assert (changed["waybill"], changed["expected_on"]) == ("SF2", later)
    assert changed["accept_by"] > shipment["accept_by"]
    assert buyer.patch(f"/v1/shipments/{shipment['id']}", json={"waybill": "X"}).status_code == 403
    tracked = seller.post(f"/v1/shipments/{shipment['id']}/tracking", json={"text": "到达万州中转"})
    assert [event["text"] for event in tracked.json()["tracking"]] == ["到达万州中转"]
    future = {"text": "签收", "happened_at": "2099-01-01T00:00:00Z"}
    assert seller.post(f"/v1/shipments/{shipment['id']}/tracking", json=future).json()["code"] == "in_future"
    buyer.post(f"/v1/shipments/{shipment['id']}/acceptance", json={})
    assert seller.patch(f"/v1/shipments/{shipment['id']}", json={"waybill": "SF3"}).json()["code"] == "already_accepted"


def overdue(database, shipment_id):
    """Let a delivery's time be over."""
    with database.unit_of_work() as session:
        session.execute(text("UPDATE shipment SET accept_by = :at WHERE id = :id"), {"id": shipment_id, "at": clock.now()})
    with database.unit_of_work() as session:
        return queries.overdue(session)


def test_what_nobody_answers_is_accepted_unless_it_is_held(api, database, market):
    seller, buyer = api.as_(market.sellers[0]), api.as_(market.purchaser)
    _, part, line = confirmed(api, market, 10)
    ship = {"lines": [{"order_line_id": line, "quantity": "4"}]}
    first = seller.post(f"/v1/supplier-orders/{part}/shipments", json=ship).json()
    second = seller.post(f"/v1/supplier-orders/{part}/shipments", json={}).json()
    with clock.fixed(clock.now() + timedelta(days=9)), database.unit_of_work() as session:
        assert remind_to_accept(session) + remind_to_accept(session) in (0, 2)  # each is told once, whatever the calendar says
    held = buyer.post(f"/v1/shipments/{second['id']}/hold", json={"reason": "包装破损，等待核实"})
    assert held.json()["held_at"] is not None
    assert buyer.post(f"/v1/shipments/{second['id']}/hold", json={"reason": "x"}).json()["code"] == "shipment_held"
    assert seller.post(f"/v1/shipments/{second['id']}/hold", json={"reason": "x"}).status_code == 403
    assert overdue(database, first["id"]) == [first["id"]]
    assert overdue(database, second["id"]) == [first["id"]]
    for _ in range(2):  # a second run finds nothing to do
        for shipment in (first, second):
            with database.unit_of_work() as session:
                actions.accept_overdue(session, shipment["id"])
    assert rows(database, "SELECT quantity, amount_fen FROM sale_entry") == [(4, 27_960)]
    assert buyer.get(f"/v1/shipments/{first['id']}").json()["accepted_automatically"] is True
    assert rows(database, "SELECT actor_role FROM audit_event WHERE action LIKE 'supplier_order.accept%'") == [("system",)]
    again = buyer.post(f"/v1/shipments/{first['id']}/acceptance", json={})
    assert (again.status_code, again.json()["code"], again.json()["data"]) == (409, "already_accepted", {"already": True})
    for accepted, already in (("4", True), ("3", None)):
        answer = {"order_line_id": first["lines"][0]["order_line_id"], "accepted_quantity": accepted, "reason": "少一箱"}
        answer |= {"rejected_quantity": str(4 - int(accepted))}
        told = buyer.post(f"/v1/shipments/{first['id']}/acceptance", json={"lines": [answer]}).json()
        assert (told["code"], told.get("data", {}).get("already")) == ("already_accepted", already)
    released = buyer.post(f"/v1/shipments/{second['id']}/release").json()
    assert released["held_at"] is None
    again = buyer.post(f"/v1/shipments/{second['id']}/release")
    assert (again.status_code, again.json()["code"], again.json().get("data")) == (409, "shipment_not_held", {"already": True})
    assert released["accept_by"] > clock.now().isoformat()
    outbox.drain(database, HANDLERS)
    assert "acceptance.automatic" in kinds(buyer)
    assert {"shipment.held", "shipment.let_go"} <= set(kinds(seller))
    assert report.differences(database) == 0


def test_a_dispute_keeps_what_it_is_about_from_the_clock(api, database, market):
    """A delivery in dispute is neither accepted by itself nor announced to be; others of the order are. The buyer hears of each new day."""
    seller, buyer = api.as_(market.sellers[0]), api.as_(market.purchaser)
    _, part, line = confirmed(api, market, 10)
    ship = {"lines": [{"order_line_id": line, "quantity": "4"}]}
    first = seller.post(f"/v1/supplier-orders/{part}/shipments", json=ship).json()
    second = seller.post(f"/v1/supplier-orders/{part}/shipments", json={}).json()
    about = {"kind": "quality", "claim": "腐烂", "shipment_id": second["id"]}
    dispute = buyer.post(f"/v1/supplier-orders/{part}/disputes", json=about).json()["id"]

    def remind():
        with database.unit_of_work() as session:
            told = remind_to_accept(session)
            assert remind_to_accept(session) == 0
        return told

    with database.unit_of_work() as session:
        soon = {"at": clock.now() + timedelta(hours=1)}
        session.execute(text("UPDATE shipment SET accept_by = :at"), soon)
    assert remind() == 1
    buyer.post(f"/v1/disputes/{dispute}/withdraw", json={"reason": "已协商"})  # the buyer has time again, and hears until when
    assert remind() == 2
    due = [row for row in buyer.get("/v1/notifications").json()["items"] if row["kind"] == "shipment.accept_due"]
    assert len(due) == 3
    dispute = buyer.post(f"/v1/supplier-orders/{part}/disputes", json=about).json()["id"]
    for shipment in (first, second):
        assert overdue(database, shipment["id"]) == [first["id"]]
    buyer.post(f"/v1/supplier-orders/{part}/disputes", json={"kind": "delay", "claim": "迟交"})
    with database.unit_of_work() as session:
        assert queries.overdue(session) == []
        assert not actions.accept_overdue(session, first["id"])


def both_at_once(api, database, market, rounds):
    """The buyer's answer and the clock's, at once, round after round; returns the sales of each delivery."""
    buyer = api.as_(market.purchaser)
    with database.unit_of_work() as session:
        token = access_token(session, market.purchaser)
    for _ in range(rounds):
        _, part, _ = confirmed(api, market, 1)
        shipment = api.as_(market.sellers[0]).post(f"/v1/supplier-orders/{part}/shipments", json={}).json()["id"]
        overdue(database, shipment)
        start = threading.Barrier(3)

        def by_clock(shipment=shipment, start=start):
            start.wait()
            with database.unit_of_work() as session:
                return actions.accept_overdue(session, shipment)

        def by_buyer(shipment=shipment, start=start):
            client = connect(str(buyer.base_url), database, {"Authorization": f"Bearer {token}"})
            start.wait()
            return client.post(f"/v1/shipments/{shipment}/acceptance", json={}).status_code

        with ThreadPoolExecutor(3) as pool:
            for future in [pool.submit(by_clock), pool.submit(by_buyer), pool.submit(by_clock)]:
                future.exception()
    return [count for (count,) in rows(database, "SELECT count(*) FROM sale_entry GROUP BY supplier_order_id")]


def test_buyer_and_clock_at_once_make_one_sale(api, database, market):
    assert both_at_once(api, database, market, 8) == [1] * 8


@pytest.mark.slow
@pytest.mark.control
def test_without_the_lock_the_two_make_more_than_one(api, database, market, monkeypatch):
    """The control: when this fails, the test above proves nothing."""
    with database.unit_of_work() as session:
        session.execute(text("ALTER TABLE acceptance DROP CONSTRAINT uq_acceptance_shipment_id"))
        session.execute(text("ALTER TABLE order_line DROP CONSTRAINT ck_order_line_answered_not_above_shipped"))
    unlocked = accepting._LOCK.text.replace("FOR UPDATE SKIP LOCKED", "")
    monkeypatch.setattr(accepting, "_LOCK", text(unlocked + " AND (SELECT pg_sleep(0.05)) IS NOT NULL"))
    assert max(both_at_once(api, database, market, 4)) > 1
