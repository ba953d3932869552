"""PaymentIntent: its addresses and parameters. What then happens is in ``intents``."""

from typing import Any

from tests.stripe_twin import money
from tests.stripe_twin.errors import StripeError, invalid, unexpected_state
from tests.stripe_twin.given import Given
from tests.stripe_twin.lists import listed, searched
from tests.stripe_twin.objects import intents, payment_methods
from tests.stripe_twin.objects.customers import shipping_of
from tests.stripe_twin.routing import route
from tests.stripe_twin.world import Call, Object, World

_OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")
_UNMODELLED = ("amount_details", "application_fee_amount", "hooks", "payment_details", "transfer_data", "customer_account")
_TEXTS = ("description", "receipt_email", "statement_descriptor", "statement_descriptor_suffix", "transfer_group")


def _texts(given: Given) -> dict[str, Any]:
    lengths = {"description": 1000, "statement_descriptor": 22, "statement_descriptor_suffix": 22}
    return {name: sent or None for name in _TEXTS if (sent := given.text(name, longest=lengths.get(name, 5000))) is not None}


def _choice(given: Given, *, automatic: bool = False) -> dict[str, Any]:
    """What was said about the ways to pay. Stripe works out ``payment_method_types`` from it, and no longer takes them from us."""
    if "payment_method_types" in given:
        raise invalid(
            "The parameter payment_method_types is no longer supported in this API version. Use dynamic payment methods, or"
            " allowed_payment_method_types or excluded_payment_method_types.",
            "payment_method_types",
            "payment_method_types_no_longer_supported",
        )
    said: dict[str, Any] = {}
    for name in ("allowed_payment_method_types", "excluded_payment_method_types"):
        if (kinds := given.texts(name)) is not None:
            said[name] = kinds or None
    if automatic and (sent := given.nested("automatic_payment_methods")):
        redirects = sent.text("allow_redirects", choices=("always", "never"), default="always")
        if sent.flag("enabled"):
            said["automatic_payment_methods"] = {"allow_redirects": redirects, "enabled": True}
    if len([each for each in said.values() if each]) > 1 and said.get("allowed_payment_method_types"):
        raise invalid(f"You may only specify one of these parameters: {', '.join(said)}.", "allowed_payment_method_types")
    return said


def _settle_types(intent: Object) -> Object:
    """The intent with the ways to pay that follow from all that was said.

    Raises:
        StripeError: none is left.
    """
    if not intent["allowed_payment_method_types"] and not intent["automatic_payment_methods"]:
        intent["automatic_payment_methods"] = {"allow_redirects": "always", "enabled": True}
    if intent["allowed_payment_method_types"]:
        intent["automatic_payment_methods"] = None
    intent["payment_method_types"] = intents.types_of(intent)
    if not intent["payment_method_types"]:
        raise invalid(
            "No payment method types are left that this PaymentIntent could be paid with.", "allowed_payment_method_types"
        )
    return intent


def _options(given: Given, kinds: list[str], present: Object | None = None) -> Object:
    """``payment_method_options`` as shown: an entry for each kind of payment."""
    sent = given.nested("payment_method_options")
    shown: Object = {}
    for kind in kinds:
        before = (present or {}).get(kind) or {}
        inner = sent.nested(kind) if sent else None
        if kind == "card":
            wish = inner.text("request_three_d_secure", choices=("any", "automatic", "challenge")) if inner else None
            shown[kind] = {
                "installments": None,
                "mandate_options": None,
                "network": None,
                "request_three_d_secure": wish or before.get("request_three_d_secure", "automatic"),
            }
        elif kind == "wechat_pay":
            client = inner.text("client", choices=("android", "ios", "web")) if inner else None
            app = inner.text("app_id") if inner else None
            shown[kind] = {"app_id": app or before.get("app_id"), "client": client or before.get("client")}
        else:
            shown[kind] = {}
    for kind in payment_methods.TYPES:
        if sent and kind not in kinds:
            sent.free(kind)  # what concerns a way to pay that is not there is of no account
    return shown


def _ways(given: Given, intent: Object, values: dict[str, Any]) -> dict[str, Any]:
    """The ways to pay and their options, worked out anew for what ``values`` will change."""
    after = _settle_types(intent | values)
    names = ("automatic_payment_methods", "payment_method_types")
    changed = {name: after[name] for name in names if after[name] != intent[name]}
    if changed or "payment_method_options" in given:
        changed["payment_method_options"] = _options(given, after["payment_method_types"], intent["payment_method_options"])
    return changed


def _confirmation(given: Given) -> intents.Confirmation:
    given.flag("use_stripe_sdk")
    given.unmodelled("confirmation_token", "mandate", "mandate_data", "radar_options")
    return intents.Confirmation(
        return_url=given.text("return_url") or None,
        off_session=(given.text("off_session", choices=("true", "false", "one_off", "recurring")) or "false") != "false",
        error_on_requires_action=given.flag("error_on_requires_action"),
    )


class _Method:
    """The payment method of a request: checked first, made or fetched only when all else is right."""

    def __init__(self, world: World, given: Given) -> None:
        self.world = world
        self.id = given.text("payment_method") or None
        data = given.nested("payment_method_data")
        self.built = payment_methods.build(world, data) if data else None
        if self.id and self.built:
            raise invalid(
                "You may only specify one of these parameters: payment_method, payment_method_data.", "payment_method_data"
            )
        if self.id:
            payment_methods.exists(world, self.id)

    @property
    def kind(self) -> str | None:
        if self.built:
            return str(self.built["type"])
        if self.id:
            return str(self.known["type"]) if self.known else "card"
        return None

    @property
    def known(self) -> Object | None:
        """The one that is there already; a test name makes a new one."""
        return self.world.find("payment_method", self.id) if self.id else None

    def take(self) -> Object | None:
        if self.built:
            return payment_methods.store(self.world, self.built)
        return payment_methods.resolve(self.world, self.id) if self.id else None


def _no_method() -> StripeError:
    return StripeError(
        "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the PaymentIntent with a"
        " payment method and then confirm it again, or confirm it again directly with a payment method or ConfirmationToken.",
        code="payment_intent_unexpected_state",
        began=False,
    )


@route("POST", "/v1/payment_intents")
def create(world: World, call: Call) -> Object:
    given = call.given
    amount = money.amount(given) or 0
    currency = money.currency(given) or ""
    money.large_enough(amount, currency)
    id = world.new_id("pi")
    intent: Object = {
        "id": id,
        "object": "payment_intent",
        "allowed_payment_method_types": None,
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": None,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": given.text(
            "capture_method", choices=("automatic", "automatic_async", "manual"), default="automatic_async"
        ),
        "client_secret": f"{id}_secret_{world.new_id('x')[2:]}",
        "confirmation_method": given.text("confirmation_method", choices=("automatic", "manual"), default="automatic"),
        "created": world.clock.seconds(),
        "currency": currency,
        "customer": given.text("customer") or None,
        "description": None,
        "excluded_payment_method_types": None,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": given.metadata(),
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": {},
        "payment_method_types": [],
        "processing": None,
        "receipt_email": None,
        "review": None,
        "setup_future_usage": given.text("setup_future_usage", choices=("off_session", "on_session")),
        "shipping": shipping_of(given),
        "source": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "requires_payment_method",
        "transfer_data": None,
        "transfer_group": None,
    } | _texts(given)
    intent = _settle_types(intent | _choice(given, automatic=True))
    intent["payment_method_options"] = _options(given, intent["payment_method_types"])
    confirm = given.flag("confirm")
    how = _confirmation(given)
    method = _Method(world, given)
    given.unmodelled(*_UNMODELLED, "on_behalf_of", "payment_method_configuration")
    given.done()
    if intent["customer"]:
        world.get("customer", intent["customer"], param="customer", status=400)
    if not confirm and (how.return_url or how.off_session or how.error_on_requires_action):
        name = "return_url" if how.return_url else "off_session" if how.off_session else "error_on_requires_action"
        raise invalid(f"`{name}` can only be passed when `confirm` is `true`.", name)
    if method.kind:
        intents.fits(intent, method.kind)
    if method.known:
        intents.may_use(world, intent, method.known)
    if confirm:
        if not method.kind:
            raise _no_method()
        intents.may_confirm(intent, method.kind, how)
    chosen_method = method.take()
    if chosen_method:
        intent |= {"status": "requires_confirmation", "payment_method": chosen_method["id"]}
    world.add(intent)
    world.emit("payment_intent.created", intent)
    return intents.attempt(world, intent, chosen_method, how) if confirm and chosen_method else intent


@route("GET", "/v1/payment_intents/search")
def search(world: World, call: Call) -> Object:
    fields = ("amount", "created", "currency", "customer", "metadata", "status")
    return searched(world, call.given, "/v1/payment_intents/search", "payment_intent", fields)


@route("GET", "/v1/payment_intents/{id}")
def retrieve(world: World, call: Call, id: str) -> Object:
    call.given.text("client_secret")
    call.given.done()
    return world.get("payment_intent", id, param="intent")


@route("POST", "/v1/payment_intents/{id}")
def update(world: World, call: Call, id: str) -> Object:
    intent = world.get("payment_intent", id, param="intent")
    given = call.given
    values: dict[str, Any] = _texts(given) | {"metadata": given.metadata(intent["metadata"])}
    always = set(values)
    amount, currency = money.amount(given, required=False), money.currency(given, required=False)
    values |= {name: sent for name, sent in (("amount", amount), ("currency", currency)) if sent is not None}
    values |= _choice(given)
    if (customer := given.text("customer")) is not None:
        values["customer"] = customer or None
    if (usage := given.text("setup_future_usage", choices=("off_session", "on_session"))) is not None:
        values["setup_future_usage"] = usage or None
    if "shipping" in given:
        values["shipping"] = shipping_of(given)
    if capture := given.text("capture_method", choices=("automatic", "automatic_async", "manual")):
        values["capture_method"] = capture
    values |= _ways(given, intent, values)
    method = _Method(world, given)
    given.unmodelled(*_UNMODELLED, "payment_method_configuration")
    given.done()
    if values.get("customer"):
        world.get("customer", values["customer"], param="customer", status=400)
    after = intent | values
    money.large_enough(after["amount"], after["currency"])
    if intent["status"] not in _OPEN and (method.kind or set(values) - always):
        names = sorted((set(values) - always) | ({"payment_method"} if method.kind else set()))
        raise unexpected_state(
            f"This PaymentIntent's {names[0]} could not be updated because it has a status of {intent['status']}. You may only update"
            f" the {names[0]} of a PaymentIntent with one of the following statuses: {', '.join(_OPEN)}.",
            intent,
        )
    if method.kind:
        intents.fits(after, method.kind)
        if method.known:
            intents.may_use(world, after, method.known)
        chosen = method.take()
        values |= {"payment_method": chosen and chosen["id"], "status": "requires_confirmation", "next_action": None}
    world.change(intent, **values)
    return intent


@route("POST", "/v1/payment_intents/{id}/confirm")
def confirm(world: World, call: Call, id: str) -> Object:
    intent = world.get("payment_intent", id, param="intent")
    given = call.given
    values: dict[str, Any] = {}
    if (receipt := given.text("receipt_email")) is not None:
        values["receipt_email"] = receipt or None
    if usage := given.text("setup_future_usage", choices=("off_session", "on_session")):
        values["setup_future_usage"] = usage
    if "shipping" in given:
        values["shipping"] = shipping_of(given)
    values |= _choice(given)
    if capture := given.text("capture_method", choices=("automatic", "automatic_async", "manual")):
        values["capture_method"] = capture
    values |= _ways(given, intent, values)
    how = _confirmation(given)
    method = _Method(world, given)
    given.unmodelled("amount_details", "amount_to_confirm", "hooks", "payment_details")
    given.done()
    if intent["status"] not in intents.CONFIRMABLE:
        why = (
            "it has already succeeded after being previously confirmed"
            if intent["status"] == "succeeded"
            else f"it has a status of {intent['status']}"
        )
        raise unexpected_state(f"You cannot confirm this PaymentIntent because {why}.", intent)
    present = world.find("payment_method", intent["payment_method"] or "")
    kind = method.kind or (present and present["type"])
    if not kind:
        raise _no_method()
    after = intent | values
    intents.fits(after, kind)
    intents.may_confirm(after, kind, how)
    chosen = method.take() or present
    assert chosen is not None
    world.change(intent, **values)
    return intents.attempt(world, intent, chosen, how)


@route("POST", "/v1/payment_intents/{id}/capture")
def capture(world: World, call: Call, id: str) -> Object:
    intent = world.get("payment_intent", id, param="intent")
    amount = money.amount(call.given, "amount_to_capture", required=False)
    metadata = call.given.metadata(intent["metadata"])
    call.given.flag("final_capture")
    call.given.unmodelled(*_UNMODELLED[:-1], "statement_descriptor", "statement_descriptor_suffix")
    call.given.done()
    intents.capture(world, intent, amount)
    world.change(intent, metadata=metadata)
    return intent


@route("POST", "/v1/payment_intents/{id}/cancel")
def cancel(world: World, call: Call, id: str) -> Object:
    intent = world.get("payment_intent", id, param="intent")
    reason = call.given.text("cancellation_reason", choices=("duplicate", "fraudulent", "requested_by_customer", "abandoned"))
    call.given.done()
    return intents.cancel(world, intent, reason)


@route("GET", "/v1/payment_intents")
def many(world: World, call: Call) -> Object:
    call.given.unmodelled("customer_account")
    return listed(world, call.given, "/v1/payment_intents", world.all("payment_intent"), "customer")
