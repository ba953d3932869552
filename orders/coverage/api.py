"""E-commerce coverage over HTTP."""

from typing import Annotated, Literal

from fastapi import File, Form, Query, UploadFile
from fastapi.responses import Response

from orders.coverage import actions, queries, sheets
from orders.coverage.rules import Level, StationKind
from orders.coverage.schemas import (
    CloseIn,
    ImportedOut,
    PlaceCode,
    ServesIn,
    StationIn,
    StationOut,
    StationRow,
    VillageOut,
)
from orders.ledger.filters import period
from orders.statistics.tables import Filled, Format, TableOut
from shop.core import clock, exports, uploads
from shop.core.months import month_end, month_start
from shop.core.paging import After, Limit, Page
from shop.core.quantities import Day, Id, PastDay
from shop.core.sheets import SheetName
from shop.identity.access import PROBLEM, Call, Routes
from shop.identity.permissions import Permission

routes = Routes("coverage", "/v1/coverage")

On = Annotated[Day | None, Query(description="default: today")]
Place = Annotated[PlaceCode | None, Query(description="a district or township")]


@routes.get("", Permission.MONITORING_READ, answer=TableOut, responses=exports.FILES)
def coverage(
    call: Call,
    level: Level = Level.COUNTY,
    on: Annotated[PastDay | None, Query(description="default: today")] = None,
    first: Annotated[
        Day | None, Query(alias="from", description="of sales, by whole months; default: 1 January of the year of `to`")
    ] = None,
    last: Annotated[Day | None, Query(alias="to", description="default: `on`")] = None,
    format: Format = "json",
) -> TableOut | Response:
    """Poor villages served by an active station on a day, and those that sold something. Townships of the own region, counties of the whole city."""
    day = on or clock.today()
    first, last = period(first, last or day)
    rows = queries.coverage(call.session, call.actor, call.language, on=day, level=level, first=first, last=last)
    filled = Filled(sheets.COVERAGE, rows, clock.now(), on=day, first=month_start(first), last=month_end(last))
    return filled.answer(call.language, format)


@routes.get("/villages", Permission.MONITORING_READ)
def list_villages(
    call: Call,
    on: On = None,
    place: Place = None,
    served: Annotated[bool | None, Query(description="only those that are, or are not, served")] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[VillageOut]:
    """The poor villages of the own region that are listed on a day."""
    day = on or clock.today()
    return queries.villages(call.session, call.actor, call.language, on=day, place=place, served=served, limit=limit, after=after)


@routes.get("/villages/template", Permission.COVERAGE_RECORD, responses=exports.FILES)
def villages_template(call: Call, format: Annotated[Literal["xlsx", "csv"], Query()] = "xlsx") -> Response:
    """An empty list of poor villages with its headings and an example."""
    return exports.template(format, "poor_villages", sheets.COLUMNS, sheets.EXAMPLE, "贫困村", sheets.CODES)


@routes.post("/villages/import", Permission.COVERAGE_RECORD, status=200)
def import_villages(
    call: Call,
    file: Annotated[
        UploadFile, File(description="XLSX or CSV with the columns 乡镇代码, 村, 起始日期, 截止日期 (may be left out)")
    ],
    dry_run: Annotated[bool, Form(description="only look whether it would be accepted")] = False,
    sheet: SheetName = None,
) -> ImportedOut:
    """Put villages on the list, or change their days on it. Every fault by row and column."""
    return actions.take_over(call.session, call.actor, file.file.read(), sheet, dry_run=dry_run)


@routes.get("/stations", Permission.MONITORING_READ)
def list_stations(
    call: Call, place: Place = None, kind: StationKind | None = None, limit: Limit = 50, after: After = None
) -> Page[StationRow]:
    """The stations of the own region."""
    return queries.stations(call.session, call.actor, call.language, place=place, kind=kind, limit=limit, after=after)


@routes.post("/stations", Permission.COVERAGE_RECORD)
def open_station(call: Call, body: StationIn) -> StationOut:
    """Record a station (电商服务站点) with what proves it and the villages that it serves."""
    station_id = actions.open_station(call.session, call.actor, body)
    return queries.station(call.session, call.actor, station_id, call.language)


@routes.get("/stations/{station_id}", Permission.MONITORING_READ)
def read_station(call: Call, station_id: Id) -> StationOut:
    """One station with all villages that it serves or served."""
    return queries.station(call.session, call.actor, station_id, call.language)


@routes.put("/stations/{station_id}/villages", Permission.COVERAGE_RECORD)
def serve(call: Call, station_id: Id, body: ServesIn) -> StationOut:
    """Say which villages it serves from a day on; the days before stay as they were."""
    actions.serve(call.session, call.actor, station_id, body, if_match=call.if_match)
    return queries.station(call.session, call.actor, station_id, call.language)


@routes.post("/stations/{station_id}/close", Permission.COVERAGE_RECORD, status=200)
def close(call: Call, station_id: Id, body: CloseIn) -> StationOut:
    """End it with a last day."""
    actions.close(call.session, call.actor, station_id, body, if_match=call.if_match)
    return queries.station(call.session, call.actor, station_id, call.language)


@routes.post("/stations/{station_id}/evidence", Permission.COVERAGE_RECORD, status=200)
def attach(call: Call, station_id: Id, file: Annotated[UploadFile, File(description="PDF or image")]) -> StationOut:
    """Upload the paper that proves it, in place of one uploaded before."""
    actions.attach(call.session, call.actor, station_id, file.filename, file.file.read(), call.if_match)
    return queries.station(call.session, call.actor, station_id, call.language)


@routes.get("/stations/{station_id}/evidence", Permission.MONITORING_READ, responses={**uploads.FILE_ANSWER, 409: PROBLEM})
def evidence(call: Call, station_id: Id) -> Response:
    """The paper that proves it."""
    return uploads.served(queries.evidence(call.session, call.actor, station_id))
