"""Transfer of our balance to a connected account, and its reversals: never above what was transferred."""

from tests.stripe_twin import ledger, money
from tests.stripe_twin.errors import StripeError
from tests.stripe_twin.lists import listed
from tests.stripe_twin.objects import charges
from tests.stripe_twin.objects.accounts import may_receive
from tests.stripe_twin.objects.payment_methods import blank_details
from tests.stripe_twin.routing import route
from tests.stripe_twin.world import PLATFORM, Call, Object, World


def insufficient(whose: str = "your Stripe account") -> StripeError:
    return StripeError(
        f"You have insufficient available funds in {whose}. Try adding funds directly to your available balance by creating Charges"
        " using the 4000000000000077 test card. See: https://docs.stripe.com/testing#available-balance",
        code="balance_insufficient",
    )


def _source(world: World, id: str, amount: int, currency: str) -> Object:
    """The charge that pays for the transfer, though its money may not be available yet."""
    charge = world.get("charge", id, param="source_transaction", status=400)
    if not charge["captured"] or charge["currency"] != currency:
        raise StripeError(
            "The currency of source_transaction's balance transaction must be the same as the transfer currency.",
            param="source_transaction",
        )
    used = sum(each["amount"] - each["amount_reversed"] for each in world.all("transfer") if each["source_transaction"] == id)
    if amount > charge["amount_captured"] - used:
        raise StripeError(
            f"Transfers of {used} were made with source_transaction {id} already, and it has {charge['amount_captured']} in all.",
            param="amount",
        )
    return charge


@route("POST", "/v1/transfers")
def create(world: World, call: Call) -> Object:
    given = call.given
    amount, currency = money.amount(given) or 0, money.currency(given) or ""
    destination = given.text("destination", required=True) or ""
    source = given.text("source_transaction") or None
    group, description = given.text("transfer_group") or None, given.text("description") or None
    metadata = given.metadata()
    given.text("source_type", choices=("card",))
    given.done()
    account = world.objects.get("account", {}).get(destination)
    if account is None:
        raise StripeError(f"No such destination: '{destination}'", code="resource_missing", param="destination", began=False)
    may_receive(account)
    now = world.clock.now()
    available_on = now
    if source:
        charge = _source(world, source, amount, currency)
        charges.book(world, source)
        group = group or charge["transfer_group"]
        available_on = max(now, world.objects["balance_transaction"][charge["balance_transaction"]]["available_on"])
    elif ledger.funds(world, PLATFORM, currency)[0] < amount:
        raise insufficient()
    id = world.new_id("tr")
    world.ledger.move("transfer", id, currency, {ledger.balance_of(PLATFORM): -amount, ledger.balance_of(destination): amount})
    line = ledger.transaction(
        world, PLATFORM, "transfer", id, currency, -amount, description=description, available_on=available_on
    )
    payment = _payment(world, destination, id, amount, currency, available_on)
    transfer = world.add(
        {
            "id": id,
            "object": "transfer",
            "amount": amount,
            "amount_reversed": 0,
            "balance_transaction": line["id"],
            "created": world.clock.seconds(),
            "currency": currency,
            "description": description,
            "destination": destination,
            "destination_payment": payment["id"],
            "livemode": False,
            "metadata": metadata,
            "reversals": {"object": "list", "data": [], "has_more": False, "url": f"/v1/transfers/{id}/reversals"},
            "reversed": False,
            "source_transaction": source,
            "source_type": "card",
            "transfer_group": group or (f"group_{world.objects['charge'][source]['payment_intent']}" if source else None),
        }
    )
    if source:
        world.objects["charge"][source]["transfer_group"] = transfer["transfer_group"]
    world.emit("transfer.created", transfer)
    return transfer


def _payment(world: World, account: str, transfer: str, amount: int, currency: str, available_on: float) -> Object:
    """What the connected account sees of a transfer: a payment that came in."""
    id = world.new_id("py")
    line = ledger.transaction(world, account, "payment", id, currency, amount, available_on=available_on)
    return world.add(
        {
            "id": id,
            "object": "charge",
            "amount": amount,
            "amount_captured": amount,
            "amount_refunded": 0,
            "balance_transaction": line["id"],
            "billing_details": blank_details(),
            "captured": True,
            "created": world.clock.seconds(),
            "currency": currency,
            "customer": None,
            "description": None,
            "disputed": False,
            "livemode": False,
            "metadata": {},
            "paid": True,
            "payment_intent": None,
            "payment_method": None,
            "refunded": False,
            "source_transfer": transfer,
            "status": "succeeded",
            "transfer_group": None,
        },
        account,
    )


@route("POST", "/v1/transfers/{id}/reversals")
def reverse(world: World, call: Call, id: str) -> Object:
    transfer = world.get("transfer", id, param="transfer")
    wanted = money.amount(call.given, required=False)
    metadata = call.given.metadata()
    call.given.text("description")
    call.given.unmodelled("refund_application_fee")
    call.given.done()
    left = transfer["amount"] - transfer["amount_reversed"]
    if left == 0:
        raise StripeError(f"Transfer {id} is already fully reversed.", code="transfer_already_reversed")
    amount = left if wanted is None else wanted
    currency, account = transfer["currency"], transfer["destination"]
    if amount > left:
        raise StripeError(
            f"Reversal amount ({money.written(amount, currency)}) is greater than unreversed amount on transfer"
            f" ({money.written(left, currency)})",
            param="amount",
        )
    if sum(ledger.funds(world, account, currency)) < amount:
        raise insufficient("the connected account")
    reversal_id = world.new_id("trr")
    world.ledger.move("reversal", reversal_id, currency, {ledger.balance_of(account): -amount, ledger.balance_of(PLATFORM): amount})
    line = ledger.transaction(world, PLATFORM, "transfer_refund", reversal_id, currency, amount)
    back = world.new_id("pyr")
    ledger.transaction(world, account, "payment_refund", back, currency, -amount)
    reversal = world.add(
        {
            "id": reversal_id,
            "object": "transfer_reversal",
            "amount": amount,
            "balance_transaction": line["id"],
            "created": world.clock.seconds(),
            "currency": currency,
            "destination_payment_refund": back,
            "metadata": metadata,
            "source_refund": None,
            "transfer": id,
        }
    )
    total = transfer["amount_reversed"] + amount
    payment = world.objects["charge"][transfer["destination_payment"]]
    world.change(payment, amount_refunded=total, refunded=total == transfer["amount"])
    shown = {"data": [dict(reversal), *transfer["reversals"]["data"]][:10], "has_more": len(transfer["reversals"]["data"]) >= 10}
    world.change(
        transfer,
        "transfer.reversed",
        amount_reversed=total,
        reversed=total == transfer["amount"],
        reversals=transfer["reversals"] | shown,
    )
    return reversal


@route("GET", "/v1/transfers/{transfer}/reversals")
def reversals(world: World, call: Call, transfer: str) -> Object:
    world.get("transfer", transfer, param="transfer")
    found = [each for each in world.all("transfer_reversal") if each["transfer"] == transfer]
    return listed(world, call.given, f"/v1/transfers/{transfer}/reversals", found)


@route("GET", "/v1/transfers/{transfer}/reversals/{id}")
def reversal(world: World, call: Call, transfer: str, id: str) -> Object:
    call.given.done()
    world.get("transfer", transfer, param="transfer")
    return world.get("transfer_reversal", id)


@route("GET", "/v1/transfers/{id}")
def retrieve(world: World, call: Call, id: str) -> Object:
    call.given.done()
    return world.get("transfer", id, param="transfer")


@route("POST", "/v1/transfers/{id}")
def update(world: World, call: Call, id: str) -> Object:
    transfer = world.get("transfer", id, param="transfer")
    values: Object = {"metadata": call.given.metadata(transfer["metadata"])}
    if (description := call.given.text("description")) is not None:
        values["description"] = description or None
    call.given.done()
    world.change(transfer, "transfer.updated", **values)
    return transfer


@route("GET", "/v1/transfers")
def many(world: World, call: Call) -> Object:
    return listed(world, call.given, "/v1/transfers", world.all("transfer"), "destination", "transfer_group")
