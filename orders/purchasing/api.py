"""Purchase orders over HTTP."""

from typing import Annotated

from fastapi import File, Form, Query, UploadFile

from orders.purchasing import actions, queries, spreadsheet
from orders.purchasing.errors import LinesRefused
from orders.purchasing.schemas import (
    FundSource,
    OrderHeadIn,
    OrderLineIn,
    OrderLineOut,
    OrderSearch,
    PurchaseOrderIn,
    PurchaseOrderOut,
    PurchaseOrderRow,
    ReasonIn,
    SpreadsheetPreview,
    SupplierOrderOut,
    SupplierOrderRow,
)
from orders.purchasing.states import SupplierOrderStatus
from shop.core.paging import After, Limit, Page
from shop.core.quantities import Id, Name, ShortText
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("purchase_orders", "/v1")


@routes.post("/purchase-orders", Permission.ORDERS_PLACE)
def place(call: Call, body: PurchaseOrderIn) -> PurchaseOrderOut:
    """Order 1 to 10,000 lines from any number of suppliers: all of it or nothing."""
    return actions.place(call.session, call.actor, body, body.lines)


@routes.post("/purchase-orders/from-spreadsheet", Permission.ORDERS_PLACE)
def place_from_spreadsheet(
    call: Call,
    file: Annotated[UploadFile, File(description="XLSX or CSV with the columns 产品名称, 产地区县, 规格, 数量")],
    fund_source: Annotated[FundSource, Form()],
    delivery_address: Annotated[ShortText, Form()],
    buyer_reference: Annotated[Name | None, Form()] = None,
    buyer_id: Annotated[Id | None, Form()] = None,
) -> PurchaseOrderOut:
    """Order what a spreadsheet lists. Rows that cannot be understood or met are all named; then nothing is ordered."""
    rows = spreadsheet.match(call.session, spreadsheet.read(file.file.read()))
    head = OrderHeadIn(
        fund_source=fund_source, delivery_address=delivery_address, buyer_reference=buyer_reference, buyer_id=buyer_id
    )
    lines = [OrderLineIn(sku_id=row.sku_id, quantity=row.quantity) for row in rows]
    try:
        return actions.place(call.session, call.actor, head, lines)
    except LinesRefused as refused:
        raise spreadsheet.blamed_on_rows(refused, rows) from refused


@routes.post("/purchase-orders/spreadsheet-preview", Permission.ORDERS_PLACE, status=200, idempotent=False)
def preview_spreadsheet(
    call: Call,
    file: Annotated[UploadFile, File(description="XLSX or CSV with the columns 产品名称, 产地区县, 规格, 数量")],
) -> SpreadsheetPreview:
    """What the rows of a spreadsheet are understood as. Orders nothing."""
    return SpreadsheetPreview(lines=spreadsheet.match(call.session, spreadsheet.read(file.file.read())))


@routes.get("/purchase-orders", Permission.ORDERS_READ)
def purchase_orders(call: Call, asked: Annotated[OrderSearch, Query()]) -> Page[PurchaseOrderRow]:
    """Orders of the own branch or region, newest first."""
    return queries.purchase_orders(call.session, call.actor, asked)


@routes.get("/purchase-orders/{purchase_order_id}", Permission.ORDERS_READ)
def purchase_order(call: Call, purchase_order_id: Id) -> PurchaseOrderOut:
    return queries.purchase_order(call.session, call.actor, purchase_order_id)


@routes.get("/purchase-orders/{purchase_order_id}/lines", Permission.ORDERS_READ)
def order_lines(call: Call, purchase_order_id: Id, limit: Limit = 50, after: After = None) -> Page[OrderLineOut]:
    return queries.order_lines(call.session, call.actor, purchase_order_id, limit, after)


@routes.post("/purchase-orders/{purchase_order_id}/cancel", Permission.ORDERS_CANCEL, status=200)
def cancel(call: Call, purchase_order_id: Id, body: ReasonIn) -> PurchaseOrderOut:
    """Cancel every part that has not been shipped."""
    actions.cancel(call.session, call.actor, purchase_order_id, body.reason)
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


@routes.get("/supplier-orders/{supplier_order_id}", Permission.ORDERS_READ)
def supplier_order(call: Call, supplier_order_id: Id) -> SupplierOrderOut:
    return queries.supplier_order(call.session, call.actor, supplier_order_id)


@routes.post("/supplier-orders/{supplier_order_id}/confirm", Permission.SUPPLIER_ORDERS_ANSWER, status=200)
def confirm(call: Call, supplier_order_id: Id) -> SupplierOrderOut:
    """The supplier promises to deliver."""
    actions.confirm(call.session, call.actor, supplier_order_id)
    return queries.supplier_order(call.session, call.actor, supplier_order_id)


@routes.post("/supplier-orders/{supplier_order_id}/reject", Permission.SUPPLIER_ORDERS_ANSWER, status=200)
def reject(call: Call, supplier_order_id: Id, body: ReasonIn) -> SupplierOrderOut:
    """The supplier refuses, with the reason; the stock is free again."""
    actions.reject(call.session, call.actor, supplier_order_id, body.reason)
    return queries.supplier_order(call.session, call.actor, supplier_order_id)
