"""Only the provider's own events are taken in, each once, and never believed for what they say."""

import hashlib
import hmac
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.online import rules
from orders.online.actions.reconciling import reconcile
from orders.online.actions.sending import send_due
from shop.core import clock
from shop.core.settings import settings
from tests.orders.online.conftest import SECRET

PATH = "/v1/stripe/webhooks"


def event(number=1, type_="payment_intent.succeeded", object_id="pi_1"):
    return json.dumps({"id": f"evt_{number}", "type": type_, "data": {"object": {"id": object_id}}}).encode()


def signed(body, secret=SECRET, moment=None, skew=0):
    moment = int(clock.now().timestamp()) + skew if moment is None else moment
    return f"t={moment},v1={hmac.new(secret.encode(), f'{moment}.'.encode() + body, hashlib.sha256).hexdigest()}"


def post(online, body, header):
    return online.api.post(PATH, content=body, headers={"Stripe-Signature": header} if header is not None else {})


def test_an_event_is_noted_once_and_its_object_looked_at(online):
    payment = online.begin(online.order()["id"])
    online.work()
    intent = online.intent(payment["id"])
    online.confirm(intent)
    for number in (1, 1, 2, 1):
        assert post(online, event(number, object_id=intent), signed(event(number, object_id=intent))).status_code == 200
    assert online.sql("SELECT count(*) FROM provider_event") == 2
    assert online.sql("SELECT count(*) FROM provider_call WHERE operation = 'look' AND status = 'due'") == 1
    online.work()
    assert online.read(payment["id"])["status"] == "succeeded"


def test_webhooks_workers_and_the_reconciler_all_at_once_book_once(online):
    """Each through its own door: 20 events, 20 senders and 20 cycles, begun together."""
    order = online.order()
    payment = online.begin(order["id"])
    online.work()
    intent = online.intent(payment["id"])
    online.confirm(intent)
    online.twin.advance(5)

    def tell(number):
        body = event(number, object_id=intent)
        with httpx.Client(base_url=str(online.api.base_url), timeout=60, trust_env=False) as http:
            return http.post(PATH, content=body, headers={"Stripe-Signature": signed(body)}).status_code

    def ask(_):
        send_due(online.database, online.provider, senders=1)

    def cycle(_):
        reconcile(online.database, online.provider, patience=timedelta(0))

    steps = [(do, number) for number in range(20) for do in (tell, ask, cycle)]
    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(lambda step: step[0](step[1]), steps))
    assert done.count(200) == 20
    online.work()
    assert online.read(payment["id"])["status"] == "succeeded"
    assert online.sql("SELECT count(*) FROM payment WHERE source = 'online'") == 1
    assert online.sql("SELECT count(*) FROM money_transaction WHERE kind = 'payment'") == 1
    assert online.sql("SELECT count(*) FROM provider_entry") == 1
    assert online.at_provider() == online.account("online")


@pytest.mark.parametrize(
    ("type_", "is_heard"),
    [
        ("payment_intent.succeeded", True),
        ("charge.dispute.created", True),
        ("refund.failed", True),
        ("transfer.reversed", True),
        ("account.updated", True),
        ("payout.paid", False),  # the statement tells of what goes to our own bank
        ("customer.created", False),
    ],
)
def test_only_what_says_something_of_what_we_keep_is_looked_at(type_, is_heard):
    assert rules.is_heard(type_) is is_heard


def test_the_real_endpoint_of_the_stand_in(online, monkeypatch):
    made = online.twin.listen(f"{online.api.base_url}{PATH}", connect=False)
    assert made["url"].endswith(PATH)
    monkeypatch.setenv("SHOP_STRIPE_WEBHOOK_SECRETS", f"whsec_old,{online.twin.webhook_secret}")
    settings.cache_clear()
    payment = online.begin(online.order()["id"])
    online.work()
    online.confirm(online.intent(payment["id"]))
    online.twin.settle()
    online.work()
    assert online.read(payment["id"])["status"] == "succeeded"


def test_a_demo_that_moved_its_clock_still_hears_events(online, monkeypatch):
    body = event()
    header = signed(body)  # by the machine's own time
    monkeypatch.setattr(clock, "_shift", timedelta(days=20))
    assert post(online, body, header).status_code == 200
    too_late = signed(body, moment=int(clock.now().timestamp()))
    assert post(online, event(2), too_late).status_code == 400


def test_what_is_not_the_providers_is_refused(online):
    body = event()
    good = signed(body)
    wrong = [
        (body, None),
        (body, ""),
        (body, "t=,v1="),
        (body, "t=abc,v1=abc"),
        (body, "v1=" + good.partition("v1=")[2]),
        (body, signed(body, secret="whsec_other")),
        (body, signed(body, skew=-360)),
        (body, signed(body, skew=360)),
        (body, signed(body, moment=10**11)),
        (body, good.replace("t=", "t=1,t=")),
        (body + b" ", good),
        (body, f"{good},v1=é".encode()),
        (body, "t=1,v1=" + "a" * 5000),
    ]
    junk = [
        b"",
        b"[]",
        b"null",
        b"{",
        b"\xff\xfe",
        b"{}",
        b'{"id": 1}',
        b"[" * 3000,
        "中文".encode(),
        event(object_id="x").replace(b"evt_1", b"evt\\u00e9"),
    ]
    wrong += [(each, signed(each)) for each in junk]
    wrong.append((b'{"a": "' + b"x" * 300_000 + b'"}', None))
    for content, header in wrong:
        answer = post(online, content, header)
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_webhook"), (content[:50], header)
    assert online.sql("SELECT count(*) FROM provider_event") == 0
    assert post(online, b"x" * 5_000_000, good).status_code == 413


def test_events_about_what_is_not_kept_are_noted_and_nothing_more(online):
    for number, type_ in enumerate(("customer.created", "balance.available", "payment_intent.created")):
        body = event(number, type_, object_id="pi_missing")
        assert post(online, body, signed(body)).status_code == 200
    assert online.sql("SELECT count(*) FROM provider_call") == 1
    online.work()  # there is no such payment: nothing happens
    assert online.rows("SELECT status FROM provider_call WHERE operation = 'look'")[0].status == "done"


@pytest.mark.slow
@given(st.binary(max_size=200), st.text(max_size=200), st.lists(st.text(min_size=1, max_size=20), max_size=2))
def test_anything_else_is_a_bad_event_and_no_accident(body, header, secrets):
    with pytest.raises(rules.BadEvent):
        rules.read_event(body, header, secrets, 1_800_000_000)


@given(st.integers(-400, 400))
def test_an_event_is_believed_for_five_minutes_either_way(skew):
    body, now = event(), 1_800_000_000
    header = signed(body, moment=now + skew)
    if abs(skew) <= rules.TOLERANCE_SECONDS:
        assert rules.read_event(body, header, ["whsec_new", SECRET], now).event_id == "evt_1"
    else:
        with pytest.raises(rules.BadEvent):
            rules.read_event(body, header, [SECRET], now)
