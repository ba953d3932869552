"""Many applications from one spreadsheet, over HTTP."""

from typing import Annotated, Literal

from fastapi import File, Form, Query, UploadFile
from fastapi.responses import Response

from catalog.certification import sheets
from catalog.certification.actions import drafting
from catalog.certification.schemas.drafting import DraftsOut
from catalog.certification.template import as_workbook, eligible_districts
from shop.core import clock, exports
from shop.core.sheets import SheetName
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission
from shop.programmes import queries as programmes

routes = Routes("certification", "/v1")


@routes.get("/certification-cases/spreadsheet-template", Permission.CERTIFICATIONS_APPLY, responses=exports.FILES)
def drafts_template(call: Call, format: Annotated[Literal["xlsx", "csv"], Query()] = "xlsx") -> Response:
    """The template of a spreadsheet of many products, with an example; as a workbook also with the words that its cells may hold."""
    if format == "csv":
        return exports.file(format, "applications", sheets.HEADER, [sheets.EXAMPLE], "applications")
    config = programmes.config_of(call.session, clock.today())
    content = as_workbook(config, eligible_districts(call.session, config))
    headers = {"Content-Disposition": 'attachment; filename="applications.xlsx"'}
    return Response(content, media_type=exports.XLSX, headers=headers)


@routes.post("/certification-cases/from-spreadsheet", Permission.CERTIFICATIONS_APPLY)
def draft_many(
    call: Call,
    file: Annotated[UploadFile, File(description="XLSX or CSV, as the template; up to 1,000 products")],
    dry_run: Annotated[bool, Form(description="try everything and keep nothing")] = False,
    sheet: SheetName = None,
) -> DraftsOut:
    """Draw up an application for every product of a spreadsheet: every fault by row and column, and all of it or nothing. A rate
    of VAT that is left empty is 0 %, as in a request."""
    return drafting.draft(call.session, call.actor, file.file.read(), sheet, dry_run=dry_run)
