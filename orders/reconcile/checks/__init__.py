"""What must agree with what."""

from orders.reconcile.checks.banked import BANKED
from orders.reconcile.checks.budgeted import BUDGETED
from orders.reconcile.checks.certified import CERTIFICATES
from orders.reconcile.checks.check import Check, Difference
from orders.reconcile.checks.claimed import CLAIMED
from orders.reconcile.checks.delivered import DELIVERIES
from orders.reconcile.checks.invoiced import INVOICED
from orders.reconcile.checks.online import ONLINE
from orders.reconcile.checks.outlets import OUTLETS
from orders.reconcile.checks.owed import OWED
from orders.reconcile.checks.paid import PAID
from orders.reconcile.checks.placed import ORDERS
from orders.reconcile.checks.promised import PROMISED
from orders.reconcile.checks.recorded import RECORDS
from orders.reconcile.checks.returned import RETURNED
from orders.reconcile.checks.settled import SETTLED
from orders.reconcile.checks.sold import FIGURES, LEDGER

CHECKS: list[Check] = [
    *ORDERS,
    *BUDGETED,
    *OWED,
    *DELIVERIES,
    *LEDGER,
    *CLAIMED,
    *OUTLETS,
    *PROMISED,
    *RETURNED,
    *INVOICED,
    *PAID,
    *BANKED,
    *ONLINE,
    *SETTLED,
    *FIGURES,
    *CERTIFICATES,
    *RECORDS,
]

__all__ = ["CHECKS", "Check", "Difference"]
