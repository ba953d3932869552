"""Many applications from one spreadsheet, over HTTP."""

from typing import Annotated, Literal

from fastapi import File, Form, Query, UploadFile
from fastapi.responses import Response

from catalog.certification import sheets
from catalog.certification.actions import drafting
from catalog.certification.schemas.drafting import DraftsOut
from shop.core import exports
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("certification", "/v1")


@routes.get("/certification-cases/spreadsheet-template", Permission.CERTIFICATIONS_APPLY, responses=exports.FILES)
def drafts_template(call: Call, format: Annotated[Literal["xlsx", "csv"], Query()] = "xlsx") -> Response:
    """The template of a spreadsheet of many products, with an example."""
    return exports.file(format, "applications", sheets.HEADER, [sheets.EXAMPLE], "申请")


@routes.post("/certification-cases/from-spreadsheet", Permission.CERTIFICATIONS_APPLY)
def draft_many(
    call: Call,
    file: Annotated[UploadFile, File(description="XLSX or CSV, as the template; up to 1,000 products")],
    dry_run: Annotated[bool, Form(description="try everything and keep nothing")] = False,
) -> DraftsOut:
    """Draw up an application for every product of a spreadsheet: every fault by row and column, and all of it or nothing."""
    return drafting.draft(call.session, call.actor, file.file.read(), dry_run=dry_run)
