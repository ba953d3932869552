"""Disputes over HTTP."""

from typing import Annotated

from fastapi import File, Query, UploadFile
from fastapi.responses import Response

from orders.disputes import queries
from orders.disputes.actions import arguing, deciding
from orders.disputes.queries import Filters
from orders.disputes.schemas import AnswerIn, DecisionIn, DisputeIn, DisputeOut, DisputeRow, ProposalIn
from orders.disputes.states import DisputeStatus
from orders.purchasing.schemas import ReasonIn
from shop.core import uploads
from shop.core.paging import After, Limit, Page
from shop.core.quantities import Id
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("disputes", "/v1")


@routes.post("/supplier-orders/{supplier_order_id}/disputes", Permission.DISPUTES_OPEN)
def open_dispute(call: Call, supplier_order_id: Id, body: DisputeIn) -> DisputeOut:
    """Either side opens a dispute about an order, a shipment or a return."""
    dispute_id = arguing.open_(call.session, call.actor, supplier_order_id, body)
    return queries.dispute(call.session, call.actor, dispute_id)


@routes.get("/disputes", Permission.DISPUTES_READ)
def list_disputes(
    call: Call,
    status: DisputeStatus | None = None,
    overdue: bool | None = None,
    supplier_order_id: Annotated[Id | None, Query(description="of one supplier order")] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[DisputeRow]:
    """Disputes of the own branch or region, the newest first."""
    return queries.disputes(call.session, call.actor, Filters(status, overdue, supplier_order_id), limit=limit, after=after)


@routes.get("/disputes/{dispute_id}", Permission.DISPUTES_READ)
def read_dispute(call: Call, dispute_id: Id) -> DisputeOut:
    return queries.dispute(call.session, call.actor, dispute_id)


@routes.post("/disputes/{dispute_id}/files", Permission.DISPUTES_OPEN)
def add_evidence(
    call: Call, dispute_id: Id, file: Annotated[UploadFile, File(description="PDF, PNG, JPEG, DOCX or XLSX")]
) -> DisputeOut:
    arguing.add_file(call.session, call.actor, dispute_id, file.filename, file.file.read())
    return queries.dispute(call.session, call.actor, dispute_id)


@routes.get("/disputes/{dispute_id}/files/{file_id}", Permission.DISPUTES_READ, responses=uploads.FILE_ANSWER)
def read_evidence(call: Call, dispute_id: Id, file_id: Id) -> Response:
    return uploads.served(queries.file(call.session, call.actor, dispute_id, file_id))


@routes.post("/disputes/{dispute_id}/answer", Permission.DISPUTES_OPEN, status=200)
def answer(call: Call, dispute_id: Id, body: AnswerIn) -> DisputeOut:
    """What the other side says to it."""
    arguing.answer(call.session, call.actor, dispute_id, body.answer, call.if_match)
    return queries.dispute(call.session, call.actor, dispute_id)


@routes.post("/disputes/{dispute_id}/withdraw", Permission.DISPUTES_OPEN, status=200)
def withdraw(call: Call, dispute_id: Id, body: ReasonIn) -> DisputeOut:
    arguing.withdraw(call.session, call.actor, dispute_id, body.reason, call.if_match)
    return queries.dispute(call.session, call.actor, dispute_id)


@routes.post("/disputes/{dispute_id}/mediate", Permission.DISPUTES_MEDIATE, status=200)
def mediate(call: Call, dispute_id: Id, body: ProposalIn) -> DisputeOut:
    """A county officer proposes how to settle it."""
    deciding.mediate(call.session, call.actor, dispute_id, body, call.if_match)
    return queries.dispute(call.session, call.actor, dispute_id)


@routes.post("/disputes/{dispute_id}/agree", Permission.DISPUTES_OPEN, status=200)
def agree(call: Call, dispute_id: Id) -> DisputeOut:
    """One side agrees to the proposal; with the second it is settled."""
    arguing.agree(call.session, call.actor, dispute_id, call.if_match)
    return queries.dispute(call.session, call.actor, dispute_id)


@routes.post("/disputes/{dispute_id}/decide", Permission.DISPUTES_DECIDE, status=200)
def decide(call: Call, dispute_id: Id, body: DecisionIn) -> DisputeOut:
    """The city decides: in full, in part or not at all, with what follows from it."""
    deciding.decide(call.session, call.actor, dispute_id, body, call.if_match)
    return queries.dispute(call.session, call.actor, dispute_id)
