"""Signals of low ratings over HTTP."""

from typing import Annotated

from fastapi import Query

from catalog.products.schemas import DistrictCode
from catalog.supervision.actions import signals as actions
from catalog.supervision.queries import signals as queries
from catalog.supervision.schemas.capacity import ClearingIn
from catalog.supervision.schemas.signals import QualitySignalOut
from shop.core.paging import After, Limit, Page
from shop.core.quantities import Id
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("quality_signals", "/v1")


@routes.get("/quality-signals", Permission.SUPERVISION_READ)
def list_quality_signals(
    call: Call,
    open: Annotated[bool | None, Query(description="true: only what was not cleared")] = None,
    district: Annotated[DistrictCode | None, Query()] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[QualitySignalOut]:
    """Certificates whose goods buyers rated low several times, the newest first; the ratings are at `/v1/products/{id}/evaluations`."""
    return queries.signals(call.session, call.actor, open=open, district=district, limit=limit, after=after)


@routes.post("/quality-signals/{signal_id}/clear", Permission.CERTIFICATES_SUSPEND, status=200)
def clear_quality_signal(call: Call, signal_id: Id, body: ClearingIn) -> QualitySignalOut:
    """Put on record what came of it; ratings from before count no more."""
    actions.clear(call.session, call.actor, signal_id, body.reason)
    return queries.signal(call.session, call.actor, signal_id)
