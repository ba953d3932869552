"""Harvest capacities and crop losses over HTTP."""

from typing import Annotated

from fastapi import File, Query, UploadFile
from fastapi.responses import Response

from orders.agreements.actions import harvest as actions
from orders.agreements.queries import harvest as queries
from orders.agreements.schemas.harvest import CapacityIn, CapacityOut, CropLossesOut, CropLossIn, CropLossOut
from shop.core import uploads
from shop.core.paging import After, Limit, Page
from shop.core.quantities import Day, Id
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("harvests", "/v1")


@routes.post("/harvest-capacities", Permission.CAPACITIES_DECLARE, status=200)
def declare_capacity(call: Call, body: CapacityIn) -> Page[CapacityOut]:
    """Say how much of a product can be delivered in which months. No more than that can be signed for."""
    actions.declare(call.session, call.actor, body)
    return queries.capacities(
        call.session, call.actor, product_id=body.product_id, from_month=min(m.month for m in body.months), limit=60, after=None
    )


@routes.get("/harvest-capacities", Permission.AGREEMENTS_READ)
def list_capacities(
    call: Call,
    supplier_id: Annotated[Id | None, Query()] = None,
    product_id: Annotated[Id | None, Query()] = None,
    from_month: Annotated[Day | None, Query()] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[CapacityOut]:
    """Declared months of the own products, or of the region's, with what is promised of them: to schedules, to caps without one, to other
    orders."""
    return queries.capacities(
        call.session,
        call.actor,
        supplier_id=supplier_id,
        product_id=product_id,
        from_month=from_month,
        limit=limit,
        after=after,
    )


@routes.post("/crop-losses", Permission.CAPACITIES_DECLARE)
def declare_loss(call: Call, body: CropLossIn) -> CropLossesOut:
    """Declare what was lost of a product, month by month. What is planned and not ordered is cut pro rata over agreements."""
    ids = actions.declare_loss(call.session, call.actor, body)
    return CropLossesOut(items=[queries.loss(call.session, call.actor, loss_id) for loss_id in ids])


@routes.get("/crop-losses", Permission.AGREEMENTS_READ)
def list_losses(
    call: Call, product_id: Annotated[Id | None, Query()] = None, limit: Limit = 50, after: After = None
) -> Page[CropLossOut]:
    """Crop losses that concern the caller, newest first; a buyer sees its own shares."""
    return queries.losses(call.session, call.actor, product_id=product_id, limit=limit, after=after)


@routes.get("/crop-losses/{loss_id}", Permission.AGREEMENTS_READ)
def read_loss(call: Call, loss_id: Id) -> CropLossOut:
    return queries.loss(call.session, call.actor, loss_id)


@routes.post("/crop-losses/{loss_id}/evidence", Permission.CAPACITIES_DECLARE)
def give_evidence(
    call: Call, loss_id: Id, file: Annotated[UploadFile, File(description="PDF, PNG, JPEG, DOCX or XLSX")]
) -> CropLossOut:
    """Add the paper that proves a loss."""
    actions.give_evidence(call.session, call.actor, loss_id, file.filename, file.file.read())
    return queries.loss(call.session, call.actor, loss_id)


@routes.get("/crop-losses/{loss_id}/evidence", Permission.AGREEMENTS_READ, responses=uploads.FILE_ANSWER)
def read_evidence(call: Call, loss_id: Id) -> Response:
    """The paper that proves a loss."""
    return uploads.served(queries.evidence(call.session, call.actor, loss_id))
