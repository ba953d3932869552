"""Invoices and credit notes over HTTP."""

from typing import Annotated

from fastapi import Query
from fastapi.responses import Response

from orders.invoices import actions, archive, pending, queries, sheets, ubl
from orders.invoices.pdf import credit_note_pdf, invoice_pdf
from orders.invoices.schemas import (
    CreditDueRow,
    CreditIn,
    CreditNoteOut,
    CreditNoteRow,
    CreditNoteSearch,
    ExemptionGroundOut,
    InvoiceFilter,
    InvoiceOut,
    InvoiceRow,
    InvoiceSearch,
    IssueIn,
    OpenSearch,
    TotalsOut,
    UninvoicedRow,
)
from shop.core import clock, exports, printing
from shop.core.paging import Page
from shop.core.quantities import Day, Id
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("invoices", "/v1")


@routes.post("/supplier-orders/{supplier_order_id}/invoices", Permission.INVOICES_ISSUE)
def issue(call: Call, supplier_order_id: Id, body: IssueIn) -> InvoiceOut:
    """Invoice what was accepted of an order and is not invoiced yet: all of it, or some deliveries. Freight goes with the first invoice."""
    invoice_id = actions.issue(call.session, call.actor, supplier_order_id, body)
    return queries.invoice(call.session, call.actor, invoice_id, call.language)


@routes.get("/invoices", Permission.ORDERS_READ, answer=Page[InvoiceRow], responses=exports.FILES)
def invoices(call: Call, asked: Annotated[InvoiceSearch, Query()]) -> Page[InvoiceRow] | Response:
    """Invoices of the own branch or region, newest first; as a file for the books."""
    if asked.format == "json":
        return queries.invoices(call.session, call.actor, asked, limit=asked.limit, after=asked.after)
    rows = exports.whole(queries.invoices(call.session, call.actor, asked, limit=exports.MAX_LINES, after=None), exports.MAX_LINES)
    title, header = sheets.INVOICES[call.language], sheets.INVOICE_HEADER[call.language]
    return exports.file(asked.format, "invoices", header, (sheets.invoice_cells(row, call.language) for row in rows), title)


@routes.get("/invoices/totals", Permission.ORDERS_READ)
def totals(call: Call, asked: Annotated[InvoiceFilter, Query()]) -> TotalsOut:
    """What all invoices of such a list come to."""
    return queries.totals(call.session, call.actor, asked)


@routes.get("/invoices/archive", Permission.ORDERS_READ, responses=archive.ZIP_ANSWER)
def bundle(call: Call, asked: Annotated[InvoiceFilter, Query()]) -> Response:
    """Up to a hundred invoices, the newest of such a list, as one ZIP: each as PDF, UBL and JSON."""
    return archive.answer(call.session, call.actor, asked, call.language)


@routes.get("/invoices/exemptions", Permission.ORDERS_READ)
def exemptions(call: Call, on: Day | None = None) -> list[ExemptionGroundOut]:
    """The reasons for which a line holds no VAT, with what they rest on and what they are for."""
    return queries.exemptions(call.session, on or clock.today(), call.language)


@routes.get("/invoices/uninvoiced", Permission.ORDERS_READ, answer=Page[UninvoicedRow], responses=exports.FILES)
def uninvoiced(call: Call, asked: Annotated[OpenSearch, Query()]) -> Page[UninvoicedRow] | Response:
    """Parts of orders of which something was accepted and is not invoiced yet; as a file for the books."""
    if asked.format == "json":
        return pending.uninvoiced(call.session, call.actor, asked, limit=asked.limit, after=asked.after)
    rows = exports.whole(
        pending.uninvoiced(call.session, call.actor, asked, limit=exports.MAX_LINES, after=None), exports.MAX_LINES
    )
    title, header = sheets.UNINVOICED[call.language], sheets.UNINVOICED_HEADER[call.language]
    return exports.file(asked.format, "uninvoiced", header, map(sheets.uninvoiced_cells, rows), title)


@routes.get("/invoices/{invoice_id}", Permission.ORDER_DOCUMENTS_READ)
def invoice(call: Call, invoice_id: Id) -> InvoiceOut:
    """An invoice of the own branch or region. Monitors, and officers of the region from which its goods come, read it without addresses and notes."""
    return queries.invoice(call.session, call.actor, invoice_id, call.language, followed=True)


@routes.get("/invoices/{invoice_id}/pdf", Permission.ORDERS_READ, responses=printing.PDF_ANSWER)
def invoice_as_pdf(call: Call, invoice_id: Id) -> Response:
    """The invoice as PDF; with ``Accept-Language: en`` its labels stand there in both languages."""
    shown = queries.invoice(call.session, call.actor, invoice_id, call.language)
    return printing.pdf_answer(invoice_pdf(shown, call.language), f"{shown.number}.pdf")


@routes.get("/invoices/{invoice_id}/xml", Permission.ORDERS_READ, responses=ubl.XML_ANSWER)
def invoice_as_xml(call: Call, invoice_id: Id) -> Response:
    """The invoice as UBL 2.1."""
    shown = queries.invoice(call.session, call.actor, invoice_id, "zh")
    return ubl.answer(ubl.invoice(shown), shown.number)


@routes.post("/invoices/{invoice_id}/send", Permission.INVOICES_ISSUE, status=200)
def send(call: Call, invoice_id: Id) -> InvoiceOut:
    """Send an invoice to its buyer."""
    actions.send(call.session, call.actor, invoice_id, if_match=call.if_match)
    return queries.invoice(call.session, call.actor, invoice_id, call.language)


@routes.post("/invoices/{invoice_id}/credit-notes", Permission.INVOICES_ISSUE)
def credit(call: Call, invoice_id: Id, body: CreditIn) -> CreditNoteOut:
    """Credit what the invoice holds beyond what is owed; or all of it, because it was issued in error."""
    credit_note_id = actions.credit(call.session, call.actor, invoice_id, body)
    return queries.credit_note(call.session, call.actor, credit_note_id, call.language)


@routes.get("/credit-notes", Permission.ORDERS_READ, answer=Page[CreditNoteRow], responses=exports.FILES)
def credit_notes(call: Call, asked: Annotated[CreditNoteSearch, Query()]) -> Page[CreditNoteRow] | Response:
    """Credit notes of the own branch or region, newest first; as a file for the books."""
    if asked.format == "json":
        return queries.credit_notes(call.session, call.actor, asked, limit=asked.limit, after=asked.after)
    rows = exports.whole(
        queries.credit_notes(call.session, call.actor, asked, limit=exports.MAX_LINES, after=None), exports.MAX_LINES
    )
    title, header = sheets.CREDIT_NOTES[call.language], sheets.CREDIT_NOTE_HEADER[call.language]
    return exports.file(asked.format, "credit_notes", header, (sheets.credit_note_cells(row, call.language) for row in rows), title)


@routes.get("/credit-notes/due", Permission.ORDERS_READ, answer=Page[CreditDueRow], responses=exports.FILES)
def credit_due(call: Call, asked: Annotated[OpenSearch, Query()]) -> Page[CreditDueRow] | Response:
    """Parts of orders whose invoices hold more than is owed by now: proposals of credit notes, worked out from the books at any moment; as a file
    for the books."""
    if asked.format == "json":
        return pending.credit_due(call.session, call.actor, asked, limit=asked.limit, after=asked.after)
    rows = exports.whole(
        pending.credit_due(call.session, call.actor, asked, limit=exports.MAX_LINES, after=None), exports.MAX_LINES
    )
    title, header = sheets.CREDIT_DUE[call.language], sheets.CREDIT_DUE_HEADER[call.language]
    return exports.file(asked.format, "credit_due", header, map(sheets.credit_due_cells, rows), title)


@routes.get("/credit-notes/{credit_note_id}", Permission.ORDER_DOCUMENTS_READ)
def credit_note(call: Call, credit_note_id: Id) -> CreditNoteOut:
    """A credit note, read by the same people in the same way."""
    return queries.credit_note(call.session, call.actor, credit_note_id, call.language, followed=True)


@routes.get("/credit-notes/{credit_note_id}/pdf", Permission.ORDERS_READ, responses=printing.PDF_ANSWER)
def credit_note_as_pdf(call: Call, credit_note_id: Id) -> Response:
    """The credit note as PDF; with ``Accept-Language: en`` its labels stand there in both languages."""
    shown = queries.credit_note(call.session, call.actor, credit_note_id, call.language)
    return printing.pdf_answer(credit_note_pdf(shown, call.language), f"{shown.number}.pdf")


@routes.get("/credit-notes/{credit_note_id}/xml", Permission.ORDERS_READ, responses=ubl.XML_ANSWER)
def credit_note_as_xml(call: Call, credit_note_id: Id) -> Response:
    """The credit note as UBL 2.1."""
    shown = queries.credit_note(call.session, call.actor, credit_note_id, "zh")
    return ubl.answer(ubl.credit_note(shown), shown.number)
