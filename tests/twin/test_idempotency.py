"""Idempotency as Stripe documents it: https://docs.stripe.com/api/idempotent_requests."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import stripe

from tests.stripe_twin.fixture import Twin
from tests.twin.conftest import paid

ORDER: dict[str, Any] = {
    "amount": 1234,
    "currency": "cny",
    "payment_method": "pm_card_visa",
    "allowed_payment_method_types": ["card"],
    "confirm": True,
    "metadata": {"order": "PO-7"},
}


def charges(twin: Twin) -> int:
    return len(twin.objects("charge"))


def test_the_same_request_is_answered_from_memory(twin: Twin, client: stripe.StripeClient) -> None:
    first = client.v1.payment_intents.create(ORDER, {"idempotency_key": "pi:7:1"})
    again = client.v1.payment_intents.create(ORDER, {"idempotency_key": "pi:7:1"})
    assert first.to_dict() == again.to_dict()
    assert first.last_response
    assert again.last_response
    assert "Idempotent-Replayed" not in first.last_response.headers
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    assert again.last_response.headers["Original-Request"] == first.last_response.headers["Request-Id"]
    assert charges(twin) == 1


def test_other_parameters_or_another_endpoint_are_refused(twin: Twin, client: stripe.StripeClient) -> None:
    made = client.v1.payment_intents.create(ORDER, {"idempotency_key": "k"})
    with pytest.raises(stripe.IdempotencyError, match="same parameters") as other:
        client.v1.payment_intents.create(ORDER | {"amount": 1235}, {"idempotency_key": "k"})
    assert other.value.http_status == 400
    # the key belongs to the account: another endpoint does not have keys of its own
    with pytest.raises(stripe.IdempotencyError, match="same endpoint"):
        client.v1.refunds.create({"payment_intent": made.id}, {"idempotency_key": "k"})
    with pytest.raises(stripe.IdempotencyError):
        twin.client("sk_test_twin_other").v1.customers.create({}, {"idempotency_key": "k"})
    assert charges(twin) == 1


def test_a_decline_is_kept_and_a_wrong_parameter_is_not(twin: Twin, client: stripe.StripeClient) -> None:
    for _ in range(2):
        with pytest.raises(stripe.CardError) as declined:
            client.v1.payment_intents.create(ORDER | {"payment_method": "pm_card_chargeDeclined"}, {"idempotency_key": "declined"})
    assert declined.value.headers["Idempotent-Replayed"] == "true"
    assert charges(twin) == 1
    for wrong in ({"amount": "5.5"}, {"currency": "xyz"}, {"colour": "red"}, {"customer": "cus_none"}):
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.payment_intents.create(ORDER | wrong, {"idempotency_key": "free"})
    assert client.v1.payment_intents.create(ORDER, {"idempotency_key": "free"}).status == "succeeded"


def test_a_refusal_for_the_state_of_things_is_kept(twin: Twin, client: stripe.StripeClient) -> None:
    whole = paid(client, 1000)
    with pytest.raises(stripe.InvalidRequestError, match="greater than"):
        client.v1.refunds.create({"payment_intent": whole.id, "amount": 2000}, {"idempotency_key": "refund:1"})
    with pytest.raises(stripe.IdempotencyError):
        client.v1.refunds.create({"payment_intent": whole.id, "amount": 1000}, {"idempotency_key": "refund:1"})


def test_while_the_first_runs_others_meet_409(twin: Twin) -> None:
    twin.settings(latency=0.5)

    def send(_: int) -> str:
        try:
            return twin.client().v1.payment_intents.create(ORDER, {"idempotency_key": "once"}).id
        except stripe.APIError as error:
            return f"{error.http_status} {error.json_body['error']['code']}"

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(send, range(6)))
    assert charges(twin) == 1
    assert len(set(answers)) == 2
    assert answers.count("409 idempotency_key_in_use") >= 1
    twin.settings(latency=0)
    assert send(0) in answers


@pytest.mark.control
def test_without_keys_the_same_load_charges_six_times(twin: Twin) -> None:
    """The control: what the keys prevent does happen without them."""
    twin.settings(latency=0.1)
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: twin.http.post("/v1/payment_intents", data=_form(), headers=_KEY), range(6)))
    assert charges(twin) == 6


_KEY = {"Authorization": "Bearer sk_test_twin_fixture"}


def _form() -> dict[str, str]:
    return {
        "amount": "1234",
        "currency": "cny",
        "payment_method": "pm_card_visa",
        "allowed_payment_method_types[]": "card",
        "confirm": "true",
    }


def test_a_key_is_forgotten_after_a_day(twin: Twin, client: stripe.StripeClient) -> None:
    first = client.v1.payment_intents.create(ORDER, {"idempotency_key": "day"})
    twin.advance(24 * 3600 - 60)
    assert client.v1.payment_intents.create(ORDER, {"idempotency_key": "day"}).id == first.id
    twin.advance(61)
    assert client.v1.payment_intents.create(ORDER, {"idempotency_key": "day"}).id != first.id
    assert charges(twin) == 2


def test_a_key_has_at_most_255_characters(twin: Twin, client: stripe.StripeClient) -> None:
    client.v1.customers.create({}, {"idempotency_key": "k" * 255})
    with pytest.raises(stripe.InvalidRequestError, match="255"):
        client.v1.customers.create({}, {"idempotency_key": "k" * 256})


def test_reads_take_no_key(twin: Twin) -> None:
    for path in ("/v1/customers", "/v1/refunds"):
        answer = twin.http.get(path, headers=_KEY | {"Idempotency-Key": "same"})
        assert answer.status_code == 200
        assert "Idempotency-Key" not in answer.headers
