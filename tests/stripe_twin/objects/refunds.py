"""Refund: never above what is left of the charge; pending, succeeded, canceled, or failed after it had succeeded."""

from tests.stripe_twin import ledger, money
from tests.stripe_twin.errors import StripeError, invalid
from tests.stripe_twin.lists import listed
from tests.stripe_twin.objects import charges
from tests.stripe_twin.objects.payment_methods import card_of
from tests.stripe_twin.routing import route
from tests.stripe_twin.world import Call, Object, World, job

REASONS = ("duplicate", "fraudulent", "requested_by_customer")
ENDS = ("succeeded", "failed")


def _charge(world: World, charge: str | None, intent: str | None) -> Object:
    if charge and intent:
        raise invalid("You may only specify one of these parameters: charge, payment_intent.", "payment_intent")
    if charge:
        return world.get("charge", charge, param="charge")
    if not intent:
        raise invalid("One of the following params should be provided for this request: payment_intent or charge.", None)
    found = world.get("payment_intent", intent, param="payment_intent")
    paid = [each for each in world.all("charge") if each["payment_intent"] == intent and each["paid"]]
    if not paid:
        raise StripeError(
            f"This PaymentIntent ({found['id']}) does not have a successful charge to refund.",
            code="payment_intent_unexpected_state",
            param="payment_intent",
        )
    return paid[-1]


def _may_refund(world: World, charge: Object, amount: int | None) -> int:
    id = charge["id"]
    if not charge["captured"]:
        raise StripeError(f"Charge {id} was not captured: cancel its PaymentIntent instead.", param="charge")
    if any(each["charge"] == id and not each["is_charge_refundable"] for each in world.all("dispute")):
        raise StripeError(f"Charge {id} has been charged back; cannot issue a refund.", code="charge_disputed", param="charge")
    left = charges.refundable(charge)
    if left == 0:
        raise StripeError(f"Charge {id} has already been refunded.", code="charge_already_refunded", param="charge")
    if amount is not None and amount > left:
        whole = "unrefunded amount on charge" if charge["amount_refunded"] else "charge amount"
        raise StripeError(
            f"Refund amount ({money.written(amount, charge['currency'])}) is greater than {whole}"
            f" ({money.written(left, charge['currency'])})",
            param="amount",
        )
    return left if amount is None else amount


@route("POST", "/v1/refunds")
def create(world: World, call: Call) -> Object:
    given = call.given
    charge = _charge(world, given.text("charge"), given.text("payment_intent"))
    wanted = money.amount(given, required=False)
    reason = given.text("reason", choices=REASONS)
    metadata = given.metadata()
    given.unmodelled("reverse_transfer", "refund_application_fee", "instructions_email", "origin", "customer", "currency")
    given.done()
    amount = _may_refund(world, charge, wanted)
    charges.book(world, charge["id"])
    card = card_of(world, world.objects["payment_method"][charge["payment_method"]])
    pending = card is not None and card.after == "refund_pending"
    id = world.new_id("re" if card else "pyr")
    refund = world.add(
        {
            "id": id,
            "object": "refund",
            "amount": amount,
            "balance_transaction": None,
            "charge": charge["id"],
            "created": world.clock.seconds(),
            "currency": charge["currency"],
            "destination_details": _destination(charge),
            "metadata": metadata,
            "payment_intent": charge["payment_intent"],
            "reason": reason or None,
            "receipt_number": None,
            "source_transfer_reversal": None,
            "status": "pending" if pending else "succeeded",
            "transfer_reversal": None,
        }
    )
    if pending:
        refund["pending_reason"] = "processing"
    world.ledger.move("refund", id, charge["currency"], {ledger.balance_of(world.owners[charge["id"]]): -amount, "cards": amount})
    line = ledger.transaction(
        world,
        world.owners[charge["id"]],
        "refund" if card else "payment_refund",
        id,
        charge["currency"],
        -amount,
        description="REFUND FOR CHARGE" + (f" ({charge['description']})" if charge["description"] else ""),
    )
    refund["balance_transaction"] = line["id"]
    total = charge["amount_refunded"] + amount
    before = world.change(charge, amount_refunded=total, refunded=total == charge["amount_captured"])
    world.emit("refund.created", refund)
    world.emit("charge.refunded", charge, before)
    if pending:
        world.later(world.settings.refund_after, succeed, id)
    elif card and card.after == "refund_fails":
        world.later(world.settings.refund_after, fail, id, "expired_or_canceled_card")
    return refund


def _destination(charge: Object) -> Object:
    kind = charge["payment_method_details"]["type"]
    if kind == "card":
        return {
            "card": {"reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund"},
            "type": kind,
        }
    return {kind: {}, "type": kind}


@job
def succeed(world: World, id: str) -> None:
    """A pending refund reached its customer."""
    refund = world.objects["refund"][id]
    if refund["status"] != "pending":
        return
    refund.pop("pending_reason", None)
    _told(world, refund, world.change(refund, status="succeeded"))


@job
def fail(world: World, id: str, reason: str) -> None:
    """The bank sent the money back: it returns to our balance, and may be refunded anew."""
    refund = world.objects["refund"][id]
    if refund["status"] in ("pending", "succeeded"):
        _give_back(world, refund, "failed", reason)


def _give_back(world: World, refund: Object, status: str, reason: str | None) -> None:
    charge = world.objects["charge"][refund["charge"]]
    owner, amount = world.owners[charge["id"]], refund["amount"]
    world.ledger.move("refund_failure", refund["id"], refund["currency"], {ledger.balance_of(owner): amount, "cards": -amount})
    line = ledger.transaction(
        world,
        owner,
        "refund_failure" if charges.is_card(charge) else "payment_failure_refund",
        refund["id"],
        refund["currency"],
        amount,
        description="REFUND FAILURE",
    )
    refund.pop("pending_reason", None)
    values: Object = {"status": status, "failure_balance_transaction": line["id"]}
    if reason:
        values["failure_reason"] = reason
    before = world.change(refund, **values)
    was = world.change(charge, amount_refunded=charge["amount_refunded"] - amount, refunded=False)
    if status == "failed":
        world.emit("refund.failed", refund, before)
    _told(world, refund, before)
    world.emit("charge.updated", charge, was)


def _told(world: World, refund: Object, before: Object) -> None:
    world.emit("refund.updated", refund, before)
    world.emit("charge.refund.updated", refund, before)


def fail_pending(world: World, charge: Object) -> None:
    """A dispute overtakes the refunds that had not arrived."""
    for refund in world.all("refund"):
        if refund["charge"] == charge["id"] and refund["status"] == "pending":
            fail(world, refund["id"], "charge_for_pending_refund_disputed")


@route("GET", "/v1/refunds/{id}")
def retrieve(world: World, call: Call, id: str) -> Object:
    call.given.done()
    return world.get("refund", id)


@route("POST", "/v1/refunds/{id}")
def update(world: World, call: Call, id: str) -> Object:
    refund = world.get("refund", id)
    metadata = call.given.metadata(refund["metadata"])
    call.given.done()
    _told(world, refund, world.change(refund, metadata=metadata))
    return refund


@route("POST", "/v1/refunds/{id}/cancel")
def cancel(world: World, call: Call, id: str) -> Object:
    call.given.done()
    refund = world.get("refund", id)
    if refund["status"] != "pending":
        raise StripeError(f"This refund cannot be canceled: its status is {refund['status']}.")
    _give_back(world, refund, "canceled", "merchant_request")
    return refund


@route("GET", "/v1/refunds")
def many(world: World, call: Call) -> Object:
    return listed(world, call.given, "/v1/refunds", world.all("refund"), "charge", "payment_intent")


@route("GET", "/v1/charges/{charge}/refunds")
def of_charge(world: World, call: Call, charge: str) -> Object:
    world.get("charge", charge)
    found = [each for each in world.all("refund") if each["charge"] == charge]
    return listed(world, call.given, f"/v1/charges/{charge}/refunds", found)
