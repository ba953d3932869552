"""Regions and support relations over HTTP. Every answer is as of a date, today unless another is given."""

from typing import Annotated, Any

from fastapi import Path, Query
from pydantic import AfterValidator, StringConstraints
from sqlalchemy import Row

from shop.core import clock
from shop.core.paging import After, Limit, Page, page, position
from shop.core.quantities import AnyDay, storable
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission
from shop.regions import queries
from shop.regions.rules import Designation, RegionKind, RelationKind
from shop.regions.schemas import RegionDesignationOut, RegionDetailOut, RegionOut, SupportRelationOut

routes = Routes("regions", "/v1")

AsOf = Annotated[AnyDay | None, Query(description="Shanghai date; default today")]
RegionCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}[0-9A-Z]{0,6}$")]
Words = Annotated[str, StringConstraints(max_length=50), AfterValidator(storable)]


def _relation(row: Row[Any]) -> SupportRelationOut:
    return SupportRelationOut.model_validate(row, from_attributes=True)


@routes.get("/regions", Permission.PROGRAMMES_READ)
def regions(
    call: Call,
    as_of: AsOf = None,
    kind: RegionKind | None = None,
    designation: Designation | None = None,
    parent: Annotated[RegionCode | None, Query(description="code of the region directly above")] = None,
    q: Annotated[Words | None, Query(description="part of the name, or the beginning of the code")] = None,
    limit: Limit = 200,
    after: After = None,
) -> Page[RegionOut]:
    """Regions in force on a date, by code."""
    start = position(after, str)
    rows = queries.regions(
        call.session,
        as_of or clock.today(),
        kind=kind,
        designation=designation,
        parent=parent,
        q=q,
        after=start[0] if start else None,
        limit=limit + 1,
    )
    return page(rows, limit, lambda row: RegionOut.model_validate(row, from_attributes=True), lambda row: [row.code])


@routes.get("/regions/{code}", Permission.PROGRAMMES_READ)
def region(call: Call, code: Annotated[RegionCode, Path(examples=["500236"])], as_of: AsOf = None) -> RegionDetailOut:
    """One region with the designations and support relations that were in force on a date."""
    on = as_of or clock.today()
    row = queries.region(call.session, code, on)
    return RegionDetailOut.model_validate(
        {
            **row._mapping,
            "as_of": on,
            "designations": [
                RegionDesignationOut.model_validate(entry, from_attributes=True)
                for entry in queries.designations(call.session, code, on)
            ],
            "relations": [_relation(entry) for entry in queries.relations_reaching(call.session, code, on)],
        }
    )


@routes.get("/support-relations", Permission.PROGRAMMES_READ)
def support_relations(
    call: Call,
    as_of: AsOf = None,
    kind: RelationKind | None = None,
    region_code: Annotated[RegionCode | None, Query(description="a region with all that lies in it")] = None,
    limit: Limit = 200,
    after: After = None,
) -> Page[SupportRelationOut]:
    """Who supported which region on a date, and how well that is known."""
    start = position(after, int)
    rows = queries.support_relations(
        call.session,
        as_of or clock.today(),
        kind=kind,
        region_code=region_code,
        after=start[0] if start else 0,
        limit=limit + 1,
    )
    return page(rows, limit, _relation, lambda row: [row.id])
