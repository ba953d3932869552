"""The twin's own double entry, and the balance transactions that Stripe shows of it.

Accounts are names: ``balance:acct_…`` for what Stripe owes an account, ``cards`` for the card networks and wallets, ``fees`` for
Stripe's income, ``disputes`` for what banks hold during disputes, ``banks`` for what was paid out. A movement sums to zero.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.stripe_twin.world import World

_REPORTED_AS = {
    "charge": "charge",
    "payment": "charge",
    "refund": "refund",
    "payment_refund": "refund",
    "refund_failure": "refund_failure",
    "payment_failure_refund": "refund_failure",
    "transfer": "transfer",
    "transfer_refund": "transfer_reversal",
    "payout": "payout",
    "payout_cancel": "payout_reversal",
    "payout_failure": "payout_reversal",
}


@dataclass(frozen=True)
class Movement:
    reason: str
    source: str
    currency: str
    entries: dict[str, int]


class Ledger:
    def __init__(self) -> None:
        self.movements: list[Movement] = []
        self.balances: dict[tuple[str, str], int] = {}

    def move(self, reason: str, source: str, currency: str, entries: dict[str, int]) -> None:
        """Books one movement of money; entries are what each account gains.

        Raises:
            AssertionError: it does not sum to zero.
        """
        assert sum(entries.values()) == 0, f"{reason} of {source} does not balance: {entries}"
        self.movements.append(Movement(reason, source, currency, entries))
        for account, amount in entries.items():
            self.balances[account, currency] = self.balances.get((account, currency), 0) + amount

    def of(self, account: str, currency: str) -> int:
        return self.balances.get((account, currency), 0)


def balance_of(account: str) -> str:
    return f"balance:{account}"


def transaction(
    world: "World",
    owner: str,
    kind: str,
    source: str,
    currency: str,
    amount: int,
    *,
    fee: int = 0,
    fee_description: str = "Stripe processing fees",
    description: str | None = None,
    available_on: float | None = None,
    reported_as: str | None = None,
) -> dict[str, Any]:
    """The line that an account sees in its balance; the movement itself is booked by ``Ledger.move``."""
    from tests.stripe_twin.objects.balance import become_available

    now = world.clock.seconds()
    ready = now if available_on is None or available_on <= world.clock.now() else math.ceil(available_on)
    line = world.add(
        {
            "id": world.new_id("txn"),
            "object": "balance_transaction",
            "amount": amount,
            "available_on": ready,
            "balance_type": "payments",
            "created": now,
            "currency": currency,
            "description": description,
            "exchange_rate": None,
            "fee": fee,
            "fee_details": [
                {"amount": fee, "application": None, "currency": currency, "description": fee_description, "type": "stripe_fee"}
            ]
            if fee
            else [],
            "net": amount - fee,
            "reporting_category": reported_as or _REPORTED_AS[kind],
            "source": source,
            "status": "available" if ready <= world.clock.now() else "pending",
            "type": kind,
        },
        owner,
    )
    if line["status"] == "pending":
        world.at(ready, become_available, line["id"])
    return line


def funds(world: "World", owner: str, currency: str) -> tuple[int, int]:
    """What is available, and what is pending."""
    totals = {"available": 0, "pending": 0}
    for each in world.all("balance_transaction", owner):
        if each["currency"] == currency:
            totals[each["status"]] += each["net"]
    return totals["available"], totals["pending"]
