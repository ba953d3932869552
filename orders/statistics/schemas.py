"""What callers get of figures.

An answer may hold 10,000 rows, and nothing in them needs to be checked: what makes up a row is a plain dataclass.
"""

from dataclasses import dataclass
from datetime import date, datetime

from pydantic import BaseModel

from orders.ledger.rules import Direction
from orders.ledger.selection import Dimension
from orders.statistics.question import Measure
from shop.core.money import YuanOut
from shop.core.quantities import QuantityOut


@dataclass(slots=True)
class CodedOut:
    """A stable code with its label in the caller's language."""

    code: str
    label: str


@dataclass(slots=True)
class FiguresOut:
    """The measures asked for; the others are null. ``tonnes`` is ``grams`` to the kilogram."""

    amount: YuanOut | None = None
    gross: YuanOut | None = None
    tonnes: str | None = None
    grams: int | None = None
    quantity: QuantityOut | None = None
    entries: int | None = None
    orders: int | None = None
    buyers: int | None = None
    products: int | None = None
    suppliers: int | None = None


@dataclass(slots=True, kw_only=True)
class ComparedOut:
    figures: FiguresOut
    #: The period before.
    previous: FiguresOut | None = None
    #: Percent above the period before by measure, with two decimals; null where it has nothing to compare with.
    growth: dict[Measure, str | None] | None = None


class PeriodOut(BaseModel):
    first: date
    last: date


@dataclass(slots=True, kw_only=True)
class SalesRowOut(ComparedOut):
    #: Percent of the total by measure, with two decimals; null where the total is none, or below it. All rows of a sum come to 100.00 together (largest
    #: remainder; what is taken back may leave a row below zero and others above 100), and a row has the same share whichever are shown. Shares of counted
    #: measures may exceed 100 together: one order may stand in two rows.
    share: dict[Measure, str | None] | None = None
    #: Place among all rows by measure, the highest first.
    rank: dict[Measure, int] | None = None
    #: Sums from the first span of time up to this row's, of rows that are alike but for the time; for sums only, in the order of time.
    running: FiguresOut | None = None
    #: With ``compare=last_year``: the same sums a year earlier, and by how many percent this year's are above them (累计同比).
    running_previous: FiguresOut | None = None
    running_growth: dict[Measure, str | None] | None = None
    #: With ``compare`` and rows by spans of time: the days of this row, and those beside which they stand.
    period: PeriodOut | None = None
    compared_with: PeriodOut | None = None
    #: One code and label for each dimension in ``group_by``.
    keys: dict[Dimension, CodedOut]


class SalesOut(BaseModel):
    """Figures of sales. Sums of rows are the totals; counted measures count each order, buyer, product or supplier once, also in total."""

    period: PeriodOut
    compared_with: PeriodOut | None
    direction: Direction
    #: Only what had been booked by the end of this day is in the figures; null: everything.
    known_on: date | None
    group_by: list[Dimension]
    #: By which codes sales were picked; a district stands with those that were merged into it, a designation as what was designated so.
    filters: dict[Dimension, list[str]]
    measures: list[Measure]
    #: Every sale committed up to this moment is in the figures.
    exact_to: datetime
    #: By how many seconds the read replica lies behind that was asked; null: the ledger itself was.
    behind_seconds: float | None = None
    #: Codes of the regions (with all that lies in them) that rows and totals are limited to, since who and where exactly is open to an officer in
    #: the own region only; null: the whole city, or the own organisation.
    scope: list[str] | None = None
    definition: str
    definitions: dict[Measure, str]
    #: How many rows there are; ``top`` cuts them.
    row_count: int
    rows: list[SalesRowOut]
    totals: ComparedOut
