"""Whatever is done in whatever order: the twin's three accounts of its money agree, and nothing is given back twice."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.stripe_twin import objects
from tests.stripe_twin.check import differences
from tests.stripe_twin.errors import StripeError
from tests.stripe_twin.given import Given
from tests.stripe_twin.objects import disputes, intents, payouts, refunds
from tests.stripe_twin.routing import ENTRIES
from tests.stripe_twin.world import JOBS, PLATFORM, Call, Object, World

assert objects.__all__
HANDLERS = {(each.method, each.path): each.handler for each in ENTRIES}
CARDS = ("visa", "bypassPending", "refundFail", "pendingRefund", "createDispute", "createDisputeInquiry", "authenticationRequired")

amounts = st.integers(1, 5_000)
which = st.integers(0, 9)
steps = st.one_of(
    st.tuples(st.just("pay"), amounts, st.sampled_from(CARDS), st.sampled_from(["automatic", "automatic_async", "manual"])),
    st.tuples(st.just("capture"), which, amounts),
    st.tuples(st.just("cancel"), which),
    st.tuples(st.just("customer"), which, st.sampled_from(intents.OUTCOMES)),
    st.tuples(st.just("refund"), which, st.none() | amounts),
    st.tuples(st.just("refund_ends"), which, st.booleans()),
    st.tuples(st.just("refund_cancel"), which),
    st.tuples(st.just("transfer"), amounts, st.none() | which),
    st.tuples(st.just("reverse"), which, st.none() | amounts),
    st.tuples(st.just("payout"), st.booleans(), amounts),
    st.tuples(st.just("payout_fails"), which),
    st.tuples(st.just("dispute"), which, st.none() | amounts),
    st.tuples(st.just("decide"), which, st.booleans()),
    st.tuples(st.just("wait"), st.sampled_from([1, 15, 3_600, 200_000, 900_000])),
)


class Play:
    """The twin without its HTTP side, played by steps that name their objects by number."""

    def __init__(self) -> None:
        self.world = World()
        self.refused = 0
        supplier = {
            "type": "custom",
            "business_type": "company",
            "company": {"name": "合作社"},
            "external_account": "btok_x",
            "capabilities": {"transfers": {"requested": "true"}},
            "tos_acceptance": {"date": "1", "ip": "::1"},
        }
        self.supplier = self.ask("POST", "/v1/accounts", supplier)["id"]

    def ask(self, method: str, path: str, sent: dict[str, Any], account: str = PLATFORM, **ids: str) -> Object:
        return HANDLERS[method, path](self.world, Call(Given(sent), account), **ids)

    def pick(self, kind: str, number: int) -> Object:
        found = self.world.all(kind, PLATFORM)
        if not found:
            raise StripeError("there is none")
        return found[number % len(found)]

    def wait(self, seconds: float) -> None:
        target = self.world.clock.now() + seconds
        while (due := self.world.next_due()) is not None and due <= target:
            self.world.clock.reach(due)
            if job := self.world.take_due():
                JOBS[job.name](self.world, *job.args)
        self.world.clock.reach(target)

    def step(self, name: str, *args: Any) -> None:
        try:
            getattr(self, f"do_{name}")(*args)
        except StripeError:
            self.refused += 1

    def do_pay(self, amount: int, card: str, capture: str) -> None:
        sent = {
            "amount": str(amount),
            "currency": "cny",
            "payment_method": f"pm_card_{card}",
            "allowed_payment_method_types": ["card"],
        }
        self.ask("POST", "/v1/payment_intents", sent | {"confirm": "true", "capture_method": capture})

    def do_capture(self, number: int, amount: int) -> None:
        intents.capture(self.world, self.pick("payment_intent", number), amount)

    def do_cancel(self, number: int) -> None:
        intents.cancel(self.world, self.pick("payment_intent", number), None)

    def do_customer(self, number: int, outcome: intents.Outcome) -> None:
        intents.decide(self.world, self.pick("payment_intent", number), outcome)

    def do_refund(self, number: int, amount: int | None) -> None:
        sent = {"charge": self.pick("charge", number)["id"]} | ({"amount": str(amount)} if amount else {})
        self.ask("POST", "/v1/refunds", sent)

    def do_refund_ends(self, number: int, well: bool) -> None:
        id = self.pick("refund", number)["id"]
        if well:
            refunds.succeed(self.world, id)
        else:
            refunds.fail(self.world, id, "declined")

    def do_refund_cancel(self, number: int) -> None:
        self.ask("POST", "/v1/refunds/{id}/cancel", {}, id=self.pick("refund", number)["id"])

    def do_transfer(self, amount: int, source: int | None) -> None:
        sent = {"amount": str(amount), "currency": "cny", "destination": self.supplier}
        self.ask(
            "POST",
            "/v1/transfers",
            sent | ({"source_transaction": self.pick("charge", source)["id"]} if source is not None else {}),
        )

    def do_reverse(self, number: int, amount: int | None) -> None:
        sent = {"amount": str(amount)} if amount else {}
        self.ask("POST", "/v1/transfers/{id}/reversals", sent, id=self.pick("transfer", number)["id"])

    def do_payout(self, ours: bool, amount: int) -> None:
        self.ask("POST", "/v1/payouts", {"amount": str(amount), "currency": "cny"}, PLATFORM if ours else self.supplier)

    def do_payout_fails(self, number: int) -> None:
        found = self.world.all("payout")
        if found:
            payouts.fail(self.world, found[number % len(found)], "account_closed")

    def do_dispute(self, number: int, amount: int | None) -> None:
        disputes.begin(self.world, self.pick("charge", number), amount, "fraudulent")

    def do_decide(self, number: int, won: bool) -> None:
        disputes.decide(self.world, self.pick("dispute", number), won)

    def do_wait(self, seconds: int) -> None:
        self.wait(seconds)


@settings(max_examples=120)
@given(st.lists(steps, min_size=5, max_size=40))
def test_every_history_adds_up(history: list[tuple[Any, ...]]) -> None:
    play = Play()
    for step in history:
        play.step(*step)
        assert differences(play.world) == [], step
    play.wait(30 * 24 * 3600)
    assert differences(play.world) == []
    for charge in play.world.all("charge", PLATFORM):
        live = [
            each["amount"] for each in play.world.all("refund") if each["charge"] == charge["id"] and each["status"] == "succeeded"
        ]
        assert sum(live) <= charge["amount_captured"]
    for transfer in play.world.all("transfer"):
        assert transfer["amount_reversed"] <= transfer["amount"]


def _history() -> World:
    play = Play()
    for step in (
        ("pay", 5_000, "bypassPending", "automatic"),
        ("pay", 4_000, "visa", "automatic"),
        ("refund", 0, 1_000),
        ("transfer", 2_000, None),
        ("reverse", 0, 500),
        ("payout", False, 700),
        ("dispute", 1, 300),
    ):
        play.step(*step)
    assert play.refused == 0
    assert differences(play.world) == []
    return play.world


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("charge", "amount_refunded"),
        ("charge", "amount_captured"),
        ("refund", "amount"),
        ("transfer", "amount"),
        ("transfer", "amount_reversed"),
        ("transfer_reversal", "amount"),
        ("payout", "amount"),
        ("dispute", "amount"),
        ("balance_transaction", "net"),
        ("balance_transaction", "fee"),
        ("payment_intent", "amount_received"),
    ],
)
def test_the_check_finds_a_single_fen(kind: str, field: str) -> None:
    """The control: a check that finds nothing where something is wrong would prove nothing."""
    world = _history()
    for place in range(len(world.all(kind, PLATFORM))):
        world.all(kind, PLATFORM)[place][field] += 1
        assert differences(world) != []
        world.all(kind, PLATFORM)[place][field] -= 1
    assert differences(world) == []


def test_the_check_finds_a_movement_that_nobody_made() -> None:
    world = _history()
    world.ledger.move("theft", "nobody", "cny", {"fees": -1, "cards": 1})
    assert differences(world) != []
