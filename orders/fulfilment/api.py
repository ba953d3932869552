"""Deliveries over HTTP."""

from orders.fulfilment import actions, queries
from orders.fulfilment.schemas import AcceptanceIn, ShipmentIn, ShipmentOut
from shop.core.quantities import Id
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("fulfilment", "/v1")


@routes.post("/supplier-orders/{supplier_order_id}/shipments", Permission.SHIPMENTS_CREATE)
def ship(call: Call, supplier_order_id: Id, body: ShipmentIn) -> ShipmentOut:
    """Send a delivery, of everything that is open or of the lines named."""
    shipment_id = actions.ship(call.session, call.actor, supplier_order_id, body)
    return queries.shipment(call.session, call.actor, shipment_id)


@routes.get("/supplier-orders/{supplier_order_id}/shipments", Permission.ORDERS_READ)
def shipments(call: Call, supplier_order_id: Id) -> list[ShipmentOut]:
    return queries.shipments(call.session, call.actor, supplier_order_id)


@routes.get("/shipments/{shipment_id}", Permission.ORDERS_READ)
def shipment(call: Call, shipment_id: Id) -> ShipmentOut:
    return queries.shipment(call.session, call.actor, shipment_id)


@routes.post("/shipments/{shipment_id}/acceptance", Permission.ACCEPTANCES_RECORD)
def accept(call: Call, shipment_id: Id, body: AcceptanceIn) -> ShipmentOut:
    """Accept or reject what a delivery brought, by quantity and weight. What is accepted enters the sales ledger at once."""
    actions.accept(call.session, call.actor, shipment_id, body)
    return queries.shipment(call.session, call.actor, shipment_id)
