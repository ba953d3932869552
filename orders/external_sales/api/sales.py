"""Claims of sales made elsewhere over HTTP."""

from typing import Annotated, Literal

from fastapi import File, Form, Query, UploadFile
from fastapi.responses import Response

from orders.external_sales import queries, sheets
from orders.external_sales.actions import drafting, importing, reviewing
from orders.external_sales.rules import Claim, Line, Paper, PaperKind, Side
from orders.external_sales.schemas import (
    AcceptIn,
    ClaimIn,
    DocumentNumber,
    ImportOut,
    ReasonIn,
    SaleOut,
    SaleRow,
    SaleSearch,
    SubmitIn,
    SubmittedOut,
)
from shop.core import clock, exports, uploads
from shop.core.money import PositiveYuanIn
from shop.core.paging import Page
from shop.core.quantities import Day, Id
from shop.core.sheets import SheetName
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission
from shop.programmes import queries as programmes

routes = Routes("external_sales", "/v1/external-sales")


def _sale(call: Call, sale_id: int) -> SaleOut:
    return queries.sale(call.session, call.actor, sale_id, call.language)


def _claim(body: ClaimIn) -> Claim:
    said = {name: getattr(body, name) for name in ClaimIn.model_fields if name != "lines"}
    lines = [Line(each.product_id, each.quantity, each.amount, each.sku_id, each.unit, each.grams) for each in body.lines]
    return Claim(**said, lines=lines)


@routes.post("", Permission.EXTERNAL_SALES_CLAIM)
def draft(call: Call, body: ClaimIn) -> SaleOut:
    """Write down a sale that was made elsewhere: as its supplier, as its buyer, or as who helped to sell."""
    return _sale(call, drafting.draft(call.session, call.actor, _claim(body)))


@routes.get("", Permission.EXTERNAL_SALES_READ, answer=Page[SaleRow], responses=exports.FILES)
def list_sales(call: Call, asked: Annotated[SaleSearch, Query()]) -> Page[SaleRow] | Response:
    """Claims of the own organisation, those that name it, or those of the own district, newest first."""
    if asked.format == "json":
        return queries.sales(call.session, call.actor, asked, limit=asked.limit, after=asked.after)
    rows = exports.whole(queries.sales(call.session, call.actor, asked, limit=exports.MAX_ROWS, after=None))
    header, title = sheets.HEADER[call.language], sheets.TITLE[call.language]
    term = programmes.terms(call.session, clock.today(), call.language)
    cells = (sheets.cells(row, call.language, term) for row in rows)
    return exports.file(asked.format, "external_sales", header, cells, title)


@routes.get("/template", Permission.EXTERNAL_SALES_CLAIM, responses=exports.FILES)
def template(call: Call, format: Annotated[Literal["xlsx", "csv"], Query()] = "xlsx") -> Response:
    """An empty sheet of sales with its headings and an example."""
    return exports.template(format, "external_sales", sheets.COLUMNS, sheets.EXAMPLE, sheets.TITLE["zh"], sheets.CODES)


@routes.post("/import", Permission.EXTERNAL_SALES_CLAIM, status=200)
def import_sales(
    call: Call,
    side: Annotated[Side, Form()],
    file: Annotated[UploadFile, File(description="XLSX or CSV; rows with one 单据序号 are one sale; at most 5,000 rows")],
    dry_run: Annotated[bool, Form(description="only look whether it would be accepted")] = False,
    sheet: SheetName = None,
) -> ImportOut:
    """Write many sales as drafts: all of them, or none and every fault by row and column."""
    return importing.take_over(call.session, call.actor, side, file.file.read(), sheet, dry_run=dry_run)


@routes.post("/submit", Permission.EXTERNAL_SALES_CLAIM, status=200)
def submit_many(call: Call, body: SubmitIn) -> SubmittedOut:
    """Hand in many claims at once, all or none."""
    held = reviewing.submit(call.session, call.actor, body.ids)
    return SubmittedOut(submitted=len(body.ids), held=held)


@routes.get("/{sale_id}", Permission.EXTERNAL_SALES_READ)
def read_sale(call: Call, sale_id: Id) -> SaleOut:
    return _sale(call, sale_id)


@routes.put("/{sale_id}", Permission.EXTERNAL_SALES_CLAIM)
def edit(call: Call, sale_id: Id, body: ClaimIn) -> SaleOut:
    """Write a draft, or what was returned, anew."""
    drafting.edit(call.session, call.actor, sale_id, _claim(body), call.if_match)
    return _sale(call, sale_id)


@routes.post("/{sale_id}/documents", Permission.EXTERNAL_SALES_CLAIM)
def add_document(
    call: Call,
    sale_id: Id,
    kind: Annotated[PaperKind, Form()],
    number: Annotated[DocumentNumber | None, Form(description="code and number of an invoice, serial of a bank receipt, …")] = None,
    issuer: Annotated[DocumentNumber | None, Form(description="of a waybill its carrier")] = None,
    dated_on: Annotated[Day | None, Form()] = None,
    amount: Annotated[PositiveYuanIn | None, Form()] = None,
    file: Annotated[UploadFile | None, File(description="PDF, PNG, JPEG, DOCX or XLSX")] = None,
) -> SaleOut:
    """Bring a paper; one that is known by its number already gets its file."""
    paper = Paper(kind, number, issuer, dated_on, amount)
    content = None if file is None else file.file.read()
    drafting.add_paper(call.session, call.actor, sale_id, paper, file.filename if file else None, content)
    return _sale(call, sale_id)


@routes.get("/{sale_id}/documents/{document_id}/file", Permission.EXTERNAL_SALES_READ, responses=uploads.FILE_ANSWER)
def document_file(call: Call, sale_id: Id, document_id: Id) -> Response:
    return uploads.served(queries.file(call.session, call.actor, sale_id, document_id))


@routes.delete("/{sale_id}/documents/{document_id}", Permission.EXTERNAL_SALES_CLAIM)
def remove_document(call: Call, sale_id: Id, document_id: Id) -> None:
    drafting.remove_paper(call.session, call.actor, sale_id, document_id)


@routes.post("/{sale_id}/submit", Permission.EXTERNAL_SALES_CLAIM, status=200)
def submit(call: Call, sale_id: Id) -> SaleOut:
    """Hand a claim in; every paper that it lacks is told at once."""
    reviewing.submit(call.session, call.actor, [sale_id], call.if_match)
    return _sale(call, sale_id)


@routes.post("/{sale_id}/withdraw", Permission.EXTERNAL_SALES_CLAIM, status=200)
def withdraw(call: Call, sale_id: Id) -> SaleOut:
    """Give up a claim that was not decided."""
    reviewing.withdraw(call.session, call.actor, sale_id, call.if_match)
    return _sale(call, sale_id)


@routes.post("/{sale_id}/accept", Permission.EXTERNAL_SALES_REVIEW, status=200)
def accept(call: Call, sale_id: Id, body: AcceptIn | None = None) -> SaleOut:
    """Accept a claim; a seller's counts from now on. Where a check was not passed, with the reason."""
    reviewing.accept(call.session, call.actor, sale_id, body.reason if body else None, call.if_match)
    return _sale(call, sale_id)


@routes.post("/{sale_id}/return", Permission.EXTERNAL_SALES_REVIEW, status=200)
def give_back(call: Call, sale_id: Id, body: ReasonIn) -> SaleOut:
    """Return a claim with what is to be mended."""
    reviewing.give_back(call.session, call.actor, sale_id, body.reason, call.if_match)
    return _sale(call, sale_id)


@routes.post("/{sale_id}/refuse", Permission.EXTERNAL_SALES_REVIEW, status=200)
def refuse(call: Call, sale_id: Id, body: ReasonIn) -> SaleOut:
    """Refuse a claim for good."""
    reviewing.refuse(call.session, call.actor, sale_id, body.reason, call.if_match)
    return _sale(call, sale_id)


@routes.post("/{sale_id}/void", Permission.EXTERNAL_SALES_REVIEW, status=200)
def void(call: Call, sale_id: Id, body: ReasonIn) -> SaleOut:
    """Take a claim that was accepted out of the figures: on the day of the sale, and once the city has closed its month on the first day that is open,
    so that published months stay as they are."""
    reviewing.void(call.session, call.actor, sale_id, body.reason, call.if_match)
    return _sale(call, sale_id)
