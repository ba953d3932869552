"""The main story over HTTP, every refusal, reach and roles."""

import csv
import io

import pytest
from python_calamine import CalamineWorkbook

from shop.core import clock
from shop.core.settings import settings
from shop.identity.permissions import Role
from tests.factories.identity import make_organisation, make_user, signed_in
from tests.factories.orders import make_market


def test_an_order_is_paid_by_card(online):
    order = online.order(10)
    payment = online.begin(order["id"])
    assert (payment["status"], payment["amount"], payment["client_secret"]) == ("created", "699.00", None)
    online.work()
    shown = online.read(payment["id"])
    assert (shown["status"], shown["possible_actions"]) == ("requires_action", ["cancel"])
    assert shown["client_secret"].startswith("pi_")
    looking = signed_in(online.api, Role.VIEWER, online.market.school).get(f"/v1/online-payments/{payment['id']}")
    assert looking.json()["possible_actions"] == []
    online.confirm(online.intent(payment["id"]), "pm_card_visa")
    online.reconcile()
    done = online.read(payment["id"])
    assert (done["status"], done["received"], done["client_secret"], done["possible_actions"]) == ("succeeded", "699.00", None, [])
    finance = online.api.as_(online.market.finance)
    [booked] = finance.get(f"/v1/purchase-orders/{order['id']}/payments").json()
    assert (booked["method"], booked["source"], booked["amount"], booked["order_due"]) == ("card", "online", "699.00", "0.00")
    # the provider keeps 2.9 % and 0.30
    assert (online.account("online"), online.account("fees")) == (69_900 - 2_057, 2_057)
    assert online.at_provider() == online.account("online")
    kinds = [row["kind"] for row in online.buyer.get("/v1/notifications").json()["items"]]
    assert kinds.count("online_payment.succeeded") == 1
    # what the provider keeps with it are numbers of ours
    [intent] = online.twin.objects("payment_intent")
    assert set(intent["metadata"]) == {"reference", "online_payment", "purchase_order", "placed", "method"}


def test_a_declined_card_may_be_followed_by_another(online):
    payment = online.begin(online.order()["id"])
    online.work()
    with pytest.raises(Exception, match="declined"):
        online.confirm(online.intent(payment["id"]), "pm_card_visa_chargeDeclined")
    online.reconcile()
    shown = online.read(payment["id"])
    assert (shown["status"], bool(shown["error_code"])) == ("requires_action", True)
    online.confirm(online.intent(payment["id"]))
    online.reconcile()
    shown = online.read(payment["id"])
    assert (shown["status"], shown["error_code"]) == ("succeeded", None)


@pytest.mark.parametrize(("outcome", "status"), [("approve", "succeeded"), ("decline", "requires_action")])
def test_a_card_whose_bank_asks_the_payer_first(online, outcome, status):
    """3-D Secure: nothing is booked before the bank's question is answered; a payer who says no may take another card."""
    payment = online.begin(online.order()["id"])
    online.work()
    intent = online.intent(payment["id"])
    assert online.confirm(intent, "pm_card_authenticationRequired").status == "requires_action"
    online.reconcile()
    assert online.read(payment["id"])["status"] == "requires_action"
    assert online.account("receivable") == 0
    online.twin.pay(intent, outcome)
    online.reconcile()
    shown = online.read(payment["id"])
    assert (shown["status"], bool(shown["error_code"])) == (status, outcome == "decline")
    if outcome == "decline":
        online.confirm(intent)
        online.reconcile()
    assert online.read(payment["id"])["received"] == "699.00"
    assert online.at_provider() == online.account("online")


@pytest.mark.parametrize(("method", "shows"), [("wechat_pay", "qr_code"), ("alipay", "action_url")])
def test_wallets_show_where_to_pay(online, method, shows):
    order = online.order()
    payment = online.begin(order["id"], method, amount="100.00", return_url="https://school.example.cn/paid?id=1")
    online.work()
    shown = online.read(payment["id"])
    assert shown["status"] == "requires_action"
    assert shown[shows].startswith("http")
    online.twin.pay(online.intent(payment["id"]))
    online.reconcile()
    assert online.read(payment["id"])["status"] == "succeeded"
    # the rest may be paid next
    again = online.begin(order["id"], method, return_url="https://school.example.cn/paid")
    assert again["amount"] == "599.00"
    online.work()
    online.twin.pay(online.intent(again["id"]), "decline")
    online.reconcile()
    assert online.read(again["id"])["status"] == "failed"
    online.work()
    assert {each["status"] for each in online.twin.objects("payment_intent")} == {"succeeded", "canceled"}


def test_a_payment_is_stopped(online):
    order = online.order()
    path = f"/v1/purchase-orders/{order['id']}/online-payments"
    first = online.begin(order["id"])
    assert online.buyer.post(path, json={"method": "card"}).json()["code"] == "online_payment_open"
    # before anything was sent
    stopped = online.buyer.post(f"/v1/online-payments/{first['id']}/cancel").json()
    assert stopped["status"] == "cancelled"
    online.work()
    assert online.twin.objects("payment_intent") == []
    # after the provider has it
    second = online.begin(order["id"])
    online.work()
    asked = online.buyer.post(f"/v1/online-payments/{second['id']}/cancel").json()
    assert (asked["status"], asked["possible_actions"]) == ("requires_action", [])
    online.work()
    assert online.read(second["id"])["status"] == "cancelled"
    assert online.buyer.post(f"/v1/online-payments/{second['id']}/cancel").json()["code"] == "online_payment_not_stoppable"
    # what was paid before it could be stopped counts
    third = online.begin(order["id"])
    online.work()
    online.buyer.post(f"/v1/online-payments/{third['id']}/cancel")
    online.confirm(online.intent(third["id"]))
    online.work()
    online.reconcile()
    assert online.read(third["id"])["status"] == "succeeded"
    assert online.account("receivable") == -69_900  # paid ahead


def given_up(online, order):
    online.buyer.post(f"/v1/purchase-orders/{order['id']}/cancel", json={"reason": "计划变更"})


def rejected(online, order):
    for part in order["supplier_orders"]:
        online.api.as_(online.market.sellers[0]).post(f"/v1/supplier-orders/{part['id']}/reject", json={"reason": "歉收"})


def paid_by_transfer(online, order):
    body = {"amount": "699.00", "bank_reference": "B-1", "payer_name": "中学", "paid_on": str(clock.today())}
    made = online.api.as_(online.market.finance).post(f"/v1/purchase-orders/{order['id']}/payments", json=body)
    assert made.status_code == 201, made.text


def paid_by_a_credit(online, order):
    other, _ = online.paid(10)
    given_up(online, other)
    body = {"to_order_id": order["id"], "amount": "699.00", "reason": "转用"}
    moved = online.api.as_(online.market.finance).post(f"/v1/purchase-orders/{other['id']}/credit-moves", json=body)
    assert moved.status_code == 201, moved.text


@pytest.mark.parametrize("sent", [False, True])
@pytest.mark.parametrize("end", [given_up, rejected, paid_by_transfer, paid_by_a_credit])
def test_an_order_that_owes_nothing_any_more_is_not_paid_online(online, end, sent):
    order = online.order(10)
    payment = online.begin(order["id"])
    if sent:
        online.work()
    end(online, order)
    online.work()
    assert (online.read(payment["id"])["status"], online.read(payment["id"])["client_secret"]) == ("cancelled", None)
    if sent:
        with pytest.raises(Exception, match="canceled"):
            online.confirm(online.intent(payment["id"]))


def test_what_was_paid_before_the_order_was_given_up_is_a_credit(online):
    order = online.order(10)
    payment = online.begin(order["id"])
    online.work()
    online.confirm(online.intent(payment["id"]))
    given_up(online, order)
    online.work()
    online.reconcile()
    assert online.read(payment["id"])["status"] == "succeeded"
    assert online.account("receivable") == -69_900


def test_an_order_that_still_owes_something_is_paid_on(online):
    """One of two parts is given up, and a transfer pays a share of the rest."""
    order = online.order(10, 10)
    payment = online.begin(order["id"], amount="100.00")
    online.work()
    first = online.api.as_(online.market.sellers[0])
    first.post(f"/v1/supplier-orders/{order['supplier_orders'][0]['id']}/reject", json={"reason": "歉收"})
    body = {"amount": "1.00", "bank_reference": "B-1", "payer_name": "中学", "paid_on": str(clock.today())}
    online.api.as_(online.market.finance).post(f"/v1/purchase-orders/{order['id']}/payments", json=body)
    online.work()
    assert online.read(payment["id"])["possible_actions"] == ["cancel"]


def test_what_is_refused(online):
    order = online.order(10)
    path = f"/v1/purchase-orders/{order['id']}/online-payments"
    over = online.buyer.post(path, json={"method": "card", "amount": "699.01"})
    assert (over.status_code, over.json()["code"], over.json()["data"]["due"]) == (409, "payment_above_due", "699.00")
    for body in (
        {"method": "cash"},
        {"method": "card", "amount": "0.00"},
        {"method": "card", "amount": "1e99"},
        {"method": "card", "amount": "3.99"},
        {"method": "alipay"},
        {"method": "alipay", "return_url": "javascript:alert(1)"},
        {"method": "card", "note": "x"},
    ):
        assert online.buyer.post(path, json=body).status_code == 422, body
    assert online.buyer.post("/v1/purchase-orders/999999/online-payments", json={"method": "card"}).status_code == 404
    assert online.api.as_(online.market.sellers[0]).post(path, json={"method": "card"}).status_code == 403
    assert online.api.as_(online.cashier).post(path, json={"method": "card"}).status_code == 403
    payment = online.begin(order["id"])
    online.work()
    with online.database.unit_of_work() as session:
        stranger = make_user(session, Role.FINANCE, make_organisation(session))
    other = online.api.as_(stranger)
    assert other.get(f"/v1/online-payments/{payment['id']}").status_code == 404
    assert other.post(f"/v1/online-payments/{payment['id']}/cancel").status_code == 404
    assert other.get("/v1/online-payments").json()["items"] == []
    # who keeps the money sees the payment, and nothing to pay it with
    keeper = online.api.as_(online.cashier).get(f"/v1/online-payments/{payment['id']}").json()
    assert (keeper["status"], keeper["client_secret"]) == ("requires_action", None)
    # and so does whoever of the buyer may look at orders and not pay for them
    payer = online.buyer.get(f"/v1/online-payments/{payment['id']}").json()
    assert payer["client_secret"].startswith("pi_")
    with online.database.unit_of_work() as session:
        lookers = [make_user(session, role, online.market.school) for role in (Role.VIEWER, Role.APPROVER)]
    for looker in lookers:
        shown = online.api.as_(looker).get(f"/v1/online-payments/{payment['id']}").json()
        assert shown["status"] == "requires_action"
        assert [shown[name] for name in ("client_secret", "action_url", "qr_code", "publishable_key")] == [None] * 4


def test_lists_are_paged_and_filtered(online):
    order = online.order()
    for _ in range(3):
        payment = online.begin(order["id"])
        online.buyer.post(f"/v1/online-payments/{payment['id']}/cancel")
    last = online.begin(order["id"])
    finance = online.api.as_(online.market.finance)
    page = finance.get("/v1/online-payments?limit=2").json()
    assert page["items"][0]["id"] == last["id"]
    rest = finance.get("/v1/online-payments", params={"limit": 5, "after": page["next"]}).json()
    assert (len(rest["items"]), rest["next"]) == (2, None)
    assert len(finance.get("/v1/online-payments?status=cancelled").json()["items"]) == 3
    assert len(finance.get(f"/v1/online-payments?purchase_order_id={order['id']}&status=created").json()["items"]) == 1


def test_lists_are_files_for_the_books_too(online):
    order, payment = online.paid(10, card="pm_card_createDispute")
    finance = online.api.as_(online.market.finance)
    header, row = read_csv(finance.get("/v1/online-payments?format=csv&limit=1"))
    assert header[:5] == ["number", "order", "method", "status", "amount (yuan)"]
    assert row[:7] == [str(payment["id"]), order["number"], "card", "succeeded", "699.00", "699.00", str(payment["payment_id"])]
    header, row = read_csv(finance.get("/v1/charge-disputes?format=csv"))
    assert (header[1], row[1], row[3], row[5]) == ("order", order["number"], "699.00", "open")
    for path in ("online-payments", "charge-disputes"):
        answer = finance.get(f"/v1/{path}?format=xlsx", headers={"Accept-Language": "zh"})
        rows = CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_index(0).to_python()
        assert [row[1] for row in rows] == ["订单", order["number"]]
        assert finance.get(f"/v1/{path}?format=pdf").status_code == 422
        # a file reaches no farther than a page
        with online.database.unit_of_work() as session:
            stranger = make_user(session, Role.FINANCE, make_organisation(session))
        assert len(read_csv(online.api.as_(stranger).get(f"/v1/{path}?format=csv"))) == 1


def read_csv(answer):
    assert answer.headers["content-type"].startswith("text/csv")
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))


def test_an_amount_that_the_provider_does_not_take_is_refused_at_once(online):
    order = online.order(20_000)
    path = f"/v1/purchase-orders/{order['id']}/online-payments"
    for body in ({"method": "card"}, {"method": "card", "amount": "1000000.00"}, {"method": "card", "amount": "3.99"}):
        answer = online.buyer.post(path, json=body)
        told = answer.json()
        assert (answer.status_code, told["code"], told["errors"][0]["field"]) == (422, "online_amount_outside", "amount")
        assert told["data"] == {"least": "4.00", "most": "999999.99"}
    assert online.sql("SELECT count(*) FROM online_payment") == 0
    online.begin(order["id"], amount="999999.99")
    online.work()
    assert [each["amount"] for each in online.twin.objects("payment_intent")] == [99_999_999]


def test_the_same_request_twice_is_one_payment(online):
    order = online.order()
    path = f"/v1/purchase-orders/{order['id']}/online-payments"
    answers = [online.buyer.post(path, json={"method": "card"}, headers={"Idempotency-Key": "k-1"}) for _ in range(3)]
    assert {answer.json()["id"] for answer in answers} == {answers[0].json()["id"]}
    online.work()
    assert len(online.twin.objects("payment_intent")) == 1


def test_without_a_key_online_payment_is_off_and_all_else_works(api, database, monkeypatch):
    monkeypatch.delenv("SHOP_STRIPE_KEY", raising=False)
    settings.cache_clear()
    market = make_market(database)
    buyer = api.as_(market.purchaser)
    order = buyer.post("/v1/purchase-orders", json=market.order(2)).json()
    answer = buyer.post(f"/v1/purchase-orders/{order['id']}/online-payments", json={"method": "card"})
    assert (answer.status_code, answer.json()["code"]) == (409, "online_payment_off")
    assert api.post("/v1/stripe/webhooks", content=b"{}").json()["code"] == "online_payment_off"
    seller = api.as_(market.sellers[0])
    assert seller.post("/v1/connected-account", json={}).json()["code"] == "online_payment_off"
