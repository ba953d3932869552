"""A question about sales: what is asked of which sales, by what, and beside which period."""

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from orders.ledger.selection import DETAIL, TIME, Dimension, Reach, Selection
from orders.statistics.errors import NothingToCompare
from orders.statistics.rules import Before, Shift, previous_period, same_period_last_year, span_before

#: Longest answer; more rows are for a narrower question.
MAX_ROWS = 10_000


class Measure(StrEnum):
    AMOUNT = "amount"
    GROSS = "gross"
    TONNES = "tonnes"
    QUANTITY = "quantity"
    ENTRIES = "entries"
    ORDERS = "orders"
    BUYERS = "buyers"
    PRODUCTS = "products"
    SUPPLIERS = "suppliers"


#: What is shown where no measure is asked for.
DEFAULT_MEASURES = (Measure.AMOUNT, Measure.TONNES, Measure.ORDERS)
#: Measures that count somebody once, however often they appear; all others are sums.
COUNTED = {
    Measure.ORDERS: "order",
    Measure.BUYERS: "buyer",
    Measure.PRODUCTS: "product",
    Measure.SUPPLIERS: "supplier",
}

#: What the sums are called in the rollups.
SUMMED = {
    Measure.AMOUNT: "amount_fen",
    Measure.GROSS: "gross_fen",
    Measure.TONNES: "grams",
    Measure.QUANTITY: "quantity",
    Measure.ENTRIES: "entries",
}


class Compare(StrEnum):
    """Beside which earlier period figures stand. The last period is the one before of the same length; where rows are by spans of time it is for
    each row the span before its own."""

    LAST_YEAR = "last_year"
    LAST_PERIOD = "last_period"


#: How long a span of time is, and so by how much it lies behind the one before.
SPANS = {
    Dimension.DAY: Shift(days=1),
    Dimension.WEEK: Shift(days=7),
    Dimension.MONTH: Shift(months=1),
    Dimension.QUARTER: Shift(months=3),
    Dimension.YEAR: Shift(months=12),
}


def so_far(selection: Selection, today: date) -> Selection:
    """The days that were over when the figures were known, of a period that was not: beside the whole of the one before it would seem to have sold
    too little.

    Raises:
        NothingToCompare: the period had not begun (422).
    """
    until = today if selection.known_on is None else min(selection.known_on, today)
    if until < selection.first:
        raise NothingToCompare.at("compare")
    return replace(selection, last=until) if until < selection.last else selection


@dataclass(frozen=True)
class Question:
    selection: Selection
    group_by: tuple[Dimension, ...]
    measures: tuple[Measure, ...]
    reach: Reach
    compare: Compare | None = None

    @property
    def periods(self) -> list[tuple[date, date]]:
        """The period asked for and, to compare, the one before it."""
        first, last = self.selection.first, self.selection.last
        match self.compare:
            case Compare.LAST_YEAR:
                return [(first, last), same_period_last_year(first, last)]
            case Compare.LAST_PERIOD:
                return [(first, last), (self._before.first, self._before.last)]
            case None:
                return [(first, last)]

    @property
    def shift(self) -> Shift:
        """By how much the days of the period before lie before their counterparts."""
        if self.compare is Compare.LAST_PERIOD:
            return self._before.shift
        return Shift(months=12)

    @property
    def span(self) -> Dimension | None:
        """The shortest span of time that rows are by."""
        return next((dimension for dimension in TIME if dimension in self.group_by), None)

    @property
    def _before(self) -> Before:
        first, last = self.selection.first, self.selection.last
        return previous_period(first, last) if self.span is None else span_before(first, last, SPANS[self.span])

    @property
    def sums(self) -> list[str]:
        """The sums that are asked for, as the rollups call them."""
        return [name for measure, name in SUMMED.items() if measure in self.measures]

    @property
    def filtered(self) -> set[Dimension]:
        return {dimension for dimension, wanted in self.selection.only.items() if wanted}

    @property
    def needed(self) -> set[Dimension]:
        return {*self.group_by, *self.filtered}

    @property
    def scope_dims(self) -> set[Dimension]:
        """What a table must know to keep to the person's reach: nothing where totals are asked for, which are open to every officer."""
        if not self.needed & DETAIL or self.reach.everywhere:
            return set()
        return {Dimension.DISTRICT, Dimension.TOWNSHIP} if self.reach.has_townships else {Dimension.DISTRICT}

    @property
    def scope(self) -> tuple[str, ...] | None:
        """The regions (prefixes of their codes) that an officer's answer is limited to; None: it is not, or not by regions."""
        return self.reach.regions if self.scope_dims else None

    @property
    def by_days(self) -> bool:
        """Whether months are too coarse: grouped by days or weeks, or moved by days that are no months."""
        moved = self.compare is not None and self.shift.days and set(self.group_by) & set(TIME)
        return bool(moved) or bool(set(self.group_by) & {Dimension.DAY, Dimension.WEEK})
