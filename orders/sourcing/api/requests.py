"""Requests for quotation over HTTP."""

from typing import Annotated

from fastapi import File, Query, UploadFile
from fastapi.responses import Response

from orders.sourcing.actions import drafting, quoting, running
from orders.sourcing.queries import requests as queries
from orders.sourcing.queries.requests import Filters
from orders.sourcing.rules import Kind
from orders.sourcing.schemas.requests import (
    CopyIn,
    ExtensionIn,
    FileOut,
    InvitationOut,
    QuestionOut,
    QuotationRequestIn,
    QuotationRequestOut,
    ReasonIn,
    RequestLineOut,
    RequestRow,
    TextIn,
)
from orders.sourcing.states import RequestStatus
from shop.core import uploads
from shop.core.paging import After, Limit, Page
from shop.core.quantities import Id, ShortText
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("quotation_requests", "/v1")

Attachment = Annotated[UploadFile, File(description="PDF, PNG, JPEG, DOCX or XLSX")]


def _request(call: Call, request_id: int) -> QuotationRequestOut:
    return queries.request(call.session, call.actor, request_id)


@routes.post("/quotation-requests", Permission.QUOTATION_REQUESTS_MANAGE)
def create(call: Call, body: QuotationRequestIn) -> QuotationRequestOut:
    """Write a request for quotation; nobody hears of it before it is published."""
    return _request(call, drafting.create(call.session, call.actor, body))


@routes.get("/quotation-requests", Permission.QUOTATION_REQUESTS_READ)
def quotation_requests(
    call: Call,
    status: RequestStatus | None = None,
    kind: Kind | None = None,
    buyer_id: Annotated[Id | None, Query()] = None,
    q: Annotated[ShortText | None, Query(description="part of the title or the buyer's name, or a number")] = None,
    open_to_me: Annotated[bool, Query(description="those that the own organisation may answer now")] = False,
    limit: Limit = 50,
    after: After = None,
) -> Page[RequestRow]:
    """Requests of the own branch or region; for suppliers those that they were invited to and published demand. The newest first."""
    filters = Filters(status, kind, buyer_id, q, open_to_me)
    return queries.requests(call.session, call.actor, filters, limit=limit, after=after)


@routes.get("/quotation-requests/{request_id}", Permission.QUOTATION_REQUESTS_READ)
def quotation_request(call: Call, request_id: Id) -> QuotationRequestOut:
    """One request. That an invited supplier looked at it is noted."""
    shown = _request(call, request_id)
    if shown.seen_as == "supplier":
        quoting.see(call.session, call.actor, request_id)
    return shown


@routes.put("/quotation-requests/{request_id}", Permission.QUOTATION_REQUESTS_MANAGE)
def change(call: Call, request_id: Id, body: QuotationRequestIn) -> QuotationRequestOut:
    """Write a draft anew; its buyer stays."""
    drafting.change(call.session, call.actor, request_id, body, call.request.headers.get("if-match"))
    return _request(call, request_id)


@routes.post("/quotation-requests/{request_id}/publish", Permission.QUOTATION_REQUESTS_MANAGE, status=200)
def publish(call: Call, request_id: Id) -> QuotationRequestOut:
    """Send it out: to those named, to all that match, or to everybody certified."""
    running.publish(call.session, call.actor, request_id, if_match=call.if_match)
    return _request(call, request_id)


@routes.post("/quotation-requests/{request_id}/extend", Permission.QUOTATION_REQUESTS_MANAGE, status=200)
def extend(call: Call, request_id: Id, body: ExtensionIn) -> QuotationRequestOut:
    """Move the closing time to a later one, before it is reached; all who take part are told."""
    running.extend(call.session, call.actor, request_id, body, if_match=call.if_match)
    return _request(call, request_id)


@routes.post("/quotation-requests/{request_id}/cancel", Permission.QUOTATION_REQUESTS_MANAGE, status=200)
def cancel(call: Call, request_id: Id, body: ReasonIn) -> QuotationRequestOut:
    """Call it off, as long as nothing is awarded."""
    running.cancel(call.session, call.actor, request_id, body.reason, if_match=call.if_match)
    return _request(call, request_id)


@routes.post("/quotation-requests/{request_id}/copy", Permission.QUOTATION_REQUESTS_MANAGE)
def copy(call: Call, request_id: Id, body: CopyIn) -> QuotationRequestOut:
    """A new draft with the same lines, suppliers and files: for a request that failed, or comes again."""
    return _request(call, drafting.copy(call.session, call.actor, request_id, body))


@routes.get("/quotation-requests/{request_id}/lines", Permission.QUOTATION_REQUESTS_READ)
def request_lines(call: Call, request_id: Id, limit: Limit = 50, after: After = None) -> Page[RequestLineOut]:
    """What is asked for."""
    return queries.lines(call.session, call.actor, request_id, limit, after)


@routes.get("/quotation-requests/{request_id}/invitations", Permission.QUOTATION_REQUESTS_READ)
def invitations(call: Call, request_id: Id, limit: Limit = 50, after: After = None) -> Page[InvitationOut]:
    """Who was invited, who has looked, who declined; not for suppliers."""
    return queries.invitations(call.session, call.actor, request_id, limit, after)


@routes.post("/quotation-requests/{request_id}/decline", Permission.QUOTATIONS_SUBMIT, status=200)
def decline(call: Call, request_id: Id, body: ReasonIn) -> QuotationRequestOut:
    """Tell the buyer that no quotation will come."""
    quoting.decline(call.session, call.actor, request_id, body.reason)
    return _request(call, request_id)


@routes.get("/quotation-requests/{request_id}/questions", Permission.QUOTATION_REQUESTS_READ)
def questions(call: Call, request_id: Id, unanswered: bool = False, limit: Limit = 50, after: After = None) -> Page[QuestionOut]:
    """Questions and answers, for all suppliers alike."""
    return queries.questions(call.session, call.actor, request_id, unanswered=unanswered, limit=limit, after=after)


@routes.post("/quotation-requests/{request_id}/questions", Permission.QUOTATIONS_SUBMIT)
def ask(call: Call, request_id: Id, body: TextIn) -> Page[QuestionOut]:
    """Ask the buyer; the answer is for all, who asked is told to no other supplier."""
    quoting.ask(call.session, call.actor, request_id, body.text)
    return queries.questions(call.session, call.actor, request_id, unanswered=False, limit=200, after=None)


@routes.post("/quotation-requests/{request_id}/questions/{question_id}/answer", Permission.QUOTATION_REQUESTS_MANAGE, status=200)
def answer(call: Call, request_id: Id, question_id: Id, body: TextIn) -> Page[QuestionOut]:
    """Answer a question once."""
    running.answer(call.session, call.actor, request_id, question_id, body.text)
    return queries.questions(call.session, call.actor, request_id, unanswered=False, limit=200, after=None)


@routes.post("/quotation-requests/{request_id}/files", Permission.QUOTATION_REQUESTS_MANAGE)
def attach(call: Call, request_id: Id, file: Attachment) -> FileOut:
    """Attach a specification to a draft."""
    kept = drafting.attach(call.session, call.actor, request_id, file.filename, file.file.read())
    return FileOut.model_validate(kept, from_attributes=True)


@routes.delete("/quotation-requests/{request_id}/files/{file_id}", Permission.QUOTATION_REQUESTS_MANAGE)
def detach(call: Call, request_id: Id, file_id: Id) -> None:
    """Take a specification off a draft again."""
    drafting.detach(call.session, call.actor, request_id, file_id)


@routes.get("/quotation-requests/{request_id}/files/{file_id}", Permission.QUOTATION_REQUESTS_READ, responses=uploads.FILE_ANSWER)
def request_file(call: Call, request_id: Id, file_id: Id) -> Response:
    """The content of a specification."""
    return uploads.served(queries.file(call.session, call.actor, request_id, file_id))
