"""Exports and scheduled deliveries over HTTP."""

from typing import Annotated

from fastapi import Query
from fastapi.responses import Response

from orders.exporting import actions, queries
from orders.exporting.rules import Format
from orders.exporting.schemas import ExportBody, ExportOut, ScheduleIn, ScheduleOut
from orders.exporting.states import ExportStatus
from orders.exporting.writers import CONTENT_TYPES
from shop.core import downloads
from shop.core.paging import After, Limit, Page
from shop.core.quantities import Id
from shop.identity.access import PROBLEM, Call, Routes
from shop.identity.permissions import Permission

routes = Routes("exports", "/v1")


@routes.post("/exports", Permission.EXPORTS_MAKE, status=202)
def ask_for_export(call: Call, body: ExportBody) -> ExportOut:
    """Ask for a file. It is made afterwards: look at its status. It holds what you may see at that time."""
    export_id = actions.ask(call.session, call.actor, body, call.language)
    return queries.export(call.session, call.actor, export_id, call.language)


@routes.get("/exports", Permission.EXPORTS_MAKE)
def my_exports(
    call: Call,
    status: ExportStatus | None = None,
    scheduled: Annotated[
        bool | None, Query(description="true: only what your schedules answered; false: only what you asked for")
    ] = None,
    schedule_id: Annotated[
        Id | None, Query(description="only answers of this schedule of yours, also of one that you took away")
    ] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[ExportOut]:
    """Your exports and what your schedules delivered, the newest first: how far each is, how large, until when it is kept, and where its file is."""
    return queries.exports(
        call.session,
        call.actor,
        call.language,
        status=status,
        scheduled=scheduled,
        schedule_id=schedule_id,
        limit=limit,
        after=after,
    )


@routes.get("/exports/{export_id}", Permission.EXPORTS_MAKE)
def export(call: Call, export_id: Id) -> ExportOut:
    """One export: how far it is, or the size and SHA-256 of its file."""
    return queries.export(call.session, call.actor, export_id, call.language)


@routes.get(
    "/exports/{export_id}/file",
    Permission.EXPORTS_MAKE,
    head=True,
    responses={**downloads.answers(CONTENT_TYPES.values()), 409: PROBLEM, 416: PROBLEM},
)
def export_file(call: Call, export_id: Id) -> Response:
    """The file. An interrupted download goes on with `Range`; `If-Range` with the `ETag` makes sure that it is the same file. HEAD tells its size
    and hash beforehand."""
    file = queries.file(call.session, call.actor, export_id)
    return downloads.served(
        call.request,
        file.storage_key,
        name=file.name,
        content_type=CONTENT_TYPES[Format(file.format)],
        size=file.size,
        sha256=file.sha256,
    )


@routes.post("/exports/{export_id}/cancel", Permission.EXPORTS_MAKE, status=200)
def cancel_export(call: Call, export_id: Id) -> ExportOut:
    """Stop making a file that you no longer want."""
    actions.cancel(call.session, call.actor, export_id)
    return queries.export(call.session, call.actor, export_id, call.language)


@routes.post("/export-schedules", Permission.EXPORTS_MAKE)
def schedule_export(call: Call, body: ScheduleIn) -> ScheduleOut:
    """Have a question answered every day, week or month, by mail (a link, and the file if it is small) or by webhook (`export.delivered`)."""
    schedule_id = actions.schedule(call.session, call.actor, body, call.language)
    return queries.schedule(call.session, call.actor, schedule_id, call.language)


@routes.get("/export-schedules", Permission.EXPORTS_MAKE)
def my_export_schedules(call: Call, limit: Limit = 50, after: After = None) -> Page[ScheduleOut]:
    """Your schedules, the newest first."""
    return queries.schedules(call.session, call.actor, call.language, limit=limit, after=after)


@routes.get("/export-schedules/{schedule_id}", Permission.EXPORTS_MAKE)
def export_schedule(call: Call, schedule_id: Id) -> ScheduleOut:
    """One schedule with its last answers."""
    return queries.schedule(call.session, call.actor, schedule_id, call.language)


@routes.post("/export-schedules/{schedule_id}/pause", Permission.EXPORTS_MAKE, status=200)
def pause_export_schedule(call: Call, schedule_id: Id) -> ScheduleOut:
    """Deliver no more until it is resumed."""
    actions.pause(call.session, call.actor, schedule_id, call.if_match)
    return queries.schedule(call.session, call.actor, schedule_id, call.language)


@routes.post("/export-schedules/{schedule_id}/resume", Permission.EXPORTS_MAKE, status=200)
def resume_export_schedule(call: Call, schedule_id: Id) -> ScheduleOut:
    """Deliver again, from the next moment on."""
    actions.resume(call.session, call.actor, schedule_id, call.if_match)
    return queries.schedule(call.session, call.actor, schedule_id, call.language)


@routes.delete("/export-schedules/{schedule_id}", Permission.EXPORTS_MAKE)
def delete_export_schedule(call: Call, schedule_id: Id) -> None:
    """Take a schedule away."""
    actions.delete(call.session, call.actor, schedule_id, call.if_match)
