"""Purchase orders over HTTP."""

from typing import Annotated, Literal

from fastapi import Query
from fastapi.responses import Response

from orders.purchasing import actions, queries, sheets
from orders.purchasing.schemas import (
    CancelIn,
    FreightIn,
    OrderLineOut,
    OrderSearch,
    PurchaseOrderIn,
    PurchaseOrderOut,
    PurchaseOrderRow,
    ReasonIn,
    RejectIn,
    SupplierOrderOut,
    SupplierOrderRow,
)
from orders.purchasing.states import EndReason, SupplierOrderStatus
from shop.core import exports
from shop.core.paging import After, Limit, Page
from shop.core.quantities import Id
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("purchase_orders", "/v1")


@routes.post("/purchase-orders", Permission.ORDERS_PLACE)
def place(call: Call, body: PurchaseOrderIn) -> PurchaseOrderOut:
    """Order 1 to 10,000 lines from any number of suppliers: all of it or nothing."""
    return actions.place(call.session, call.actor, body, body.lines)


@routes.get("/purchase-orders", Permission.ORDERS_READ)
def purchase_orders(call: Call, asked: Annotated[OrderSearch, Query()]) -> Page[PurchaseOrderRow]:
    """Orders of the own branch or region, newest first."""
    return queries.purchase_orders(call.session, call.actor, asked)


@routes.get("/purchase-orders/{purchase_order_id}", Permission.ORDER_DOCUMENTS_READ)
def purchase_order(call: Call, purchase_order_id: Id) -> PurchaseOrderOut:
    """An order of the own branch or region. Monitors, and officers of the region from which its goods come, read it without where and to whom it
    was delivered, and without the buyer's payments."""
    return queries.purchase_order(call.session, call.actor, purchase_order_id, followed=True)


@routes.get(
    "/purchase-orders/{purchase_order_id}/lines", Permission.ORDERS_READ, answer=Page[OrderLineOut], responses=exports.FILES
)
def order_lines(
    call: Call,
    purchase_order_id: Id,
    limit: Limit = 50,
    after: After = None,
    format: Annotated[Literal["json", "csv", "xlsx"], Query(description="a file holds every line, whatever the limit")] = "json",
) -> Page[OrderLineOut] | Response:
    """The lines of an order with what was shipped, accepted and rejected of each; of a supplier its own."""
    if format == "json":
        return queries.order_lines(call.session, call.actor, purchase_order_id, limit, after)
    number, lines = queries.all_lines(call.session, call.actor, purchase_order_id)
    title, header = sheets.TITLE[call.language], sheets.HEADER[call.language]
    return exports.file(format, f"order_{number}", header, sheets.cells(lines, call.language), title)


@routes.post("/purchase-orders/{purchase_order_id}/cancel", Permission.ORDERS_CANCEL, status=200)
def cancel(call: Call, purchase_order_id: Id, body: CancelIn) -> PurchaseOrderOut:
    """Cancel every part that has not been shipped, as far as the buyer may alone."""
    actions.cancel(call.session, call.actor, purchase_order_id, body.reason, EndReason(body.reason_code))
    return queries.purchase_order(call.session, call.actor, purchase_order_id)


@routes.get("/supplier-orders", Permission.ORDERS_READ)
def supplier_orders(
    call: Call,
    status: Annotated[SupplierOrderStatus | None, Query()] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[SupplierOrderRow]:
    """The parts that the own organisation delivers (officers: those of the region's suppliers), newest first."""
    return queries.supplier_orders(call.session, call.actor, status=status, limit=limit, after=after)


@routes.get("/supplier-orders/{supplier_order_id}", Permission.ORDER_DOCUMENTS_READ)
def supplier_order(call: Call, supplier_order_id: Id) -> SupplierOrderOut:
    """A part of an order. Monitors, and officers of the region from which its goods come, read it without where and to whom it was delivered."""
    return queries.supplier_order(call.session, call.actor, supplier_order_id, followed=True)


@routes.put("/supplier-orders/{supplier_order_id}/freight", Permission.SUPPLIER_ORDERS_ANSWER)
def set_freight(call: Call, supplier_order_id: Id, body: FreightIn) -> SupplierOrderOut:
    """What the transport costs. The supplier may change it until it confirms, and the buyer is told."""
    actions.set_freight(call.session, call.actor, supplier_order_id, body.freight, call.if_match)
    return queries.supplier_order(call.session, call.actor, supplier_order_id)


@routes.post("/supplier-orders/{supplier_order_id}/reject", Permission.SUPPLIER_ORDERS_ANSWER, status=200)
def reject(call: Call, supplier_order_id: Id, body: RejectIn) -> SupplierOrderOut:
    """The supplier refuses, with the reason; the stock is free again."""
    actions.reject(call.session, call.actor, supplier_order_id, body.reason, EndReason(body.reason_code), if_match=call.if_match)
    return queries.supplier_order(call.session, call.actor, supplier_order_id)


@routes.post("/supplier-orders/{supplier_order_id}/cancel-unpaid", Permission.SUPPLIER_ORDERS_ANSWER, status=200)
def cancel_unpaid(call: Call, supplier_order_id: Id, body: ReasonIn) -> SupplierOrderOut:
    """The supplier gives up a part whose prepayment is overdue and whose buyer was told so; the stock is free again."""
    actions.cancel_unpaid(call.session, call.actor, supplier_order_id, body.reason, if_match=call.if_match)
    return queries.supplier_order(call.session, call.actor, supplier_order_id)
