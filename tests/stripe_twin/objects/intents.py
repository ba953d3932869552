"""The life of a PaymentIntent.

requires_payment_method → requires_confirmation → requires_action → processing → succeeded or canceled; with capture by hand,
requires_capture comes before succeeded. A declined attempt leads back to requires_payment_method.
"""

import base64
import copy
from dataclasses import dataclass
from typing import Any, Literal

from tests.stripe_twin.errors import CARD, INVALID, StripeError, invalid, unexpected_state
from tests.stripe_twin.objects import cards, charges, disputes
from tests.stripe_twin.objects.payment_methods import card_of, used_up
from tests.stripe_twin.world import Object, World, job

WALLET_CURRENCIES = frozenset(
    {"cny", "aud", "cad", "eur", "gbp", "hkd", "jpy", "sgd", "usd", "nzd", "myr", "chf", "sek", "nok", "dkk"}
)
CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
CANCELABLE = (*CONFIRMABLE, "requires_capture", "processing")

Outcome = Literal["approve", "decline", "approve_later", "decline_later"]
OUTCOMES: tuple[Outcome, ...] = ("approve", "decline", "approve_later", "decline_later")

NOT_AUTHENTICATED = cards.Decline(
    "payment_intent_authentication_failure",
    "We are unable to authenticate your payment method. Please choose a different payment method and try again.",
)
NOT_PAID = cards.Decline("payment_intent_payment_attempt_failed", "The customer did not approve the payment.")


@dataclass(frozen=True)
class Confirmation:
    """How a payment is confirmed."""

    return_url: str | None = None
    off_session: bool = False
    error_on_requires_action: bool = False


def types_of(intent: Object) -> list[str]:
    """What a customer may pay with, of what the account has switched on; what does not fit is left out in silence."""
    kinds = ["card"]
    if intent["currency"] in WALLET_CURRENCIES and intent["capture_method"] != "manual":
        never = (intent["automatic_payment_methods"] or {}).get("allow_redirects") == "never"
        kinds += ["wechat_pay"] if never else ["alipay", "wechat_pay"]
    if allowed := intent["allowed_payment_method_types"]:
        kinds = [kind for kind in kinds if kind in allowed]
    return [kind for kind in kinds if kind not in (intent["excluded_payment_method_types"] or [])]


def fits(intent: Object, kind: str) -> None:
    """Raises:
    StripeError: the intent does not take payment methods of this kind.
    """
    if kind not in intent["payment_method_types"]:
        raise StripeError(
            f"The PaymentMethod provided ({kind}) is not allowed for this PaymentIntent. Please attach a PaymentMethod of one of the"
            f" following types: {', '.join(intent['payment_method_types'])}. Alternatively update the allowed_payment_method_types of"
            f' this PaymentIntent to include "{kind}".',
            code="payment_intent_incompatible_payment_method",
            param="payment_method",
        )


def may_confirm(intent: Object, kind: str, how: Confirmation) -> None:
    """Raises:
    StripeError: what this way of paying needs has not been said.
    """
    redirects = (intent["automatic_payment_methods"] or {}).get("allow_redirects") == "always"
    if redirects and not how.return_url:
        raise invalid(
            "This PaymentIntent is configured to accept payment methods enabled in your Dashboard. Because some of these payment methods"
            " might redirect your customer off of your page, you must provide a `return_url`. If you don't want to accept redirect-based"
            " payment methods, set `automatic_payment_methods[enabled]` to `true` and `automatic_payment_methods[allow_redirects]` to"
            " `never` when creating Setup Intents and Payment Intents.",
            "return_url",
        )
    if kind == "alipay" and not how.return_url:
        raise invalid("You must provide a `return_url` when confirming with alipay.", "return_url", "parameter_missing")
    if kind == "wechat_pay" and not (intent["payment_method_options"].get("wechat_pay") or {}).get("client"):
        param = "payment_method_options[wechat_pay][client]"
        raise invalid(f"Missing required param: {param}.", param, "parameter_missing")


def may_use(world: World, intent: Object, method: Object) -> None:
    """Raises:
    StripeError: the payment method was used up, or is another customer's.
    """
    if world.note(method["id"]).get("used") and not method["customer"]:
        raise used_up()
    if method["customer"] and method["customer"] != intent["customer"]:
        raise StripeError(
            f"The payment method supplied ({method['id']}) belongs to a different Customer. Please include the Customer in the"
            " `customer` parameter on the PaymentIntent.",
            param="payment_method",
        )


def attempt(world: World, intent: Object, method: Object, how: Confirmation) -> Object:
    """Tries to take the money with this payment method.

    Raises:
        StripeError: the payment method was used before (400), or declined (402).
    """
    may_use(world, intent, method)
    note = world.note(method["id"])
    world.change(intent, payment_method=method["id"], last_payment_error=None, next_action=None)
    card = card_of(world, method)
    asked = (intent["payment_method_options"].get("card") or {}).get("request_three_d_secure") in ("any", "challenge")
    if card and (asked or card.authenticate == "always" or (card.authenticate == "unless_set_up" and not note.get("set_up"))):
        if how.off_session or how.error_on_requires_action:
            raise failed(world, intent, method, cards.AUTHENTICATION)
        return _wait(world, intent, _card_action(world, intent, how))
    if card is None:
        return _wait(world, intent, _wallet_action(world, intent, method["type"], how))
    return _authorise(world, intent, method, authenticated=False)


def _wait(world: World, intent: Object, action: Object) -> Object:
    world.change(intent, status="requires_action", next_action=action)
    world.emit("payment_intent.requires_action", intent)
    return intent


def page_of(world: World, intent: Object) -> str:
    return f"{world.base_url}/_twin/pay/{intent['id']}"


def _card_action(world: World, intent: Object, how: Confirmation) -> Object:
    world.note(intent["id"])["return_url"] = how.return_url
    if how.return_url:
        return {"type": "redirect_to_url", "redirect_to_url": {"return_url": how.return_url, "url": page_of(world, intent)}}
    return {
        "type": "use_stripe_sdk",
        "use_stripe_sdk": {"type": "three_d_secure_redirect", "stripe_js": page_of(world, intent)},
    }


def _wallet_action(world: World, intent: Object, kind: str, how: Confirmation) -> Object:
    page = page_of(world, intent)
    world.note(intent["id"])["return_url"] = how.return_url
    if kind == "alipay":
        return {
            "type": "alipay_handle_redirect",
            "alipay_handle_redirect": {"native_data": None, "native_url": None, "return_url": how.return_url, "url": page},
        }
    return {
        "type": "wechat_pay_display_qr_code",
        "wechat_pay_display_qr_code": {
            "data": page,
            "hosted_instructions_url": page,
            "image_data_url": f"data:image/png;base64,{base64.b64encode(qr_code(page, 'png')).decode()}",
            "image_url_png": f"{page}/qr.png",
            "image_url_svg": f"{page}/qr.svg",
        },
    }


def qr_code(text: str, kind: str) -> bytes:
    import io

    import segno  # here, for it is needed by this alone

    out = io.BytesIO()
    segno.make(text, error="m").save(out, kind=kind, scale=6, border=4)
    return out.getvalue()


def _authorise(world: World, intent: Object, method: Object, authenticated: bool) -> Object:
    card = card_of(world, method)
    if card and card.decline:
        raise failed(world, intent, method, card.decline, authenticated)
    charge = charges.make(world, intent, method, None, authenticated)
    note = world.note(method["id"])
    if intent["setup_future_usage"] and intent["customer"] and not method["customer"]:
        world.change(method, customer=intent["customer"])
        note["set_up"] = True
        world.emit("payment_method.attached", method)
    note["used"] = True
    if intent["capture_method"] == "manual":
        world.note(charge["id"])["held"] = True
        world.change(
            intent, status="requires_capture", amount_capturable=intent["amount"], latest_charge=charge["id"], next_action=None
        )
        world.emit("charge.succeeded", charge)
        world.emit("payment_intent.amount_capturable_updated", intent, {"amount_capturable": 0})
        world.later(world.settings.authorised_for, expire, intent["id"])
        return intent
    if intent["capture_method"] == "automatic_async":
        world.note(charge["id"])["late"] = True
        world.later(world.settings.booked_after, charges.book, charge["id"])
    else:
        charges.book(world, charge["id"])
    world.change(intent, status="succeeded", amount_received=intent["amount"], latest_charge=charge["id"], next_action=None)
    world.emit("charge.succeeded", charge)
    world.emit("payment_intent.succeeded", intent)
    _afterwards(world, charge, card)
    return intent


def _afterwards(world: World, charge: Object, card: cards.Card | None) -> None:
    if card and card.after in disputes.BY_CARD:
        world.later(world.settings.dispute_after, disputes.by_card, charge["id"], card.after)


def failed(
    world: World, intent: Object, method: Object, decline: cards.Decline, authenticated: bool = False, charged: bool = True
) -> StripeError:
    """The attempt is over and the intent waits for another payment method; returns what the caller is to be told."""
    charge = charges.make(world, intent, method, decline, authenticated) if charged else None
    kind = CARD if charged and method["type"] == "card" else INVALID
    told: dict[str, Any] = {
        "code": decline.code,
        "doc_url": f"https://docs.stripe.com/error-codes#{decline.code.replace('_', '-')}",
        "message": decline.message,
        "type": kind,
    }
    if charge:
        told["charge"] = charge["id"]
    if decline.decline_code:
        told["decline_code"] = decline.decline_code
    world.change(
        intent,
        status="requires_payment_method",
        payment_method=None,
        next_action=None,
        latest_charge=charge["id"] if charge else intent["latest_charge"],
        last_payment_error=told | {"payment_method": copy.deepcopy(method)},
    )
    if charge:
        world.emit("charge.failed", charge)
    world.emit("payment_intent.payment_failed", intent)
    return StripeError(
        decline.message,
        status=402,
        kind=kind,
        code=decline.code,
        decline_code=decline.decline_code,
        charge=charge and charge["id"],
        payment_intent=copy.deepcopy(intent),
        payment_method=copy.deepcopy(method),
    )


def decide(world: World, intent: Object, outcome: Outcome) -> Object:
    """What the customer did on the page of the bank or the wallet. Declines change the intent and raise nothing.

    Raises:
        StripeError: the intent does not wait for anybody.
    """
    if intent["status"] != "requires_action":
        raise unexpected_state(f"This PaymentIntent waits for nobody: its status is {intent['status']}.", intent)
    if outcome in ("approve_later", "decline_later"):
        world.change(intent, status="processing", next_action=None)
        world.emit("payment_intent.processing", intent)
        world.later(world.settings.payment_after, finish, intent["id"], outcome == "approve_later")
        return intent
    return _end(world, intent, outcome == "approve")


@job
def finish(world: World, id: str, paid: bool) -> None:
    """The end of a payment that was processing."""
    intent = world.objects["payment_intent"][id]
    if intent["status"] == "processing":
        _end(world, intent, paid)


def _end(world: World, intent: Object, paid: bool) -> Object:
    method = world.objects["payment_method"][intent["payment_method"]]
    is_card = method["type"] == "card"
    if paid:
        try:
            return _authorise(world, intent, method, authenticated=is_card)
        except StripeError:
            return intent  # authenticated, and then declined by the bank
    failed(world, intent, method, NOT_AUTHENTICATED if is_card else NOT_PAID, charged=not is_card)
    return intent


def capture(world: World, intent: Object, amount: int | None) -> Object:
    """Takes what was authorised, or less of it; the rest is released.

    Raises:
        StripeError: nothing is to be captured, or less than ``amount``.
    """
    if intent["status"] != "requires_capture":
        raise unexpected_state(
            f"This PaymentIntent could not be captured because it has a status of {intent['status']}. Only a PaymentIntent with one of"
            " the following statuses may be captured: requires_capture.",
            intent,
        )
    if amount is not None and amount > intent["amount_capturable"]:
        raise StripeError(
            f"The requested capture amount is greater than the authorized amount, {intent['amount_capturable']}.",
            code="amount_too_large",
            param="amount_to_capture",
        )
    taken = intent["amount_capturable"] if amount is None else amount
    charge = world.objects["charge"][intent["latest_charge"]]
    before = world.change(charge, captured=True, amount_captured=taken)
    charges.book(world, charge["id"])
    world.change(intent, status="succeeded", amount_capturable=0, amount_received=taken)
    world.emit("charge.captured", charge, before)
    world.emit("payment_intent.succeeded", intent)
    _afterwards(world, charge, card_of(world, world.objects["payment_method"][charge["payment_method"]]))
    return intent


def cancel(world: World, intent: Object, reason: str | None) -> Object:
    if intent["status"] not in CANCELABLE:
        raise unexpected_state(
            f"You cannot cancel this PaymentIntent because it has a status of {intent['status']}. Only a PaymentIntent with one of the"
            f" following statuses may be canceled: {', '.join(CANCELABLE)}.",
            intent,
        )
    world.change(
        intent,
        status="canceled",
        amount_capturable=0,
        canceled_at=world.clock.seconds(),
        cancellation_reason=reason,
        next_action=None,
    )
    world.emit("payment_intent.canceled", intent)
    return intent


@job
def expire(world: World, id: str) -> None:
    """An authorisation that nobody captured in time."""
    intent = world.objects["payment_intent"][id]
    if intent["status"] == "requires_capture":
        world.emit("charge.expired", world.objects["charge"][intent["latest_charge"]])
        cancel(world, intent, "automatic")
