"""Balance, and the balance transactions that make it up."""

from tests.stripe_twin import ledger
from tests.stripe_twin.lists import listed
from tests.stripe_twin.routing import route
from tests.stripe_twin.world import PLATFORM, Call, Object, World, job


@job
def become_available(world: World, id: str) -> None:
    """The money of a transaction can be used from now on."""
    world.objects["balance_transaction"][id]["status"] = "available"


@route("GET", "/v1/balance", connected=True)
def retrieve(world: World, call: Call) -> Object:
    call.given.done()
    used = {each["currency"] for each in world.all("balance_transaction", call.account)} or {"cny"}
    funds = {currency: ledger.funds(world, call.account, currency) for currency in sorted(used)}

    def rows(which: int) -> list[Object]:
        return [
            {"amount": each[which], "currency": currency, "source_types": {"card": each[which]}} for currency, each in funds.items()
        ]

    balance: Object = {"object": "balance", "available": rows(0), "livemode": False, "pending": rows(1)}
    if call.account == PLATFORM:
        balance["connect_reserved"] = [{"amount": 0, "currency": currency} for currency in funds]
    return balance


@route("GET", "/v1/balance_transactions/{id}", connected=True)
def transaction(world: World, call: Call, id: str) -> Object:
    call.given.done()
    return world.get("balance_transaction", id, owner=call.account)


@route("GET", "/v1/balance_transactions", connected=True)
def transactions(world: World, call: Call) -> Object:
    call.given.unmodelled("payout")
    found = world.all("balance_transaction", call.account)
    return listed(world, call.given, "/v1/balance_transactions", found, "type", "source", "currency")
