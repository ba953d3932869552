"""Figures of certification over HTTP, as tables and as files."""

from datetime import date, timedelta
from typing import Annotated, Literal

from fastapi import Query
from fastapi.responses import Response

from catalog.monitoring import showing
from catalog.monitoring.queries import course
from catalog.monitoring.queries import stock as stocks
from catalog.monitoring.schemas import FiguresOut, Grain, StepKey, StockKey
from catalog.products.schemas import DistrictCode
from shop.core import clock, exports
from shop.core.errors import Language
from shop.core.quantities import Day, PastDay
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission
from shop.regions import queries as regions

routes = Routes("monitoring", "/v1/certification-statistics")

Format = Annotated[Literal["json", "csv", "xlsx"], Query()]
District = Annotated[DistrictCode | None, Query()]
First = Annotated[Day | None, Query(alias="from", description="default: a year before `to`")]
Last = Annotated[Day | None, Query(alias="to", description="default: today")]


#: What a table is called as a sheet of a workbook.
_TITLES: dict[str, dict[Language, str]] = {
    "stock": {"zh": "认定存量", "en": "Certified stock"},
    "stock_over_time": {"zh": "认定存量变化", "en": "Certified stock over time"},
    "steps": {"zh": "环节用时", "en": "Duration of steps"},
    "overdue": {"zh": "超期申请", "en": "Overdue cases"},
    "objections": {"zh": "公示异议", "en": "Objections"},
    "measures": {"zh": "监管措施", "en": "Measures"},
    "flow": {"zh": "增减变动", "en": "Coming and going"},
}


def _span(first: date | None, last: date | None) -> tuple[date, date]:
    last = last or clock.today()
    return first or last - timedelta(days=365), last


def _answer(call: Call, figures: FiguresOut, name: str, format: str) -> FiguresOut | Response:
    if format == "json":
        return figures
    cells = ([row.get(column) for column in figures.columns] for row in figures.rows)
    return exports.file(format, f"certification_{name}", list(figures.columns.values()), cells, _TITLES[name][call.language])


@routes.get("/stock", Permission.SUPERVISION_READ, answer=FiguresOut, responses=exports.FILES)
def stock(
    call: Call,
    group_by: Annotated[list[StockKey], Query(max_length=5)] = [],  # noqa: B006  FastAPI copies it
    on: Annotated[PastDay | None, Query(description="default: today")] = None,
    district: District = None,
    format: Format = "json",
) -> FiguresOut | Response:
    """Certified products, suppliers, households and persons on a day. Small numbers of households, and what would give them away, are null
    without `households:read`; so is how they became known, and everything but by county and category."""
    by = list(dict.fromkeys(group_by))
    day = on or clock.today()
    regions.prefix_asked(call.session, district, "district")
    figures = stocks.stock(call.session, call.actor, call.language, by=by, on=day, district=district)
    figures = showing.protected(call.session, call.actor, figures, by=by, on=day, district=district)
    return _answer(call, figures, "stock", format)


@routes.get("/stock-over-time", Permission.SUPERVISION_READ, answer=FiguresOut, responses=exports.FILES)
def stock_over_time(
    call: Call,
    first: First = None,
    last: Last = None,
    grain: Grain = Grain.MONTH,
    district: District = None,
    format: Format = "json",
) -> FiguresOut | Response:
    """The stock at the end of each month, quarter or year; without `households:read` as in `stock`."""
    begin, end = _span(first, last)
    regions.prefix_asked(call.session, district, "district")
    figures = showing.over_time(call.session, call.actor, call.language, first=begin, last=end, grain=grain, district=district)
    return _answer(call, figures, "stock_over_time", format)


@routes.get("/steps", Permission.SUPERVISION_READ, answer=FiguresOut, responses=exports.FILES)
def steps(
    call: Call,
    group_by: Annotated[list[StepKey], Query(max_length=3)] = [],  # noqa: B006  FastAPI copies it
    first: First = None,
    last: Last = None,
    district: District = None,
    format: Format = "json",
) -> FiguresOut | Response:
    """How many working days each step took: average, median, nine of ten; and how often it was late."""
    begin, end = _span(first, last)
    by = list(dict.fromkeys(group_by))
    figures = course.steps(call.session, call.actor, call.language, by=by, first=begin, last=end, district=district)
    return _answer(call, figures, "steps", format)


@routes.get("/overdue", Permission.SUPERVISION_READ, answer=FiguresOut, responses=exports.FILES)
def overdue(call: Call, format: Format = "json") -> FiguresOut | Response:
    """Cases that are overdue now, by step and county."""
    return _answer(call, course.overdue(call.session, call.actor, call.language), "overdue", format)


@routes.get("/objections", Permission.SUPERVISION_READ, answer=FiguresOut, responses=exports.FILES)
def objections(call: Call, first: First = None, last: Last = None, format: Format = "json") -> FiguresOut | Response:
    """Objections against notices, by county."""
    begin, end = _span(first, last)
    figures = course.objections(call.session, call.actor, call.language, first=begin, last=end)
    return _answer(call, figures, "objections", format)


@routes.get("/measures", Permission.SUPERVISION_READ, answer=FiguresOut, responses=exports.FILES)
def measures(call: Call, first: First = None, last: Last = None, format: Format = "json") -> FiguresOut | Response:
    """Warnings, suspensions, holds and revocations by reason; complaints and inspections by kind and outcome."""
    begin, end = _span(first, last)
    figures = course.measures(call.session, call.actor, call.language, first=begin, last=end)
    return _answer(call, figures, "measures", format)


@routes.get("/flow", Permission.SUPERVISION_READ, answer=FiguresOut, responses=exports.FILES)
def flow(call: Call, first: First = None, last: Last = None, format: Format = "json") -> FiguresOut | Response:
    """What came and went, by month and county."""
    begin, end = _span(first, last)
    figures = course.flow(call.session, call.actor, call.language, first=begin, last=end)
    return _answer(call, figures, "flow", format)
