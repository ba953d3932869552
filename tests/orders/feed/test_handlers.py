"""Both sides of an order read in the feed what happens to it, with something that they can fetch."""

import pytest
from sqlalchemy import text

from orders.feed.concerned import CONCERNED
from orders.feed.untold import NOT_TOLD
from shop.core import clock, outbox
from shop.identity.permissions import Role
from shop.webhooks import rules
from tests.factories.identity import make_organisation, make_user
from tests.factories.orders import make_market
from tests.orders.feed.conftest import changes, happened, path_of, told
from workers.handlers import HANDLERS


@pytest.fixture
def market(database):
    return make_market(database)


def test_every_event_is_told_or_kept_from_the_feed_by_decision():
    assert set(CONCERNED) | set(NOT_TOLD) == set(HANDLERS)
    assert not set(CONCERNED) & set(NOT_TOLD)
    assert all(NOT_TOLD.values())


def test_every_change_has_words():
    assert set(rules.TYPES) == set(CONCERNED)


def test_every_statement_runs_and_names_a_subject_with_a_link(database):
    for kind, (_, statement) in CONCERNED.items():
        with database.unit_of_work() as session:
            assert session.execute(text(statement), {"id": 0}).all() == [], kind
    subjects = {part for _, statement in CONCERNED.values() for part in statement.split("'")[1::2]}
    states = {"approved", "cancelled", "placed", "confirmed", "partly_shipped", "partly_accepted", "shipped"}
    assert subjects - states - {"sales_batch_line"} <= set(rules.LINKS)


def test_both_sides_read_every_step_and_can_fetch_its_subject(api, database, market):
    buyer, seller, finance = (api.as_(user) for user in (market.purchaser, market.sellers[0], market.finance))
    order = buyer.post("/v1/purchase-orders", json=market.order(2, 1)).json()
    first, second = (part["id"] for part in order["supplier_orders"])
    seller.post(f"/v1/supplier-orders/{first}/confirm")
    api.as_(market.sellers[1]).post(f"/v1/supplier-orders/{second}/reject", json={"reason": "歉收"})
    shipment = seller.post(f"/v1/supplier-orders/{first}/shipments", json={}).json()["id"]
    buyer.post(f"/v1/shipments/{shipment}/acceptance", json={})
    payment = {"amount": "10.00", "bank_reference": "B-1", "payer_name": "中学", "paid_on": str(clock.today())}
    finance.post(f"/v1/purchase-orders/{order['id']}/payments", json=payment)
    happened(database)

    assert told(buyer) == [
        ("purchase_order.placed", "purchase_order"),
        ("supplier_order.confirmed", "supplier_order"),
        ("supplier_order.rejected", "supplier_order"),
        ("shipment.sent", "shipment"),
        ("acceptance.recorded", "shipment"),
        ("payment.recorded", "purchase_order"),
    ]
    assert told(seller) == [
        ("purchase_order.placed", "supplier_order"),
        ("supplier_order.confirmed", "supplier_order"),
        ("shipment.sent", "shipment"),
        ("acceptance.recorded", "shipment"),
        ("payment.recorded", "supplier_order"),
    ]
    assert told(api.as_(market.sellers[1])) == [
        ("purchase_order.placed", "supplier_order"),
        ("supplier_order.rejected", "supplier_order"),
        ("payment.recorded", "supplier_order"),
    ]
    for client in (buyer, seller, api.as_(market.sellers[1])):
        for change in changes(client):
            assert client.get(path_of(change)).status_code == 200, change


def test_events_done_twice_are_told_once(api, database, market):
    api.as_(market.purchaser).post("/v1/purchase-orders", json=market.order(1))
    happened(database)
    with database.unit_of_work() as session:
        session.execute(text("UPDATE outbox_event SET done_at = NULL, attempts = 0, next_attempt_at = now()"))
    happened(database)
    assert len(changes(api.as_(market.purchaser))) == 1


def test_suppliers_of_parts_that_were_cancelled_hear_of_it_and_others_do_not(api, database, market):
    buyer = api.as_(market.purchaser)
    order = buyer.post("/v1/purchase-orders", json=market.order(2, 1)).json()
    seller = api.as_(market.sellers[0])
    seller.post(f"/v1/supplier-orders/{order['supplier_orders'][0]['id']}/confirm")
    seller.post(f"/v1/supplier-orders/{order['supplier_orders'][0]['id']}/shipments", json={})
    buyer.post(f"/v1/purchase-orders/{order['id']}/cancel", json={"reason": "计划变更"})
    happened(database)
    assert told(seller, type="purchase_order.cancelled") == []
    assert told(api.as_(market.sellers[1]), type="purchase_order.cancelled") == [("purchase_order.cancelled", "supplier_order")]
    assert told(buyer, type="purchase_order.*") == [
        ("purchase_order.placed", "purchase_order"),
        ("purchase_order.cancelled", "purchase_order"),
    ]


def test_a_unit_that_orders_on_the_budget_above_hears_and_so_does_the_unit_above_once(api, database, market):
    with database.unit_of_work() as session:
        unit = make_organisation(session, kind="school", parent=market.school)
        clerk = make_user(session, Role.PURCHASER, unit)
        sibling = make_user(session, Role.PURCHASER, make_organisation(session, kind="school", parent=market.school))
    order = api.as_(market.purchaser).post("/v1/purchase-orders", json=market.order(1)).json()
    with database.unit_of_work() as session:
        session.execute(text("UPDATE purchase_order SET ordering_unit_id = :u WHERE id = :id"), {"u": unit.id, "id": order["id"]})
    happened(database)
    assert told(api.as_(clerk)) == [("purchase_order.placed", "purchase_order")]
    assert told(api.as_(market.purchaser)) == [("purchase_order.placed", "purchase_order")]
    assert told(api.as_(sibling)) == []


def test_buyers_with_open_orders_hear_that_a_certificate_stopped(api, database, market):
    buyer = api.as_(market.purchaser)
    buyer.post("/v1/purchase-orders", json=market.order(1))
    certificate = market.products[0].certificate_id
    with database.unit_of_work() as session:
        stranger = make_user(session, Role.PURCHASER, make_organisation(session))
        outbox.publish(
            session, "certificate.suspended", certificate_id=certificate, at=clock.now().isoformat(), reason="抽检不合格"
        )
    happened(database)
    (change,) = changes(buyer, type="certificate.*")
    assert (change["subject_type"], change["subject_id"]) == ("open_orders", certificate)
    assert buyer.get(path_of(change)).status_code == 200
    assert told(api.as_(market.sellers[0]), type="certificate.*") == [("certificate.suspended", "certificate")]
    assert told(api.as_(market.sellers[1]), type="certificate.*") == []
    assert told(api.as_(stranger)) == []


def test_no_change_carries_a_reason_or_a_name(database):
    with database.unit_of_work() as session:
        columns = session.execute(text("SELECT column_name FROM information_schema.columns WHERE table_name = 'change'")).scalars()
        assert set(columns) == {"id", "event_id", "organisation_id", "type", "subject_type", "subject_id", "at", "position"}
