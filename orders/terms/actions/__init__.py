"""The verbs of payment terms: what every change of an order calls as its last step, so that budget, credit and dues follow it."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlmodel import Session

from orders.budgets import actions as budgets
from orders.terms import queries
from orders.terms.actions import credit
from orders.terms.actions.counting import catch_up, count, settle_terms
from orders.terms.actions.credit import draw, hold, set_limit
from orders.terms.actions.extending import extend
from orders.terms.errors import NotPaidYet, PaidFirst
from shop.core import clock
from shop.core.money import yuan_from_fen
from shop.programmes.queries import config_of

__all__ = [
    "catch_up",
    "count",
    "draw",
    "extend",
    "hold",
    "move",
    "redraw",
    "redraw_all",
    "redraw_part",
    "require_paid",
    "set_limit",
    "settle",
    "settle_terms",
]


def redraw(session: Session, purchase_order_id: int) -> None:
    """Bring what an order draws on its budget and on its buyer's credit, and its dues, to what they are by now. Called by whatever changes what it
    costs or what was accepted, in its transaction, as its last step.

    Raises:
        BuyersBudgetShort, BuyersCreditShort: it costs more by now than is left (409).
    """
    redraw_all(session, [purchase_order_id])


def redraw_all(session: Session, purchase_order_ids: Sequence[int]) -> None:
    """The same for several orders."""
    budgets.redraw_all(session, purchase_order_ids)
    credit.redraw(session, purchase_order_ids)
    count(session, purchase_order_ids)


def redraw_part(session: Session, supplier_order_id: int) -> None:
    """The same for the order that a part belongs to."""
    order = text("SELECT purchase_order_id FROM supplier_order WHERE id = :id")
    redraw(session, session.execute(order, {"id": supplier_order_id}).scalar_one())


def move(session: Session, purchase_order_id: int, *, from_id: int, to_id: int) -> None:
    """Have an order that belongs to another buyer by now draw on that one's credit, and count its dues.

    Raises:
        CreditExceeded: less than that is left (409).
    """
    plan = queries.plan(session, purchase_order_id)
    credit.move(session, purchase_order_id, queries.read(plan.terms), from_id=from_id, to_id=to_id)
    count(session, [purchase_order_id])


def require_paid(session: Session, supplier_order_id: int, *, waived: bool) -> int:
    """Make sure that what is due of a part before shipping is paid, unless its supplier does without (``waived``) and the programme allows that;
    returns what is missing, in fen. What is only announced is missing too, where the programme does not say otherwise.

    Raises:
        NotPaidYet, PaidFirst: see there (409).
    """
    unpaid, announced = queries.ahead_of_shipping(session, supplier_order_id)
    payment = config_of(session, clock.today()).payment
    if payment.paid_means == "announced":
        announced = 0
    missing = unpaid + announced
    if missing and not (waived and payment.before_payment):
        error = NotPaidYet if payment.before_payment else PaidFirst
        raise error(due=yuan_from_fen(missing), announced=yuan_from_fen(announced))
    return missing


def settle(session: Session, purchase_order_ids: Sequence[int]) -> None:
    """Bring credit and dues of orders to what they are by now that money was booked for them, or that announced money has arrived, in the transaction
    that books it: that is a fact, which no limit refuses."""
    credit.redraw(session, purchase_order_ids, fact=True)
    count(session, purchase_order_ids)
