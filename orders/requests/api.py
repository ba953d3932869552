"""Purchase requests over HTTP."""

from typing import Annotated

from fastapi import File, Form, Query, UploadFile
from fastapi.responses import Response

from orders.purchasing.schemas import FundSource, ReasonIn
from orders.requests import actions, queries
from orders.requests.actions.filing import require_own
from orders.requests.schemas import (
    ApprovalIn,
    PurchaseFileOut,
    PurchaseRequestIn,
    PurchaseRequestOut,
    PurchaseRequestRow,
    RequestLineOut,
    SubmittedOut,
)
from orders.requests.states import RequestMove, RequestStatus
from shop.core import uploads
from shop.core.paging import After, Limit, Page
from shop.core.quantities import Id, Name
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("purchase_requests", "/v1")

Upload = Annotated[UploadFile, File(description="PDF, PNG, JPEG, DOCX or XLSX")]
Title = Annotated[Name | None, Form()]


def told(call: Call, submitted: actions.Submitted) -> SubmittedOut:
    """The answer to whatever orders: the order, or the request that waits."""
    request_id = submitted.purchase_request_id
    return SubmittedOut(
        purchase_order=submitted.purchase_order,
        purchase_request=None if request_id is None else queries.request(call.session, call.actor, request_id),
    )


@routes.post("/purchase-requests", Permission.ORDERS_PLACE)
def submit(call: Call, body: PurchaseRequestIn) -> SubmittedOut:
    """Ask for an order. Where nobody has to approve it, it is placed at once."""
    return told(call, actions.submit(call.session, call.actor, body, body.lines, reason=body.reason))


@routes.get("/purchase-requests", Permission.ORDERS_READ)
def list_requests(
    call: Call,
    status: Annotated[RequestStatus | None, Query()] = None,
    buyer_id: Annotated[Id | None, Query()] = None,
    fund_source: FundSource | None = None,
    mine: Annotated[bool, Query(description="those that the caller made")] = False,
    to_decide: Annotated[bool, Query(description="those whose next step is the caller's")] = False,
    limit: Limit = 50,
    after: After = None,
) -> Page[PurchaseRequestRow]:
    """Requests of the own branch, newest first."""
    return queries.requests(
        call.session,
        call.actor,
        status=status,
        buyer_id=buyer_id,
        fund_source=fund_source,
        own=mine,
        to_decide=to_decide,
        limit=limit,
        after=after,
    )


@routes.get("/purchase-requests/{request_id}", Permission.ORDERS_READ)
def read_request(call: Call, request_id: Id) -> PurchaseRequestOut:
    return queries.request(call.session, call.actor, request_id)


@routes.get("/purchase-requests/{request_id}/lines", Permission.ORDERS_READ)
def request_lines(call: Call, request_id: Id, limit: Limit = 50, after: After = None) -> Page[RequestLineOut]:
    return queries.lines(call.session, call.actor, request_id, limit=limit, after=after)


@routes.post("/purchase-requests/{request_id}/approve", Permission.PURCHASE_REQUESTS_DECIDE, status=200)
def approve(call: Call, request_id: Id, body: ApprovalIn) -> PurchaseRequestOut:
    """Take the next step. After the last one the order is placed; ``faults`` say why if that is not possible."""
    actions.decide(call.session, call.actor, request_id, RequestMove.APPROVE, body.reason, if_match=call.if_match)
    return queries.request(call.session, call.actor, request_id)


@routes.post("/purchase-requests/{request_id}/reject", Permission.PURCHASE_REQUESTS_DECIDE, status=200)
def reject(call: Call, request_id: Id, body: ReasonIn) -> PurchaseRequestOut:
    """Refuse the request for good; its budget is free again."""
    actions.decide(call.session, call.actor, request_id, RequestMove.REJECT, body.reason, if_match=call.if_match)
    return queries.request(call.session, call.actor, request_id)


@routes.post("/purchase-requests/{request_id}/return", Permission.PURCHASE_REQUESTS_DECIDE, status=200)
def return_request(call: Call, request_id: Id, body: ReasonIn) -> PurchaseRequestOut:
    """Send the request back to be changed."""
    actions.decide(call.session, call.actor, request_id, RequestMove.RETURN, body.reason, if_match=call.if_match)
    return queries.request(call.session, call.actor, request_id)


@routes.post("/purchase-requests/{request_id}/resubmit", Permission.ORDERS_PLACE, status=200)
def resubmit(call: Call, request_id: Id, body: PurchaseRequestIn) -> PurchaseRequestOut:
    """Hand the own request in again, changed; every step is taken anew."""
    actions.resubmit(call.session, call.actor, request_id, body, if_match=call.if_match)
    return queries.request(call.session, call.actor, request_id)


@routes.post("/purchase-requests/{request_id}/withdraw", Permission.ORDERS_PLACE, status=200)
def withdraw(call: Call, request_id: Id, body: ApprovalIn) -> PurchaseRequestOut:
    """Take the own request back."""
    actions.withdraw(call.session, call.actor, request_id, body.reason, if_match=call.if_match)
    return queries.request(call.session, call.actor, request_id)


@routes.post("/purchase-requests/{request_id}/order", Permission.ORDERS_PLACE, status=200)
def order(call: Call, request_id: Id) -> PurchaseRequestOut:
    """Try again to place what was approved."""
    actions.order(call.session, call.actor, request_id, if_match=call.if_match)
    return queries.request(call.session, call.actor, request_id)


# --- papers --------------------------------------------------------------------------------------------------------


@routes.post("/purchase-requests/{request_id}/files", Permission.ORDERS_PLACE)
def attach_to_request(call: Call, request_id: Id, file: Upload, title: Title = None) -> list[PurchaseFileOut]:
    actions.attach(call.session, call.actor, file.filename, file.file.read(), title, request_id=request_id)
    return queries.files(call.session, request_id=request_id)


@routes.get("/purchase-requests/{request_id}/files", Permission.ORDERS_READ)
def request_files(call: Call, request_id: Id) -> list[PurchaseFileOut]:
    queries.request(call.session, call.actor, request_id)
    return queries.files(call.session, request_id=request_id)


@routes.get("/purchase-requests/{request_id}/files/{file_id}", Permission.ORDERS_READ, responses=uploads.FILE_ANSWER)
def request_file(call: Call, request_id: Id, file_id: Id) -> Response:
    queries.request(call.session, call.actor, request_id)
    return uploads.served(queries.file(call.session, file_id, request_id=request_id))


@routes.delete("/purchase-requests/{request_id}/files/{file_id}", Permission.ORDERS_PLACE)
def detach_from_request(call: Call, request_id: Id, file_id: Id) -> None:
    actions.detach(call.session, call.actor, request_id, file_id)


@routes.post("/purchase-orders/{purchase_order_id}/files", Permission.ORDERS_PLACE)
def attach_to_order(call: Call, purchase_order_id: Id, file: Upload, title: Title = None) -> list[PurchaseFileOut]:
    """Add a paper for the buyer's side."""
    actions.attach(call.session, call.actor, file.filename, file.file.read(), title, order_id=purchase_order_id)
    return queries.files(call.session, order_id=purchase_order_id)


@routes.get("/purchase-orders/{purchase_order_id}/files", Permission.ORDERS_READ)
def order_files(call: Call, purchase_order_id: Id) -> list[PurchaseFileOut]:
    """The papers of an order and of the request behind it."""
    require_own(call.session, call.actor, purchase_order_id)
    return queries.files(call.session, order_id=purchase_order_id)


@routes.get("/purchase-orders/{purchase_order_id}/files/{file_id}", Permission.ORDERS_READ, responses=uploads.FILE_ANSWER)
def order_file(call: Call, purchase_order_id: Id, file_id: Id) -> Response:
    require_own(call.session, call.actor, purchase_order_id)
    return uploads.served(queries.file(call.session, file_id, order_id=purchase_order_id))
