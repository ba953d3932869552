"""Growth of reported indicators over HTTP. It stands beside the indicators and above them, since what is to be reached is a target."""

from typing import Annotated

from fastapi import Query
from fastapi.responses import Response

from orders.indicators import rules
from orders.indicators.rules import Grain, Period
from orders.indicators.schemas import IndicatorCode, PeriodCode
from orders.panels.queries import growth as queries
from orders.statistics.tables import Format, TableOut
from shop.core import clock, exports
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("indicators", "/v1/indicators")


@routes.get("/growth", Permission.MONITORING_READ, answer=TableOut, responses=exports.FILES)
def growth(
    call: Call,
    indicator: Annotated[IndicatorCode, Query()] = "rural_online_retail",
    period: Annotated[PeriodCode | None, Query(description="default: the year that is over")] = None,
    format: Format = "json",
) -> TableOut | Response:
    """Growth of the counties against the city's target, the highest first; with what the marketplace itself counted there beside it."""
    asked = (rules.period_of(period) if period else None) or _last_year()
    return queries.growth(call.session, indicator, asked, call.language).answer(call.language, format)


def _last_year() -> Period:
    return Period(Grain.YEAR, clock.today().replace(month=1, day=1)).year_before
