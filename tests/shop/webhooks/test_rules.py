import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.webhooks import rules

AT = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)
SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()


def test_the_signature_is_that_of_the_standard():
    """The example of the Standard Webhooks specification's reference libraries."""
    secret, event, at = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330
    expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert rules.signature([secret], event, at, b'{"test": 2432232314}') == expected


@given(st.binary(max_size=200), st.text("abc_0123", min_size=1), st.integers(0, 2**40))
def test_each_secret_signs_by_itself(content, event, at):
    both = rules.signature([SECRET, "whsec_AAAA"], event, at, content)
    assert both == f"{rules.signature([SECRET], event, at, content)} {rules.signature(['whsec_AAAA'], event, at, content)}"
    digest = hmac.new(b"0123456789abcdef0123456789abcdef", f"{event}.{at}.".encode() + content, hashlib.sha256).digest()
    assert both.split()[0] == "v1," + base64.b64encode(digest).decode()


@given(st.integers(1, 1000), st.floats(0, 1, exclude_max=True))
def test_waits_grow_from_a_minute_to_half_a_day(attempts, chance):
    wait = rules.wait_before_retry(attempts, chance)
    assert timedelta(minutes=1) <= wait <= timedelta(hours=12) * 1.2
    assert rules.wait_before_retry(attempts + 1, 0) >= rules.wait_before_retry(attempts, 0)


def test_ten_attempts_fill_three_days():
    total, attempts = timedelta(0), 1
    while total < rules.GIVE_UP:
        total += rules.wait_before_retry(attempts, 0)
        attempts += 1
    assert 9 <= attempts <= 13


@given(st.integers(1, 10_000))
def test_an_endpoint_rests_ten_minutes_at_most(failures):
    assert timedelta(seconds=5) <= rules.rest_after(failures) <= timedelta(minutes=10)


@given(st.integers(1, 40), st.integers(0, 100))
def test_hopeless_needs_both_often_and_long(failures, hours):
    hopeless = rules.is_hopeless(failures, AT - timedelta(hours=hours), AT)
    assert hopeless == (failures >= 10 and hours >= 72)


def test_the_body_says_what_happened_and_where_to_look():
    content = rules.body("evt_1", "shipment.sent", AT, "shipment", 7, "https://shop.example.org/")
    assert json.loads(content) == {
        "id": "evt_1",
        "type": "shipment.sent",
        "created_at": "2026-11-26T08:00:00.000000Z",
        "data": {"subject_type": "shipment", "subject_id": 7},
        "links": {"subject": "https://shop.example.org/v1/shipments/7"},
    }
    assert content == rules.body("evt_1", "shipment.sent", AT, "shipment", 7, "https://shop.example.org")
    assert rules.links("something_new", 1, "https://shop.example.org") == {}


def test_a_subscription_names_a_type_or_all_of_a_subject():
    assert {"*", "shipment.*", "shipment.sent"} <= rules.patterns()
    assert "shipment" not in rules.patterns()


@pytest.mark.parametrize(
    ("given", "wait"),
    [
        (None, 0),
        ("", 0),
        ("120", 120),
        (" 3600 ", 3600),
        ("0", 0),
        ("-5", 0),
        ("1.5", 0),
        ("²", 0),
        ("soon", 0),
        ("99999999999999999999", 12 * 3600),
        ("Thu, 26 Nov 2026 08:10:00 GMT", 600),
        ("Thu, 26 Nov 2026 07:00:00 GMT", 0),
        ("Thu, 26 Nov 2026 08:10:00", 600),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 12 * 3600),
        ("Thu, 99 Nov 2026 08:10:00 GMT", 0),
    ],
)
def test_an_answer_asks_for_a_wait_in_seconds_or_by_a_date(given, wait):
    assert rules.asked_to_wait(given, AT) == timedelta(seconds=wait)


@given(st.text(max_size=40))
def test_whatever_an_answer_asks_the_wait_has_an_end(given):
    assert timedelta(0) <= rules.asked_to_wait(given, AT) <= rules.LONGEST_WAIT
