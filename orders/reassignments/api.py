"""Changes of the budget unit over HTTP."""

from typing import Annotated

from fastapi import Query

from orders.purchasing import queries as purchasing
from orders.purchasing.schemas import PurchaseOrderOut
from orders.reassignments import actions, queries
from orders.reassignments.schemas import ApplicationOut, BudgetUnitIn, DecisionIn
from orders.reassignments.states import ApplicationMove, ApplicationStatus
from shop.core.paging import After, Limit, Page
from shop.core.quantities import Id
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("reassignments", "/v1")


@routes.post("/purchase-orders/{purchase_order_id}/budget-unit", Permission.ORDERS_PLACE, status=200)
def change_budget_unit(call: Call, purchase_order_id: Id, body: BudgetUnitIn) -> PurchaseOrderOut:
    """Move an order to another unit while nothing of it was sent."""
    actions.change(call.session, call.actor, purchase_order_id, body)
    return purchasing.purchase_order(call.session, call.actor, purchase_order_id)


@routes.post("/purchase-orders/{purchase_order_id}/budget-unit-applications", Permission.ORDERS_PLACE)
def apply_for_budget_unit(call: Call, purchase_order_id: Id, body: BudgetUnitIn) -> ApplicationOut:
    """Ask to move an order of which goods were sent; an officer decides."""
    made = actions.apply(call.session, call.actor, purchase_order_id, body)
    return queries.application(call.session, call.actor, made)


@routes.get("/budget-unit-applications", Permission.ORDERS_READ)
def applications(
    call: Call,
    status: Annotated[ApplicationStatus | None, Query()] = None,
    purchase_order_id: Annotated[Id | None, Query()] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[ApplicationOut]:
    """Applications of the own branch, or of an officer's region, newest first."""
    return queries.applications(call.session, call.actor, status=status, order_id=purchase_order_id, limit=limit, after=after)


@routes.get("/budget-unit-applications/{application_id}", Permission.ORDERS_READ)
def application(call: Call, application_id: Id) -> ApplicationOut:
    return queries.application(call.session, call.actor, application_id)


@routes.post("/budget-unit-applications/{application_id}/approve", Permission.BUDGET_UNITS_DECIDE, status=200)
def approve(call: Call, application_id: Id, body: DecisionIn) -> ApplicationOut:
    """Move the order, its sales and its budget to the new unit; the sales today, so that no published month changes."""
    actions.decide(call.session, call.actor, application_id, ApplicationMove.APPROVE, body.reason, if_match=call.if_match)
    return queries.application(call.session, call.actor, application_id)


@routes.post("/budget-unit-applications/{application_id}/refuse", Permission.BUDGET_UNITS_DECIDE, status=200)
def refuse(call: Call, application_id: Id, body: DecisionIn) -> ApplicationOut:
    actions.decide(call.session, call.actor, application_id, ApplicationMove.REFUSE, body.reason, if_match=call.if_match)
    return queries.application(call.session, call.actor, application_id)


@routes.post("/budget-unit-applications/{application_id}/withdraw", Permission.ORDERS_PLACE, status=200)
def withdraw(call: Call, application_id: Id, body: DecisionIn) -> ApplicationOut:
    actions.withdraw(call.session, call.actor, application_id, body.reason, if_match=call.if_match)
    return queries.application(call.session, call.actor, application_id)
