"""The life of orders against an oracle: everybody does everything in any order, and after each act stock, budget, states, sales, what is drawn
from the agreement and what is due are what a second, simpler telling of the rules says they are."""

import os
from collections import Counter

import pytest

from orders.reconcile import report
from tests.orders.oracle.delivering import Delivering

RUNS = int(os.environ.get("SHOP_ORACLE_RUNS", "5"))

#: What the long form must have seen done, and refused.
DONE = {
    "agreements.call_off", "amendments.accept", "amendments.refuse", "contracts.confirm", "fulfilment.accept", "fulfilment.ship",
    "purchasing.cancel", "purchasing.place", "purchasing.reject", "purchasing.set_freight", "requests.decide", "requests.order",
    "requests.resubmit", "requests.submit", "requests.withdraw", "returns.agree", "returns.approve", "returns.cancel", "returns.decline",
    "returns.receive", "returns.refuse", "returns.request", "returns.send",
}  # fmt: skip
REFUSED = {
    "agreements.call_off: budget_exceeded", "agreements.call_off: cap_exceeded", "agreements.call_off: lines_refused",
    "amendments.propose: changes_wrong", "fulfilment.ship: lines_wrong", "purchasing.place: approval_needed",
    "purchasing.place: budget_exceeded", "purchasing.place: lines_refused", "purchasing.set_freight: buyers_budget_short",
    "requests.submit: budget_exceeded", "returns.propose: correction_lines_wrong",
    "returns.receive: receipt_lines_wrong", "returns.request: return_lines_wrong",
}  # fmt: skip


@pytest.mark.slow
def test_the_life_of_orders_is_what_the_rules_say(api, database):
    """Five lives of seventy acts; ``SHOP_ORACLE_RUNS=200`` is the long form (``make thorough``)."""
    seen = Counter()
    for seed in range(RUNS):
        life = Delivering(api, database, seed, seen)
        try:
            for _ in range(70):
                life.go_on()
            life.figures_are_as_told()
        except Exception as error:
            error.add_note(f"seed {seed}")
            raise
    with database.unit_of_work() as session:
        wrong = [(found.name, found.first) for found in report.findings(session) if found.count]
    assert wrong == []
    assert sum(seen.values()) > 100
    print(*sorted(seen.items()), sep="\n")
    if RUNS >= 200:
        # enough that everything was done, and everything refused
        assert seen.keys() >= DONE | REFUSED
