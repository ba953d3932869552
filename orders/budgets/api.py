"""Budgets over HTTP."""

from typing import Annotated, Literal

from fastapi import Query
from fastapi.responses import Response

from orders.budgets import actions, queries, sheets
from orders.budgets.schemas import BudgetDrawOut, BudgetIn, BudgetOut, BudgetPatch, FundSource
from shop.core import clock, exports
from shop.core.paging import After, Limit, Page
from shop.core.quantities import Id
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission
from shop.programmes import queries as programmes

routes = Routes("budgets", "/v1")

YearQuery = Annotated[int | None, Query(ge=2000, le=2100)]


@routes.post("/budgets", Permission.BUDGETS_MANAGE)
def create_budget(call: Call, body: BudgetIn) -> BudgetOut:
    """Limit what a unit may spend in a year from one fund. Units below without a budget of their own draw on it too."""
    return queries.budget(call.session, call.actor, actions.create(call.session, call.actor, body))


@routes.get("/budgets", Permission.ORDERS_READ)
def list_budgets(
    call: Call,
    organisation_id: Annotated[Id | None, Query()] = None,
    year: YearQuery = None,
    fund_source: FundSource | None = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[BudgetOut]:
    """Budgets of the own branch and of the units above it."""
    return queries.budgets(
        call.session,
        call.actor,
        organisation_id=organisation_id,
        year=year,
        fund_source=fund_source,
        limit=limit,
        after=after,
    )


@routes.get("/budgets/export", Permission.ORDERS_READ, responses=exports.FILES)
def export_budgets(
    call: Call, year: YearQuery = None, fund_source: FundSource | None = None, format: Literal["csv", "xlsx"] = "xlsx"
) -> Response:
    """The budgets as a table."""
    found = queries.budgets(
        call.session,
        call.actor,
        organisation_id=None,
        year=year,
        fund_source=fund_source,
        limit=exports.MAX_ROWS,
        after=None,
    )
    funds = programmes.words(call.session, clock.today(), call.language)("fund_source")
    rows = sheets.cells(exports.whole(found), funds)
    return exports.file(format, "budgets", sheets.HEADER[call.language], rows, sheets.TITLE[call.language])


@routes.get("/budgets/{budget_id}", Permission.ORDERS_READ)
def read_budget(call: Call, budget_id: Id) -> BudgetOut:
    return queries.budget(call.session, call.actor, budget_id)


@routes.patch("/budgets/{budget_id}", Permission.BUDGETS_MANAGE)
def change_budget(call: Call, budget_id: Id, body: BudgetPatch) -> BudgetOut:
    """Raise or lower the limit, not below what is reserved and consumed."""
    actions.change(call.session, call.actor, budget_id, body, call.if_match)
    return queries.budget(call.session, call.actor, budget_id)


@routes.get("/budgets/{budget_id}/draws", Permission.ORDERS_READ)
def budget_draws(call: Call, budget_id: Id, limit: Limit = 50, after: After = None) -> Page[BudgetDrawOut]:
    """The orders and requests that draw on a budget."""
    return queries.draws(call.session, call.actor, budget_id, limit=limit, after=after)
