"""Purchase orders over HTTP."""

from typing import Annotated

from fastapi import Query

from orders.purchasing import actions, queries
from orders.purchasing.schemas import (
    OrderLineOut,
    PurchaseOrderIn,
    PurchaseOrderOut,
    PurchaseOrderRow,
    ReasonIn,
    SupplierOrderOut,
    SupplierOrderRow,
)
from orders.purchasing.states import SupplierOrderStatus
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
def purchase_orders(
    call: Call,
    buyer_id: Annotated[Id | None, Query()] = None,
    status: Annotated[SupplierOrderStatus | None, Query(description="orders with a part in this status")] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[PurchaseOrderRow]:
    """Orders of the own branch or region, newest first."""
    return queries.purchase_orders(call.session, call.actor, buyer_id=buyer_id, status=status, limit=limit, after=after)


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
