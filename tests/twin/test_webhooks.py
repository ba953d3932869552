"""Webhooks: signed, repeated until somebody takes them, and by seed lost, doubled, shuffled or late."""

import json

import pytest
import stripe

from tests.stripe_twin.fixture import Twin, start, stop
from tests.twin.annotations import strange
from tests.twin.conftest import Listener, account, paid, until


def test_signed_and_in_stripes_shape(twin: Twin, client: stripe.StripeClient, listener: Listener) -> None:
    twin.listen(listener.url, "payment_intent.succeeded", "charge.refunded")
    done = client.v1.payment_intents.create(
        {
            "amount": 8800,
            "currency": "cny",
            "payment_method": "pm_card_visa",
            "allowed_payment_method_types": ["card"],
            "confirm": True,
            "description": "城口老腊肉",
        },
        {"idempotency_key": "pi:7:1"},
    )
    client.v1.refunds.create({"payment_intent": done.id, "amount": 800})
    twin.settle()
    events = sorted(listener.events(twin.webhook_secret), key=lambda each: each.type, reverse=True)
    assert [each.type for each in events] == ["payment_intent.succeeded", "charge.refunded"]
    assert events[0].api_version == "2026-10-28.endive"
    assert events[0].request is not None
    assert events[0].request.idempotency_key == "pi:7:1"
    assert events[0].data.object["description"] == "城口老腊肉"
    assert events[1].data.previous_attributes is not None
    assert events[1].data.previous_attributes["amount_refunded"] == 0
    assert [problem for body, _ in listener.got for problem in strange(json.loads(body))] == []
    assert {each["pending_webhooks"] for each in twin.objects("event")} == {0}
    with pytest.raises(stripe.SignatureVerificationError):
        listener.events("whsec_another")
    assert client.v1.events.retrieve(events[0].id).type == "payment_intent.succeeded"
    assert len(client.v1.events.list({"type": "charge.refunded"}).data) == 1


def test_two_secrets_while_one_replaces_the_other(twin: Twin, client: stripe.StripeClient, listener: Listener) -> None:
    old = twin.listen(listener.url, "customer.created")
    new = twin.tell(f"webhook_endpoints/{old['id']}/roll", old_for=3600)["secret"]
    client.v1.customers.create({})
    twin.settle()
    assert listener.got[0][1].count("v1=") == 2
    for secret in (twin.webhook_secret, new):
        assert len(listener.events(secret)) == 1
    twin.advance(3601)
    client.v1.customers.create({})
    twin.settle()
    assert listener.got[1][1].count("v1=") == 1
    assert len([listener.events(new)]) == 1
    with pytest.raises(stripe.SignatureVerificationError):
        listener.events(twin.webhook_secret)


def test_repeated_until_taken(twin: Twin, client: stripe.StripeClient, listener: Listener) -> None:
    twin.listen(listener.url, "customer.created")
    listener.answer = 500
    client.v1.customers.create({})
    twin.settle()
    twin.advance(10 * 60)
    assert len(listener.got) == 4
    listener.answer = 200
    twin.advance(3 * 24 * 3600)
    assert len(listener.got) == 5
    assert len({json.loads(body)["id"] for body, _ in listener.got}) == 1
    assert twin.webhooks()["happened"]["delivered"] == 1
    assert twin.objects("event")[0]["pending_webhooks"] == 0


def test_given_up_after_three_days(twin: Twin, client: stripe.StripeClient, listener: Listener) -> None:
    twin.listen(listener.url, "customer.created")
    listener.answer = 404
    client.v1.customers.create({})
    twin.advance(4 * 24 * 3600)
    assert len(listener.got) == 12
    assert twin.webhooks()["happened"]["given_up"] == 1
    event = twin.objects("event")[0]
    assert event["pending_webhooks"] == 1
    assert [each.id for each in client.v1.events.list({"delivery_success": False}).data] == [event["id"]]
    listener.answer = 200
    assert twin.tell(f"events/{event['id']}/resend")["sent"] == 1
    twin.settle()
    assert twin.objects("event")[0]["pending_webhooks"] == 0


def test_by_seed_lost_doubled_shuffled_and_late(twin: Twin, client: stripe.StripeClient, listener: Listener) -> None:
    def storm() -> tuple[list[int], dict[str, int]]:
        twin.reset()
        listener.got.clear()
        twin.listen(listener.url, "customer.created")
        twin.webhooks(seed=7, drop=0.2, double=0.2, shuffle=0.5, delay=0.1, shuffle_seconds=30, delay_seconds=600)
        for number in range(24):
            client.v1.customers.create({"metadata": {"number": str(number)}})
        twin.settle()
        twin.advance(1200)
        numbers = [int(each.data.object["metadata"]["number"]) for each in listener.events(twin.webhook_secret)]
        return numbers, twin.webhooks()["happened"]

    first, happened = storm()
    assert happened["drop"] == 24 - len(set(first)) > 0
    assert happened["double"] > 0
    assert len(first) == happened["delivered"] > len(set(first))
    assert first != sorted(first)
    assert min(happened["shuffle"], happened["delay"]) > 0
    second, again = storm()
    assert sorted(second) == sorted(first)
    assert again == happened


def test_silence(twin: Twin, client: stripe.StripeClient, listener: Listener) -> None:
    twin.listen(listener.url)
    twin.webhooks(off=True)
    paid(client)
    twin.advance(3600)
    assert listener.got == []
    assert twin.webhooks()["happened"]["silenced"] > 0
    assert len(client.v1.events.list().data) > 0


def test_connected_accounts_have_endpoints_of_their_own(twin: Twin, client: stripe.StripeClient, listener: Listener) -> None:
    twin.listen(listener.url, connect=True)
    paid(client)
    supplier = account(client)
    client.v1.transfers.create({"amount": 900, "currency": "cny", "destination": supplier.id})
    client.v1.payouts.create({"amount": 900, "currency": "cny"}, {"stripe_account": supplier.id})
    twin.settle()
    events = listener.events(twin.webhook_secret)
    assert {each.account for each in events} == {supplier.id}
    assert {each.type for each in events} == {"account.updated", "payout.created"}


def test_endpoints(twin: Twin, client: stripe.StripeClient, listener: Listener) -> None:
    endpoints = client.v1.webhook_endpoints
    made = endpoints.create({"url": listener.url, "enabled_events": ["customer.created"], "description": "shop"})
    assert made.secret is not None
    assert made.secret.startswith("whsec_")
    assert getattr(endpoints.retrieve(made.id), "secret", None) is None
    assert endpoints.update(made.id, {"disabled": True}).status == "disabled"
    client.v1.customers.create({})
    endpoints.update(made.id, {"disabled": False, "enabled_events": ["*"]})
    client.v1.customers.create({})
    twin.settle()
    assert len(listener.got) == 1
    assert len(endpoints.list().data) == 1
    assert endpoints.delete(made.id).deleted is True
    for url in ("ftp://127.0.0.1/", "http://example.org/", "http://169.254.169.254/", "nonsense"):
        with pytest.raises(stripe.InvalidRequestError):
            endpoints.create({"url": url, "enabled_events": ["*"]})


def test_speed_shortens_every_wait(listener: Listener) -> None:
    """As ``make run`` may start it: an endpoint there from the beginning, and hours that take seconds."""
    process, quick = start(
        "--speed", "100000", "--webhook", listener.url, "--webhook-secret", "whsec_demo", "--set", "available_after=0"
    )
    try:
        listener.answer = 503
        paid(quick.client())
        until(lambda: len(listener.got) >= 24)
        listener.answer = 200
        kinds = {each.type for each in until(lambda: listener.events("whsec_demo"))}
        assert {"payment_intent.succeeded", "charge.succeeded"} <= kinds
    finally:
        stop(process, quick)
