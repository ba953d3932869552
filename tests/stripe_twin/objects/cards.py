"""Stripe's test cards, and what each of them does: https://docs.stripe.com/testing."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Decline:
    code: str
    message: str
    decline_code: str | None = None
    blocked: bool = False  # by Stripe's own rules, before the bank was asked


@dataclass(frozen=True)
class Card:
    name: str
    number: str
    brand: str = "visa"
    country: str = "US"
    funding: str = "credit"
    decline: Decline | None = None
    attachable: bool = True
    authenticate: Literal["never", "always", "unless_set_up"] = "never"
    after: Literal["", "refund_fails", "refund_pending", "dispute", "not_received", "inquiry", "available"] = ""


def _declined(decline_code: str) -> Decline:
    messages = {
        "generic_decline": "Your card was declined.",
        "insufficient_funds": "Your card has insufficient funds.",
    }
    return Decline("card_declined", messages.get(decline_code, "Your card was declined."), decline_code)


AUTHENTICATION = Decline(
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
    "authentication_required",
)

CARDS = (
    Card("visa", "4242424242424242"),
    Card("visa_debit", "4000056655665556", funding="debit"),
    Card("mastercard", "5555555555554444", "mastercard"),
    Card("amex", "378282246310005", "amex"),
    Card("unionpay", "6200000000000005", "unionpay", "CN"),
    Card("cn", "4000001560000002", country="CN"),
    Card("hk", "4000003440000004", country="HK"),
    Card("bypassPending", "4000000000000077", after="available"),
    Card("chargeDeclined", "4000000000000002", decline=_declined("generic_decline"), attachable=False),
    Card("chargeDeclinedInsufficientFunds", "4000000000009995", decline=_declined("insufficient_funds"), attachable=False),
    Card("chargeDeclinedLostCard", "4000000000009987", decline=_declined("lost_card"), attachable=False),
    Card("chargeDeclinedStolenCard", "4000000000009979", decline=_declined("stolen_card"), attachable=False),
    Card("chargeDeclinedVelocityLimitExceeded", "4000000000006975", decline=_declined("card_velocity_exceeded"), attachable=False),
    Card(
        "chargeDeclinedExpiredCard", "4000000000000069", decline=Decline("expired_card", "Your card has expired."), attachable=False
    ),
    Card(
        "chargeDeclinedIncorrectCvc",
        "4000000000000127",
        decline=Decline("incorrect_cvc", "Your card's security code is incorrect."),
        attachable=False,
    ),
    Card(
        "chargeDeclinedProcessingError",
        "4000000000000119",
        decline=Decline("processing_error", "An error occurred while processing your card. Try again in a little bit."),
        attachable=False,
    ),
    Card("chargeCustomerFail", "4000000000000341", decline=_declined("generic_decline")),
    Card(
        "radarBlock",
        "4100000000000019",
        decline=Decline("card_declined", "Your card was declined.", "fraudulent", blocked=True),
        attachable=False,
    ),
    Card("authenticationRequired", "4000002760003184", authenticate="always"),
    Card("threeDSecure2Required", "4000000000003220", authenticate="always"),
    Card("authenticationRequiredOnSetup", "4000002500003155", authenticate="unless_set_up"),
    Card(
        "authenticationRequiredChargeDeclinedInsufficientFunds",
        "4000008260003178",
        authenticate="always",
        decline=_declined("insufficient_funds"),
    ),
    Card("refundFail", "4000000000005126", after="refund_fails"),
    Card("pendingRefund", "4000000000007726", after="refund_pending"),
    Card("createDispute", "4000000000000259", after="dispute"),
    Card("createDisputeProductNotReceived", "4000000000002685", after="not_received"),
    Card("createDisputeInquiry", "4000000000001976", after="inquiry"),
)

BY_NUMBER = {card.number: card for card in CARDS}
BY_NAME = {card.name: card for card in CARDS}


def named(id: str) -> Card | None:
    """The card of ``pm_card_visa``, ``pm_card_visa_chargeDeclined``, ``tok_visa`` and their kind."""
    for prefix in ("pm_card_", "tok_"):
        if id.startswith(prefix):
            name = id.removeprefix(prefix)
            return BY_NAME.get(name) or BY_NAME.get(name.removeprefix("visa_"))
    return None


def plausible(number: str) -> bool:
    """Whether the check digit is right (Luhn)."""
    if not number.isdecimal() or not 12 <= len(number) <= 19:
        return False
    digits = [int(each) for each in reversed(number)]
    doubled = [sum(divmod(2 * each, 10)) for each in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0
