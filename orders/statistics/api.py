"""Figures over HTTP."""

from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import Depends, Query
from fastapi.responses import Response

from orders.ledger.filters import KnownOn, SaleFilters
from orders.ledger.selection import Dimension, reach_of
from orders.statistics import queries, replica
from orders.statistics.errors import SortedByNothing
from orders.statistics.extras import Extra, Order
from orders.statistics.question import DEFAULT_MEASURES, Compare, Measure, Question, so_far
from orders.statistics.schemas import SalesOut
from orders.statistics.showing import about, answer_out, cells, header, total
from shop.core import clock, exports
from shop.core.exports import Worksheet
from shop.core.quantities import none_asked
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("statistics", "/v1/statistics")


@dataclass
class Showing:
    """How figures are shown."""

    extra: Annotated[list[Extra], Query(default_factory=none_asked, max_length=3, description="shares, ranks, running totals")]
    compare: Annotated[
        Compare | None,
        Query(
            description="beside each figure that of the same period last year, or of the period before; by spans of time: of the span before the row's own; of a period that is not over, its days up to today, or to `known_on`"
        ),
    ] = None
    sort: Annotated[Measure | None, Query(description="rows by this measure, the highest first; default: by their keys")] = None
    ascending: Annotated[bool, Query(description="with sort: the lowest first")] = False
    top: Annotated[int | None, Query(ge=1, le=10_000, description="no more rows than so many; totals hold all")] = None

    @property
    def order(self) -> Order:
        return Order(self.sort, not self.ascending, self.top)


@routes.get("/sales", Permission.STATISTICS_READ, answer=SalesOut, responses=exports.FILES)
def sales(
    call: Call,
    filters: Annotated[SaleFilters, Depends()],
    showing: Annotated[Showing, Depends()],
    group_by: Annotated[list[Dimension], Query(default_factory=none_asked, max_length=20)],
    measure: Annotated[
        list[Measure], Query(default_factory=none_asked, max_length=20, description="default: amount, tonnes and orders")
    ],
    known_on: KnownOn = None,
    format: Annotated[Literal["json", "csv", "xlsx"], Query()] = "json",
) -> SalesOut | Response:
    """Sales by any dimensions, exact to the last committed sale. Officers and monitors see the whole city, and townships, suppliers, products,
    buyers and outlets of their own region, to which ``scope`` says the answer is limited then; suppliers see what they sold, buyers what their branch bought, operators of outlets what these sold. ``sort`` orders by a measure that is
    asked for."""
    measures = tuple(dict.fromkeys(measure or DEFAULT_MEASURES))
    if showing.sort is not None and showing.sort not in measures:
        raise SortedByNothing.at("sort")
    selection = filters.selection(call.session, known_on)
    question = Question(
        selection=selection if showing.compare is None else so_far(selection, clock.today()),
        group_by=tuple(dict.fromkeys(group_by)),
        measures=measures,
        reach=reach_of(call.actor),
        compare=showing.compare,
    )
    with replica.source(call.session) as source:
        answer = queries.ask_in_time(source.session, question, source.exact_to)
        shown = answer_out(source.session, answer, call.language, showing.extra, showing.order)
    shown.behind_seconds = source.behind_seconds
    if format == "json":
        return shown
    name = f"sales_{shown.period.first}_{shown.period.last}"
    title = "销售统计" if call.language == "zh" else "Sales"
    table = Worksheet(title, header(shown, call.language), [*cells(shown), total(shown, call.language)])
    if format == "csv":
        return exports.file(format, name, table.header, table.rows, title)
    return exports.workbook(name, [table, exports.about_sheet(call.language, about(shown, call.language))])
