"""Suppliers that are barred, over HTTP."""

from typing import Annotated

from fastapi import Query

from catalog.products.schemas import DistrictCode
from catalog.supervision.actions import blacklist as actions
from catalog.supervision.queries import blacklist as queries
from catalog.supervision.schemas.blacklist import BarIn, BarOut, LiftIn
from shop.core.paging import After, Limit, Page
from shop.core.quantities import Id
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("supervision", "/v1")


@routes.get("/blacklist", Permission.SUPERVISION_READ)
def list_barred(
    call: Call,
    active: Annotated[bool | None, Query(description="true: barred today")] = None,
    district: Annotated[DistrictCode | None, Query(description="where the supplier lies")] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[BarOut]:
    """Who is or was barred, of all counties; the newest first."""
    return queries.bars(call.session, active=active, district=district, limit=limit, after=after)


@routes.post("/blacklist", Permission.BLACKLIST_MANAGE)
def bar(call: Call, body: BarIn) -> BarOut:
    """Bar a supplier from applying until a day; its certificates are suspended for that time."""
    return queries.bar(call.session, actions.bar(call.session, call.actor, body))


@routes.post("/blacklist/{entry_id}/lift", Permission.BLACKLIST_MANAGE, status=200)
def lift(call: Call, entry_id: Id, body: LiftIn) -> BarOut:
    """End a bar before its day; certificates that were suspended for it come back."""
    actions.lift(call.session, call.actor, entry_id, body.reason)
    return queries.bar(call.session, entry_id)
