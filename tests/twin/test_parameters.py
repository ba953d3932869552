"""The parameters that the twin reads, or refuses by name, are exactly those that the SDK can send."""

from typing import Any

import pytest
import stripe.params

from tests.stripe_twin.errors import StripeError
from tests.stripe_twin.given import Given
from tests.stripe_twin.routing import ENTRIES
from tests.stripe_twin.world import Call
from tests.twin.test_sums import HANDLERS, Play

PAY = {"amount": "500", "currency": "cny", "payment_method": "pm_card_visa", "allowed_payment_method_types": ["card"]}
LINK = {"account": "ACCOUNT", "type": "account_onboarding", "return_url": "https://x/", "refresh_url": "https://x/"}

# what to send so that the endpoint reads on to its end
SENT: dict[tuple[str, str], tuple[str, dict[str, Any]]] = {
    ("POST", "/v1/payment_intents"): ("PaymentIntentCreateParams", PAY),
    ("POST", "/v1/payment_intents/{id}"): ("PaymentIntentUpdateParams", {}),
    ("POST", "/v1/payment_intents/{id}/confirm"): ("PaymentIntentConfirmParams", {}),
    ("POST", "/v1/payment_intents/{id}/capture"): ("PaymentIntentCaptureParams", {}),
    ("POST", "/v1/payment_intents/{id}/cancel"): ("PaymentIntentCancelParams", {}),
    ("GET", "/v1/payment_intents/{id}"): ("PaymentIntentRetrieveParams", {}),
    ("GET", "/v1/payment_intents"): ("PaymentIntentListParams", {}),
    ("GET", "/v1/payment_intents/search"): ("PaymentIntentSearchParams", {"query": "amount>1"}),
    ("POST", "/v1/charges/{id}"): ("ChargeUpdateParams", {}),
    ("GET", "/v1/charges"): ("ChargeListParams", {}),
    ("GET", "/v1/charges/search"): ("ChargeSearchParams", {"query": "amount>1"}),
    ("POST", "/v1/refunds"): ("RefundCreateParams", {"charge": "CHARGE"}),
    ("POST", "/v1/refunds/{id}"): ("RefundUpdateParams", {}),
    ("POST", "/v1/refunds/{id}/cancel"): ("RefundCancelParams", {}),
    ("GET", "/v1/refunds"): ("RefundListParams", {}),
    ("POST", "/v1/disputes/{id}"): ("DisputeUpdateParams", {}),
    ("POST", "/v1/disputes/{id}/close"): ("DisputeCloseParams", {}),
    ("GET", "/v1/disputes"): ("DisputeListParams", {}),
    ("POST", "/v1/customers"): ("CustomerCreateParams", {}),
    ("POST", "/v1/customers/{id}"): ("CustomerUpdateParams", {}),
    ("GET", "/v1/customers"): ("CustomerListParams", {}),
    ("GET", "/v1/customers/search"): ("CustomerSearchParams", {"query": "name:'x'"}),
    ("POST", "/v1/payment_methods/{id}/attach"): ("PaymentMethodAttachParams", {"customer": "CUSTOMER"}),
    ("POST", "/v1/payment_methods/{id}/detach"): ("PaymentMethodDetachParams", {}),
    ("GET", "/v1/payment_methods"): ("PaymentMethodListParams", {}),
    ("POST", "/v1/transfers"): ("TransferCreateParams", {"amount": "1", "currency": "cny", "destination": "ACCOUNT"}),
    ("POST", "/v1/transfers/{id}"): ("TransferUpdateParams", {}),
    ("GET", "/v1/transfers"): ("TransferListParams", {}),
    ("POST", "/v1/transfers/{id}/reversals"): ("TransferReversalCreateParams", {}),
    ("POST", "/v1/accounts"): ("AccountCreateParams", {"type": "custom"}),
    ("POST", "/v1/accounts/{id}"): ("AccountUpdateParams", {}),
    ("GET", "/v1/accounts"): ("AccountListParams", {}),
    ("POST", "/v1/account_links"): ("AccountLinkCreateParams", LINK),
    ("POST", "/v1/payouts"): ("PayoutCreateParams", {"amount": "1", "currency": "cny"}),
    ("POST", "/v1/payouts/{id}"): ("PayoutUpdateParams", {}),
    ("POST", "/v1/payouts/{id}/cancel"): ("PayoutCancelParams", {}),
    ("GET", "/v1/payouts"): ("PayoutListParams", {}),
    ("GET", "/v1/balance"): ("BalanceRetrieveParams", {}),
    ("GET", "/v1/balance_transactions"): ("BalanceTransactionListParams", {}),
    ("GET", "/v1/events"): ("EventListParams", {}),
    ("POST", "/v1/webhook_endpoints"): ("WebhookEndpointCreateParams", {"url": "http://127.0.0.1/", "enabled_events": ["*"]}),
    ("POST", "/v1/webhook_endpoints/{id}"): ("WebhookEndpointUpdateParams", {}),
    ("GET", "/v1/webhook_endpoints"): ("WebhookEndpointListParams", {}),
}
# their parameters are a hash for each of fifty ways to pay, or none at all
NOT_COMPARED = {("POST", "/v1/payment_methods"), ("POST", "/v1/payment_methods/{id}"), ("GET", "/v1/account")}


class Stage:
    """A world in which each object is there that an endpoint may need."""

    def __init__(self) -> None:
        self.play = play = Play()
        for step in (
            ("pay", 50_000, "bypassPending", "automatic"),
            ("pay", 5_000, "pendingRefund", "automatic"),
            ("refund", 1, 10),
            ("transfer", 100, None),
            ("payout", True, 10),
            ("pay", 5_000, "createDispute", "automatic"),
            ("wait", 1),
        ):
            play.step(*step)
        assert play.refused == 0
        self.held = play.ask("POST", "/v1/payment_intents", PAY | {"confirm": "true", "capture_method": "manual"})["id"]
        self.open = play.ask("POST", "/v1/payment_intents", PAY)["id"]
        self.customer = play.ask("POST", "/v1/customers", {})["id"]
        self.hook = play.ask("POST", "/v1/webhook_endpoints", {"url": "http://127.0.0.1/", "enabled_events": ["*"]})["id"]

    def id(self, path: str) -> str:
        kind = path.split("/")[2]
        if kind == "payment_intents":
            return str(self.held if path.endswith("capture") else self.open)
        known = {"accounts": self.play.supplier, "customers": self.customer, "webhook_endpoints": self.hook}
        return str(known.get(kind) or self.play.world.all(kind.removesuffix("s"))[-1 if kind == "refunds" else 0]["id"])

    def fill(self, sent: dict[str, Any]) -> dict[str, Any]:
        names = {"ACCOUNT": self.play.supplier, "CUSTOMER": self.customer, "CHARGE": self.play.world.all("charge")[0]["id"]}
        return {name: names.get(each, each) if isinstance(each, str) else each for name, each in sent.items()}


@pytest.mark.parametrize("place", SENT, ids=lambda each: f"{each[0]} {each[1]}")
def test_parameters(place: tuple[str, str]) -> None:
    name, sent = SENT[place]
    stage = Stage()
    given = Given(stage.fill(sent))
    ids = {"id": stage.id(place[1])} if "{id}" in place[1] else {}
    if place[1].endswith("/attach"):
        ids["id"] = stage.play.ask("POST", "/v1/payment_methods", {"type": "card", "card": {"token": "tok_visa"}})["id"]
    if place[1].endswith("/detach"):
        stage.play.world.objects["payment_method"][ids["id"]]["customer"] = stage.customer
    HANDLERS[place](stage.play.world, Call(given), **ids)
    known = set(getattr(stripe.params, name).__annotations__) - set(stripe.RequestOptions.__annotations__) - {"expand"}
    known |= {"payment_method_types"} & given.read  # Stripe, too, knows it only to refuse it
    assert not given.read ^ known, (sorted(given.read - known), sorted(known - given.read))


def test_no_endpoint_is_left_out() -> None:
    """Those that read nothing at all, or only a cursor, need no comparison."""
    for entry in ENTRIES:
        place = (entry.method, entry.path)
        if place in SENT or place in NOT_COMPARED:
            continue
        assert entry.method in ("GET", "DELETE"), place


def test_what_is_not_modelled_is_said() -> None:
    play = Play()
    with pytest.raises(StripeError, match="does not model the parameter transfer_data"):
        play.ask("POST", "/v1/payment_intents", PAY | {"transfer_data": {"destination": "acct_x"}})
