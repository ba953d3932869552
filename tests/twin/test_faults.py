"""Faults by seed, before and after the effect; and what a careful and a careless client make of them."""

import time

import httpx
import pytest
import stripe

from tests.stripe_twin.faults import KINDS
from tests.stripe_twin.fixture import Twin
from tests.twin.conftest import until

ORDER = {
    "amount": 100,
    "currency": "cny",
    "payment_method": "pm_card_visa",
    "allowed_payment_method_types": ["card"],
    "confirm": True,
}


def order(twin: Twin, key: str, timeout: float = 20, **more: object) -> stripe.PaymentIntent:
    return twin.client(timeout=timeout).v1.payment_intents.create(ORDER | more, {"idempotency_key": key})


def charges(twin: Twin) -> int:
    return len(twin.objects("charge"))


@pytest.mark.parametrize(
    ("kind", "error", "happened"),
    [
        ("400", stripe.InvalidRequestError, 0),
        ("409", stripe.APIError, 0),
        ("429", stripe.RateLimitError, 0),
        ("503", stripe.APIError, 0),
        ("reset_before", stripe.APIConnectionError, 0),
        ("500_before", stripe.APIError, 0),
        ("500_after", stripe.APIError, 1),
        ("reset_after", stripe.APIConnectionError, 1),
        ("timeout_after", stripe.APIConnectionError, 1),
    ],
)
def test_one_fault(twin: Twin, kind: str, error: type[stripe.StripeError], happened: int) -> None:
    twin.faults(script=[kind], hang=60)
    with pytest.raises(error):
        order(twin, "k", timeout=0.5 if kind == "timeout_after" else 20)
    until(lambda: charges(twin) == happened)
    assert twin.faults()["happened"] == {kind: 1}
    if kind.startswith("500"):
        # the stored 500 is what every retry with this key will get
        for _ in range(2):
            with pytest.raises(stripe.APIError) as again:
                order(twin, "k")
            assert again.value.headers["Idempotent-Replayed"] == "true"
        assert charges(twin) == happened
    else:
        assert order(twin, "k").status == "succeeded"
        assert charges(twin) == 1
    assert twin.check() == []


def test_every_kind_is_tried_here() -> None:
    tried = next(mark.args[1] for mark in test_one_fault.pytestmark)
    assert {each[0] for each in tried} == set(KINDS)


def test_a_timeout_hangs_and_then_breaks_off(twin: Twin) -> None:
    twin.faults(script=["timeout_after"], hang=0.4)
    began = time.monotonic()
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        twin.http.post("/v1/customers", headers={"Authorization": "Bearer sk_test_twin_a"}, content=b"", timeout=60)
    assert time.monotonic() - began >= 0.4
    assert len(twin.objects("customer")) == 1


def settle_order(twin: Twin, number: int) -> None:
    """What a careful client does: retry with the same key; after a 5xx look for the payment by its metadata first."""
    attempt = 0
    for _ in range(30):
        try:
            order(twin, f"pi:{number}:{attempt}", timeout=0.5, metadata={"order": str(number)})
        except (stripe.APIConnectionError, stripe.RateLimitError, stripe.InvalidRequestError):
            continue
        except stripe.APIError as error:
            if error.http_status == 500:
                found = twin.client().v1.payment_intents.search({"query": f"metadata['order']:'{number}'"}).data
                if found:
                    return
                attempt += 1
            time.sleep(0.02)  # 409: the first try still runs
            continue
        return
    raise AssertionError("never settled")


def test_with_a_fifth_of_faults_every_order_is_charged_once(twin: Twin) -> None:
    twin.faults(seed=11, rate=0.35, hang=0.6)
    for number in range(40):
        settle_order(twin, number)
    report = twin.faults()
    assert charges(twin) == 40
    assert len({each["metadata"]["order"] for each in twin.objects("payment_intent")}) == 40
    assert report["total"] >= 10
    assert len(report["happened"]) >= 5
    assert twin.check() == []


@pytest.mark.control
def test_a_careless_client_charges_twice(twin: Twin) -> None:
    """The control: a new key for each try, and some orders are paid more than once."""
    twin.faults(seed=11, rate=0.35, kinds=["500_after", "reset_after"])
    for number in range(20):
        for attempt in range(10):
            try:
                order(twin, f"{number}:{attempt}")
            except stripe.StripeError:
                continue
            break
    assert charges(twin) > 20


def test_the_same_seed_brings_the_same_faults(twin: Twin) -> None:
    def run() -> list[str]:
        twin.faults(seed=5, rate=0.5, kinds=["400", "429", "500_before"])
        met = []
        for _ in range(30):
            try:
                twin.client().v1.customers.create({})
                met.append("")
            except stripe.StripeError as error:
                met.append(f"{error.http_status}")
        return met

    first = run()
    assert run() == first
    assert {"", "400", "429", "500"} == set(first)


def test_faults_only_where_wanted(twin: Twin) -> None:
    twin.faults(rate=1, kinds=["500_before"], path="/v1/refunds")
    assert order(twin, "k").status == "succeeded"
    assert twin.client().v1.refunds.list().data == []
    twin.faults(rate=1, kinds=["503"], methods=["GET"])
    with pytest.raises(stripe.APIError):
        twin.client().v1.refunds.list()
    with pytest.raises(httpx.HTTPStatusError):
        twin.faults(kinds=["earthquake"])
