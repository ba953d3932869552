"""Papers of orders over HTTP."""

from typing import Annotated

from fastapi import File, Form, Query, UploadFile
from fastapi.responses import Response

from orders.papers import actions, queries
from orders.papers.rules import PaperKind, Said
from orders.papers.schemas import Number, PaperOut, VoidIn
from shop.core import uploads
from shop.core.money import PositiveYuanIn, YuanIn
from shop.core.paging import After, Limit, Page
from shop.core.quantities import Day, Id, ShortText
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("papers", "/v1")


@routes.post("/supplier-orders/{supplier_order_id}/papers", Permission.PAPERS_UPLOAD)
def upload(
    call: Call,
    supplier_order_id: Id,
    file: Annotated[UploadFile, File(description="PDF, PNG, JPEG, DOCX or XLSX")],
    kind: Annotated[PaperKind, Form()],
    number: Annotated[Number | None, Form()] = None,
    issued_on: Annotated[Day | None, Form()] = None,
    amount: Annotated[PositiveYuanIn | None, Form()] = None,
    note: Annotated[ShortText | None, Form()] = None,
    code: Annotated[Number | None, Form(description="of older invoices: 10 or 12 digits")] = None,
    vat: Annotated[YuanIn | None, Form(description="of invoices")] = None,
) -> PaperOut:
    """Bring a paper: the supplier its invoices and proofs of delivery, the buyer its acceptance report. An invoice goes into the register of tax
    invoices too."""
    said = Said(kind, number, issued_on, amount, note, code, vat)
    paper_id = actions.upload(call.session, call.actor, supplier_order_id, said, file.filename, file.file.read())
    return queries.paper(call.session, call.actor, supplier_order_id, paper_id)


@routes.get("/supplier-orders/{supplier_order_id}/papers", Permission.ORDERS_READ)
def papers(
    call: Call,
    supplier_order_id: Id,
    kind: Annotated[PaperKind | None, Query()] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[PaperOut]:
    """The papers of an order, oldest first."""
    return queries.papers(call.session, call.actor, supplier_order_id, kind=kind, limit=limit, after=after)


@routes.get("/supplier-orders/{supplier_order_id}/papers/{paper_id}", Permission.ORDERS_READ)
def paper(call: Call, supplier_order_id: Id, paper_id: Id) -> PaperOut:
    return queries.paper(call.session, call.actor, supplier_order_id, paper_id)


@routes.get("/supplier-orders/{supplier_order_id}/papers/{paper_id}/file", Permission.ORDERS_READ, responses=uploads.FILE_ANSWER)
def paper_file(call: Call, supplier_order_id: Id, paper_id: Id) -> Response:
    return uploads.served(queries.file(call.session, call.actor, supplier_order_id, paper_id))


@routes.post("/supplier-orders/{supplier_order_id}/papers/{paper_id}/void", Permission.PAPERS_UPLOAD, status=200)
def void(call: Call, supplier_order_id: Id, paper_id: Id, body: VoidIn) -> PaperOut:
    """Take a wrong paper out of account; it stays on record."""
    actions.void(call.session, call.actor, supplier_order_id, paper_id, body.reason)
    return queries.paper(call.session, call.actor, supplier_order_id, paper_id)
