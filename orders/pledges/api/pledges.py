"""Pledges over HTTP: made, filled, ended, and listed line by line."""

from datetime import date
from typing import Annotated, Literal

from fastapi import Query
from fastapi.responses import Response

from orders.pledges import sheets
from orders.pledges.actions import filling, pledging
from orders.pledges.errors import TooManyForXlsx
from orders.pledges.queries import pledges as queries
from orders.pledges.schemas import (
    AgreementLinkIn,
    CountedOrderOut,
    OrderLinkIn,
    PledgeIn,
    PledgeKind,
    PledgeOut,
    PledgePatch,
    PledgeRow,
    ReasonIn,
    RecipientIn,
    RegionCode,
    SaleLineOut,
)
from orders.pledges.states import PledgeStatus
from shop.core import clock, exports
from shop.core.paging import After, Limit, Page
from shop.core.quantities import Day, Id
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission
from shop.programmes import queries as programmes

routes = Routes("pledges", "/v1")


def _pledge(call: Call, pledge_id: int) -> PledgeOut:
    return queries.pledge(call.session, call.actor, pledge_id, call.language)


@routes.post("/pledges", Permission.PLEDGES_MANAGE)
def create(call: Call, body: PledgeIn) -> PledgeOut:
    """Draft a pledge to buy for an amount from chosen districts or townships; nobody else sees it before it is opened."""
    return _pledge(call, pledging.create(call.session, call.actor, body))


@routes.get("/pledges", Permission.PLEDGES_READ)
def list_pledges(
    call: Call,
    status: PledgeStatus | None = None,
    kind: PledgeKind | None = None,
    region: Annotated[RegionCode | None, Query(description="pledges for it or for a part of it")] = None,
    organisation_id: Annotated[Id | None, Query()] = None,
    ends_before: Annotated[Day | None, Query()] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[PledgeRow]:
    """The pledges of the own branch; for officers and monitors those for their region. Newest first."""
    filters = queries.Filters(status, kind, region, organisation_id, ends_before)
    return queries.pledges(call.session, call.actor, filters, limit=limit, after=after)


@routes.get("/pledges/{pledge_id}", Permission.PLEDGES_READ)
def read(call: Call, pledge_id: Id) -> PledgeOut:
    """A pledge with its figures as they are this moment: pledged, ordered, accepted, by place, category and fund."""
    return _pledge(call, pledge_id)


@routes.patch("/pledges/{pledge_id}", Permission.PLEDGES_MANAGE)
def edit(call: Call, pledge_id: Id, body: PledgePatch) -> PledgeOut:
    """Change a draft; an open pledge can only be raised, go on for longer, or be put into other words."""
    pledging.edit(call.session, call.actor, pledge_id, body.model_dump(exclude_unset=True), call.if_match)
    return _pledge(call, pledge_id)


@routes.post("/pledges/{pledge_id}/open", Permission.PLEDGES_MANAGE, status=200)
def open_(call: Call, pledge_id: Id) -> PledgeOut:
    """Pledge openly: the pledge gets its number, and the counties hear of it."""
    pledging.open_(call.session, call.actor, pledge_id, if_match=call.if_match)
    return _pledge(call, pledge_id)


@routes.post("/pledges/{pledge_id}/close", Permission.PLEDGES_MANAGE, status=200)
def close(call: Call, pledge_id: Id) -> PledgeOut:
    """End a pledge; what was accepted so far is put on paper."""
    pledging.close(call.session, call.actor, pledge_id, if_match=call.if_match)
    return _pledge(call, pledge_id)


@routes.post("/pledges/{pledge_id}/cancel", Permission.PLEDGES_MANAGE, status=200)
def cancel(call: Call, pledge_id: Id, body: ReasonIn) -> PledgeOut:
    """Take a pledge back that nothing was proved of; its orders are free."""
    pledging.cancel(call.session, call.actor, pledge_id, body.reason, if_match=call.if_match)
    return _pledge(call, pledge_id)


@routes.post("/pledges/{pledge_id}/recipients", Permission.PLEDGES_MANAGE)
def add_recipient(call: Call, pledge_id: Id, body: RecipientIn) -> PledgeOut:
    """Name one more group that gets goods."""
    pledging.add_recipient(call.session, call.actor, pledge_id, body, if_match=call.if_match)
    return _pledge(call, pledge_id)


@routes.get("/pledges/{pledge_id}/orders", Permission.PLEDGES_READ)
def counted_orders(call: Call, pledge_id: Id, limit: Limit = 50, after: After = None) -> Page[CountedOrderOut]:
    """The orders that count towards a pledge, added by themselves or called off from an agreement, newest first."""
    return queries.counted_orders(call.session, call.actor, pledge_id, limit=limit, after=after)


@routes.post("/pledges/{pledge_id}/orders", Permission.PLEDGES_MANAGE)
def add_order(call: Call, pledge_id: Id, body: OrderLinkIn) -> PledgeOut:
    """Let an order count towards a pledge; an order counts for one only."""
    filling.add_order(call.session, call.actor, pledge_id, body.purchase_order_id, body.recipient_id)
    return _pledge(call, pledge_id)


@routes.delete("/pledges/{pledge_id}/orders/{purchase_order_id}", Permission.PLEDGES_MANAGE)
def remove_order(call: Call, pledge_id: Id, purchase_order_id: Id) -> None:
    filling.remove_order(call.session, call.actor, pledge_id, purchase_order_id)


@routes.post("/pledges/{pledge_id}/agreements", Permission.PLEDGES_MANAGE)
def add_agreement(call: Call, pledge_id: Id, body: AgreementLinkIn) -> PledgeOut:
    """Let every order count that is called off from a long-term agreement."""
    filling.add_agreement(call.session, call.actor, pledge_id, body.agreement_id)
    return _pledge(call, pledge_id)


@routes.delete("/pledges/{pledge_id}/agreements/{agreement_id}", Permission.PLEDGES_MANAGE)
def remove_agreement(call: Call, pledge_id: Id, agreement_id: Id) -> None:
    filling.remove_agreement(call.session, call.actor, pledge_id, agreement_id)


@routes.get("/pledge-sales", Permission.PLEDGES_READ, answer=Page[SaleLineOut], responses=exports.FILES)
def sale_lines(
    call: Call,
    pledge_id: Annotated[Id | None, Query()] = None,
    first: Annotated[Day | None, Query(description="day of acceptance; default: the first of this year")] = None,
    last: Annotated[Day | None, Query(description="default: today")] = None,
    limit: Limit = 50,
    after: After = None,
    format: Annotated[Literal["json", "csv", "xlsx"], Query(description="a file holds every line, whatever the limit")] = "json",
) -> Page[SaleLineOut] | Response:
    """What was accepted for pledges, line by line, as the 万企帮万村 ledger asks for it: of one pledge, or of all within reach."""
    today = clock.today()
    period = (first or date(today.year, 1, 1), last or today)
    if format == "json":
        return queries.sale_lines(call.session, call.actor, pledge_id, *period, limit=limit, after=after)
    rows = list(queries.all_sale_lines(call.session, call.actor, pledge_id, *period))
    if format == "xlsx" and len(rows) > exports.MAX_ROWS:
        raise TooManyForXlsx
    cells = sheets.cells(rows, call.language, programmes.terms(call.session, today, call.language))
    return exports.file(format, f"pledge_sales_{period[1]}", sheets.HEADER[call.language], cells, sheets.TITLE[call.language])
