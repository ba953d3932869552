"""What docs/webhooks.md tells customers to do does what it says."""

import re
import time
from pathlib import Path

import pytest

from shop.core import outward
from shop.webhooks import rules

DOCS = Path("docs/webhooks.md").read_text()
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def is_genuine():
    scope = {}
    (source,) = re.findall(r"```python\n(.*?)```", DOCS, re.DOTALL)
    exec(source, scope)
    return scope["is_genuine"]


def signed(body=b"{}", at=None, secrets=(SECRET,)):
    at = int(time.time()) if at is None else at
    return {
        "webhook-id": "evt_1",
        "webhook-timestamp": str(at),
        "webhook-signature": rules.signature(secrets, "evt_1", at, body),
    }


def test_the_documented_lines_tell_genuine_calls_from_others(is_genuine):
    assert is_genuine(SECRET, signed(), b"{}")
    assert is_genuine(SECRET, signed(secrets=("whsec_AAAA", SECRET)), b"{}")
    assert not is_genuine(SECRET, signed(), b"{ }")
    assert not is_genuine("whsec_AAAA", signed(), b"{}")
    assert not is_genuine(SECRET, signed() | {"webhook-id": "evt_2"}, b"{}")
    for at in (time.time() - 400, time.time() + 400):
        assert not is_genuine(SECRET, signed(at=int(at)), b"{}")
    for junk in ("", "签名", "v1,", "v2," + signed()["webhook-signature"][3:]):
        assert not is_genuine(SECRET, signed() | {"webhook-signature": junk}, b"{}")
    for junk in ("", "-1", "1e9", "²", "now"):
        assert not is_genuine(SECRET, signed() | {"webhook-timestamp": junk}, b"{}")
    assert not is_genuine(SECRET, {}, b"")


def test_a_real_call_is_genuine_by_the_documented_lines(is_genuine, customer, system, open_network):
    endpoint = customer.endpoint(system.url)
    customer.happen()
    customer.send()
    _, headers, body = system.requests[0]
    assert is_genuine(endpoint["secret"], headers, body)


def test_the_numbers_of_the_docs_are_those_of_the_rules():
    assert f"for {rules.CHANGES_DAYS} days" in DOCS
    assert f"for {rules.DELIVERIES_DAYS} days" in DOCS
    assert f"up to {rules.MAX_REPLAYED:,} changes" in DOCS
    assert f"Within {outward.TOTAL_SECONDS:.0f} seconds" in DOCS
    assert (rules.SLOTS, rules.FAILURES, rules.GIVE_UP.days, rules.FAILING.days) == (2, 10, 3, 3)
