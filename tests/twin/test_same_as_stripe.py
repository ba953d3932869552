"""One suite for three places: the twin, localstripe where localstripe is right, and Stripe itself where there is a key.

Each story tells facts that must be the same everywhere. localstripe knows no idempotency, refunds more than was paid and charges cards
that decline, so it is asked only for the first half.
"""

import uuid
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest
import stripe

from tests.stripe_twin.fixture import Twin
from tests.twin.places import localstripe, real_stripe

__all__ = ["localstripe", "real_stripe"]

Facts = list[Any]
Story = Callable[[stripe.StripeClient], Facts]


# localstripe takes cards only, and takes no word about it
CARDS_ONLY: defaultdict[stripe.StripeClient, dict[str, Any]] = defaultdict(lambda: {"allowed_payment_method_types": ["card"]})


def intent(client: stripe.StripeClient, method: str = "pm_card_visa", **more: Any) -> stripe.PaymentIntent:
    return client.v1.payment_intents.create(
        {"amount": 1_234, "currency": "usd", "payment_method": method, **CARDS_ONLY[client], **more}
    )


def refusal(act: Callable[[], Any]) -> Facts:
    """What Stripe says to an act that it refuses."""
    with pytest.raises(stripe.StripeError) as refused:
        act()
    error = refused.value
    return [type(error).__name__, error.http_status, error.code, error.error.param if error.error else None]


def customers(client: stripe.StripeClient) -> Facts:
    made = client.v1.customers.create({"name": "Zhang", "email": "a@example.org", "metadata": {"unit": "7"}})
    client.v1.customers.update(made.id, {"metadata": {"city": "重庆"}})
    seen = client.v1.customers.retrieve(made.id)
    assert seen.metadata is not None
    first = client.v1.customers.list({"limit": 1})
    return [seen.name, seen.email, dict(seen.metadata.to_dict()), len(first.data), first.data[0].id == made.id]


def charge_of(client: stripe.StripeClient, done: stripe.PaymentIntent) -> stripe.Charge:
    charge = client.v1.payment_intents.retrieve(done.id, {"expand": ["latest_charge"]}).latest_charge
    assert isinstance(charge, stripe.Charge)
    return charge


def create_then_confirm(client: stripe.StripeClient) -> Facts:
    made = intent(client, metadata={"order": "1"})
    done = client.v1.payment_intents.confirm(made.id)
    return [made.status, done.status, done.metadata["order"], done.next_action]


def create_and_confirm(client: stripe.StripeClient) -> Facts:
    done = intent(client, confirm=True)
    charge = charge_of(client, done)
    facts = [charge.status, charge.paid, charge.captured, charge.amount, charge.amount_refunded, charge.refunded]
    return [done.status, *facts, charge.payment_intent == done.id]


def a_card_of_a_customer(client: stripe.StripeClient) -> Facts:
    customer = client.v1.customers.create({"email": "a@example.org"})
    card = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    done = [intent(client, card.id, customer=customer.id, confirm=True) for _ in range(2)]
    assert card.card is not None
    return [card.type, card.card.last4, card.card.brand, card.customer == customer.id, *(each.status for each in done)]


def capture_by_hand(client: stripe.StripeClient) -> Facts:
    held = intent(client, confirm=True, capture_method="manual")
    done = client.v1.payment_intents.capture(held.id)
    return [held.status, done.status, charge_of(client, done).captured]


def cancel(client: stripe.StripeClient) -> Facts:
    return [client.v1.payment_intents.cancel(intent(client).id).status]


def refund_in_parts(client: stripe.StripeClient) -> Facts:
    done = intent(client, confirm=True)
    parts = [client.v1.refunds.create({"payment_intent": done.id, "amount": amount}) for amount in (234, 1_000)]
    charge = client.v1.charges.retrieve(charge_of(client, done).id)
    listed = client.v1.refunds.list({"payment_intent": done.id}).data
    return [[each.status for each in parts], charge.amount_refunded, charge.refunded, sorted(each.amount for each in listed)]


def what_was_received(client: stripe.StripeClient) -> Facts:
    held = intent(client, confirm=True, capture_method="manual")
    part = client.v1.payment_intents.capture(held.id, {"amount_to_capture": 1_000})
    gone = client.v1.payment_intents.cancel(intent(client).id)
    return [
        held.amount_received,
        held.amount_capturable,
        part.amount_received,
        part.amount_capturable,
        gone.canceled_at is not None,
    ]


def metadata_taken_out(client: stripe.StripeClient) -> Facts:
    made = client.v1.customers.create({"metadata": {"a": "1", "b": "2"}})
    less = client.v1.customers.update(made.id, {"metadata": {"a": ""}})
    none = client.v1.customers.update(made.id, {"metadata": ""})
    return [each.metadata.to_dict() if each.metadata is not None else None for each in (less, none)]


def three_d_secure(client: stripe.StripeClient) -> Facts:
    card = "pm_card_threeDSecure2Required"
    asked = intent(client, card, confirm=True)
    assert asked.next_action is not None
    return [asked.status, asked.next_action.type, asked.amount_received]


def declined(client: stripe.StripeClient) -> Facts:
    facts: Facts = []
    for card in (
        "pm_card_visa_chargeDeclined",
        "pm_card_visa_chargeDeclinedInsufficientFunds",
        "pm_card_chargeDeclinedExpiredCard",
    ):
        with pytest.raises(stripe.CardError) as refused:
            intent(client, card, confirm=True)
        error = refused.value.error
        assert error is not None
        assert error.payment_intent is not None
        facts.append([error.code, error.decline_code, error.type, error.payment_intent.status, refused.value.http_status])
    return facts


def over_refund(client: stripe.StripeClient) -> Facts:
    done = intent(client, confirm=True)
    above = refusal(lambda: client.v1.refunds.create({"payment_intent": done.id, "amount": 1_235}))
    client.v1.refunds.create({"payment_intent": done.id})
    return [above[:2], refusal(lambda: client.v1.refunds.create({"payment_intent": done.id}))[:3]]


def idempotency(client: stripe.StripeClient) -> Facts:
    key = f"twin-{uuid.uuid4()}"
    sent: Any = {"email": "a@example.org"}
    first = client.v1.customers.create(sent, {"idempotency_key": key})
    again = client.v1.customers.create(sent, {"idempotency_key": key})
    assert again.last_response is not None
    other = refusal(lambda: client.v1.customers.create({"email": "b@example.org"}, {"idempotency_key": key}))
    elsewhere = refusal(
        lambda: client.v1.payment_methods.create({"type": "card", "card": {"token": "tok_visa"}}, {"idempotency_key": key})
    )
    wrong = f"twin-{uuid.uuid4()}"
    refused = refusal(lambda: client.v1.refunds.create({}, {"idempotency_key": wrong}))
    free = client.v1.customers.create(sent, {"idempotency_key": wrong})  # the refusal has not used the key up
    return [
        first.id == again.id,
        again.last_response.headers["Idempotent-Replayed"],
        other[:2],
        elsewhere[:2],
        refused[:2],
        free.id != first.id,
    ]


def wrong_parameters(client: stripe.StripeClient) -> Facts:
    create: Any = client.v1.payment_intents.create
    return [
        refusal(lambda: create({"currency": "usd"})),
        refusal(lambda: create({"amount": 5.5, "currency": "usd"})),
        refusal(lambda: create({"amount": 100, "currency": "usd", "colour": "red"})),
        refusal(lambda: create({"amount": 100, "currency": "usd", "customer": "cus_none"})),
        refusal(lambda: client.v1.payment_intents.retrieve("pi_none")),
    ]


def wrong_states(client: stripe.StripeClient) -> Facts:
    done = intent(client, confirm=True)
    intents = client.v1.payment_intents
    return [
        refusal(lambda: intents.cancel(done.id))[:3],
        refusal(lambda: intents.capture(done.id))[:3],
        refusal(lambda: intents.confirm(done.id))[:3],
    ]


EVERYWHERE: dict[Story, Facts] = {
    customers: ["Zhang", "a@example.org", {"unit": "7", "city": "重庆"}, 1, True],
    create_then_confirm: ["requires_confirmation", "succeeded", "1", None],
    create_and_confirm: ["succeeded", "succeeded", True, True, 1_234, 0, False, True],
    a_card_of_a_customer: ["card", "4242", "visa", True, "succeeded", "succeeded"],
    capture_by_hand: ["requires_capture", "succeeded", True],
    cancel: ["canceled"],
    refund_in_parts: [["succeeded", "succeeded"], 1_234, True, [234, 1_000]],
}
STRIPE_ONLY: dict[Story, Facts] = {
    what_was_received: [0, 1_234, 1_000, 0, True],
    metadata_taken_out: [{"b": "2"}, {}],
    three_d_secure: ["requires_action", "use_stripe_sdk", 0],
    declined: [
        ["card_declined", "generic_decline", "card_error", "requires_payment_method", 402],
        ["card_declined", "insufficient_funds", "card_error", "requires_payment_method", 402],
        ["expired_card", None, "card_error", "requires_payment_method", 402],
    ],
    over_refund: [["InvalidRequestError", 400], ["InvalidRequestError", 400, "charge_already_refunded"]],
    idempotency: [True, "true", ["IdempotencyError", 400], ["IdempotencyError", 400], ["InvalidRequestError", 400], True],
    wrong_parameters: [
        ["InvalidRequestError", 400, "parameter_missing", "amount"],
        ["InvalidRequestError", 400, "parameter_invalid_integer", "amount"],
        ["InvalidRequestError", 400, "parameter_unknown", "colour"],
        ["InvalidRequestError", 400, "resource_missing", "customer"],
        ["InvalidRequestError", 404, "resource_missing", "intent"],
    ],
    wrong_states: [["InvalidRequestError", 400, "payment_intent_unexpected_state"]] * 3,
}
ALL = EVERYWHERE | STRIPE_ONLY


@pytest.mark.parametrize("story", ALL, ids=lambda each: each.__name__)
def test_the_twin(twin: Twin, story: Story) -> None:
    assert story(twin.client()) == ALL[story]
    assert twin.check() == []


@pytest.mark.parametrize("story", EVERYWHERE, ids=lambda each: each.__name__)
def test_localstripe(localstripe: stripe.StripeClient, story: Story) -> None:
    CARDS_ONLY[localstripe] = {}
    assert story(localstripe) == EVERYWHERE[story]


@pytest.mark.parametrize("story", ALL, ids=lambda each: each.__name__)
def test_stripe_itself(real_stripe: stripe.StripeClient, story: Story) -> None:
    assert story(real_stripe) == ALL[story]
