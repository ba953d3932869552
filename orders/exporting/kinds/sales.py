"""Any question of the statistics of sales."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field, model_validator
from sqlmodel import Session

from orders.exporting.kinds.filters import PERIOD, SaleParameters, check, filters_of
from orders.exporting.table import Column, Kind, Table, Type, of_rows
from orders.ledger.selection import TIME, Dimension, reach_of
from orders.statistics import labels, queries
from orders.statistics.extras import Extra, Order
from orders.statistics.question import COUNTED, DEFAULT_MEASURES, Compare, Measure, Question, so_far
from orders.statistics.schemas import SalesOut
from orders.statistics.showing import about, answer_out, beside_last_year, cells, header, total
from shop.core import clock
from shop.core.errors import BadValue, Language
from shop.core.quantities import PastDay, whole
from shop.identity.actor import Actor
from shop.identity.permissions import Permission

_TYPES = {Measure.AMOUNT: Type.MONEY, Measure.GROSS: Type.MONEY, Measure.TONNES: Type.QUANTITY, Measure.QUANTITY: Type.QUANTITY}


class SalesIn(SaleParameters):
    """The parameters of ``/v1/statistics/sales``."""

    group_by: Annotated[list[Dimension], Field(max_length=20)] = []
    measure: Annotated[list[Measure], Field(max_length=20, description="default: amount, tonnes and orders")] = []
    extra: Annotated[list[Extra], Field(max_length=3)] = []
    compare: Compare | None = None
    sort: Measure | None = None
    ascending: bool = False
    top: Annotated[int | None, Field(ge=1, le=10_000), whole] = None
    known_on: PastDay | None = None

    @property
    def measures(self) -> tuple[Measure, ...]:
        return tuple(dict.fromkeys(self.measure or DEFAULT_MEASURES))

    @model_validator(mode="after")
    def _fits(self) -> "SalesIn":
        if self.sort is not None and self.sort not in self.measures:
            raise BadValue("排序指标必须在所查询的指标中", "rows are sorted by a measure that is asked for", "sort")
        if Extra.RUNNING in self.extra and sum(dimension in TIME for dimension in self.group_by) != 1:
            raise BadValue("累计数需要且仅需要一个时间分组", "running totals need rows by exactly one span of time", "extra")
        return self


def _table(session: Session, actor: Actor, asked: SalesIn, language: Language) -> Table:
    selection = filters_of(asked).selection(session, asked.known_on)
    question = Question(
        selection=selection if asked.compare is None else so_far(selection, clock.today()),
        group_by=tuple(dict.fromkeys(asked.group_by)),
        measures=asked.measures,
        reach=reach_of(actor),
        compare=asked.compare,
    )
    answer = queries.ask(session, question)
    order = Order(asked.sort, not asked.ascending, asked.top)
    shown = answer_out(session, answer, language, asked.extra, order)
    columns = [
        Column(name, head, head, type) for (name, type), head in zip(_columns(shown, asked), header(shown, language), strict=True)
    ]
    title = "销售统计" if language == "zh" else "Sales"
    return of_rows(title, columns, list(cells(shown)), [total(shown, language)], about(shown, language))


def _columns(shown: SalesOut, asked: SalesIn) -> Iterator[tuple[str, Type]]:
    """What the columns are called in JSON and Parquet, and their types, in the order of the cells."""
    for dimension in shown.group_by:
        if dimension not in TIME:
            yield f"{dimension}_code", Type.TEXT
        yield dimension, Type.TEXT
    if not shown.group_by:
        yield "total", Type.TEXT
    for measure in shown.measures:
        type = _TYPES.get(measure, Type.WHOLE)
        yield measure, type
        if shown.compared_with:
            yield f"{measure}_before", type
            yield f"{measure}_growth", Type.PERCENT
        for extra in labels.EXTRAS:
            # no rows have no extras
            if not shown.rows or extra not in asked.extra or (extra is Extra.RUNNING and measure in COUNTED):
                continue
            yield f"{measure}_{extra}", {Extra.SHARE: Type.PERCENT, Extra.RANK: Type.WHOLE, Extra.RUNNING: type}[extra]
            if extra is Extra.RUNNING and beside_last_year(shown):
                yield f"{measure}_{extra}_before", type
                yield f"{measure}_{extra}_growth", Type.PERCENT


KIND = Kind(Permission.STATISTICS_READ, SalesIn, _table, PERIOD, check=check)
