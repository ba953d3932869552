"""Call-offs, instalments and positions of agreements over HTTP."""

from typing import Annotated, Literal

from fastapi import Query
from fastapi.responses import Response

from orders.agreements import sheets
from orders.agreements.actions import calling_off, drafts
from orders.agreements.queries import calling, late
from orders.agreements.schemas.calling import (
    CallOffIn,
    ClosureIn,
    ClosureOut,
    DraftOut,
    DraftRow,
    InstalmentOut,
    LateInstalmentOut,
    PositionOut,
)
from orders.agreements.schemas.terms import ReasonIn
from orders.agreements.states import DraftStatus, InstalmentStatus
from orders.requests.api import told
from orders.requests.schemas import SubmittedOut
from shop.core import exports
from shop.core.paging import After, Limit, Page
from shop.core.quantities import Day, Id
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("call_offs", "/v1")


@routes.post("/agreements/{agreement_id}/call-offs", Permission.ORDERS_PLACE)
def call_off(call: Call, agreement_id: Id, body: CallOffIn) -> SubmittedOut:
    """Order under an agreement: at its prices, within its caps, all of it or nothing."""
    return told(call, calling_off.call_off(call.session, call.actor, agreement_id, body))


@routes.get("/agreements/{agreement_id}/position", Permission.AGREEMENTS_READ, answer=PositionOut, responses=exports.FILES)
def read_position(
    call: Call, agreement_id: Id, format: Annotated[Literal["json", "csv", "xlsx"], Query()] = "json"
) -> PositionOut | Response:
    """Ordered, shipped, accepted, rejected and remaining, line by line; both sides see the same."""
    position = calling.position(call.session, call.actor, agreement_id)
    if format == "json":
        return position
    title, header = sheets.TITLE[call.language], sheets.HEADER[call.language]
    return exports.file(format, f"position_{position.number}", header, sheets.cells(position, call.language), title)


@routes.get("/agreements/{agreement_id}/instalments", Permission.AGREEMENTS_READ)
def list_instalments(
    call: Call,
    agreement_id: Id,
    status: Annotated[InstalmentStatus | None, Query()] = None,
    delivery_place_id: Annotated[Id | None, Query()] = None,
    first: Annotated[Day | None, Query()] = None,
    last: Annotated[Day | None, Query()] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[InstalmentOut]:
    """The deliveries of a schedule by day; days on which nothing comes say why."""
    return late.instalments(
        call.session,
        call.actor,
        agreement_id,
        status=status,
        place_id=delivery_place_id,
        first=first,
        last=last,
        limit=limit,
        after=after,
    )


@routes.get("/late-instalments", Permission.AGREEMENTS_READ)
def list_late_instalments(
    call: Call, agreement_id: Annotated[Id | None, Query()] = None, limit: Limit = 50, after: After = None
) -> Page[LateInstalmentOut]:
    """Instalments whose day is over and that are not accepted in full, and what each waits for."""
    return late.late(call.session, call.actor, agreement_id=agreement_id, limit=limit, after=after)


@routes.get("/call-off-drafts", Permission.AGREEMENTS_MANAGE)
def list_drafts(
    call: Call,
    status: Annotated[DraftStatus | None, Query()] = DraftStatus.OPEN,
    agreement_id: Annotated[Id | None, Query()] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[DraftRow]:
    """Orders that were drafted from schedules, by the day on which they are due."""
    return calling.drafts(call.session, call.actor, agreement_id=agreement_id, status=status, limit=limit, after=after)


@routes.get("/call-off-drafts/{draft_id}", Permission.AGREEMENTS_MANAGE)
def read_draft(call: Call, draft_id: Id) -> DraftOut:
    return calling.draft(call.session, call.actor, draft_id)


@routes.post("/call-off-drafts/{draft_id}/order", Permission.ORDERS_PLACE)
def order_draft(call: Call, draft_id: Id) -> SubmittedOut:
    """Place the order of a draft as it is."""
    return told(call, drafts.order(call.session, call.actor, draft_id))


@routes.post("/call-off-drafts/{draft_id}/discard", Permission.ORDERS_PLACE, status=200)
def discard_draft(call: Call, draft_id: Id, body: ReasonIn) -> DraftOut:
    """Nothing is to come on this day."""
    drafts.discard(call.session, call.actor, draft_id, body.reason, if_match=call.if_match)
    return calling.draft(call.session, call.actor, draft_id)


@routes.post("/call-off-drafts/{draft_id}/reopen", Permission.ORDERS_PLACE, status=200)
def reopen_draft(call: Call, draft_id: Id) -> DraftOut:
    """The order came to nothing: make a draft of it again."""
    drafts.reopen(call.session, call.actor, draft_id, if_match=call.if_match)
    return calling.draft(call.session, call.actor, draft_id)


@routes.get("/closure-periods", Permission.AGREEMENTS_MANAGE)
def list_closures(call: Call, limit: Limit = 50, after: After = None) -> Page[ClosureOut]:
    """School holidays and the like of the own units."""
    return calling.closures(call.session, call.actor, limit=limit, after=after)


@routes.post("/closure-periods", Permission.AGREEMENTS_MANAGE)
def add_closure(call: Call, body: ClosureIn) -> ClosureOut:
    """Say when a unit takes nothing; deliveries of term time skip those days."""
    return calling.closure(call.session, drafts.close(call.session, call.actor, body))


@routes.delete("/closure-periods/{closure_id}", Permission.AGREEMENTS_MANAGE)
def remove_closure(call: Call, closure_id: Id) -> None:
    """Take a closure back; its days are planned again from today on."""
    drafts.reopen_days(call.session, call.actor, closure_id)
