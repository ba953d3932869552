"""Returns, exchanges and corrections over HTTP."""

from typing import Annotated

from fastapi import File, Query, UploadFile
from fastapi.responses import Response

from orders.returns import queries
from orders.returns.actions import answering, correcting, requesting
from orders.returns.queries import Filters
from orders.returns.schemas import (
    ApproveIn,
    CorrectionIn,
    CorrectionOut,
    CorrectionRow,
    NoteIn,
    ReceiptIn,
    RefuseIn,
    ReturnableOut,
    ReturnIn,
    ReturnOut,
    ReturnRow,
    SendIn,
)
from orders.returns.states import CorrectionStatus, ReturnKind, ReturnStatus
from shop.core import uploads
from shop.core.paging import After, Limit, Page
from shop.core.quantities import Id
from shop.identity.access import PROBLEM, Call, Routes
from shop.identity.permissions import Permission

routes = Routes("returns", "/v1")

OfOrder = Annotated[Id | None, Query(description="of one supplier order")]


@routes.get("/shipments/{shipment_id}/returnable", Permission.ORDERS_READ, responses={409: PROBLEM})
def returnable(call: Call, shipment_id: Id) -> ReturnableOut:
    """What of an accepted shipment can be given back, and until when."""
    return queries.returnable(call.session, call.actor, shipment_id)


@routes.post("/shipments/{shipment_id}/returns", Permission.RETURNS_REQUEST)
def request(call: Call, shipment_id: Id, body: ReturnIn) -> ReturnOut:
    """The buyer asks to give accepted goods back, or to have them exchanged."""
    return_id = requesting.request(call.session, call.actor, shipment_id, body)
    return queries.goods_return(call.session, call.actor, return_id)


@routes.get("/returns", Permission.ORDERS_READ)
def list_returns(
    call: Call,
    status: ReturnStatus | None = None,
    kind: ReturnKind | None = None,
    supplier_order_id: OfOrder = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[ReturnRow]:
    """Returns of the own purchases and sales, or of the own region; the newest first."""
    return queries.returns(call.session, call.actor, Filters(status, kind, supplier_order_id), limit=limit, after=after)


@routes.get("/returns/{return_id}", Permission.ORDERS_READ)
def read_return(call: Call, return_id: Id) -> ReturnOut:
    return queries.goods_return(call.session, call.actor, return_id)


@routes.post("/returns/{return_id}/files", Permission.RETURNS_DOCUMENT)
def add_file(call: Call, return_id: Id, file: Annotated[UploadFile, File(description="PDF, PNG, JPEG, DOCX or XLSX")]) -> ReturnOut:
    """Either side adds a photograph or a paper."""
    requesting.add_file(call.session, call.actor, return_id, file.filename, file.file.read())
    return queries.goods_return(call.session, call.actor, return_id)


@routes.get("/returns/{return_id}/files/{file_id}", Permission.ORDERS_READ, responses=uploads.FILE_ANSWER)
def read_file(call: Call, return_id: Id, file_id: Id) -> Response:
    return uploads.served(queries.file(call.session, call.actor, return_id, file_id))


@routes.post("/returns/{return_id}/approve", Permission.RETURNS_ANSWER, status=200)
def approve(call: Call, return_id: Id, body: ApproveIn) -> ReturnOut:
    """The supplier lets the goods come back, or waives them and takes the sale back at once."""
    answering.approve(call.session, call.actor, return_id, body, call.if_match)
    return queries.goods_return(call.session, call.actor, return_id)


@routes.post("/returns/{return_id}/refuse", Permission.RETURNS_ANSWER, status=200)
def refuse(call: Call, return_id: Id, body: RefuseIn) -> ReturnOut:
    """The supplier refuses, with the reason; the buyer may open a dispute about it."""
    answering.refuse(call.session, call.actor, return_id, body.reason, call.if_match)
    return queries.goods_return(call.session, call.actor, return_id)


@routes.post("/returns/{return_id}/cancel", Permission.RETURNS_REQUEST, status=200)
def cancel(call: Call, return_id: Id, body: NoteIn) -> ReturnOut:
    """The buyer keeps the goods after all."""
    requesting.cancel(call.session, call.actor, return_id, body.note, call.if_match)
    return queries.goods_return(call.session, call.actor, return_id)


@routes.post("/returns/{return_id}/send", Permission.RETURNS_REQUEST, status=200)
def send(call: Call, return_id: Id, body: SendIn) -> ReturnOut:
    """The buyer sends the goods back."""
    requesting.send(call.session, call.actor, return_id, body, call.if_match)
    return queries.goods_return(call.session, call.actor, return_id)


@routes.post("/returns/{return_id}/receive", Permission.RETURNS_ANSWER, status=200)
def receive(call: Call, return_id: Id, body: ReceiptIn) -> ReturnOut:
    """The supplier says what came back and what of it goes into stock; the sale of that is taken back in the ledger."""
    answering.receive(call.session, call.actor, return_id, body, call.if_match)
    return queries.goods_return(call.session, call.actor, return_id)


@routes.post("/returns/{return_id}/replace", Permission.RETURNS_ANSWER, status=200)
def replace(call: Call, return_id: Id, body: SendIn) -> ReturnOut:
    """The supplier of an exchange sends the same goods again."""
    answering.replace(call.session, call.actor, return_id, body, call.if_match)
    return queries.goods_return(call.session, call.actor, return_id)


@routes.post("/returns/{return_id}/refund", Permission.RETURNS_ANSWER, status=200)
def refund(call: Call, return_id: Id, body: NoteIn) -> ReturnOut:
    """The supplier of an exchange has nothing to send; the sale is taken back instead."""
    answering.refund(call.session, call.actor, return_id, body.note, call.if_match)
    return queries.goods_return(call.session, call.actor, return_id)


@routes.post("/returns/{return_id}/close", Permission.RETURNS_REQUEST, status=200)
def close(call: Call, return_id: Id) -> ReturnOut:
    """The goods sent in exchange have come."""
    requesting.close(call.session, call.actor, return_id, call.if_match)
    return queries.goods_return(call.session, call.actor, return_id)


@routes.post("/shipments/{shipment_id}/corrections", Permission.ACCEPTANCES_CORRECT)
def propose_correction(call: Call, shipment_id: Id, body: CorrectionIn) -> CorrectionOut:
    """Either side says what was accepted of a shipment in truth; it counts once the other side agrees."""
    correction_id = correcting.propose(call.session, call.actor, shipment_id, body)
    return queries.correction(call.session, call.actor, correction_id)


@routes.get("/acceptance-corrections", Permission.ORDERS_READ)
def list_corrections(
    call: Call,
    status: CorrectionStatus | None = None,
    supplier_order_id: OfOrder = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[CorrectionRow]:
    return queries.corrections(
        call.session, call.actor, status=status, supplier_order_id=supplier_order_id, limit=limit, after=after
    )


@routes.get("/acceptance-corrections/{correction_id}", Permission.ORDERS_READ)
def read_correction(call: Call, correction_id: Id) -> CorrectionOut:
    return queries.correction(call.session, call.actor, correction_id)


@routes.post("/acceptance-corrections/{correction_id}/agree", Permission.ACCEPTANCES_CORRECT, status=200)
def agree(call: Call, correction_id: Id, body: NoteIn) -> CorrectionOut:
    """The other side agrees, and the ledger says what is true."""
    correcting.agree(call.session, call.actor, correction_id, body.note, call.if_match)
    return queries.correction(call.session, call.actor, correction_id)


@routes.post("/acceptance-corrections/{correction_id}/decline", Permission.ACCEPTANCES_CORRECT, status=200)
def decline(call: Call, correction_id: Id, body: NoteIn) -> CorrectionOut:
    correcting.decline(call.session, call.actor, correction_id, body.note, call.if_match)
    return queries.correction(call.session, call.actor, correction_id)


@routes.post("/acceptance-corrections/{correction_id}/withdraw", Permission.ACCEPTANCES_CORRECT, status=200)
def withdraw(call: Call, correction_id: Id, body: NoteIn) -> CorrectionOut:
    correcting.withdraw(call.session, call.actor, correction_id, body.note, call.if_match)
    return queries.correction(call.session, call.actor, correction_id)
