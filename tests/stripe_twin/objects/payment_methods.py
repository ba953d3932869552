"""PaymentMethod: cards by test number or name, Alipay, WeChat Pay."""

import hashlib

from tests.stripe_twin.errors import CARD, StripeError, invalid, missing, not_modelled
from tests.stripe_twin.given import Given
from tests.stripe_twin.lists import listed
from tests.stripe_twin.objects import cards
from tests.stripe_twin.objects.customers import address_of
from tests.stripe_twin.routing import route
from tests.stripe_twin.world import Call, Object, World

TYPES = ("card", "alipay", "wechat_pay")


def blank_details() -> Object:
    return {"address": address_of(None), "email": None, "name": None, "phone": None, "tax_id": None}


def billing_details(given: Given, present: Object | None = None) -> Object:
    details = present or blank_details()
    sent = given.nested("billing_details")
    if sent is None:
        return details
    changed = {name: sent.text(name) for name in ("email", "name", "phone", "tax_id")}
    address = sent.nested("address")
    return {
        "address": address_of(address) if address else details["address"],
        **{name: details[name] if value is None else (value or None) for name, value in changed.items()},
    }


def _card(given: Given, now: int) -> tuple[cards.Card, int, int]:
    sent = given.nested("card")
    if sent is None:
        raise invalid("Missing required param: card.", given.called("card"), "parameter_missing")
    if token := sent.text("token"):
        if found := cards.named(token):
            return found, 12, 2034
        raise missing("token", token, "card[token]", 400)
    number = (sent.text("number", required=True) or "").replace(" ", "")
    month = sent.integer("exp_month", required=True) or 0
    year = sent.integer("exp_year", required=True) or 0
    sent.text("cvc")
    sent.free("networks")
    year += 2000 if year < 100 else 0
    if not cards.plausible(number):
        raise _refused("incorrect_number", "Your card number is incorrect.", "number")
    if not 1 <= month <= 12:
        raise _refused("invalid_expiry_month", "Your card's expiration month is invalid.", "exp_month")
    if (year - 1970) * 31_556_952 + month * 2_629_746 < now:
        raise _refused("invalid_expiry_year", "Your card's expiration year is invalid.", "exp_year")
    if number not in cards.BY_NUMBER:
        raise _refused(
            "card_declined",
            "Your card was declined. Your request was in test mode, but used a non test card. For a list of valid test cards, visit:"
            " https://docs.stripe.com/testing.",
            None,
            "test_mode_live_card",
        )
    return cards.BY_NUMBER[number], month, year


def _refused(code: str, message: str, param: str | None, decline_code: str | None = None) -> StripeError:
    return StripeError(message, status=402, kind=CARD, code=code, param=param, decline_code=decline_code)


def _of_card(card: cards.Card, month: int, year: int) -> Object:
    return {
        "brand": card.brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "unchecked"},
        "country": card.country,
        "display_brand": card.brand,
        "exp_month": month,
        "exp_year": year,
        "fingerprint": hashlib.sha256(card.number.encode()).hexdigest()[:16],
        "funding": card.funding,
        "generated_from": None,
        "last4": card.number[-4:],
        "networks": {"available": [card.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }


def build(world: World, given: Given, kinds: tuple[str, ...] = TYPES) -> Object:
    """A new PaymentMethod of what was sent; not stored yet, so that a refusal leaves nothing behind."""
    kind = given.text("type", required=True) or ""
    if kind not in kinds:
        raise not_modelled(f"payment methods of type {kind}", given.called("type"))
    details = billing_details(given)
    metadata = given.metadata()
    given.text("allow_redisplay")
    given.free("radar_options")
    if kind == "card":
        card, month, year = _card(given, world.clock.seconds())
        return _method(world, "card", _of_card(card, month, year), details, metadata) | {"_card": card.name}
    given.free(kind)
    return _method(world, kind, {}, details, metadata)


def _method(world: World, kind: str, detail: Object, details: Object, metadata: dict[str, str]) -> Object:
    return {
        "id": world.new_id("pm"),
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": details,
        "created": world.clock.seconds(),
        "customer": None,
        "livemode": False,
        "metadata": metadata,
        "type": kind,
        kind: detail,
    }


def store(world: World, method: Object) -> Object:
    name = method.pop("_card", None)
    world.add(method)
    if name:
        world.note(method["id"])["card"] = name
    return method


def resolve(world: World, id: str, param: str = "payment_method") -> Object:
    """The PaymentMethod with this id, or a new one for one of Stripe's test names."""
    if card := cards.named(id):
        return store(
            world,
            _method(world, "card", _of_card(card, 12, 2034), blank_details(), {}) | {"_card": card.name},
        )
    return world.get("payment_method", id, param=param, status=400)


def exists(world: World, id: str, param: str = "payment_method") -> None:
    """Raises:
    StripeError: ``resolve`` would.
    """
    if not cards.named(id):
        world.get("payment_method", id, param=param, status=400)


def card_of(world: World, method: Object) -> cards.Card | None:
    name = world.note(method["id"]).get("card")
    return cards.BY_NAME[name] if name else None


@route("POST", "/v1/payment_methods")
def create(world: World, call: Call) -> Object:
    method = build(world, call.given)
    call.given.done()
    return store(world, method)


@route("GET", "/v1/payment_methods/{id}")
def retrieve(world: World, call: Call, id: str) -> Object:
    call.given.done()
    return world.get("payment_method", id, param="payment_method")


@route("POST", "/v1/payment_methods/{id}")
def update(world: World, call: Call, id: str) -> Object:
    method = world.get("payment_method", id, param="payment_method")
    details = billing_details(call.given, method["billing_details"])
    metadata = call.given.metadata(method["metadata"])
    call.given.done()
    world.change(method, "payment_method.updated", billing_details=details, metadata=metadata)
    return method


@route("POST", "/v1/payment_methods/{id}/attach")
def attach(world: World, call: Call, id: str) -> Object:
    customer = call.given.text("customer", required=True) or ""
    call.given.unmodelled("customer_account")
    call.given.done()
    world.get("customer", customer, param="customer", status=400)
    exists(world, id)
    method = resolve(world, id)
    card = card_of(world, method)
    if card and card.decline and not card.attachable:
        raise _refused(card.decline.code, card.decline.message, None, card.decline.decline_code)
    if method["customer"]:
        raise StripeError("The payment method you provided has already been attached to a customer.", param="payment_method")
    if world.note(id).get("used"):
        raise used_up()
    world.change(method, customer=customer)
    world.emit("payment_method.attached", method)
    return method


@route("POST", "/v1/payment_methods/{id}/detach")
def detach(world: World, call: Call, id: str) -> Object:
    call.given.done()
    method = world.get("payment_method", id, param="payment_method")
    if not method["customer"]:
        raise StripeError("The payment method you provided is not attached to a customer so detachment is impossible.")
    world.note(id)["used"] = True
    before = world.change(method, customer=None)
    world.emit("payment_method.detached", method, before)
    return method


def used_up() -> StripeError:
    return StripeError(
        "The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, or was detached from a"
        " Customer. It may not be used again. To use a PaymentMethod multiple times, you must attach it to a Customer first.",
        param="payment_method",
    )


@route("GET", "/v1/payment_methods")
def many(world: World, call: Call) -> Object:
    call.given.unmodelled("customer_account", "allow_redisplay")
    found = [each for each in world.all("payment_method") if each["customer"]]
    return listed(world, call.given, "/v1/payment_methods", found, "customer", "type", created=False)


@route("GET", "/v1/customers/{customer}/payment_methods")
def of_customer(world: World, call: Call, customer: str) -> Object:
    world.get("customer", customer, param="customer")
    found = [each for each in world.all("payment_method") if each["customer"] == customer]
    return listed(world, call.given, f"/v1/customers/{customer}/payment_methods", found, "type", created=False)
