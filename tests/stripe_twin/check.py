"""Whether the twin agrees with itself: its double entry, the balance transactions and the objects are three accounts of one truth."""

from collections import Counter
from collections.abc import Iterator

from tests.stripe_twin.ledger import balance_of
from tests.stripe_twin.world import PLATFORM, Object, World

_GONE = ("failed", "canceled")


def differences(world: World) -> list[str]:
    """What does not agree, in words; empty when all is well."""
    return [*_ledger(world), *_charges(world), *_intents(world), *_transfers(world), *_outside(world)]


def _ledger(world: World) -> Iterator[str]:
    totals: Counter[str] = Counter()
    again: Counter[tuple[str, str]] = Counter()
    for movement in world.ledger.movements:
        if sum(movement.entries.values()):
            yield f"movement {movement.reason} of {movement.source} does not sum to zero"
        for account, amount in movement.entries.items():
            totals[movement.currency] += amount
            again[account, movement.currency] += amount
    for currency, total in totals.items():
        if total:
            yield f"the ledger is off by {total} {currency}"
    for place, amount in again.items():
        if world.ledger.of(*place) != amount:
            yield f"{place} holds {world.ledger.of(*place)} instead of {amount}"
    seen: Counter[tuple[str, str]] = Counter()
    for line in world.all("balance_transaction"):
        seen[balance_of(world.owners[line["id"]]), line["currency"]] += line["net"]
        if line["net"] != line["amount"] - line["fee"] or line["fee"] != sum(each["amount"] for each in line["fee_details"]):
            yield f"{line['id']}: {line['amount']} less {line['fee']} is not {line['net']}"
    for place in {place for place in again if place[0].startswith("balance:")} | set(seen):
        if seen[place] != again[place]:
            yield f"{place}: balance transactions show {seen[place]}, the ledger {again[place]}"
        if place[0] != balance_of(PLATFORM) and again[place] < 0:
            yield f"{place} is below zero: {again[place]}"


def _live(gone_out: Object) -> bool:
    """Whether a refund or a payout moved money, and did not bring it back."""
    return gone_out["status"] not in _GONE


def _withdrawn(dispute: Object) -> bool:
    return not dispute["is_charge_refundable"]


def _charges(world: World) -> Iterator[str]:
    refunded: Counter[str] = Counter()
    disputed: Counter[str] = Counter()
    for refund in world.all("refund"):
        refunded[refund["charge"]] += refund["amount"] if _live(refund) else 0
    for dispute in world.all("dispute"):
        disputed[dispute["charge"]] += dispute["amount"] if _withdrawn(dispute) and dispute["status"] != "won" else 0
    for charge in world.all("charge", PLATFORM):
        id, captured = charge["id"], charge["amount_captured"]
        if charge["amount_refunded"] != refunded[id]:
            yield f"{id} says {charge['amount_refunded']} refunded, its refunds {refunded[id]}"
        if refunded[id] + disputed[id] > captured:
            yield f"{id}: {refunded[id]} refunded and {disputed[id]} disputed of {captured}"
        if charge["refunded"] != (refunded[id] == captured > 0):
            yield f"{id}: refunded is {charge['refunded']}"
        if charge["captured"] and not charge["balance_transaction"] and refunded[id] + disputed[id]:
            yield f"{id} was given back before it was booked"


def _intents(world: World) -> Iterator[str]:
    paid: Counter[str] = Counter()
    for charge in world.all("charge", PLATFORM):
        if charge["paid"]:
            paid[charge["payment_intent"]] += 1
    for intent in world.all("payment_intent"):
        if paid[intent["id"]] > 1:
            yield f"{intent['id']} was paid {paid[intent['id']]} times"
        taken = world.objects["charge"][intent["latest_charge"]]["amount_captured"] if intent["latest_charge"] else 0
        if intent["amount_received"] != taken or (taken > 0) != (intent["status"] == "succeeded"):
            yield f"{intent['id']} is {intent['status']}, received {intent['amount_received']}, captured {taken}"


def _transfers(world: World) -> Iterator[str]:
    back: Counter[str] = Counter()
    for reversal in world.all("transfer_reversal"):
        back[reversal["transfer"]] += reversal["amount"]
    for transfer in world.all("transfer"):
        if not transfer["amount_reversed"] == back[transfer["id"]] <= transfer["amount"]:
            yield f"{transfer['id']}: {transfer['amount_reversed']} reversed, reversals {back[transfer['id']]} of {transfer['amount']}"


def _outside(world: World) -> Iterator[str]:
    """What the objects say that each party outside holds, against the ledger."""
    wanted: Counter[tuple[str, str]] = Counter()
    for charge in world.all("charge", PLATFORM):
        if charge["balance_transaction"]:
            wanted["cards", charge["currency"]] -= charge["amount_captured"]
    for refund in world.all("refund"):
        wanted["cards", refund["currency"]] += refund["amount"] if _live(refund) else 0
    for dispute in world.all("dispute"):
        if _withdrawn(dispute) and dispute["status"] != "won":
            wanted["cards" if dispute["status"] == "lost" else "disputes", dispute["currency"]] += dispute["amount"]
    for payout in world.all("payout"):
        left = payout["amount"] if _live(payout) else 0
        wanted["banks", payout["currency"]] += left
        wanted[balance_of(world.owners[payout["id"]]), payout["currency"]] -= left
    for transfer in world.all("transfer"):
        wanted[balance_of(transfer["destination"]), transfer["currency"]] += transfer["amount"] - transfer["amount_reversed"]
    for line in world.all("balance_transaction"):
        wanted["fees", line["currency"]] += line["fee"]
    for place in set(wanted) | set(world.ledger.balances):
        if place[0] != balance_of(PLATFORM) and wanted[place] != world.ledger.of(*place):
            yield f"{place}: the objects make {wanted[place]}, the ledger {world.ledger.of(*place)}"
