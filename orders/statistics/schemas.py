"""What callers get of figures."""

from datetime import date, datetime

from pydantic import BaseModel

from orders.ledger.selection import Dimension
from orders.statistics.question import Measure
from shop.core.money import YuanOut
from shop.core.quantities import QuantityOut


class CodedOut(BaseModel):
    """A stable code with its label in the caller's language."""

    code: str
    label: str


class FiguresOut(BaseModel):
    """The measures asked for; the others are null. ``tonnes`` is ``grams`` to the kilogram."""

    amount: YuanOut | None = None
    tonnes: str | None = None
    grams: int | None = None
    quantity: QuantityOut | None = None
    entries: int | None = None
    orders: int | None = None
    buyers: int | None = None
    products: int | None = None
    suppliers: int | None = None


class ComparedOut(BaseModel):
    figures: FiguresOut
    #: The same period last year.
    previous: FiguresOut | None = None
    #: Percent above last year by measure, with two decimals; null where last year has nothing to compare with.
    growth: dict[Measure, str | None] | None = None


class SalesRowOut(ComparedOut):
    #: One code and label for each dimension in ``group_by``.
    keys: dict[Dimension, CodedOut]


class PeriodOut(BaseModel):
    first: date
    last: date


class SalesOut(BaseModel):
    """Figures of sales. Sums of rows are the totals; counted measures count each order, buyer, product or supplier once, also in total."""

    period: PeriodOut
    compared_with: PeriodOut | None
    group_by: list[Dimension]
    measures: list[Measure]
    #: Every sale committed up to this moment is in the figures.
    exact_to: datetime
    definition: str
    definitions: dict[Measure, str]
    rows: list[SalesRowOut]
    totals: ComparedOut
