"""The panels of the dashboard over HTTP. All are totals by county, open to every officer and monitor of the city."""

from typing import Annotated

from fastapi import Query
from fastapi.responses import Response

from catalog.products.schemas import DistrictCode
from orders.ledger.filters import period
from orders.panels import sheets
from orders.panels.queries import books, places, supply
from orders.panels.queries import overview as overviews
from orders.panels.queries.places import LaneKey
from orders.panels.queries.supply import OutletKey
from orders.panels.schemas import OverviewOut
from orders.statistics.tables import Format, TableOut
from shop.core import clock, exports
from shop.core.months import month_start
from shop.core.quantities import Day, PastDay
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("panels", "/v1/statistics")

On = Annotated[PastDay | None, Query(description="default: today")]
First = Annotated[Day | None, Query(alias="from", description="default: 1 January of the year of `to`")]
Last = Annotated[Day | None, Query(alias="to", description="included; default: today")]


@routes.get("/overview", Permission.MONITORING_READ, answer=OverviewOut, responses=exports.FILES)
def overview(call: Call, format: Format = "json") -> OverviewOut | Response:
    """This month and this year with growth, by channel, the 18 townships apart, and the light of each of the city's targets."""
    found = overviews.overview(call.session, call.language)
    if format == "json":
        return found
    rows = sheets.cells(found, call.language)
    about = exports.About(call.language, found.definition, found.exact_to, first=found.year.first, last=found.year.last)
    return exports.file(format, "overview", sheets.HEADER[call.language], rows, sheets.TITLE[call.language], about)


@routes.get("/certification", Permission.MONITORING_READ, answer=TableOut, responses=exports.FILES)
def certification(
    call: Call, on: On = None, district: Annotated[DistrictCode | None, Query()] = None, format: Format = "json"
) -> TableOut | Response:
    """Certificates in force on a day by county, with suppliers, products, and households and persons as a stock."""
    found = supply.certification(call.session, call.actor, call.language, on=on or clock.today(), district=district)
    return found.answer(call.language, format)


@routes.get("/outlets", Permission.MONITORING_READ, answer=TableOut, responses=exports.FILES)
def outlets(
    call: Call,
    group_by: Annotated[list[OutletKey], Query(max_length=3)] = [OutletKey.COUNTY],  # noqa: B006  FastAPI copies it
    on: Annotated[PastDay | None, Query(description="default: `to`, or today where that is to come")] = None,
    first: Annotated[Day | None, Query(alias="from", description="of sales; default: the first day of the month of `to`")] = None,
    last: Last = None,
    format: Format = "json",
) -> TableOut | Response:
    """Outlets on a day; those that sold something in the period, certified and other goods apart."""
    first, last = period(first or month_start(last or clock.today()), last)
    by = list(dict.fromkeys(group_by))
    return supply.outlets(call.session, call.language, by=by, on=on or min(last, clock.today()), first=first, last=last).answer(
        call.language, format
    )


@routes.get("/reserved-share", Permission.MONITORING_READ, answer=TableOut, responses=exports.FILES)
def reserved_share(
    call: Call,
    year: Annotated[int | None, Query(ge=2000, le=2100, description="default: the present year")] = None,
    format: Format = "json",
) -> TableOut | Response:
    """What budget units reserve in a year and what is done of it, by county."""
    return books.reserved_share(call.session, call.language, year or clock.today().year).answer(call.language, format)


@routes.get("/pledges", Permission.MONITORING_READ, answer=TableOut, responses=exports.FILES)
def pledges(call: Call, first: First = None, last: Last = None, format: Format = "json") -> TableOut | Response:
    """What was pledged to be bought, and what was accepted of it."""
    return books.pledges(call.session, call.language, *period(first, last)).answer(call.language, format)


@routes.get("/agreements", Permission.MONITORING_READ, answer=TableOut, responses=exports.FILES)
def agreements(call: Call, first: First = None, last: Last = None, format: Format = "json") -> TableOut | Response:
    """What was due under long-term agreements and what was delivered, in yuan and tonnes."""
    return books.agreements(call.session, call.language, *period(first, last)).answer(call.language, format)


@routes.get("/villages", Permission.MONITORING_READ, answer=TableOut, responses=exports.FILES)
def villages(call: Call, first: First = None, last: Last = None, format: Format = "json") -> TableOut | Response:
    """Villages with sales by county, and the poor ones among them; by whole months."""
    return places.villages(call.session, call.language, *period(first, last)).answer(call.language, format)


@routes.get("/shandong-lane", Permission.MONITORING_READ, answer=TableOut, responses=exports.FILES)
def shandong_lane(
    call: Call, group_by: LaneKey = LaneKey.COUNTY, first: First = None, last: Last = None, format: Format = "json"
) -> TableOut | Response:
    """十万吨渝货进山东 in tonnes and yuan: by county of origin, or by month and cumulated against the goal."""
    begin, end = period(first, last)
    return places.shandong_lane(call.session, call.language, begin, end, group_by).answer(call.language, format)
