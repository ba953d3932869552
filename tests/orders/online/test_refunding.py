"""Refunds by the way of the payment: partial, whole, failing later, refused; and disputes. The clearing accounts return to zero."""

import pytest

from orders.refunds.errors import AbovePayment
from tests.factories.identity import make_organisation
from tests.factories.money import PAYEE, bank_shows
from tests.stripe_twin.fixture import Twin

CLEARING = ("refunds", "chargebacks", "unallocated")


def cleared(online):
    return [online.account(name) for name in CLEARING] == [0, 0, 0] and online.at_provider() == online.account("online")


def refunds_of(online):
    return online.api.as_(online.cashier).get("/v1/refunds").json()["items"]


def overpaid(online, card="pm_card_visa"):
    """An order of 699 yuan, paid, of which the supplier then rejects its part: all is credit."""
    order, payment = online.paid(10, card=card)
    seller = online.api.as_(online.market.sellers[0])
    assert (
        seller.post(f"/v1/supplier-orders/{order['supplier_orders'][0]['id']}/reject", json={"reason": "歉收"}).status_code == 200
    )
    return order, payment


def test_a_part_and_the_rest_go_back_by_their_own_way(online):
    order, payment = overpaid(online)
    online.refund(order["id"], payment["payment_id"], "100.00")
    assert online.account("refunds") == -10_000
    # nobody but the provider says what became of it
    [waiting] = refunds_of(online)
    assert waiting["possible_actions"] == []
    for move, body in (("send", {"reference": "HK-1"}), ("confirm", {"reference": "HK-1"}), ("fail", {"reason": "退回"})):
        answer = online.api.as_(online.cashier).post(f"/v1/refunds/{waiting['id']}/{move}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (409, "refund_not_by_hand")
    online.work()
    online.refund(order["id"], payment["payment_id"], "599.00")
    online.work()
    assert [row["status"] for row in refunds_of(online)] == ["paid", "paid"]
    assert all(row["reference"].startswith("re_") for row in refunds_of(online))
    assert [each["amount"] for each in online.twin.objects("refund")] == [10_000, 59_900]
    assert online.account("receivable") == 0
    report = online.reconcile()
    assert (report.unexplained, report.difference_fen) == (0, 0)
    assert cleared(online)
    # told twice, asked once
    online.sql(
        "INSERT INTO outbox_event (name, payload, created_at, next_attempt_at)"
        " SELECT name, payload, now(), now() FROM outbox_event WHERE name = 'refund.moved' RETURNING id"
    )
    online.work()
    assert len(online.twin.objects("refund")) == 2


def test_a_refund_that_fails_days_later_is_a_credit_again(online):
    order, payment = overpaid(online, "pm_card_refundFail")
    online.refund(order["id"], payment["payment_id"], "699.00")
    online.work()
    assert refunds_of(online)[0]["status"] == "paid"
    online.reconcile()
    online.twin.advance(60)
    online.reconcile()
    [row] = refunds_of(online)
    assert (row["status"], row["end_reason"]) == ("failed", "expired_or_canceled_card")
    assert online.account("receivable") == -69_900
    assert cleared(online)


def test_a_pending_refund_is_sent_and_then_paid(online):
    order, payment = overpaid(online, "pm_card_pendingRefund")
    online.refund(order["id"], payment["payment_id"], "699.00")
    online.work()
    assert refunds_of(online)[0]["status"] == "sent"
    online.twin.advance(60)
    online.sql("UPDATE refund SET sent_at = sent_at - interval '10 minutes' RETURNING id")
    online.reconcile()
    assert refunds_of(online)[0]["status"] == "paid"
    assert cleared(online)


def test_what_was_paid_online_goes_back_by_its_own_way_unless_that_failed(online):
    order, payment = overpaid(online)
    path = f"/v1/purchase-orders/{order['id']}/refunds"
    body = {
        "amount": "1.00",
        "reason": "退货",
        "payee": {"name": "沙坪坝中学", "account": "3100021009014400123", "bank": "工商银行"},
    }
    answer = online.api.as_(online.cashier).post(path, json=body)
    assert (answer.status_code, answer.json()["code"], answer.json()["data"]) == (409, "refund_goes_back_online", {"left": "0.00"})
    # the account that was paid from is closed
    dispute(online, payment)
    online.refund(order["id"], payment["payment_id"], "1.00")
    online.work()
    assert [row["status"] for row in refunds_of(online)] == ["failed"]
    assert online.api.as_(online.cashier).post(path, json=body).status_code == 201


def dispute(online, payment, **more):
    charge = online.sql("SELECT charge_id FROM online_payment WHERE id = :id", id=payment["id"])
    return online.twin.tell("disputes", charge=charge, **more)


@pytest.mark.slow
@pytest.mark.parametrize(("won", "owed"), [(True, 0), (False, 69_900)])
def test_a_charge_dispute_is_argued_over_and_decided(online, won, owed):
    order, payment = online.paid(10)
    seller, buyer = online.api.as_(online.market.sellers[0]), online.buyer
    part = order["supplier_orders"][0]["id"]
    seller.post(f"/v1/supplier-orders/{part}/confirm")
    shipment = seller.post(f"/v1/supplier-orders/{part}/shipments", json={}).json()
    buyer.post(f"/v1/shipments/{shipment['id']}/acceptance", json={})
    assert online.account("receivable") == 0
    made = dispute(online, payment)
    online.reconcile()
    # the money is gone, and nobody owes it for the time
    assert (online.account("chargebacks"), online.account("receivable")) == (69_900, 0)
    assert online.at_provider() == online.account("online")
    cashier = online.api.as_(online.cashier)
    [shown] = cashier.get("/v1/charge-disputes?status=open").json()["items"]
    assert (shown["amount"], shown["purchase_order_id"]) == ("699.00", order["id"])
    assert "charge_dispute.open" in [row["kind"] for row in cashier.get("/v1/notifications").json()["items"]]
    evidence = {"evidence": {"uncategorized_text": "winning_evidence" if won else "losing_evidence"}}
    online.twin.client().v1.disputes.update(made["id"], evidence)
    online.twin.advance(60)
    online.reconcile()
    assert online.account("receivable") == owed
    assert cleared(online)
    [shown] = cashier.get("/v1/charge-disputes").json()["items"]
    assert shown["status"] == ("won" if won else "lost")
    paid = buyer.get(f"/v1/purchase-orders/{order['id']}").json()["paid"]
    assert paid == ("699.00" if won else "0.00")
    # once more changes nothing
    online.reconcile()
    assert online.account("receivable") == owed


def test_what_the_payers_bank_took_back_does_not_keep_another_payment_from_going_back(online):
    """Lost, the order is owed again, and paid by transfer: that goes back by transfer."""
    order, payment = online.paid(10)
    made = dispute(online, payment)
    online.reconcile()
    online.twin.client().v1.disputes.update(made["id"], {"evidence": {"uncategorized_text": "losing_evidence"}})
    online.twin.advance(60)
    online.reconcile()
    cashier, seller = online.api.as_(online.cashier), online.api.as_(online.market.sellers[0])
    bank_shows(cashier, online.database, order["id"], 69_900)
    part = order["supplier_orders"][0]["id"]
    assert seller.post(f"/v1/supplier-orders/{part}/reject", json={"reason": "歉收"}).status_code == 200
    asked = cashier.post(
        f"/v1/purchase-orders/{order['id']}/refunds", json={"amount": "699.00", "reason": "订单取消", "payee": PAYEE}
    )
    assert asked.status_code == 201, asked.text
    released = online.api.as_(online.treasurer).post(f"/v1/refunds/{asked.json()['id']}/approve")
    assert released.status_code == 200, released.text
    assert (online.account("receivable"), online.account("refunds")) == (0, -69_900)


def test_what_the_payers_bank_has_taken_back_is_not_asked_back_online_again(online):
    """Lost, the order is owed again, and paid online once more: what goes back is of the second payment."""
    order, first = online.paid(10)
    made = dispute(online, first)
    online.reconcile()
    online.twin.client().v1.disputes.update(made["id"], {"evidence": {"uncategorized_text": "losing_evidence"}})
    online.twin.advance(60)
    online.reconcile()
    second = online.begin(order["id"])
    online.work()
    online.confirm(online.intent(second["id"]))
    online.reconcile()
    second = online.read(second["id"])
    seller, cashier = online.api.as_(online.market.sellers[0]), online.api.as_(online.cashier)
    part = order["supplier_orders"][0]["id"]
    assert seller.post(f"/v1/supplier-orders/{part}/reject", json={"reason": "歉收"}).status_code == 200
    path = f"/v1/purchase-orders/{order['id']}/refunds"
    refused = cashier.post(path, json={"amount": "0.01", "reason": "退货", "payment_id": first["payment_id"]})
    assert (refused.status_code, refused.json()["code"]) == (409, AbovePayment.code)
    online.refund(order["id"], second["payment_id"], "699.00")
    online.work()
    assert refunds_of(online)[0]["status"] == "paid"
    online.reconcile()
    assert cleared(online)


@pytest.mark.parametrize("won", [True, False])
def test_what_is_argued_over_comes_from_whom_it_was_taken_also_when_the_order_has_moved(online, won):
    order, payment = online.paid(10)
    made = dispute(online, payment)
    online.reconcile()
    with online.database.unit_of_work() as session:
        other = make_organisation(session, kind="school", role="budget_unit", parent=online.market.school)
    moved = online.buyer.post(f"/v1/purchase-orders/{order['id']}/budget-unit", json={"unit_id": other.id, "reason": "选错单位"})
    assert moved.status_code == 200, moved.text
    evidence = {"evidence": {"uncategorized_text": "winning_evidence" if won else "losing_evidence"}}
    online.twin.client().v1.disputes.update(made["id"], evidence)
    online.twin.advance(60)
    online.reconcile()
    stands = online.rows("SELECT party_id, sum(amount_fen) AS fen FROM money_posting WHERE account = 'chargebacks' GROUP BY 1")
    assert [(row.party_id, row.fen) for row in stands] == [(online.market.school.id, 0)]
    assert cleared(online)


def test_an_inquiry_moves_no_money(online):
    _, payment = online.paid(10)
    made = dispute(online, payment, inquiry=True)
    online.work()
    online.sql(
        "INSERT INTO provider_call (operation, object_id, attempt, status, tries, spent, next_attempt_at, created_at)"
        " VALUES ('look', :id, 1, 'due', 0, false, now(), now()) RETURNING id",
        id=made["id"],
    )
    online.work()
    [shown] = online.api.as_(online.cashier).get("/v1/charge-disputes").json()["items"]
    assert shown["status"] == "inquiry"
    assert cleared(online)


def test_what_the_provider_will_not_refund_is_a_credit_again(online):
    order, payment = overpaid(online)
    dispute(online, payment)
    online.refund(order["id"], payment["payment_id"], "699.00")
    online.work()
    [row] = refunds_of(online)
    assert row["status"] == "failed"
    assert "charged back" in row["end_reason"]
    assert online.account("refunds") == 0


def test_a_refund_made_in_the_providers_own_pages_is_entered(online):
    _, payment = overpaid(online)
    twin: Twin = online.twin
    twin.client().v1.refunds.create({"payment_intent": online.intent(payment["id"]), "amount": 5_000})
    online.reconcile()
    [row] = refunds_of(online)
    assert (row["status"], row["amount"]) == ("paid", "50.00")
    assert cleared(online)
