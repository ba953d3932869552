"""Figures over HTTP."""

from typing import Annotated, Literal

from fastapi import Depends, Query
from fastapi.responses import Response

from orders.ledger.filters import SaleFilters
from orders.ledger.selection import Dimension, reach_of
from orders.statistics import queries, showing
from orders.statistics.question import Measure, Question
from orders.statistics.schemas import SalesOut
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("statistics", "/v1/statistics")

_DEFAULT_MEASURES = (Measure.AMOUNT, Measure.TONNES, Measure.ORDERS)
_CSV = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}


@routes.get("/sales", Permission.STATISTICS_READ, answer=SalesOut, responses=_CSV)
def sales(
    call: Call,
    filters: Annotated[SaleFilters, Depends()],
    group_by: Annotated[list[Dimension], Query(default_factory=list, max_length=20)],
    measure: Annotated[list[Measure], Query(default_factory=list, max_length=20, description="default: amount, tonnes and orders")],
    compare: Annotated[
        Literal["last_year"] | None, Query(description="beside each figure that of the same period last year")
    ] = None,
    format: Annotated[Literal["json", "csv"], Query()] = "json",
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
    name = f"sales_{shown.period.first}_{shown.period.last}.csv"
    return Response(
        showing.as_csv(shown, call.language),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
