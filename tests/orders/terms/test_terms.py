"""How orders are paid: terms at placing, dues as they come up, shipping before payment, cancelling for want of it."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text

from orders.payments import actions as payments
from orders.payments.schemas import Taken
from shop.core import clock, outbox
from shop.core.audit import SYSTEM
from shop.identity.permissions import Role
from tests.factories.after_sales import days_later, differences, rows
from tests.factories.buying import make_bureau
from tests.factories.identity import make_organisation, make_user
from tests.factories.money import bank_shows
from tests.factories.orders import make_market
from tests.orders.agreements.scene import YEAR
from workers.handlers import HANDLERS
from workers.tasks import remind_of_dues

AHEAD = {"kind": "prepayment"}


@pytest.fixture
def market(database):
    return make_market(database)


def code(answer):
    return answer.status_code, answer.json().get("code")


def day(number):
    return str(clock.today() + timedelta(days=number))


def placed(api, market, *quantities, **head):
    answer = api.as_(market.purchaser).post("/v1/purchase-orders", json=market.order(*quantities, **head))
    assert answer.status_code == 201, answer.text
    return answer.json()


def dues(api, market, order):
    found = api.as_(market.purchaser).get(f"/v1/purchase-orders/{order['id']}").json()["dues"]
    return [(due["amount"], due["paid"], due["due_on"], due["status"]) for due in found]


def pay(api, market, order, amount, reference="ICBC-1"):
    body = {"amount": amount, "bank_reference": reference, "payer_name": "沙坪坝中学", "paid_on": str(clock.today())}
    answer = api.as_(market.finance).post(f"/v1/purchase-orders/{order['id']}/payments", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def arrives(api, database, order, fen):
    """The bank shows a transfer of the school for the order."""
    with database.unit_of_work() as session:
        cashier = make_user(session, Role.PLATFORM_FINANCE)
    bank_shows(api.as_(cashier), database, order["id"], fen)


def programme_says(database, **payment):
    """The programme's rules of payment are these from now on."""
    change = "UPDATE programme SET config = jsonb_set(config, '{payment}', config -> 'payment' || CAST(:payment AS jsonb))"
    with database.unit_of_work() as session:
        session.execute(text(change), {"payment": json.dumps(payment)})


def confirm(api, market, order, of=0):
    part = order["supplier_orders"][of]["id"]
    assert api.as_(market.sellers[of]).post(f"/v1/supplier-orders/{part}/confirm").status_code == 200
    return f"/v1/supplier-orders/{part}"


def told(database, kind):
    """Handle all events, then: who was told so."""
    outbox.drain(database, HANDLERS)
    return rows(database, "SELECT organisation_id FROM notification WHERE kind = :kind ORDER BY id", kind=kind)


@pytest.fixture
def tasks(database, monkeypatch):
    monkeypatch.setattr("workers.tasks.database", lambda: database)


def test_an_order_without_terms_has_those_of_the_programme(api, market):
    order = placed(api, market, 2, 1)
    assert order["payment_terms"] == {"kind": "net", "days": 30}
    assert [(due["amount"], due["due_on"], due["status"]) for due in order["dues"]] == [
        ("139.80", None, "undated"),
        ("150.00", None, "undated"),
    ]
    shown = api.as_(market.purchaser).get(f"/v1/purchase-orders/{order['id']}").json()
    assert (shown["dues"], shown["payment_terms"]) == (order["dues"], order["payment_terms"])
    # a supplier sees what is due for its own part
    part = api.as_(market.sellers[1]).get(f"/v1/supplier-orders/{order['supplier_orders'][1]['id']}").json()
    assert [due["amount"] for due in part["dues"]] == ["150.00"]
    assert [due["amount"] for due in api.as_(market.sellers[1]).get(f"/v1/purchase-orders/{order['id']}").json()["dues"]] == [
        "150.00"
    ]


def test_net_terms_come_up_with_every_acceptance_and_fall_with_a_return(api, database, market):
    order = placed(api, market, 4, payment_terms={"kind": "net", "days": 10})
    path, buyer, seller = confirm(api, market, order), api.as_(market.purchaser), api.as_(market.sellers[0])
    line = seller.get(path).json()["lines"][0]["id"]
    first = seller.post(f"{path}/shipments", json={"lines": [{"order_line_id": line, "quantity": "3"}]}).json()
    assert buyer.post(f"/v1/shipments/{first['id']}/acceptance", json={}).status_code == 201
    assert dues(api, market, order) == [("209.70", "0.00", day(10), "open"), ("69.90", "0.00", None, "undated")]
    arrives(api, database, order, 10_000)
    assert dues(api, market, order)[0] == ("209.70", "100.00", day(10), "open")
    back = {"reason_code": "quality", "reason": "冻伤", "lines": [{"order_line_id": line, "quantity": "1"}]}
    asked = buyer.post(f"/v1/shipments/{first['id']}/returns", json=back).json()
    assert seller.post(f"/v1/returns/{asked['id']}/approve", json={"without_goods": True}).status_code == 200
    assert dues(api, market, order) == [("139.80", "100.00", day(10), "open"), ("69.90", "0.00", None, "undated")]
    assert differences(database) == {}


@pytest.mark.slow
def test_prepayment_is_paid_before_shipping_unless_the_supplier_wants_otherwise(api, database, market):
    order = placed(api, market, 2, payment_terms=AHEAD)
    assert order["payment_terms"] == {"kind": "prepayment", "days": 30}
    path, seller = confirm(api, market, order), api.as_(market.sellers[0])
    assert dues(api, market, order) == [("139.80", "0.00", day(30), "open")]
    refused = seller.post(f"{path}/shipments", json={})
    assert (*code(refused), refused.json()["data"]) == (409, "not_paid_yet", {"due": "139.80", "announced": "0.00"})
    arrives(api, database, order, 13_979)
    assert code(seller.post(f"{path}/shipments", json={})) == (409, "not_paid_yet")
    line = seller.get(path).json()["lines"][0]["id"]
    one = {"lines": [{"order_line_id": line, "quantity": "1"}], "before_payment": True}
    assert seller.post(f"{path}/shipments", json=one).status_code == 201
    assert rows(database, "SELECT count(*) FROM audit_event WHERE action = 'shipment.before_payment'") == [(1,)]
    arrives(api, database, order, 1)
    assert seller.post(f"{path}/shipments", json={}).status_code == 201
    assert differences(database) == {}


def test_what_is_only_announced_releases_nothing_before_the_bank_shows_it(api, database, market):
    order = placed(api, market, 2, payment_terms=AHEAD)
    path, seller, buyer = confirm(api, market, order), api.as_(market.sellers[0]), api.as_(market.finance)
    pay(api, market, order, "139.80")
    # everybody sees what is announced apart from what is there
    assert dues(api, market, order) == [("139.80", "0.00", day(30), "announced")]
    whole, part = buyer.get(f"/v1/purchase-orders/{order['id']}").json(), seller.get(path).json()
    for seen in (whole, part, part["dues"][0] | {"due": part["dues"][0]["open"]}):
        assert (seen["paid"], seen["announced"], seen["due"]) == ("0.00", "139.80", "0.00")
    assert (whole["payable"], part["payable"]) == ("139.80", "139.80")
    [due] = seller.get("/v1/dues", params={"status": "announced"}).json()["items"]
    assert (due["paid"], due["announced"], due["open"]) == ("0.00", "139.80", "0.00")
    assert buyer.get("/v1/dues/totals", params={"status": "announced"}).json()["announced"] == "139.80"
    refused = seller.post(f"{path}/shipments", json={})
    assert (*code(refused), refused.json()["data"]) == (409, "not_paid_yet", {"due": "139.80", "announced": "139.80"})
    assert told(database, "payment.announced") == [(market.suppliers[0].id,)]
    arrives(api, database, order, 13_980)
    assert told(database, "payment.arrived") == [(market.suppliers[0].id,)]
    assert rows(database, "SELECT count(*) FROM payment") == [(1,)]
    assert dues(api, market, order) == [("139.80", "139.80", day(30), "paid")]
    assert seller.get(path).json()["announced"] == "0.00"
    assert seller.post(f"{path}/shipments", json={}).status_code == 201
    assert differences(database) == {}


def test_a_match_that_is_undone_takes_back_what_it_released(api, database, market):
    order = placed(api, market, 2, payment_terms=AHEAD)
    path, seller = confirm(api, market, order), api.as_(market.sellers[0])
    pay(api, market, order, "139.80")
    arrives(api, database, order, 13_980)
    with database.unit_of_work() as session:
        cashier = make_user(session, Role.PLATFORM_FINANCE)
    [match] = rows(database, "SELECT id FROM bank_match")
    undone = api.as_(cashier).post(f"/v1/bank-matches/{match[0]}/undo", json={"reason": "认错了款"})
    assert undone.status_code in (200, 201), undone.text
    assert dues(api, market, order) == [("139.80", "0.00", day(30), "announced")]
    assert code(seller.post(f"{path}/shipments", json={})) == (409, "not_paid_yet")
    assert differences(database) == {}


def test_what_arrived_releases_the_parts_that_it_covers_whole(api, database, market):
    """The part that was confirmed first is covered first; what is left of the money releases nothing of the other one."""
    order = placed(api, market, 2, 1, payment_terms=AHEAD)
    first, second = confirm(api, market, order), confirm(api, market, order, of=1)
    arrives(api, database, order, 13_980 + 14_999)
    farm, bees = (api.as_(seller) for seller in market.sellers)
    line = farm.get(first).json()["lines"][0]["id"]
    for _ in range(2):  # in parts, as the supplier likes
        assert farm.post(f"{first}/shipments", json={"lines": [{"order_line_id": line, "quantity": "1"}]}).status_code == 201
    refused = bees.post(f"{second}/shipments", json={})
    assert (*code(refused), refused.json()["data"]["due"]) == (409, "not_paid_yet", "0.01")
    assert bees.get(second).json()["paid"] == "149.99"
    arrives(api, database, order, 1)
    assert bees.post(f"{second}/shipments", json={}).status_code == 201


def test_credit_of_another_order_releases_goods_once_it_has_arrived(api, database, market):
    paid, order = placed(api, market, 2, payment_terms=AHEAD), placed(api, market, 2, payment_terms=AHEAD)
    path, seller = confirm(api, market, order), api.as_(market.sellers[0])
    arrives(api, database, paid, 13_980)
    assert seller.post(f"/v1/supplier-orders/{paid['supplier_orders'][0]['id']}/reject", json={"reason": "歉收"}).status_code == 200
    body = {"to_order_id": order["id"], "amount": "139.80", "reason": "余款转单"}
    moved = api.as_(market.finance).post(f"/v1/purchase-orders/{paid['id']}/credit-moves", json=body)
    assert moved.status_code == 201, moved.text
    assert seller.post(f"{path}/shipments", json={}).status_code == 201


def test_a_programme_may_let_announcements_count_or_no_supplier_do_without(api, database, market):
    order = placed(api, market, 2, payment_terms=AHEAD)
    path, seller = confirm(api, market, order), api.as_(market.sellers[0])
    pay(api, market, order, "139.79")
    line = seller.get(path).json()["lines"][0]["id"]
    one = {"lines": [{"order_line_id": line, "quantity": "1"}]}
    programme_says(database, before_payment=False)
    refused = seller.post(f"{path}/shipments", json={**one, "before_payment": True})
    assert (*code(refused), refused.json()["data"]["due"]) == (409, "payment_first", "139.80")
    programme_says(database, paid_means="announced")
    refused = seller.post(f"{path}/shipments", json=one)
    assert (*code(refused), refused.json()["data"]) == (409, "payment_first", {"due": "0.01", "announced": "0.00"})
    pay(api, market, order, "0.01", "ICBC-2")
    assert seller.post(f"{path}/shipments", json=one).status_code == 201


def test_an_announcement_that_never_arrives_is_overdue_and_its_supplier_may_give_up(api, database, market, tasks, monkeypatch):
    order = placed(api, market, 1, payment_terms=AHEAD)
    path = confirm(api, market, order)
    pay(api, market, order, "69.90")
    for days in (23, 29, 30):  # as long as it may arrive in time nobody is reminded
        days_later(monkeypatch, days)
        remind_of_dues()
    assert rows(database, "SELECT kind FROM notification WHERE kind LIKE 'payment.%due%'") == []
    days_later(monkeypatch, 34)
    remind_of_dues()
    assert rows(database, "SELECT kind, data ->> 'amount' FROM notification WHERE kind LIKE 'payment.%due%'") == [
        ("payment.overdue_ahead", "69.90")
    ]
    gone = api.as_(market.sellers[0]).post(f"{path}/cancel-unpaid", json={"reason": "款项未到账"})
    assert (gone.status_code, gone.json()["status"]) == (200, "cancelled")
    assert differences(database) == {}


def test_a_deposit_is_paid_before_shipping_and_the_rest_after_acceptance(api, database, market):
    order = placed(api, market, 2, payment_terms={"kind": "deposit", "percent": 33, "deposit_days": 5, "days": 7})
    path, seller = confirm(api, market, order), api.as_(market.sellers[0])
    assert dues(api, market, order) == [("46.13", "0.00", day(5), "open"), ("93.67", "0.00", None, "undated")]
    assert code(seller.post(f"{path}/shipments", json={})) == (409, "not_paid_yet")
    pay(api, market, order, "46.13")
    assert code(seller.post(f"{path}/shipments", json={})) == (409, "not_paid_yet")
    arrives(api, database, order, 4_613)
    sent = seller.post(f"{path}/shipments", json={}).json()
    api.as_(market.purchaser).post(f"/v1/shipments/{sent['id']}/acceptance", json={})
    assert dues(api, market, order) == [("46.13", "46.13", day(5), "paid"), ("93.67", "0.00", day(7), "open")]


def test_instalments_and_wrong_terms(api, market):
    shares = [{"percent": 30, "days": 0, "after": "order"}, {"percent": 70, "days": 20, "after": "acceptance"}]
    order = placed(api, market, 1, payment_terms={"kind": "instalments", "instalments": shares})
    assert dues(api, market, order) == [("20.97", "0.00", day(0), "open"), ("48.93", "0.00", None, "undated")]
    buyer = api.as_(market.purchaser)
    for terms, expected in (
        ({"kind": "net", "days": 61}, "payment_too_late"),
        ({"kind": "instalments", "instalments": [{"percent": 100, "days": 300, "after": "order"}]}, "payment_too_late"),
        ({"kind": "net", "days": 10**30}, "invalid"),
        ({"kind": "instalments", "instalments": shares[:1]}, "invalid"),
        ({"kind": "先货后款"}, "invalid"),
        ("net", "invalid"),
    ):
        refused = buyer.post("/v1/purchase-orders", json=market.order(1, payment_terms=terms))
        assert refused.status_code == 422, refused.text
        assert expected == "invalid" or refused.json()["code"] == expected


def test_freight_and_cancellation_change_what_is_due(api, database, market):
    order = placed(api, market, 1, 1, payment_terms=AHEAD)
    path = f"/v1/supplier-orders/{order['supplier_orders'][0]['id']}"
    assert api.as_(market.sellers[0]).put(f"{path}/freight", json={"freight": "12.34"}).status_code == 200
    assert [due[0] for due in dues(api, market, order)] == ["82.24", "150.00"]
    api.as_(market.sellers[1]).post(f"/v1/supplier-orders/{order['supplier_orders'][1]['id']}/reject", json={"reason": "歉收"})
    assert [due[0] for due in dues(api, market, order)] == ["82.24"]
    api.as_(market.purchaser).post(f"/v1/purchase-orders/{order['id']}/cancel", json={"reason": "不需要"})
    assert dues(api, market, order) == []
    assert differences(database) == {}


def test_the_unit_says_what_is_usual_and_the_units_below_follow(api, database):
    bureau = make_bureau(api, database)
    admin = bureau.as_("bureau_buyer_admin")
    settings = f"/v1/organisations/{bureau.bureau.id}/buying-settings"
    assert code(admin.patch(settings, json={"payment_terms": {"kind": "net", "days": 99}})) == (422, "payment_too_late")
    changed = admin.patch(settings, json={"payment_terms": {"kind": "net", "days": 45}})
    assert changed.json()["payment_terms"] == {"kind": "net", "days": 45}
    school = bureau.as_("school_purchaser")
    assert school.post("/v1/purchase-orders", json=bureau.order(1)).json()["payment_terms"] == {"kind": "net", "days": 45}
    ahead = school.post("/v1/purchase-orders", json=bureau.order(1, payment_terms=AHEAD)).json()
    assert ahead["payment_terms"]["kind"] == "prepayment"
    admin.patch(settings, json={"payment_terms": None})
    assert school.post("/v1/purchase-orders", json=bureau.order(1)).json()["payment_terms"] == {"kind": "net", "days": 30}


def test_a_request_keeps_the_terms_that_were_approved(api, database):
    bureau = make_bureau(api, database)
    bureau.rule(who="school_buyer_admin")
    asked = bureau.ask(1, payment_terms={"kind": "net", "days": 7}).json()["purchase_request"]
    assert asked["payment_terms"] == {"kind": "net", "days": 7}
    done = bureau.as_("school_approver").post(f"/v1/purchase-requests/{asked['id']}/approve", json={}).json()
    order = bureau.as_("school_purchaser").get(f"/v1/purchase-orders/{done['purchase_order_id']}").json()
    assert order["payment_terms"] == {"kind": "net", "days": 7}


def test_an_account_that_registered_itself_pays_ahead(api, database, market):
    with database.unit_of_work() as session:
        firm = make_organisation(session, kind="enterprise", role="enterprise", name="重庆某科技有限公司")
        buyer = make_user(session, Role.PURCHASER, firm)
    client = api.as_(buyer)
    assert client.post("/v1/purchase-orders", json=market.order(1)).json()["payment_terms"]["kind"] == "prepayment"
    refused = client.post("/v1/purchase-orders", json=market.order(1, payment_terms={"kind": "net"}))
    assert code(refused) == (409, "credit_needed")
    assert code(client.post("/v1/purchase-orders", json=market.order(1, payment_terms={"kind": "deposit", "percent": 50}))) == (
        409,
        "credit_needed",
    )


def test_the_contract_says_how_it_is_paid(api, market):
    order = placed(api, market, 1, payment_terms={"kind": "net", "days": 45})
    path = confirm(api, market, order)
    assert "验收合格之日起45日内" in api.as_(market.sellers[0]).get(f"{path}/contract").json()["content"]["payment"]
    ahead = confirm(api, market, placed(api, market, 1, payment_terms=AHEAD))
    assert "可申请延期一次15日" in api.as_(market.purchaser).get(f"{ahead}/contract").json()["content"]["payment"]


def test_a_prepayment_is_put_off_once(api, database, market):
    order = placed(api, market, 1, 1, payment_terms=AHEAD)
    confirm(api, market, order)
    path, reason = f"/v1/purchase-orders/{order['id']}/payment-extension", {"reason": "财政拨款未到"}
    assert api.as_(market.sellers[0]).post(path, json=reason).status_code == 403
    with database.unit_of_work() as session:
        stranger = make_user(session, Role.PURCHASER, make_organisation(session, kind="school"))
    assert api.as_(stranger).post(path, json=reason).status_code == 404
    assert api.as_(market.purchaser).post(path, json={}).status_code == 422
    extended = api.as_(market.finance).post(path, json=reason)
    assert (extended.status_code, extended.json()["extended_days"]) == (201, 15)
    assert dues(api, market, order)[0][2] == day(45)
    assert api.as_(market.purchaser).get(f"/v1/purchase-orders/{order['id']}").json()["payment_extended_days"] == 15
    assert code(api.as_(market.purchaser).post(path, json=reason)) == (409, "already_extended")
    assert {row[0] for row in told(database, "payment.extended")} == {supplier.id for supplier in market.suppliers}
    net = placed(api, market, 1)
    again = f"/v1/purchase-orders/{net['id']}/payment-extension"
    assert code(api.as_(market.purchaser).post(again, json=reason)) == (409, "not_paid_ahead")
    paid = placed(api, market, 1, payment_terms=AHEAD)
    pay(api, market, paid, "69.90")
    done = f"/v1/purchase-orders/{paid['id']}/payment-extension"
    assert code(api.as_(market.purchaser).post(done, json=reason)) == (409, "nothing_due")


def test_what_is_paid_while_it_waits_is_not_put_off(api, database, market):
    """A payment holds the plan until its commit; whoever puts it off then sees that nothing is left."""
    order = placed(api, market, 1, payment_terms=AHEAD)
    path, client = f"/v1/purchase-orders/{order['id']}/payment-extension", api.as_(market.finance)
    with ThreadPoolExecutor(1) as pool:
        with database.unit_of_work() as session:
            payments.locked(session, [order["id"]])
            payments.take(session, SYSTEM, Taken(order["id"], 6_990, "bank_transfer", "unallocated", "T-1", "学校", clock.today()))
            asked = pool.submit(client.post, path, json={"reason": "财政拨款未到"})
            for _ in range(1000):
                if rows(database, "SELECT 1 FROM pg_locks WHERE NOT granted"):
                    break
                time.sleep(0.01)
            else:
                raise AssertionError("it does not wait")
        assert code(asked.result()) == (409, "nothing_due")


def test_reminders_come_once_for_each_day_of_the_programme(api, database, market, tasks, monkeypatch):
    order = placed(api, market, 1, payment_terms=AHEAD)
    confirm(api, market, order)
    seen = []
    for days in (0, 22, 23, 23, 25, 29, 30, 31, 31, 40, 45, 60, 90):
        days_later(monkeypatch, days)
        before = len(rows(database, "SELECT 1 FROM notification WHERE kind LIKE 'payment.%due%'"))
        remind_of_dues()
        now = rows(database, "SELECT kind, data ->> 'amount' FROM notification WHERE kind LIKE 'payment.%due%' ORDER BY id")
        seen += [(days, kind) for kind, _ in now[before:]]
        assert {amount for _, amount in now} <= {"69.90"}
    assert seen == [
        (23, "payment.due_soon"),
        (29, "payment.due_soon"),
        (31, "payment.overdue_ahead"),
        (45, "payment.overdue_ahead"),
        (60, "payment.overdue_ahead"),
    ]


def test_an_unpaid_prepayment_may_be_given_up_by_its_supplier_after_the_buyer_was_told(api, database, market, tasks, monkeypatch):
    order = placed(api, market, 1, payment_terms=AHEAD)
    path, reason = confirm(api, market, order), {"reason": "未付款"}
    payment = pay(api, market, order, "10.00")
    seller = api.as_(market.sellers[0])
    assert code(seller.post(f"{path}/cancel-unpaid", json=reason)) == (409, "payment_not_overdue")
    days_later(monkeypatch, 33)
    assert code(api.as_(market.sellers[0]).post(f"{path}/cancel-unpaid", json=reason)) == (409, "payment_not_overdue")
    days_later(monkeypatch, 34)
    seller = api.as_(market.sellers[0])
    assert code(seller.post(f"{path}/cancel-unpaid", json=reason)) == (409, "buyer_not_warned")
    remind_of_dues()
    assert api.as_(market.sellers[1]).post(f"{path}/cancel-unpaid", json=reason).status_code == 404
    assert api.as_(market.purchaser).post(f"{path}/cancel-unpaid", json=reason).status_code == 403
    gone = seller.post(f"{path}/cancel-unpaid", json=reason)
    assert (gone.status_code, gone.json()["status"], gone.json()["reason_code"]) == (200, "cancelled", "not_paid_in_time")
    assert code(seller.post(f"{path}/cancel-unpaid", json=reason)) == (409, "illegal_move")
    assert told(database, "supplier_order.unpaid") == [(market.school.id,)]
    shown = api.as_(market.finance).get(f"/v1/purchase-orders/{order['id']}/payments").json()
    assert (shown[0]["id"], shown[0]["order_due"]) == (payment, "-10.00")
    assert dues(api, market, order) == []
    assert differences(database) == {}


def test_orders_from_before_there_were_dues_are_counted(api, database, market, tasks):
    order = placed(api, market, 1)
    with database.unit_of_work() as session:
        session.execute(text("DELETE FROM payment_due"))
        session.execute(text("UPDATE payment_plan SET counted_at = NULL"))
    assert dues(api, market, order) == []
    remind_of_dues()
    assert [due[0] for due in dues(api, market, order)] == ["69.90"]


def test_what_agreements_and_quotations_fix_holds_for_their_orders(api, database, market):
    with database.unit_of_work() as session:
        admin = make_user(session, Role.BUYER_ADMIN, market.school)
    buyer, seller = api.as_(market.purchaser), api.as_(market.sellers[0])
    body = {
        "title": "脐橙长期供货",
        "supplier_id": market.suppliers[0].id,
        "fund_source": "canteen",
        "valid_from": str(clock.today()),
        "valid_until": str(clock.today() + YEAR),
        "payment_terms": {"kind": "net", "days": 45},
        "lines": [{"sku_id": market.products[0].sku_id, "price": {"kind": "fixed", "unit_price": "60.00"}}],
    }
    assert code(buyer.post("/v1/agreements", json={**body, "payment_terms": {"kind": "net", "days": 61}})) == (
        422,
        "payment_too_late",
    )
    made = buyer.post("/v1/agreements", json=body).json()
    path = f"/v1/agreements/{made['id']}"
    made = buyer.post(f"{path}/propose", json={}).json()
    for side in (seller, api.as_(admin)):
        assert side.post(f"{path}/sign", json={"terms_hash": made["terms_hash"]}).status_code in (200, 201)
    assert '"payment_terms":{"days":45,"kind":"net"}' in buyer.get(f"{path}/terms").json()["document"]
    asked = {"lines": [{"agreement_line_id": made["lines"][0]["id"], "quantity": "1"}], "delivery_address": "大学城中路1号"}
    called = buyer.post(f"{path}/call-offs", json=asked)
    assert called.json()["purchase_order"]["payment_terms"] == {"kind": "net", "days": 45}
    assert buyer.get(f"{path}/pdf").status_code == 200
    request = {
        "title": "冬季水果",
        "kind": "invited",
        "supplier_ids": [market.suppliers[0].id],
        "fund_source": "canteen",
        "delivery_address": "大学城中路1号",
        "payment_terms": AHEAD,
        "closes_at": (clock.now() + timedelta(hours=1)).isoformat(),
        "lines": [{"sku_id": market.products[0].sku_id, "quantity": "10"}],
    }
    made = buyer.post("/v1/quotation-requests", json=request).json()
    assert made["payment_terms"] == {"kind": "prepayment", "days": 30}
    path = f"/v1/quotation-requests/{made['id']}"
    buyer.post(f"{path}/publish")
    line = {"line_no": 1, "sku_id": market.products[0].sku_id, "tiers": [{"min_quantity": "1", "unit_price": "60.00"}]}
    seller.post(f"{path}/quotations", json={"valid_until": day(30), "lines": [line]})
    with database.unit_of_work() as session:
        session.execute(text("UPDATE quotation_request SET closes_at = now(), questions_until = now()"))
    award = {"reason": "综合比价", "lines": [{"line_no": 1, "supplier_id": market.suppliers[0].id, "quantity": "10"}]}
    won = buyer.post(f"{path}/award", json=award)
    assert won.status_code == 201, won.text
    order = rows(database, "SELECT terms ->> 'kind' FROM payment_plan ORDER BY purchase_order_id DESC LIMIT 1")
    assert order == [("prepayment",)]
