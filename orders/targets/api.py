"""Targets over HTTP."""

from typing import Annotated, Literal

from fastapi import Depends, Query
from fastapi.responses import Response

from orders.statistics.tables import Filled, Format, TableOut
from orders.targets import actions, queries, sheets
from orders.targets.queries import Filters
from orders.targets.schemas import (
    ProgrammeCode,
    RevisionIn,
    RevisionOut,
    TargetCode,
    TargetIn,
    TargetOut,
    WithdrawIn,
)
from shop.core import clock, exports
from shop.core.paging import After, Limit, Page
from shop.core.quantities import Id, PastDay
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission
from shop.programmes import queries as programmes
from shop.programmes.targets import Measure
from shop.regions.schemas import DistrictCode

routes = Routes("targets", "/v1/targets")

On = Annotated[PastDay | None, Query(description="as of this day; default: today")]


def _filters(
    programme: Annotated[ProgrammeCode | None, Query(description="default: every programme")] = None,
    region: Annotated[DistrictCode | None, Query()] = None,
    measure: Annotated[Measure | None, Query()] = None,
    code: Annotated[TargetCode | None, Query()] = None,
    withdrawn: Annotated[bool, Query(description="with those that were withdrawn")] = False,
) -> Filters:
    return Filters(programme, region, measure, code, withdrawn)


Asked = Annotated[Filters, Depends(_filters)]


@routes.get("", Permission.MONITORING_READ)
def list_targets(call: Call, filters: Asked, on: On = None, limit: Limit = 50, after: After = None) -> Page[TargetOut]:
    """Targets of the city and its districts with what was reached, what was to be expected by the day, a forecast and a light."""
    return queries.targets(call.session, filters, call.language, on=on or clock.today(), limit=limit, after=after)


@routes.post("", Permission.TARGETS_SET)
def set_target(call: Call, body: TargetIn) -> TargetOut:
    """Give a district, or the city, a target."""
    target_id = actions.set_target(call.session, call.actor, body)
    return queries.target(call.session, target_id, call.language, clock.today())


@routes.get("/rank", Permission.MONITORING_READ, answer=TableOut, responses=exports.FILES)
def rank(
    call: Call,
    code: Annotated[TargetCode, Query()] = "east_west_sales",
    programme: Annotated[ProgrammeCode | None, Query()] = None,
    on: On = None,
    format: Format = "json",
) -> TableOut | Response:
    """The districts that have a target of this code, by how much of it they reached."""
    day = on or clock.today()
    rows = queries.ranked(call.session, Filters(programme, code=code), call.language, day)
    return Filled(sheets.RANK, rows, clock.now(), {}, on=day).answer(call.language, format)


@routes.get("/export", Permission.MONITORING_READ, responses=exports.FILES)
def export(call: Call, filters: Asked, on: On = None, format: Annotated[Literal["xlsx", "csv"], Query()] = "xlsx") -> Response:
    """The list as a table."""
    found = queries.targets(call.session, filters, call.language, on=on or clock.today(), limit=None, after=None)
    channels = programmes.words(call.session, on or clock.today(), call.language)("channel")
    rows = sheets.cells(found.items, channels, call.language)
    return exports.file(format, "targets", sheets.HEADER[call.language], rows, sheets.TITLE[call.language])


@routes.get("/{target_id}", Permission.MONITORING_READ)
def read_target(call: Call, target_id: Id, on: On = None) -> TargetOut:
    """One target with its progress."""
    return queries.target(call.session, target_id, call.language, on or clock.today())


@routes.get("/{target_id}/revisions", Permission.MONITORING_READ)
def list_revisions(call: Call, target_id: Id, limit: Limit = 50, after: After = None) -> Page[RevisionOut]:
    """Every value that was set, the latest first, with its reason."""
    return queries.revisions(call.session, target_id, limit=limit, after=after)


@routes.post("/{target_id}/revisions", Permission.TARGETS_SET)
def revise(call: Call, target_id: Id, body: RevisionIn) -> TargetOut:
    """Set another value, with the reason."""
    actions.revise(call.session, call.actor, target_id, body, if_match=call.if_match)
    return queries.target(call.session, target_id, call.language, clock.today())


@routes.post("/{target_id}/withdraw", Permission.TARGETS_SET, status=200)
def withdraw(call: Call, target_id: Id, body: WithdrawIn) -> TargetOut:
    """Take it back; it stays on record."""
    actions.withdraw(call.session, call.actor, target_id, body.reason, if_match=call.if_match)
    return queries.target(call.session, target_id, call.language, clock.today())
