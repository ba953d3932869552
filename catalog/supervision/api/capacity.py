"""Sales against certified capacity over HTTP."""

from typing import Annotated

from fastapi import Query

from catalog.products.schemas import DistrictCode
from catalog.supervision.actions import capacity as actions
from catalog.supervision.queries import capacity as queries
from catalog.supervision.queries.capacity import Filters
from catalog.supervision.schemas.capacity import CapacityFlagOut, CapacityOut, ClearingIn, ExplanationIn
from shop.core import clock
from shop.core.paging import After, Limit, Page
from shop.core.quantities import Id
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("supervision", "/v1")


@routes.get("/capacity-flags", Permission.CERTIFICATIONS_READ)
def list_capacity_flags(
    call: Call,
    open: Annotated[bool | None, Query(description="true: only what was not cleared")] = None,
    district: Annotated[DistrictCode | None, Query()] = None,
    certificate_id: Annotated[Id | None, Query()] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[CapacityFlagOut]:
    """Certificates of which more was sold and promised than they were given for; the newest first."""
    return queries.flags(call.session, call.actor, Filters(open, district, certificate_id), limit=limit, after=after)


@routes.get("/certificates/{certificate_id}/capacity", Permission.CERTIFICATIONS_READ)
def read_capacity(
    call: Call, certificate_id: Id, year: Annotated[int | None, Query(ge=2000, le=2100, description="default: this year")] = None
) -> CapacityOut:
    """What was sold and promised of a certificate in a year, beside what it was given for."""
    return queries.capacity(call.session, call.actor, certificate_id, year or clock.today().year)


@routes.post("/capacity-flags/{flag_id}/explanation", Permission.CERTIFICATIONS_APPLY, status=200)
def explain_capacity(call: Call, flag_id: Id, body: ExplanationIn) -> CapacityFlagOut:
    """What the supplier says to it. Without an explanation in time the certificate is held."""
    actions.explain(call.session, call.actor, flag_id, body.text)
    return queries.flag(call.session, call.actor, flag_id)


@routes.post("/capacity-flags/{flag_id}/clear", Permission.CERTIFICATES_SUSPEND, status=200)
def clear_capacity(call: Call, flag_id: Id, body: ClearingIn) -> CapacityFlagOut:
    """Accept what was sold so far; a held certificate is released when nothing else stands against it."""
    actions.clear(call.session, call.actor, flag_id, body.reason)
    return queries.flag(call.session, call.actor, flag_id)
