"""Quotations, their comparison and awards over HTTP."""

from typing import Annotated, Any, Literal

from fastapi import Query
from fastapi.responses import Response
from sqlalchemy import Row

from orders.sourcing import sheets
from orders.sourcing.actions import awarding, moving, quoting, running
from orders.sourcing.api.requests import Attachment
from orders.sourcing.queries import comparison as comparing
from orders.sourcing.queries import quotations as queries
from orders.sourcing.queries import requests
from orders.sourcing.schemas.quotations import (
    AwardedOut,
    AwardIn,
    AwardOut,
    ComparisonOut,
    QuotationIn,
    QuotationOut,
    QuotationRow,
)
from orders.sourcing.schemas.requests import FileOut, QuotationRequestOut, ReasonIn
from shop.core import exports, uploads
from shop.core.paging import After, Limit, Page
from shop.core.quantities import Id
from shop.identity.access import PROBLEM, Call, Routes
from shop.identity.permissions import Permission

routes = Routes("quotations", "/v1")

SEALED: dict[int | str, dict[str, Any]] = {409: PROBLEM}


def _opened(call: Call, request_id: int) -> Row[Any]:
    """Whoever reads first after the end opens all quotations at once."""
    if requests.seen(call.session, call.actor, request_id).seen_as != "supplier":
        moving.open_quotations(call.session, request_id, call.actor)
    return queries.opened(call.session, call.actor, request_id)


@routes.post("/quotation-requests/{request_id}/quotations", Permission.QUOTATIONS_SUBMIT)
def submit(call: Call, request_id: Id, body: QuotationIn) -> QuotationOut:
    """Send a quotation, sealed until the closing time; a newer one takes the place of an older one."""
    return queries.quotation(call.session, call.actor, quoting.submit(call.session, call.actor, request_id, body))


@routes.get("/quotation-requests/{request_id}/quotations", Permission.QUOTATION_REQUESTS_READ, responses=SEALED)
def quotations(call: Call, request_id: Id, limit: Limit = 50, after: After = None) -> Page[QuotationRow]:
    """The quotations of a request once it is closed; a supplier's own at any time, older ones included."""
    if requests.seen(call.session, call.actor, request_id).seen_as != "supplier":
        _opened(call, request_id)
    return queries.quotations(call.session, call.actor, request_id, limit, after)


@routes.get("/quotations/{quotation_id}", Permission.QUOTATION_REQUESTS_READ)
def quotation(call: Call, quotation_id: Id) -> QuotationOut:
    """One quotation with its lines."""
    return queries.quotation(call.session, call.actor, quotation_id)


@routes.post("/quotations/{quotation_id}/withdraw", Permission.QUOTATIONS_SUBMIT, status=200)
def withdraw(call: Call, quotation_id: Id) -> QuotationOut:
    """Take an own quotation back before the closing time; nobody ever opens it."""
    quoting.withdraw(call.session, call.actor, quotation_id)
    return queries.quotation(call.session, call.actor, quotation_id)


@routes.post("/quotations/{quotation_id}/files", Permission.QUOTATIONS_SUBMIT)
def attach(call: Call, quotation_id: Id, file: Attachment) -> FileOut:
    """Attach a file to an own quotation before the closing time."""
    kept = quoting.attach(call.session, call.actor, quotation_id, file.filename, file.file.read())
    return FileOut.model_validate(kept, from_attributes=True)


@routes.delete("/quotations/{quotation_id}/files/{file_id}", Permission.QUOTATIONS_SUBMIT)
def detach(call: Call, quotation_id: Id, file_id: Id) -> None:
    """Take a file off an own quotation again before the closing time."""
    quoting.detach(call.session, call.actor, quotation_id, file_id)


@routes.get("/quotations/{quotation_id}/files/{file_id}", Permission.QUOTATION_REQUESTS_READ, responses=uploads.FILE_ANSWER)
def quotation_file(call: Call, quotation_id: Id, file_id: Id) -> Response:
    """The content of an attached file."""
    return uploads.served(queries.file(call.session, call.actor, quotation_id, file_id))


@routes.get("/quotation-requests/{request_id}/comparison", Permission.QUOTATION_REQUESTS_READ, responses=SEALED)
def compare(call: Call, request_id: Id) -> ComparisonOut:
    """All offers side by side, line by line, once the request is closed; not for suppliers."""
    return comparing.comparison(call.session, _opened(call, request_id))


@routes.get(
    "/quotation-requests/{request_id}/comparison/export",
    Permission.QUOTATION_REQUESTS_READ,
    responses={**exports.FILES, **SEALED},
)
def export_comparison(call: Call, request_id: Id, format: Annotated[Literal["xlsx", "csv"], Query()] = "xlsx") -> Response:
    """The comparison as a table."""
    compared = comparing.comparison(call.session, _opened(call, request_id))
    header, rows = sheets.HEADER[call.language], sheets.cells(compared, call.language)
    return exports.file(format, f"comparison_{compared.number}", header, rows, compared.number)


@routes.post("/quotation-requests/{request_id}/award", Permission.ORDERS_PLACE)
def award(call: Call, request_id: Id, body: AwardIn) -> AwardedOut:
    """Award all to one supplier, or by line, or parts of lines; the order is placed at the prices quoted, or nothing is awarded."""
    return awarding.award(call.session, call.actor, request_id, body)


@routes.post("/quotation-requests/{request_id}/finish", Permission.ORDERS_PLACE, status=200)
def finish(call: Call, request_id: Id, body: ReasonIn) -> QuotationRequestOut:
    """Leave the rest of a partly awarded request unawarded; who got nothing is told."""
    running.finish(call.session, call.actor, request_id, body.reason, if_match=call.if_match)
    return requests.request(call.session, call.actor, request_id)


@routes.get("/quotation-requests/{request_id}/awards", Permission.QUOTATION_REQUESTS_READ)
def awards(call: Call, request_id: Id, limit: Limit = 50, after: After = None) -> Page[AwardOut]:
    """What was decided; a supplier reads what it won."""
    return queries.awards(call.session, call.actor, request_id, limit, after)
