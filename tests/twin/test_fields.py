"""Every field, every value and every event name of the twin is one of Stripe's."""

import pytest
import stripe

from tests.stripe_twin.fixture import Twin
from tests.twin.annotations import strange
from tests.twin.conftest import account, paid


def live(twin: Twin, client: stripe.StripeClient) -> None:
    """A life in which everything happens that the twin can do."""
    v1 = client.v1
    customer = v1.customers.create(
        {"name": "张老师", "email": "a@example.org", "address": {"city": "重庆", "country": "CN"}, "metadata": {"unit": "7"}}
    )
    card = v1.payment_methods.create({"type": "card", "card": {"number": "4242424242424242", "exp_month": 12, "exp_year": 2034}})
    v1.payment_methods.attach(card.id, {"customer": customer.id})
    shipping = {"name": "张老师", "phone": "1", "address": {"line1": "一号", "city": "重庆"}}
    whole = paid(
        client, 50_000, card.id, customer=customer.id, shipping=shipping, description="腊肉", receipt_email="a@example.org"
    )
    paid(client, 90_000)
    for name in ("chargeDeclined", "chargeDeclinedExpiredCard", "radarBlock"):
        with pytest.raises(stripe.CardError):
            paid(client, method=f"pm_card_{name}")
    asked = paid(client, method="pm_card_authenticationRequired", return_url="https://shop.example/back")
    twin.pay(asked.id)
    refused = paid(client, method="pm_card_authenticationRequired")
    twin.pay(refused.id, "decline")
    for kind in ("alipay", "wechat_pay"):
        for outcome in ("approve", "decline", "approve_later"):
            wallet = v1.payment_intents.create(
                {
                    "amount": 8800,
                    "currency": "cny",
                    "allowed_payment_method_types": [kind],
                    "payment_method_data": {"type": kind},
                    "payment_method_options": {"wechat_pay": {"client": "web"}} if kind == "wechat_pay" else {},
                    "confirm": True,
                    "return_url": "https://shop.example/back",
                }
            )
            twin.pay(wallet.id, outcome)
    held = paid(client, capture_method="manual")
    v1.payment_intents.capture(held.id, {"amount_to_capture": 400})
    v1.payment_intents.cancel(paid(client, capture_method="manual").id, {"cancellation_reason": "abandoned"})
    paid(client, capture_method="manual")
    v1.payment_intents.create({"amount": 100, "currency": "cny"})
    v1.refunds.create({"payment_intent": whole.id, "amount": 100, "reason": "requested_by_customer", "metadata": {"a": "b"}})
    for name in ("refundFail", "pendingRefund"):
        v1.refunds.create({"payment_intent": paid(client, method=f"pm_card_{name}").id})
    v1.refunds.cancel(v1.refunds.create({"payment_intent": paid(client, method="pm_card_pendingRefund").id}).id)
    for name in ("createDispute", "createDisputeProductNotReceived", "createDisputeInquiry"):
        paid(client, method=f"pm_card_{name}")
    twin.settle()
    first, second, third = v1.disputes.list().data
    v1.disputes.update(first.id, {"evidence": {"uncategorized_text": "winning_evidence"}})
    v1.disputes.update(second.id, {"evidence": {"uncategorized_text": "winning_evidence"}, "metadata": {"x": "y"}})
    v1.disputes.close(third.id)
    supplier, failing = account(client), account(client, "000111111116")
    express = v1.accounts.create({"type": "express", "capabilities": {"transfers": {"requested": True}}})
    link = v1.account_links.create(
        {"account": express.id, "type": "account_onboarding", "return_url": "http://x/", "refresh_url": "http://x/"}
    )
    twin.http.post(link.url.replace(twin.url, "")).raise_for_status()
    for each in (supplier, failing):
        transfer = v1.transfers.create({"amount": 900, "currency": "cny", "destination": each.id, "metadata": {"s": "1"}})
        v1.transfers.reversals.create(transfer.id, {"amount": 100})
        v1.payouts.create({"amount": 300, "currency": "cny"}, {"stripe_account": each.id})
    v1.transfers.create(
        {"amount": 10, "currency": "cny", "destination": supplier.id, "source_transaction": str(whole.latest_charge)}
    )
    v1.payouts.cancel(v1.payouts.create({"amount": 300, "currency": "cny"}).id)
    v1.webhook_endpoints.create({"url": "http://127.0.0.1:9/", "enabled_events": ["charge.succeeded"], "metadata": {"a": "b"}})
    twin.advance(30 * 24 * 3600)


def test_every_field_exists_in_the_sdk(twin: Twin, client: stripe.StripeClient) -> None:
    live(twin, client)
    objects = twin.state()["objects"]
    assert twin.check() == []
    assert len(objects) == 13
    seen = [each for kept in objects.values() for each in kept]
    assert len(seen) > 200
    wrong = {problem for each in seen for problem in strange(each)}
    wrong |= {problem for event in objects["event"] for problem in strange(event["data"]["object"])}
    assert not wrong, sorted(wrong)


def test_so_do_those_that_only_answers_have(twin: Twin, client: stripe.StripeClient) -> None:
    v1 = client.v1
    supplier = account(client)
    whole = paid(client)
    v1.transfers.create({"amount": 100, "currency": "cny", "destination": supplier.id})
    link = v1.account_links.create(
        {"account": supplier.id, "type": "account_onboarding", "return_url": "http://x/", "refresh_url": "http://x/"}
    )
    answers = [
        link,
        v1.balance.retrieve(),
        v1.balance.retrieve(options={"stripe_account": supplier.id}),
        v1.webhook_endpoints.create({"url": "http://localhost:9/", "enabled_events": ["*"]}),
        v1.payment_intents.retrieve(whole.id, {"expand": ["latest_charge.balance_transaction", "latest_charge.refunds"]}),
        v1.balance_transactions.list(options={"stripe_account": supplier.id}).data[0],
    ]
    assert [problem for each in answers for problem in strange(each.to_dict())] == []
