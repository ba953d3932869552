"""Payments: cards that work, are declined or ask for 3-D Secure; Alipay and WeChat Pay; capture by hand; and what is refused."""

from typing import Any

import pytest
import stripe

from tests.stripe_twin.fixture import Twin
from tests.twin.conftest import paid


def test_a_payment_in_three_steps(twin: Twin, client: stripe.StripeClient) -> None:
    intents = client.v1.payment_intents
    made = intents.create({"amount": 8800, "currency": "cny", "allowed_payment_method_types": ["card"], "transfer_group": "PO-7"})
    assert (made.status, made.amount_received, made.latest_charge) == ("requires_payment_method", 0, None)
    assert intents.update(made.id, {"payment_method": "pm_card_visa", "description": "巫溪洋芋"}).status == "requires_confirmation"
    done = intents.confirm(made.id, {"expand": ["latest_charge"]})
    assert (done.status, done.amount_received, done.description) == ("succeeded", 8800, "巫溪洋芋")
    charge = done.latest_charge
    assert isinstance(charge, stripe.Charge)
    assert (charge.paid, charge.captured, charge.transfer_group) == (True, True, "PO-7")
    kinds = [each["type"] for each in twin.objects("event")]
    assert kinds[0] == "payment_intent.created"
    assert {"charge.succeeded", "payment_intent.succeeded"} <= set(kinds)


def test_by_default_a_charge_is_booked_a_little_later(twin: Twin, client: stripe.StripeClient) -> None:
    """As since 2024: with ``automatic_async`` the balance transaction, and so the fee, is not there at first."""
    twin.settings(booked_after=3600)
    made = client.v1.payment_intents.create(
        {
            "amount": 10_000,
            "currency": "cny",
            "payment_method": "pm_card_visa",
            "allowed_payment_method_types": ["card"],
            "confirm": True,
        }
    )
    assert client.v1.charges.retrieve(str(made.latest_charge)).balance_transaction is None
    twin.advance(3700)
    booked = client.v1.charges.retrieve(str(made.latest_charge), {"expand": ["balance_transaction"]}).balance_transaction
    assert isinstance(booked, stripe.BalanceTransaction)
    assert (booked.amount, booked.fee, booked.net, booked.status) == (10_000, 320, 9_680, "pending")
    assert client.v1.balance.retrieve().pending[0].amount == 9_680
    twin.advance(2 * 24 * 3600)
    assert client.v1.balance.retrieve().available[0].amount == 9_680
    assert client.v1.balance_transactions.retrieve(booked.id).status == "available"


@pytest.mark.parametrize(
    ("card", "code", "decline_code"),
    [
        ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", None),
        ("pm_card_radarBlock", "card_declined", "fraudulent"),
    ],
)
def test_a_declined_card(twin: Twin, client: stripe.StripeClient, card: str, code: str, decline_code: str | None) -> None:
    with pytest.raises(stripe.CardError) as refused:
        paid(client, method=card)
    error = refused.value.error
    assert error is not None
    assert (refused.value.http_status, error.code, error.decline_code) == (402, code, decline_code)
    assert error.payment_intent is not None
    intent = client.v1.payment_intents.retrieve(error.payment_intent.id, {"expand": ["latest_charge"]})
    assert (intent.status, intent.payment_method) == ("requires_payment_method", None)
    assert intent.last_payment_error is not None
    assert intent.last_payment_error.code == code
    assert isinstance(intent.latest_charge, stripe.Charge)
    assert (intent.latest_charge.status, intent.latest_charge.paid) == ("failed", False)
    # the same intent can be paid with another card
    again = client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    assert (again.status, again.last_payment_error) == ("succeeded", None)
    assert len(client.v1.charges.list({"payment_intent": intent.id}).data) == 2


def test_3d_secure(twin: Twin, client: stripe.StripeClient) -> None:
    asked = paid(client, method="pm_card_authenticationRequired", return_url="https://shop.example/back?order=7")
    assert asked.status == "requires_action"
    assert asked.next_action is not None
    assert asked.next_action.redirect_to_url is not None
    page = twin.http.get(str(asked.next_action.redirect_to_url.url))
    assert "100.00 CNY" in page.text
    back = twin.http.post(page.url.path, data={"outcome": "approve"}, headers={"Accept": "text/html"})
    assert back.status_code == 303
    assert back.headers["location"].startswith("https://shop.example/back?order=7&payment_intent=")
    assert back.headers["location"].endswith("redirect_status=succeeded")
    done = client.v1.payment_intents.retrieve(asked.id, {"expand": ["latest_charge"]})
    assert done.status == "succeeded"
    assert isinstance(done.latest_charge, stripe.Charge)
    details = done.latest_charge.payment_method_details
    assert details
    assert details.card
    assert details.card.three_d_secure
    assert details.card.three_d_secure.result == "authenticated"


def test_3d_secure_that_fails_or_cannot_be_asked_for(twin: Twin, client: stripe.StripeClient) -> None:
    asked = paid(client, method="pm_card_authenticationRequired")
    assert asked.next_action is not None
    assert asked.next_action.type == "use_stripe_sdk"
    assert twin.pay(asked.id, "decline")["last_payment_error"]["code"] == "payment_intent_authentication_failure"
    assert client.v1.payment_intents.retrieve(asked.id).status == "requires_payment_method"
    with pytest.raises(stripe.CardError, match="requires authentication") as refused:
        paid(client, method="pm_card_authenticationRequired", off_session=True)
    assert refused.value.code == "authentication_required"
    card = client.v1.payment_methods.create(
        {"type": "card", "card": {"number": "4000008260003178", "exp_month": 1, "exp_year": 2035}}
    )
    asked = paid(client, method=card.id)
    assert twin.pay(asked.id)["last_payment_error"]["decline_code"] == "insufficient_funds"


def wallet(client: stripe.StripeClient, kind: str, **more: Any) -> stripe.PaymentIntent:
    return client.v1.payment_intents.create(
        {
            "amount": 5_000,
            "currency": "cny",
            "allowed_payment_method_types": [kind],
            "payment_method_data": {"type": kind},
            "confirm": True,
            **more,
        }
    )


def test_alipay_redirects(twin: Twin, client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="return_url"):
        wallet(client, "alipay")
    asked = wallet(client, "alipay", return_url="https://shop.example/back")
    assert asked.status == "requires_action"
    assert asked.next_action is not None
    assert asked.next_action.alipay_handle_redirect is not None
    assert asked.next_action.alipay_handle_redirect.url == f"{twin.url}/_twin/pay/{asked.id}"
    assert twin.pay(asked.id, "approve_later")["status"] == "processing"
    twin.advance(6)
    done = client.v1.payment_intents.retrieve(asked.id, {"expand": ["latest_charge.balance_transaction"]})
    assert done.status == "succeeded"
    assert isinstance(done.latest_charge, stripe.Charge)
    assert done.latest_charge.id.startswith("py_")


def test_wechat_shows_a_code(twin: Twin, client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=r"wechat_pay\]\[client"):
        wallet(client, "wechat_pay")
    asked = wallet(client, "wechat_pay", payment_method_options={"wechat_pay": {"client": "web"}})
    assert asked.next_action is not None
    code = asked.next_action.wechat_pay_display_qr_code
    assert code is not None
    assert code.image_data_url.startswith("data:image/png;base64,")
    assert twin.http.get(code.image_url_png).content.startswith(b"\x89PNG")
    assert b"<svg" in twin.http.get(code.image_url_svg).content
    assert twin.pay(asked.id, "decline")["status"] == "requires_payment_method"
    with pytest.raises(stripe.InvalidRequestError, match="No payment method types"):
        wallet(client, "wechat_pay", currency="thb", payment_method_options={"wechat_pay": {"client": "web"}})


def test_capture_by_hand(twin: Twin, client: stripe.StripeClient) -> None:
    held = paid(client, capture_method="manual")
    assert (held.status, held.amount_capturable, held.amount_received) == ("requires_capture", 10_000, 0)
    with pytest.raises(stripe.InvalidRequestError, match="greater than the authorized"):
        client.v1.payment_intents.capture(held.id, {"amount_to_capture": 10_001})
    done = client.v1.payment_intents.capture(held.id, {"amount_to_capture": 6_000})
    assert (done.status, done.amount_capturable, done.amount_received) == ("succeeded", 0, 6_000)
    late = paid(client, capture_method="manual")
    twin.advance(8 * 24 * 3600)
    gone = client.v1.payment_intents.retrieve(late.id)
    assert (gone.status, gone.cancellation_reason) == ("canceled", "automatic")
    assert twin.check() == []


def test_states_are_kept(twin: Twin, client: stripe.StripeClient) -> None:
    intents = client.v1.payment_intents
    done = paid(client)
    for wrong in (
        lambda: intents.cancel(done.id),
        lambda: intents.confirm(done.id),
        lambda: intents.capture(done.id),
        lambda: intents.update(done.id, {"amount": 5}),
    ):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            wrong()
        assert refused.value.code == "payment_intent_unexpected_state"
    assert intents.update(done.id, {"metadata": {"a": "1"}, "description": "still allowed"}).metadata["a"] == "1"
    open_one = intents.create({"amount": 100, "currency": "cny"})
    assert intents.cancel(open_one.id, {"cancellation_reason": "abandoned"}).status == "canceled"


def test_automatic_methods_want_a_way_back(twin: Twin, client: stripe.StripeClient) -> None:
    made = client.v1.payment_intents.create({"amount": 100, "currency": "cny", "payment_method": "pm_card_visa"})
    assert made.payment_method_types == ["card", "alipay", "wechat_pay"]
    with pytest.raises(stripe.InvalidRequestError, match="return_url"):
        client.v1.payment_intents.confirm(made.id)
    never = client.v1.payment_intents.create(
        {
            "amount": 100,
            "currency": "cny",
            "payment_method": "pm_card_visa",
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
            "confirm": True,
        }
    )
    assert never.status == "succeeded"


def test_which_ways_to_pay_are_there(client: stripe.StripeClient) -> None:
    """Since 2026-09-30 Stripe works them out; who still sends ``payment_method_types`` is refused."""

    def ways(**sent: Any) -> list[str]:
        return client.v1.payment_intents.create({"amount": 900, "currency": "cny", **sent}).payment_method_types

    with pytest.raises(stripe.InvalidRequestError) as refused:
        ways(payment_method_types=["card"])
    assert refused.value.code == "payment_method_types_no_longer_supported"
    assert ways() == ["card", "alipay", "wechat_pay"]
    assert ways(excluded_payment_method_types=["alipay"]) == ["card", "wechat_pay"]
    assert ways(allowed_payment_method_types=["card", "klarna"]) == ["card"]
    assert ways(currency="thb") == ["card"]
    assert ways(allowed_payment_method_types=["card", "alipay"], capture_method="manual") == ["card"]
    for wrong in (
        {"allowed_payment_method_types": ["klarna"]},
        {"allowed_payment_method_types": ["card"], "automatic_payment_methods": {"enabled": True}},
        {"allowed_payment_method_types": ["card"], "excluded_payment_method_types": ["card"]},
    ):
        with pytest.raises(stripe.InvalidRequestError):
            ways(**wrong)
    made = client.v1.payment_intents.create({"amount": 900, "currency": "cny"})
    assert client.v1.payment_intents.update(made.id, {"currency": "thb"}).payment_method_types == ["card"]
    with pytest.raises(stripe.InvalidRequestError, match="not allowed for this PaymentIntent"):
        wallet(client, "alipay", allowed_payment_method_types=["card"], return_url="https://x/")


def test_a_method_without_customer_is_good_once(twin: Twin, client: stripe.StripeClient) -> None:
    card = client.v1.payment_methods.create({"type": "card", "card": {"token": "tok_visa"}})
    paid(client, method=card.id)
    with pytest.raises(stripe.InvalidRequestError, match="attach it to a Customer first"):
        paid(client, method=card.id)
    assert len(twin.objects("payment_intent")) == 1
    customer = client.v1.customers.create({"email": "a@example.org"})
    kept = client.v1.payment_methods.attach(
        client.v1.payment_methods.create({"type": "card", "card": {"token": "tok_visa"}}).id, {"customer": customer.id}
    )
    for _ in range(2):
        paid(client, method=kept.id, customer=customer.id)
    with pytest.raises(stripe.InvalidRequestError, match="different Customer"):
        paid(client, method=kept.id)
    with pytest.raises(stripe.CardError):
        client.v1.payment_methods.attach("pm_card_chargeDeclined", {"customer": customer.id})


@pytest.mark.parametrize(
    ("wrong", "param", "code"),
    [
        ({"amount": None}, "amount", "parameter_missing"),
        ({"amount": "5.5"}, "amount", "parameter_invalid_integer"),
        ({"amount": 0}, "amount", "parameter_invalid_integer"),
        ({"amount": -5}, "amount", "parameter_invalid_integer"),
        ({"amount": 100_000_000}, "amount", "amount_too_large"),
        ({"amount": 20, "currency": "usd"}, "amount", "amount_too_small"),
        ({"currency": "xyz"}, "currency", None),
        ({"customer": "cus_none"}, "customer", "resource_missing"),
        ({"colour": "red"}, "colour", "parameter_unknown"),
        ({"metadata": {"k" * 41: "v"}}, "metadata", None),
        ({"metadata": {"k": "v" * 501}}, "metadata[k]", None),
        ({"shipping": {"name": "x", "colour": "red"}}, "shipping[colour]", "parameter_unknown"),
        ({"payment_method": "pm_none"}, "payment_method", "resource_missing"),
        ({"expand": ["nonsense"]}, "expand", None),
    ],
)
def test_wrong_parameters(client: stripe.StripeClient, wrong: dict[str, Any], param: str, code: str | None) -> None:
    sent = {name: each for name, each in ({"amount": 100, "currency": "cny"} | wrong).items() if each is not None}
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_intents.create(sent)
    assert (refused.value.http_status, refused.value.param, refused.value.code) == (400, param, code)


def test_keys_and_addresses(twin: Twin) -> None:
    with pytest.raises(stripe.AuthenticationError, match="Invalid API Key"):
        twin.client("sk_live_somebodys_real_key").v1.customers.list()
    assert "sk_live_somebodys" not in twin.http.get("/v1/customers", headers={"Authorization": "Bearer sk_live_somebodys"}).text
    assert twin.http.get("/v1/customers").status_code == 401
    assert twin.http.get("/v1/customers", auth=("sk_test_twin_basic", "")).status_code == 200
    key = {"Authorization": "Bearer sk_test_twin_a"}
    unknown = twin.http.get("/v1/unicorns", headers=key)
    assert (unknown.status_code, unknown.json()["error"]["type"]) == (404, "invalid_request_error")
    assert twin.http.get("/v1/customers", headers=key | {"Stripe-Version": "2015-01-01"}).status_code == 400
    assert twin.http.post("/v1/customers", headers=key, json={"name": "x"}).status_code == 400
    missing = twin.http.get("/v1/payment_intents/pi_none", headers=key)
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "resource_missing")
    assert missing.headers["Request-Id"].startswith("req_")
