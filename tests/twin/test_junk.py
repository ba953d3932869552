"""Whatever is sent, the twin answers as Stripe would: it refuses, and never breaks."""

import contextlib
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.stripe_twin.check import differences
from tests.stripe_twin.errors import StripeError
from tests.stripe_twin.given import Given, parse
from tests.stripe_twin.routing import ENTRIES
from tests.stripe_twin.world import PLATFORM, Call
from tests.twin.test_parameters import NOT_COMPARED, SENT, Stage

texts = st.sampled_from(
    ["", "0", "1", "-1", "5.5", "true", "cny", "card", "x" * 600, "重庆", "\x00", "9" * 30, "pm_card_visa", "*", "null", "²"]
)
inside = "type card alipay wechat_pay number exp_month exp_year token client enabled name address line1 country object requested transfers"
inside += " account_number currency gte lt date ip schedule payouts interval uncategorized_text email request_three_d_secure"
values = st.recursive(
    texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts | st.sampled_from(inside.split()), inner, max_size=4),
    max_leaves=5,
)
PLACES = sorted((each.method, each.path) for each in ENTRIES)


@pytest.mark.slow
@settings(max_examples=150)
@given(st.data())
def test_junk_is_refused(data: st.DataObject) -> None:
    place = data.draw(st.sampled_from(PLACES))
    _method, path = place
    stage = Stage()
    sent: dict[str, Any] = dict(SENT[place][1]) if place in SENT and data.draw(st.booleans()) else {}
    asked = Given(stage.fill(sent))
    entry = next(each for each in ENTRIES if (each.method, each.path) == place)
    ids = {name: stage.id(path) if place not in NOT_COMPARED else "x" for name in ("id",) if "{id}" in path}
    ids |= {
        name: data.draw(st.sampled_from(["x", stage.customer]))
        for name in ("customer", "charge", "transfer")
        if f"{{{name}}}" in path
    }
    call = Call(asked, data.draw(st.sampled_from([PLATFORM, stage.play.supplier])) if entry.connected else PLATFORM)
    # what the endpoint reads is learnt by asking it once; then junk is put in the place of it
    for _ in range(2):
        with contextlib.suppress(StripeError):
            entry.handler(stage.play.world, call, **ids)
        names = sorted(asked.read) or ["x"]
        junk = data.draw(st.dictionaries(st.sampled_from(names), values, max_size=3))
        asked = Given(stage.fill(sent) | junk)
        call = Call(asked, call.account)
    assert differences(stage.play.world) == []


@settings(max_examples=300)
@given(st.text(alphabet="ab[]=&%5B0².重\x00", max_size=30))
@example("a[²]=1")
def test_any_body_is_read_or_refused(body: str) -> None:
    with contextlib.suppress(StripeError):
        parse(body)
