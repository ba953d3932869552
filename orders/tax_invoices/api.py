"""The register of tax invoices over HTTP."""

from typing import Annotated

from fastapi import File, Query, UploadFile
from fastapi.responses import Response

from orders.tax_invoices import queries, sheets
from orders.tax_invoices.actions import deciding, registering
from orders.tax_invoices.schemas import (
    ClaimIn,
    DecisionIn,
    MissingRow,
    MissingSearch,
    TaxInvoiceOut,
    TaxInvoiceRow,
    TaxInvoiceSearch,
    TotalsPage,
    TotalsSearch,
)
from orders.tax_invoices.states import TaxInvoiceMove
from shop.core import exports, uploads
from shop.core.paging import Page
from shop.core.quantities import Id
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("tax_invoices", "/v1/tax-invoices")


@routes.post("", Permission.INVOICES_ISSUE)
def register(call: Call, body: ClaimIn) -> list[TaxInvoiceOut]:
    """Register official tax invoices (数电票, or code and number) for invoices, credit notes or accepted deliveries. A number that comes twice is
    held until the marketplace's finance decides."""
    made = registering.register(call.session, call.actor, body.invoices)
    return [queries.tax_invoice(call.session, call.actor, tax_invoice_id) for tax_invoice_id in made]


@routes.get("", Permission.ORDERS_READ, answer=Page[TaxInvoiceRow], responses=exports.FILES)
def tax_invoices(call: Call, asked: Annotated[TaxInvoiceSearch, Query()]) -> Page[TaxInvoiceRow] | Response:
    """The register of the own branch or region, newest first, with what differs from what was accepted; as a file for the books."""
    if asked.format == "json":
        return queries.tax_invoices(call.session, call.actor, asked, limit=asked.limit, after=asked.after)
    rows = exports.whole(
        queries.tax_invoices(call.session, call.actor, asked, limit=exports.MAX_LINES, after=None), exports.MAX_LINES
    )
    return exports.file(
        asked.format,
        "tax_invoices",
        sheets.HEADER[call.language],
        (sheets.cells(row, call.language) for row in rows),
        sheets.TITLE[call.language],
    )


@routes.get("/missing", Permission.ORDERS_READ, answer=Page[MissingRow], responses=exports.FILES)
def missing(call: Call, asked: Annotated[MissingSearch, Query()]) -> Page[MissingRow] | Response:
    """Invoices of the own books for which no tax invoice is registered yet, or credit notes without a red-letter one; as a file for the books."""
    if asked.format == "json":
        return queries.missing(call.session, call.actor, asked, limit=asked.limit, after=asked.after)
    rows = exports.whole(queries.missing(call.session, call.actor, asked, limit=exports.MAX_LINES, after=None), exports.MAX_LINES)
    title, header = sheets.MISSING[call.language], sheets.MISSING_HEADER[call.language]
    return exports.file(asked.format, "without_tax_invoice", header, map(sheets.missing_cells, rows), title)


@routes.get("/totals", Permission.ORDERS_READ, answer=TotalsPage, responses=exports.FILES)
def totals(call: Call, asked: Annotated[TotalsSearch, Query()]) -> TotalsPage | Response:
    """Sums of the register by state, seller or month of issue, set against the invoices and credit notes of the own books."""
    if asked.format == "json":
        return queries.totals(call.session, call.actor, asked, limit=asked.limit, after=asked.after)
    rows = exports.whole(queries.totals(call.session, call.actor, asked, limit=exports.MAX_LINES, after=None), exports.MAX_LINES)
    title, header = sheets.TOTALS[call.language], sheets.TOTALS_HEADER[call.language]
    return exports.file(
        asked.format, "tax_invoice_totals", header, (sheets.totals_cells(row, call.language) for row in rows), title
    )


@routes.get("/{tax_invoice_id}", Permission.ORDER_DOCUMENTS_READ)
def tax_invoice(call: Call, tax_invoice_id: Id) -> TaxInvoiceOut:
    """A tax invoice of the own branch or region. Monitors, and officers of the region from which goods come that it is for, read it without its
    file, its note and why it was decided as it was."""
    return queries.tax_invoice(call.session, call.actor, tax_invoice_id, followed=True)


@routes.post("/{tax_invoice_id}/file", Permission.INVOICES_ISSUE)
def attach(call: Call, tax_invoice_id: Id, file: Annotated[UploadFile, File(description="PDF, PNG, JPEG")]) -> TaxInvoiceOut:
    """Add the file of a registered tax invoice."""
    deciding.attach(call.session, call.actor, tax_invoice_id, file.filename, file.file.read(), if_match=call.if_match)
    return queries.tax_invoice(call.session, call.actor, tax_invoice_id)


@routes.get("/{tax_invoice_id}/file", Permission.ORDERS_READ, responses=uploads.FILE_ANSWER)
def tax_invoice_file(call: Call, tax_invoice_id: Id) -> Response:
    return uploads.served(queries.file(call.session, call.actor, tax_invoice_id))


@routes.post("/{tax_invoice_id}/clear", Permission.MONEY_MANAGE, status=200)
def clear(call: Call, tax_invoice_id: Id, body: DecisionIn) -> TaxInvoiceOut:
    """Decide that a registration whose number came twice is the right one."""
    deciding.decide(call.session, call.actor, tax_invoice_id, TaxInvoiceMove.CLEAR, body.reason, if_match=call.if_match)
    return queries.tax_invoice(call.session, call.actor, tax_invoice_id)


@routes.post("/{tax_invoice_id}/refuse", Permission.MONEY_MANAGE, status=200)
def refuse(call: Call, tax_invoice_id: Id, body: DecisionIn) -> TaxInvoiceOut:
    """Decide that it is not."""
    deciding.decide(call.session, call.actor, tax_invoice_id, TaxInvoiceMove.REFUSE, body.reason, if_match=call.if_match)
    return queries.tax_invoice(call.session, call.actor, tax_invoice_id)


@routes.post("/{tax_invoice_id}/void", Permission.INVOICES_ISSUE, status=200)
def void(call: Call, tax_invoice_id: Id, body: DecisionIn) -> TaxInvoiceOut:
    """Take a wrong registration out of account; it stays on record."""
    deciding.void(call.session, call.actor, tax_invoice_id, body.reason, if_match=call.if_match)
    return queries.tax_invoice(call.session, call.actor, tax_invoice_id)
