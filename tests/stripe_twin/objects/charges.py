"""Charge: one attempt to take money; made by a PaymentIntent. And how its money is booked."""

from typing import Any

from tests.stripe_twin import ledger, money
from tests.stripe_twin.lists import listed, searched
from tests.stripe_twin.objects import cards
from tests.stripe_twin.objects.payment_methods import card_of
from tests.stripe_twin.routing import route
from tests.stripe_twin.world import Call, Object, World, job


def make(world: World, intent: Object, method: Object, decline: cards.Decline | None, authenticated: bool) -> Object:
    """An attempt as it ended: declined, or paid (and captured, unless the intent says that we capture by hand)."""
    card = card_of(world, method)
    manual = intent["capture_method"] == "manual"
    paid = decline is None
    amount = intent["amount"]
    return world.add(
        {
            "id": world.new_id("ch" if card else "py"),
            "object": "charge",
            "amount": amount,
            "amount_captured": amount if paid and not manual else 0,
            "amount_refunded": 0,
            "application": None,
            "application_fee": None,
            "application_fee_amount": None,
            "balance_transaction": None,
            "billing_details": method["billing_details"],
            "calculated_statement_descriptor": "STRIPE TWIN" if card else None,
            "captured": paid and not manual,
            "created": world.clock.seconds(),
            "currency": intent["currency"],
            "customer": intent["customer"],
            "description": intent["description"],
            "disputed": False,
            "failure_balance_transaction": None,
            "failure_code": decline.code if decline else None,
            "failure_message": decline.message if decline else None,
            "fraud_details": {},
            "livemode": False,
            "metadata": dict(intent["metadata"]),
            "on_behalf_of": None,
            "outcome": _outcome(decline),
            "paid": paid,
            "payment_intent": intent["id"],
            "payment_method": method["id"],
            "payment_method_details": {"type": method["type"], method["type"]: _details(world, method, amount, authenticated)},
            "receipt_email": intent["receipt_email"],
            "receipt_number": None,
            "receipt_url": f"{world.base_url}/_twin/pay/{intent['id']}" if paid else None,
            "refunded": False,
            "review": None,
            "shipping": intent["shipping"],
            "source_transfer": None,
            "statement_descriptor": intent["statement_descriptor"],
            "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
            "status": "succeeded" if paid else "failed",
            "transfer_data": None,
            "transfer_group": intent["transfer_group"],
        }
    )


def _outcome(decline: cards.Decline | None) -> Object:
    if decline is None:
        return {
            "advice_code": None,
            "network_advice_code": None,
            "network_decline_code": None,
            "network_status": "approved_by_network",
            "reason": None,
            "risk_level": "normal",
            "risk_score": 12,
            "seller_message": "Payment complete.",
            "type": "authorized",
        }
    return {
        "advice_code": "try_again_later" if decline.decline_code in ("generic_decline", "insufficient_funds") else None,
        "network_advice_code": None,
        "network_decline_code": None if decline.blocked else "01",
        "network_status": "not_sent_to_network" if decline.blocked else "declined_by_network",
        "reason": "highest_risk_level" if decline.blocked else decline.decline_code or decline.code,
        "risk_level": "highest" if decline.blocked else "normal",
        "risk_score": 88 if decline.blocked else 12,
        "seller_message": "Stripe blocked this payment as too risky." if decline.blocked else "The bank declined the payment.",
        "type": "blocked" if decline.blocked else "issuer_declined",
    }


def _details(world: World, method: Object, amount: int, authenticated: bool) -> Object:
    kind = method["type"]
    if kind == "alipay":
        return {"buyer_id": world.new_id("2088", 12), "fingerprint": None, "transaction_id": world.new_id("2026", 22)}
    if kind == "wechat_pay":
        return {"fingerprint": None, "location": None, "reader": None, "transaction_id": world.new_id("4200", 22)}
    card = method["card"]
    return {
        "amount_authorized": amount,
        "authorization_code": f"{world.random.randrange(1_000_000):06d}",
        "brand": card["brand"],
        "checks": card["checks"],
        "country": card["country"],
        "exp_month": card["exp_month"],
        "exp_year": card["exp_year"],
        "extended_authorization": {"status": "disabled"},
        "fingerprint": card["fingerprint"],
        "funding": card["funding"],
        "incremental_authorization": {"status": "unavailable"},
        "installments": None,
        "last4": card["last4"],
        "mandate": None,
        "multicapture": {"status": "unavailable"},
        "network": card["brand"],
        "network_token": {"used": False},
        "network_transaction_id": f"{world.random.randrange(10**15):015d}",
        "overcapture": {"maximum_amount_capturable": amount, "status": "unavailable"},
        "regulated_status": "unregulated",
        "three_d_secure": {
            "authentication_flow": "challenge",
            "electronic_commerce_indicator": "05",
            "exemption_indicator": None,
            "result": "authenticated",
            "result_reason": None,
            "transaction_id": world.new_id("tds", 20),
            "version": "2.2.0",
        }
        if authenticated
        else None,
        "wallet": None,
    }


def is_card(charge: Object) -> bool:
    return bool(charge["payment_method_details"]["type"] == "card")


@job
def book(world: World, id: str) -> Object:
    """The money of a captured charge reaches our balance, less the fee; once, however often it is asked for."""
    charge = world.objects["charge"][id]
    if charge["balance_transaction"] or not charge["captured"]:
        return charge
    amount, currency = charge["amount_captured"], charge["currency"]
    fee = min(amount, money.fee(amount, world.settings.fee_per_10_000, world.settings.fee_fixed))
    card = card_of(world, world.objects["payment_method"][charge["payment_method"]])
    at_once = card is not None and card.after == "available"
    owner = world.owners[id]
    world.ledger.move("charge", id, currency, {"cards": -amount, ledger.balance_of(owner): amount - fee, "fees": fee})
    line = ledger.transaction(
        world,
        owner,
        "charge" if is_card(charge) else "payment",
        id,
        currency,
        amount,
        fee=fee,
        description=charge["description"],
        available_on=None if at_once else world.ahead(world.settings.available_after),
    )
    before = world.change(charge, balance_transaction=line["id"])
    if world.note(id).get("late"):
        world.emit("charge.updated", charge, before)
    return charge


def refundable(charge: Object) -> int:
    return int(charge["amount_captured"]) - int(charge["amount_refunded"])


@route("GET", "/v1/charges/search")
def search(world: World, call: Call) -> Object:
    fields = ("amount", "created", "currency", "customer", "disputed", "metadata", "refunded", "status")
    return searched(world, call.given, "/v1/charges/search", "charge", fields)


@route("GET", "/v1/charges/{id}", connected=True)
def retrieve(world: World, call: Call, id: str) -> Object:
    call.given.done()
    return world.get("charge", id, owner=call.account)


@route("POST", "/v1/charges/{id}")
def update(world: World, call: Call, id: str) -> Object:
    charge = world.get("charge", id)
    values: dict[str, Any] = {"metadata": call.given.metadata(charge["metadata"])}
    for name in ("description", "receipt_email", "transfer_group"):
        if (sent := call.given.text(name)) is not None:
            values[name] = sent or None
    call.given.unmodelled("customer", "fraud_details", "shipping")
    call.given.done()
    world.change(charge, "charge.updated", **values)
    return charge


@route("GET", "/v1/charges", connected=True)
def many(world: World, call: Call) -> Object:
    found = world.all("charge", call.account)
    return listed(world, call.given, "/v1/charges", found, "customer", "payment_intent", "transfer_group")
