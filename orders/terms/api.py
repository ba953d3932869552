"""Dues, the putting off of a payment, and credit limits over HTTP."""

from typing import Annotated, Literal

from fastapi import Query
from fastapi.responses import Response

from orders.terms import actions, queries, sheets
from orders.terms.schemas import (
    CreditDrawOut,
    CreditLimitIn,
    CreditLimitOut,
    DueFilter,
    DueRow,
    DueSearch,
    DueTotalsOut,
    ExtensionIn,
    ExtensionOut,
)
from shop.core import exports
from shop.core.paging import After, Limit, Page
from shop.core.quantities import Id
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("terms", "/v1")


@routes.get("/dues", Permission.MONEY_READ)
def dues(call: Call, asked: Annotated[DueSearch, Query()]) -> Page[DueRow]:
    """What is due of the orders that the own branch bought or delivers, or that a region's buyers made: the oldest first."""
    return queries.dues(call.session, call.actor, asked)


@routes.get("/dues/totals", Permission.MONEY_READ)
def due_totals(call: Call, asked: Annotated[DueFilter, Query()]) -> DueTotalsOut:
    """What they come to, and how long how much is overdue."""
    return queries.totals(call.session, call.actor, asked)


@routes.get("/dues/export", Permission.MONEY_READ, responses=exports.FILES)
def export_dues(call: Call, asked: Annotated[DueFilter, Query()], format: Literal["csv", "xlsx"] = "xlsx") -> Response:
    """The same as a table, with the totals in the last row."""
    return sheets.dues(format, call.language, queries.all_dues(call.session, call.actor, asked))


@routes.post("/purchase-orders/{purchase_order_id}/payment-extension", Permission.PAYMENTS_EXTEND)
def extend_payment(call: Call, purchase_order_id: Id, body: ExtensionIn) -> ExtensionOut:
    """Pay an order later that is paid ahead: once, by so many days as the programme says."""
    actions.extend(call.session, call.actor, purchase_order_id, body.reason)
    plan = queries.plan(call.session, purchase_order_id)
    dues = queries.dues_of_order(call.session, purchase_order_id)
    return ExtensionOut(purchase_order_id=purchase_order_id, extended_days=plan.extended_days, dues=dues)


@routes.get("/credit-limits", Permission.MONEY_READ)
def credit_limits(call: Call, limit: Limit = 50, after: After = None) -> Page[CreditLimitOut]:
    """How much the own branch, or a region's buyers, may owe."""
    return queries.credit_limits(call.session, call.actor, limit=limit, after=after)


@routes.get("/organisations/{organisation_id}/credit-limit", Permission.MONEY_READ)
def credit_limit(call: Call, organisation_id: Id) -> CreditLimitOut:
    return queries.credit_limit(call.session, call.actor, organisation_id)


@routes.put("/organisations/{organisation_id}/credit-limit", Permission.MONEY_MANAGE)
def set_credit_limit(call: Call, organisation_id: Id, body: CreditLimitIn) -> CreditLimitOut:
    """How much a buyer may owe for orders that it does not pay ahead, not less than it owes already; or, with `null`, that it has no limit of its own
    any more."""
    actions.set_limit(call.session, call.actor, organisation_id, body, call.if_match)
    return queries.credit_limit(call.session, call.actor, organisation_id)


@routes.get("/organisations/{organisation_id}/credit-limit/draws", Permission.MONEY_READ)
def credit_draws(call: Call, organisation_id: Id, limit: Limit = 50, after: After = None) -> Page[CreditDrawOut]:
    """The orders that draw on it."""
    return queries.draws(call.session, call.actor, organisation_id, limit=limit, after=after)
