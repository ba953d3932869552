"""Orders and sales of one certificate over HTTP."""

from typing import Annotated, Literal

from fastapi import Query
from fastapi.responses import Response

from orders.effects import actions, queries, sheets
from orders.effects.errors import TooManyForXlsx
from orders.effects.schemas import CertificateSalesOut, DispositionIn, DispositionOut, OpenOrdersOut
from shop.core import exports
from shop.core.paging import After, Limit
from shop.core.quantities import Id
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("effects", "/v1")


@routes.get("/certificates/{certificate_id}/open-orders", Permission.ORDERS_READ)
def open_orders(call: Call, certificate_id: Id, limit: Limit = 50, after: After = None) -> OpenOrdersOut:
    """Supplier orders with goods of the certificate that are not shipped yet, newest first: what a suspension or revocation concerns."""
    return queries.open_orders(call.session, call.actor, certificate_id, limit=limit, after=after)


@routes.post("/supplier-orders/{supplier_order_id}/disposition", Permission.ORDERS_CANCEL)
def choose(call: Call, supplier_order_id: Id, body: DispositionIn) -> DispositionOut:
    """The buyer's choice for goods whose certificate is suspended, held or revoked: have them delivered, or cancel them."""
    return actions.choose(call.session, call.actor, supplier_order_id, body)


@routes.get("/certificates/{certificate_id}/sales", Permission.STATISTICS_READ, answer=CertificateSalesOut, responses=exports.FILES)
def sales(
    call: Call,
    certificate_id: Id,
    limit: Limit = 50,
    after: After = None,
    format: Annotated[Literal["json", "csv", "xlsx"], Query(description="a file holds every sale, whatever the limit")] = "json",
) -> CertificateSalesOut | Response:
    """Every sale of the certificate, newest first, with totals; for its supplier, and the officers and monitors of its place."""
    if format == "json":
        return queries.sales(call.session, call.actor, certificate_id, limit=limit, after=after)
    number, totals, rows = queries.all_sales(call.session, call.actor, certificate_id)
    if format == "xlsx" and totals.entries > exports.MAX_ROWS:
        raise TooManyForXlsx(entries=totals.entries)
    title, header = sheets.TITLE[call.language], sheets.HEADER[call.language]
    return exports.file(format, f"sales_{number}", header, sheets.cells(rows, call.language), title)
