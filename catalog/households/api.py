"""The lists of households over HTTP."""

from typing import Annotated, Literal

from fastapi import File, Form, Query, UploadFile
from fastapi.responses import Response

from catalog.households import actions, queries, sheets
from catalog.households.errors import ListRefused
from catalog.households.schemas import CountsOut, ListIn, MemberOut, RevealedOut, RevealIn
from shop.core import clock, exports
from shop.core.paging import After, Limit, Page
from shop.core.quantities import Id
from shop.core.sheets import SheetName
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission
from shop.programmes import queries as programmes

routes = Routes("households", "/v1")


@routes.get("/household-list-template", Permission.CERTIFICATIONS_APPLY, responses=exports.FILES)
def template(call: Call, format: Annotated[Literal["xlsx", "csv"], Query()] = "xlsx") -> Response:
    """The template of a list of households, with an example that belongs to nobody."""
    return exports.template(format, "households", sheets.COLUMNS, sheets.EXAMPLE, "名单", sheets.CODES)


@routes.put("/certification-cases/{case_id}/households", Permission.CERTIFICATIONS_APPLY)
def bring(call: Call, case_id: Id, body: ListIn) -> CountsOut:
    """Put a list in the place of the one that the own application had."""
    return actions.bring(call.session, call.actor, case_id, [member.member() for member in body.members])


@routes.post("/certification-cases/{case_id}/households/spreadsheet", Permission.CERTIFICATIONS_APPLY, status=200)
def bring_spreadsheet(
    call: Call,
    case_id: Id,
    file: Annotated[UploadFile, File(description="XLSX or CSV, as the template")],
    dry_run: Annotated[bool, Form(description="only look whether it would be accepted")] = False,
    sheet: SheetName = None,
) -> CountsOut:
    """The same from a spreadsheet: every fault by row and column; nothing is kept when there is one."""
    config = programmes.config_of(call.session, clock.today())
    members, rows, faults = sheets.members(file.file.read(), config, sheet)
    try:
        counts = actions.bring(call.session, call.actor, case_id, members, dry_run=dry_run or bool(faults))
        if faults:
            raise ListRefused(count=0)
    except ListRefused as refused:
        raise sheets.blamed_on_rows(refused, rows, faults) from None
    return counts


@routes.get("/certification-cases/{case_id}/households", Permission.HOUSEHOLDS_READ)
def read(call: Call, case_id: Id, limit: Limit = 50, after: After = None) -> Page[MemberOut]:
    """The list of an application, masked."""
    return queries.members(call.session, call.actor, case_id, call.language, limit=limit, after=after)


# the answer is never kept for a repeated request
@routes.post("/certification-cases/{case_id}/households/reveal", Permission.HOUSEHOLDS_REVEAL, status=200, idempotent=False)
def reveal(call: Call, case_id: Id, body: RevealIn) -> RevealedOut:
    """Open the list of an application. Who did, and why, is put on record."""
    return RevealedOut(members=actions.reveal(call.session, call.actor, case_id, body.reason, call.language))
