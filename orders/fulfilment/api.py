"""Deliveries over HTTP."""

from typing import Annotated

from fastapi import File, UploadFile
from fastapi.responses import Response

from orders.fulfilment import actions, note, queries
from orders.fulfilment.schemas import AcceptanceIn, HoldIn, PhotoOut, ShipmentIn, ShipmentOut, TrackingIn, WaybillIn
from orders.purchasing import queries as purchasing
from shop.core import printing, uploads
from shop.core.paging import After, Limit, Page
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
def shipments(call: Call, supplier_order_id: Id, limit: Limit = 50, after: After = None) -> Page[ShipmentOut]:
    """The deliveries of one order, oldest first."""
    return queries.shipments(call.session, call.actor, supplier_order_id, limit=limit, after=after)


@routes.get("/shipments/{shipment_id}", Permission.ORDER_DOCUMENTS_READ)
def shipment(call: Call, shipment_id: Id) -> ShipmentOut:
    """A delivery with what was accepted of it; monitors, and officers of the region from which its goods come, read it, too."""
    return queries.shipment(call.session, call.actor, shipment_id)


@routes.patch("/shipments/{shipment_id}", Permission.SHIPMENTS_CREATE)
def correct(call: Call, shipment_id: Id, body: WaybillIn) -> ShipmentOut:
    """Correct carrier, waybill or day of arrival before the buyer has answered."""
    actions.correct(call.session, call.actor, shipment_id, body)
    return queries.shipment(call.session, call.actor, shipment_id)


@routes.post("/shipments/{shipment_id}/tracking", Permission.SHIPMENTS_CREATE)
def track(call: Call, shipment_id: Id, body: TrackingIn) -> ShipmentOut:
    """Report where a delivery is."""
    actions.track(call.session, call.actor, shipment_id, body)
    return queries.shipment(call.session, call.actor, shipment_id)


@routes.get("/shipments/{shipment_id}/delivery-note.pdf", Permission.ORDERS_READ, responses=printing.PDF_ANSWER)
def delivery_note(call: Call, shipment_id: Id) -> Response:
    """The delivery note in Chinese, with the shipment's number as QR code."""
    shown = queries.shipment(call.session, call.actor, shipment_id)
    order = purchasing.supplier_order(call.session, call.actor, shown.supplier_order_id)
    return printing.pdf_answer(note.delivery_note(shown, order), f"{shown.number}.pdf")


@routes.post("/shipments/{shipment_id}/photos", Permission.ACCEPTANCES_RECORD)
def add_photo(call: Call, shipment_id: Id, file: Annotated[UploadFile, File(description="PNG or JPEG")]) -> PhotoOut:
    """Keep a photo of what arrived, to be named in the answer."""
    photo_id = actions.add_photo(call.session, call.actor, shipment_id, file.filename, file.file.read())
    return next(each for each in queries.photos(call.session, call.actor, shipment_id) if each.id == photo_id)


@routes.get("/shipments/{shipment_id}/photos", Permission.ORDERS_READ)
def photos(call: Call, shipment_id: Id) -> list[PhotoOut]:
    return queries.photos(call.session, call.actor, shipment_id)


@routes.get("/shipments/{shipment_id}/photos/{photo_id}", Permission.ORDERS_READ, responses=uploads.FILE_ANSWER)
def photo(call: Call, shipment_id: Id, photo_id: Id) -> Response:
    return uploads.served(queries.photo(call.session, call.actor, shipment_id, photo_id))


@routes.post("/shipments/{shipment_id}/hold", Permission.ACCEPTANCES_RECORD, status=200)
def hold(call: Call, shipment_id: Id, body: HoldIn) -> ShipmentOut:
    """Say that something is wrong: the delivery is not accepted by itself any more."""
    actions.hold(call.session, call.actor, shipment_id, body.reason)
    return queries.shipment(call.session, call.actor, shipment_id)


@routes.post("/shipments/{shipment_id}/release", Permission.ACCEPTANCES_RECORD, status=200)
def release(call: Call, shipment_id: Id) -> ShipmentOut:
    """Take a hold back."""
    actions.let_go(call.session, call.actor, shipment_id)
    return queries.shipment(call.session, call.actor, shipment_id)


@routes.post("/shipments/{shipment_id}/acceptance", Permission.ACCEPTANCES_RECORD)
def accept(call: Call, shipment_id: Id, body: AcceptanceIn) -> ShipmentOut:
    """Accept or reject what a delivery brought, by quantity and weight. What is accepted enters the sales ledger at once."""
    actions.accept(call.session, call.actor, shipment_id, body)
    return queries.shipment(call.session, call.actor, shipment_id)
