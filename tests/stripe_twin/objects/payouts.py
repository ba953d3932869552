"""Payout of an account's available balance to its bank: pending, in transit, paid; or failed, and the money returns."""

from tests.stripe_twin import ledger, money
from tests.stripe_twin.errors import StripeError
from tests.stripe_twin.lists import listed, times
from tests.stripe_twin.objects.transfers import insufficient
from tests.stripe_twin.routing import route
from tests.stripe_twin.world import PLATFORM, Call, Object, World, job


def _bank(world: World, account: str) -> str:
    if account == PLATFORM:
        return "ba_twin_platform"
    found = world.get("account", account)
    if not found["payouts_enabled"]:
        raise StripeError("Cannot create payouts: this account does not have payouts enabled.", code="payouts_not_allowed")
    return str(found["external_accounts"]["data"][0]["id"])


@route("POST", "/v1/payouts", connected=True)
def create(world: World, call: Call) -> Object:
    given, owner = call.given, call.account
    amount, currency = money.amount(given) or 0, money.currency(given) or ""
    description, descriptor = given.text("description") or None, given.text("statement_descriptor", longest=22) or None
    metadata = given.metadata()
    given.text("method", choices=("standard",))
    given.text("source_type", choices=("card",))
    given.unmodelled("destination", "payout_method")
    given.done()
    bank = _bank(world, owner)
    if ledger.funds(world, owner, currency)[0] < amount:
        raise insufficient()
    id = world.new_id("po")
    world.ledger.move("payout", id, currency, {ledger.balance_of(owner): -amount, "banks": amount})
    line = ledger.transaction(world, owner, "payout", id, currency, -amount, description="STRIPE PAYOUT")
    now = world.clock.seconds()
    payout = world.add(
        {
            "id": id,
            "object": "payout",
            "amount": amount,
            "application_fee": None,
            "application_fee_amount": None,
            "arrival_date": int(world.ahead(world.settings.payout_after)),
            "automatic": False,
            "balance_transaction": line["id"],
            "created": now,
            "currency": currency,
            "description": description or "STRIPE PAYOUT",
            "destination": bank,
            "failure_balance_transaction": None,
            "failure_code": None,
            "failure_message": None,
            "livemode": False,
            "metadata": metadata,
            "method": "standard",
            "original_payout": None,
            "payout_method": None,
            "reconciliation_status": "not_applicable",
            "reversed_by": None,
            "source_type": "card",
            "statement_descriptor": descriptor,
            "status": "pending",
            "trace_id": None,
            "type": "bank_account",
        },
        owner,
    )
    world.emit("payout.created", payout)
    world.later(world.settings.payout_after / 2, send, id)
    world.later(world.settings.payout_after, arrive, id)
    return payout


@job
def send(world: World, id: str) -> None:
    payout = world.objects["payout"][id]
    if payout["status"] == "pending":
        world.change(payout, "payout.updated", status="in_transit")


@job
def arrive(world: World, id: str) -> None:
    """The bank takes it, or says why not."""
    payout = world.objects["payout"][id]
    if payout["status"] not in ("pending", "in_transit"):
        return
    if why := world.note(payout["destination"]).get("fails"):
        fail(world, payout, why)
        return
    before = world.change(payout, status="paid")
    world.emit("payout.paid", payout, before)


def fail(world: World, payout: Object, why: str) -> Object:
    """A payout may fail even after it was paid.

    Raises:
        StripeError: it failed or was canceled already.
    """
    if payout["status"] in ("failed", "canceled"):
        raise StripeError(f"This payout has the status {payout['status']} already.")
    line = _return(world, payout, "payout_failure")
    world.change(
        payout,
        status="failed",
        failure_code=why,
        failure_message="The bank account could not be credited.",
        failure_balance_transaction=line["id"],
    )
    world.emit("payout.failed", payout)
    return payout


def _return(world: World, payout: Object, kind: str) -> Object:
    owner, amount = world.owners[payout["id"]], payout["amount"]
    world.ledger.move(kind, payout["id"], payout["currency"], {ledger.balance_of(owner): amount, "banks": -amount})
    return ledger.transaction(
        world, owner, kind, payout["id"], payout["currency"], amount, description=kind.upper().replace("_", " ")
    )


@route("POST", "/v1/payouts/{id}/cancel", connected=True)
def cancel(world: World, call: Call, id: str) -> Object:
    call.given.done()
    payout = world.get("payout", id, owner=call.account)
    if payout["status"] != "pending":
        raise StripeError(
            f"Payouts can only be canceled while pending; this one is {payout['status']}.", code="payout_not_cancelable"
        )
    line = _return(world, payout, "payout_cancel")
    world.change(payout, status="canceled", failure_balance_transaction=line["id"])
    world.emit("payout.canceled", payout)
    return payout


@route("GET", "/v1/payouts/{id}", connected=True)
def retrieve(world: World, call: Call, id: str) -> Object:
    call.given.done()
    return world.get("payout", id, owner=call.account)


@route("POST", "/v1/payouts/{id}", connected=True)
def update(world: World, call: Call, id: str) -> Object:
    payout = world.get("payout", id, owner=call.account)
    metadata = call.given.metadata(payout["metadata"])
    call.given.done()
    world.change(payout, "payout.updated", metadata=metadata)
    return payout


@route("GET", "/v1/payouts", connected=True)
def many(world: World, call: Call) -> Object:
    arrives = times(call.given, "arrival_date")
    found = [each for each in world.all("payout", call.account) if arrives(each)]
    return listed(world, call.given, "/v1/payouts", found, "status", "destination")
