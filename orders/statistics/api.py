"""Figures over HTTP."""

from typing import Annotated, Literal

from fastapi import Depends, Query
from fastapi.responses import Response

from orders.ledger.filters import SaleFilters
from orders.ledger.selection import Dimension, reach_of
from orders.statistics import queries, showing
from orders.statistics.question import Measure, Question
from orders.statistics.schemas import SalesOut
from shop.core import exports
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("statistics", "/v1/statistics")

_DEFAULT_MEASURES = (Measure.AMOUNT, Measure.TONNES, Measure.ORDERS)


@routes.get("/sales", Permission.STATISTICS_READ, answer=SalesOut, responses=exports.FILES)
def sales(
    call: Call,
    filters: Annotated[SaleFilters, Depends()],
    group_by: Annotated[list[Dimension], Query(default_factory=list, max_length=20)],
    measure: Annotated[list[Measure], Query(default_factory=list, max_length=20, description="default: amount, tonnes and orders")],
    compare: Annotated[
        Literal["last_year"] | None, Query(description="beside each figure that of the same period last year")
    ] = None,
    format: Annotated[Literal["json", "csv", "xlsx"], Query()] = "json",
) -> SalesOut | Response:
    """Sales by any dimensions, exact to the last committed sale. Officers and monitors see the whole city, and single suppliers of their own
    region; suppliers see what they sold, buyers what their branch bought."""
    question = Question(
        selection=filters.selection(),
        group_by=tuple(dict.fromkeys(group_by)),
        measures=tuple(dict.fromkeys(measure or _DEFAULT_MEASURES)),
        reach=reach_of(call.actor),
        compare=compare is not None,
    )
    shown = showing.answer_out(call.session, queries.ask(call.session, question), call.language)
    if format == "json":
        return shown
    name = f"sales_{shown.period.first}_{shown.period.last}"
    title = "销售统计" if call.language == "zh" else "Sales"
    return exports.file(format, name, showing.header(shown, call.language), showing.cells(shown, call.language), title)
