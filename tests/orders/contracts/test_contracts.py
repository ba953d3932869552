"""Freight, the time to confirm, and the contract that a confirmation makes."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from orders.contracts import rules
from orders.purchasing import actions as purchasing
from orders.purchasing.actions import answering
from orders.purchasing.handlers import remind_to_confirm
from orders.reconcile import report
from shop.core import clock, outbox, workdays
from tests.conftest import connect
from tests.factories.buying import make_bureau
from tests.factories.identity import access_token
from tests.factories.orders import make_market
from workers.handlers import HANDLERS


@pytest.fixture
def market(database):
    return make_market(database)


def place(api, market, *quantities, **head):
    order = api.as_(market.purchaser).post("/v1/purchase-orders", json=market.order(*quantities, **head)).json()
    return order, [part["id"] for part in order["supplier_orders"]]


def rows(database, statement, **values):
    with database.unit_of_work() as session:
        return [tuple(row) for row in session.execute(text(statement), values)]


def kinds(client):
    return [row["kind"] for row in client.get("/v1/notifications").json()["items"]]


def test_freight_is_the_suppliers_until_it_confirms(api, database, market):
    seller, buyer = api.as_(market.sellers[0]), api.as_(market.purchaser)
    order, (part, other) = place(api, market, 10, 1)
    path = f"/v1/supplier-orders/{part}/freight"
    etag = seller.get(f"/v1/supplier-orders/{part}").headers["etag"]
    answer = seller.put(path, json={"freight": "35.50"}, headers={"If-Match": etag})
    assert answer.status_code == 200, answer.text
    assert (answer.json()["freight"], answer.json()["payable"], answer.json()["total"]) == ("35.50", "734.50", "699.00")
    assert seller.put(path, json={"freight": "0"}, headers={"If-Match": etag}).status_code == 412
    shown = buyer.get(f"/v1/purchase-orders/{order['id']}").json()
    assert (shown["freight"], shown["payable"], shown["total"]) == ("35.50", "884.50", "849.00")
    assert buyer.put(path, json={"freight": "0"}).status_code == 403
    assert api.as_(market.sellers[1]).put(path, json={"freight": "0"}).status_code == 404
    for wrong in ("-1", "0.001", "abc", None):
        assert seller.put(path, json={"freight": wrong}).status_code == 422
    payment = {"amount": "884.50", "bank_reference": "F-1", "payer_name": "中学", "paid_on": str(clock.today())}
    assert api.as_(market.finance).post(f"/v1/purchase-orders/{order['id']}/payments", json=payment).status_code == 201
    assert seller.put(path, json={"freight": "1"}).json()["code"] == "paid_more_than_that"
    assert report.differences(database) == 0
    assert seller.post(f"/v1/supplier-orders/{part}/confirm").status_code == 200
    assert seller.put(path, json={"freight": "1"}).json()["code"] == "freight_fixed"
    api.as_(market.sellers[1]).put(f"/v1/supplier-orders/{other}/freight", json={"freight": "5"})
    refusal = {"reason": "歉收", "reason_code": "out_of_stock"}
    rejected = api.as_(market.sellers[1]).post(f"/v1/supplier-orders/{other}/reject", json=refusal).json()
    assert (rejected["payable"], rejected["reason_code"]) == ("0.00", "out_of_stock")
    assert buyer.get(f"/v1/purchase-orders/{order['id']}").json()["payable"] == "734.50"
    outbox.drain(database, HANDLERS)
    assert "supplier_order.freight_set" in kinds(buyer)


def test_more_freight_than_a_supplier_may_set_alone_takes_the_buyers_consent(api, database, market):
    seller, buyer = api.as_(market.sellers[0]), api.as_(market.purchaser)
    order, (part,) = place(api, market, 10)  # 699.00 of goods
    path = f"/v1/supplier-orders/{part}"
    assert seller.put(f"{path}/freight", json={"freight": "139.80"}).json()["freight"] == "139.80"
    asked = seller.put(f"{path}/freight", json={"freight": "139.81"}).json()
    assert (asked["freight"], asked["freight_asked"], asked["payable"]) == ("139.80", "139.81", "838.80")
    refused = seller.post(f"{path}/confirm")
    assert (refused.status_code, refused.json()["code"]) == (409, "freight_not_agreed")
    assert seller.post(f"{path}/freight/agree", json={"freight": "139.81"}).status_code == 404
    assert buyer.post(f"{path}/freight/agree", json={"freight": "139.80"}).json()["code"] == "freight_not_asked"
    agreed = buyer.post(f"{path}/freight/agree", json={"freight": "139.81"}).json()
    assert (agreed["freight"], agreed["freight_asked"], agreed["payable"]) == ("139.81", None, "838.81")
    seller.put(f"{path}/freight", json={"freight": "500"})
    assert seller.put(f"{path}/freight", json={"freight": "10"}).json()["freight_asked"] is None
    assert seller.post(f"{path}/confirm").status_code == 200
    assert buyer.get(f"/v1/purchase-orders/{order['id']}").json()["payable"] == "709.00"
    assert report.differences(database) == 0


def test_freight_is_no_way_round_the_approvals_or_the_budget(api, database):
    bureau = make_bureau(api, database)
    bureau.budget("2000.00")
    bureau.rule(min_amount="1000.00")
    seller, buyer = bureau.as_("seller"), bureau.as_("school_purchaser")
    order = buyer.post("/v1/purchase-orders", json=bureau.order(10)).json()
    part = f"/v1/supplier-orders/{order['supplier_orders'][0]['id']}"
    for freight, code in (("300.99", None), ("301.00", "beyond_approval"), ("5000.00", "buyers_budget_short")):
        assert (
            seller.put(f"{part}/freight", json={"freight": freight}).status_code == 200
        )  # it says nothing of what the buyer may spend
        assert buyer.post(f"{part}/freight/agree", json={"freight": freight}).json().get("code") == code
    assert report.differences(database) == 0


def test_of_what_was_rejected_as_a_whole_no_freight_is_owed(api, database, market):
    seller, buyer = api.as_(market.sellers[0]), api.as_(market.purchaser)
    order, (part,) = place(api, market, 10)
    seller.put(f"/v1/supplier-orders/{part}/freight", json={"freight": "50"})
    seller.post(f"/v1/supplier-orders/{part}/confirm")
    shipment = seller.post(f"/v1/supplier-orders/{part}/shipments", json={}).json()
    line = {
        "order_line_id": shipment["lines"][0]["order_line_id"],
        "accepted_quantity": "0",
        "rejected_quantity": "10",
        "reason": "变质",
    }
    assert buyer.post(f"/v1/shipments/{shipment['id']}/acceptance", json={"lines": [line]}).status_code == 201
    assert buyer.get(f"/v1/purchase-orders/{order['id']}").json()["payable"] == "0.00"
    assert report.differences(database) == 0


def test_the_contract_stands_whatever_changes_afterwards(api, database, market):
    seller, buyer = api.as_(market.sellers[0]), api.as_(market.purchaser)
    _order, (part,) = place(api, market, 100, deliver_by="2099-12-31")
    assert buyer.get(f"/v1/supplier-orders/{part}/contract").json()["code"] == "no_contract"
    seller.put(f"/v1/supplier-orders/{part}/freight", json={"freight": "120.00"})
    seller.post(f"/v1/supplier-orders/{part}/confirm")
    contract = buyer.get(f"/v1/supplier-orders/{part}/contract").json()
    year = clock.today().year
    assert contract["number"] == f"HT{year}-{market.suppliers[0].id:06}-0001"
    content = contract["content"]
    assert (content["goods"], content["freight"], content["total"]) == ("6500.00", "120.00", "6620.00")
    assert content["lines"][0]["product"] == "奉节脐橙"
    assert content["lines"][0]["vat_rate"] == "9%"
    assert content["buyer"]["uscc"] == market.school.uscc
    assert content["delivery"]["deliver_by"] == "2099-12-31"
    assert contract["sha256"] == rules.digest(content)
    with database.unit_of_work() as session:
        session.execute(text("UPDATE organisation SET name = '改名中学' WHERE id = :id"), {"id": market.school.id})
        session.execute(text("UPDATE product SET name = '改名脐橙' WHERE id = :id"), {"id": market.products[0].product_id})
    again = seller.get(f"/v1/supplier-orders/{part}/contract").json()
    assert again["content"] == content
    assert again["intact"] is True
    pdf = buyer.get(f"/v1/supplier-orders/{part}/contract.pdf")
    assert (pdf.status_code, pdf.headers["content-type"], pdf.content[:5]) == (200, "application/pdf", b"%PDF-")
    assert buyer.get(f"/v1/supplier-orders/{part}/contract.pdf?supplement=1").status_code == 404
    assert api.as_(market.sellers[1]).get(f"/v1/supplier-orders/{part}/contract").status_code == 404
    for statement in ("UPDATE contract SET number = 'x'", "DELETE FROM contract", "TRUNCATE contract"):
        with pytest.raises(DBAPIError, match="append-only"), database.unit_of_work() as session:
            session.execute(text(statement))


def test_contracts_of_a_supplier_are_numbered_without_gaps(api, database, market):
    parts = [place(api, market, 1)[1][0] for _ in range(8)]
    with database.unit_of_work() as session:
        token = access_token(session, market.sellers[0])

    def confirm(part):
        client = connect(str(api.base_url), database, {"Authorization": f"Bearer {token}"})
        return client.post(f"/v1/supplier-orders/{part}/confirm").status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(confirm, parts)) == {200}
    numbers = [number[-4:] for (number,) in rows(database, "SELECT number FROM contract ORDER BY number")]
    assert numbers == [f"{n:04}" for n in range(1, 9)]


def test_what_is_not_confirmed_in_time_is_released(api, database, market):
    seller, buyer = api.as_(market.sellers[0]), api.as_(market.purchaser)
    _order, (part, other) = place(api, market, 10, 5)
    with database.unit_of_work() as session:
        due = clock.end_of_day(workdays.calendar(session, clock.today()).add(clock.today(), 3))
        assert session.execute(text("SELECT DISTINCT confirm_by FROM supplier_order")).scalars().all() == [due]
    api.as_(market.sellers[1]).post(f"/v1/supplier-orders/{other}/confirm")
    with clock.fixed(due - timedelta(hours=20)), database.unit_of_work() as session:
        assert (remind_to_confirm(session), remind_to_confirm(session)) == (1, 0)
    with clock.fixed(due - timedelta(seconds=1)), database.unit_of_work() as session:
        assert purchasing.release_unconfirmed(session) == 0
    with clock.fixed(due):
        late = seller.post(f"/v1/supplier-orders/{part}/confirm")
        assert (late.status_code, late.json()["code"]) == (409, "confirm_deadline_passed")
        assert seller.put(f"/v1/supplier-orders/{part}/freight", json={"freight": "1"}).json()["code"] == "confirm_deadline_passed"
        with database.unit_of_work() as session:
            assert purchasing.release_unconfirmed(session) == 1
        with database.unit_of_work() as session:
            assert purchasing.release_unconfirmed(session) == 0
    shown = seller.get(f"/v1/supplier-orders/{part}").json()
    assert (shown["status"], shown["reason_code"], shown["payable"]) == ("cancelled", "not_confirmed_in_time", "0.00")
    assert rows(database, "SELECT reserved FROM stock WHERE sku_id = :s", s=market.products[0].sku_id) == [(0,)]
    with clock.fixed(due):
        outbox.drain(database, HANDLERS)
    assert kinds(seller).count("supplier_order.lapsed") == kinds(buyer).count("supplier_order.lapsed") == 1
    assert "purchase_order.cancelled" not in kinds(seller)
    assert "supplier_order.confirm_due" in kinds(seller)
    assert report.differences(database) == 0


def both_at_once(api, database, market, rounds):
    """A confirmation a moment before the end, and the sweep a moment after it, at once; returns statuses and how often each was told."""
    seller = api.as_(market.sellers[0])
    with database.unit_of_work() as session:
        token = access_token(session, market.sellers[0])
    confirmations = 0
    for _ in range(rounds):
        _, (part,) = place(api, market, 3)
        with database.unit_of_work() as session:
            session.execute(
                text("UPDATE supplier_order SET confirm_by = :at WHERE id = :id"),
                {"id": part, "at": clock.now() + timedelta(milliseconds=60)},
            )
        stop, released = threading.Event(), []

        def sweep(stop=stop, released=released):
            while not stop.is_set():
                with database.unit_of_work() as session:
                    released.append(purchasing.release_unconfirmed(session))

        def confirm(_, part=part):
            client = connect(str(seller.base_url), database, {"Authorization": f"Bearer {token}"})
            return client.post(f"/v1/supplier-orders/{part}/confirm").status_code

        with ThreadPoolExecutor(5) as pool:
            sweeper = pool.submit(sweep)
            statuses = list(pool.map(confirm, range(4)))
            threading.Event().wait(0.1)
            stop.set()
            sweeper.result()
        assert statuses.count(200) + sum(released) == 1
        confirmations += statuses.count(200)
    return confirmations


@pytest.mark.slow
def test_confirmation_and_release_at_once_one_wins(api, database, market):
    confirmed = both_at_once(api, database, market, 6)
    assert rows(database, "SELECT count(*) FROM supplier_order WHERE status = 'confirmed'") == [(confirmed,)]
    assert rows(database, "SELECT reserved FROM stock WHERE sku_id = :s", s=market.products[0].sku_id) == [(3 * confirmed,)]
    assert report.differences(database) == 0


@pytest.mark.control
def test_without_the_lock_both_win(api, database, market, monkeypatch):
    """The control: a sweep that reads, waits and writes takes back what was confirmed meanwhile."""
    seller = api.as_(market.sellers[0])
    _, (part,) = place(api, market, 3)
    slow = answering._UNCONFIRMED.text.replace("FOR UPDATE SKIP LOCKED", "").replace("confirm_by <= :now", "confirm_by > :now")
    monkeypatch.setattr(answering, "_UNCONFIRMED", text(slow))
    step, begun, confirmed = answering.step, threading.Event(), threading.Event()

    def late(*arguments, **options):
        begun.set()
        confirmed.wait(10)
        return step(*arguments, **options)

    def sweep():
        with database.unit_of_work() as session:
            return purchasing.release_unconfirmed(session)

    with ThreadPoolExecutor(1) as pool:
        monkeypatch.setattr(answering, "step", late)
        released = pool.submit(sweep)
        begun.wait(10)
        monkeypatch.setattr(answering, "step", step)
        status = seller.post(f"/v1/supplier-orders/{part}/confirm").status_code
        confirmed.set()
        assert (status, released.result()) == (200, 1)


def test_after_some_hours_the_buyer_cancels_only_with_consent(api, database, market):
    seller, buyer = api.as_(market.sellers[0]), api.as_(market.purchaser)
    with database.unit_of_work() as session:
        session.execute(
            text(
                "UPDATE programme SET config = jsonb_set(config, '{ordering,cancel_confirmed_hours}', '24') WHERE valid_to IS NULL"
            )
        )
    order, (part,) = place(api, market, 10)
    seller.post(f"/v1/supplier-orders/{part}/confirm")
    cancel = {"reason": "计划变更", "reason_code": "not_needed"}
    with clock.fixed(clock.now() + timedelta(hours=25)):
        refused = buyer.post(f"/v1/purchase-orders/{order['id']}/cancel", json=cancel)
        assert (refused.status_code, refused.json()["code"]) == (409, "cancel_needs_consent")
    answer = buyer.post(f"/v1/purchase-orders/{order['id']}/cancel", json=cancel).json()
    assert answer["supplier_orders"][0]["reason_code"] == "not_needed"


def test_the_working_day_of_the_statement_is_that_of_the_calendar(database):
    with database.unit_of_work() as session:
        statement = text(f"SELECT {workdays.add_sql('CAST(:day AS date)', 'CAST(:count AS int)')}")
        first = clock.today().replace(month=1, day=1)
        for n in range(0, 400, 3):
            day, count = first + timedelta(days=n), 1 + n % 12
            expected = workdays.calendar(session, day).add(day, count)
            assert session.execute(statement, {"day": day, "count": count}).scalar_one() == expected


def test_freight_beyond_the_budget_tells_the_supplier_no_figures(api, database):
    bureau = make_bureau(api, database)
    bureau.budget("700.00")
    order = bureau.as_("school_purchaser").post("/v1/purchase-orders", json=bureau.order(10)).json()
    path = f"/v1/supplier-orders/{order['supplier_orders'][0]['id']}/freight"
    refused = bureau.as_("seller").put(path, json={"freight": "1.01"})
    assert (refused.status_code, refused.json()["code"], refused.json().get("data")) == (409, "buyers_budget_short", None)
    assert bureau.as_("seller").put(path, json={"freight": "1.00"}).status_code == 200
    assert report.differences(database) == 0
