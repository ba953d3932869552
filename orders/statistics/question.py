"""A question about sales, and the one statement that answers it.

Sums and counts of a period are read from the smallest rollups that know every dimension of the question, together with the entries that no
rollup holds yet. All of it is one statement, so one snapshot: the answer holds every sale committed before it, each exactly once.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from orders.ledger.selection import COLUMN, Binds, Dimension, Reach, Selection, details, filters
from orders.statistics.cubes import COUNTS, DAYS, MEMBERS, MONTHS, PRESENCE, READ, SUMS, Cube, bit, smallest
from orders.statistics.models import CHUNK
from orders.statistics.rules import Part, parts, same_period_last_year

#: Longest answer; more rows are for a narrower question.
MAX_ROWS = 10_000


class Measure(StrEnum):
    AMOUNT = "amount"
    TONNES = "tonnes"
    QUANTITY = "quantity"
    ENTRIES = "entries"
    ORDERS = "orders"
    BUYERS = "buyers"
    PRODUCTS = "products"
    SUPPLIERS = "suppliers"


#: Measures that count somebody once, however often they appear; all others are sums.
COUNTED = {
    Measure.ORDERS: "order",
    Measure.BUYERS: "buyer",
    Measure.PRODUCTS: "product",
    Measure.SUPPLIERS: "supplier",
}


@dataclass(frozen=True)
class Question:
    selection: Selection
    group_by: tuple[Dimension, ...]
    measures: tuple[Measure, ...]
    reach: Reach
    #: Beside each figure that of the same period last year.
    compare: bool = False

    @property
    def periods(self) -> list[tuple[date, date]]:
        """The period asked for and, to compare, the one before it."""
        first, last = self.selection.first, self.selection.last
        return [(first, last), same_period_last_year(first, last)] if self.compare else [(first, last)]

    @property
    def needed(self) -> set[Dimension]:
        return {*self.group_by, *(dimension for dimension, wanted in self.selection.only.items() if wanted)}

    @property
    def about_suppliers(self) -> bool:
        return Dimension.SUPPLIER in self.needed

    @property
    def from_lines(self) -> bool:
        """Whether only the ledger itself can answer: an organisation's own sales, or the suppliers of one township."""
        return not self.reach.official or (self.about_suppliers and self.reach.has_townships)


def statement(question: Question, today: date) -> tuple[str, Binds]:
    """The SQL of the answer. Its rows: ``family`` (``sums`` or who is counted), ``period`` (0 asked, 1 a year before), ``total`` (1 in the
    row over all groups), a column ``g0…`` for each group, and the values ``v0…v3``."""
    bind = Binds()
    writer = _Writer(question, today, bind)
    families = [writer.sums()] if set(question.measures) - set(COUNTED) else []
    families += [writer.present(COUNTED[measure]) for measure in question.measures if measure in COUNTED]
    limit = (MAX_ROWS + 1) * len(families) * len(question.periods)
    return f"WITH tail AS MATERIALIZED ({writer.tail()}) {' UNION ALL '.join(families)} LIMIT {limit}", bind


class _Writer:
    """Puts the statement together. Names of tables and columns come from the declarations, values are bound."""

    def __init__(self, question: Question, today: date, bind: Binds) -> None:
        self.question = question
        self.bind = bind
        self.filters = filters(question.selection, bind)
        # totals are open to every officer, single suppliers only to those of their region
        open_to_all = question.reach.official and not question.about_suppliers
        self.scope = [] if open_to_all else details(question.reach, bind)
        self.periods = [parts(first, last, today) for first, last in question.periods]
        self.groups = [f"g{n}" for n in range(len(question.group_by))]

    def tail(self) -> str:
        """The entries that no rollup holds yet. A handful, as long as the workers run."""
        columns = ", ".join(f"e.{column}" for column in (*READ, "township_code"))
        inner = f"SELECT {columns} FROM sale_entry_pending p JOIN sale_entry e ON e.id = p.entry_id"  # noqa: S608
        return f"SELECT * FROM ({inner}) AS waiting{_where(self.filters, self.scope)}"  # noqa: S608

    def sums(self) -> str:
        """The family of sums, by group and in total."""
        needed = self.question.needed
        pieces = [
            piece
            for period, cut in enumerate(self.periods)
            for part in cut
            for piece in self._sum_pieces(period, part, self._cube((MONTHS if part.whole else (DAYS,)), needed))
        ]
        values = ", ".join(f"sum({name}) AS v{n}" for n, name in enumerate(SUMS))
        return f"SELECT 'sums' AS family, period, {self._total()}, {self._keys()}{values} FROM ({_union(pieces)}) AS piece {self._sets()}"  # noqa: S608

    def present(self, member: str) -> str:
        """The family of one kind of participant: bitmaps united by group and over all groups, then counted."""
        needed = self.question.needed
        pieces = [
            piece
            for period, cut in enumerate(self.periods)
            for part in cut
            for piece in self._present_pieces(member, period, part, self._cube(PRESENCE, needed) if part.whole else None)
        ]
        united = (
            f"SELECT period, {self._total()}, {self._keys()}chunk, bit_or(bits) AS bits FROM ({_union(pieces)}) AS piece"  # noqa: S608
            f" {self._sets('chunk')}"
        )
        return (
            f"SELECT '{member}' AS family, period, total, {self._keys()}sum(bit_count(bits)) AS v0, NULL, NULL, NULL"  # noqa: S608
            f" FROM ({united}) AS united GROUP BY {', '.join(['period', 'total', *self.groups])}"
        )

    def _cube(self, cubes: Collection[Cube], needed: set[Dimension]) -> Cube | None:
        return None if self.question.from_lines else smallest(cubes, needed)

    def _sum_pieces(self, period: int, part: Part, cube: Cube | None) -> Iterator[str]:
        if cube is None:
            yield self._lines(period, part, "amount_fen, grams, quantity, 1 AS entries", "sale_entry", self.filters, self.scope)
            return
        month = "date_trunc('month', day::timestamp)::date" if cube.time == "day" else "month"
        where = _where([self._between(cube.time, part)], self.filters, self.scope)
        yield f"SELECT {self._head(period, month)}, {', '.join(SUMS)} FROM {cube.table}{where}"  # noqa: S608
        yield self._lines(period, part, "amount_fen, grams, quantity, 1 AS entries", "tail")

    def _present_pieces(self, member: str, period: int, part: Part, cube: Cube | None) -> Iterator[str]:
        column = MEMBERS[member]
        if cube is None:
            # a member's many lines are reduced to one before they become a bitmap
            distinct = self._lines(period, part, f"{column} AS id", "sale_entry", [COUNTS], self.filters, self.scope, distinct=True)
            yield f"SELECT period, {self._keys()}id / {CHUNK} AS chunk, {bit('id')} AS bits FROM ({distinct}) AS once WHERE id IS NOT NULL"  # noqa: S608
            return
        where = _where([f"member = '{member}'", self._between("month", part)], self.filters, self.scope)
        yield f"SELECT {self._head(period)}, chunk, bits FROM {cube.table}{where}"  # noqa: S608
        yield self._lines(
            period, part, f"{column} / {CHUNK} AS chunk, {bit(column)} AS bits", "tail", [COUNTS, f"{column} IS NOT NULL"]
        )

    def _lines(self, period: int, part: Part, values: str, source: str, *conditions: list[str], distinct: bool = False) -> str:
        where = _where([self._between("sold_on", part)], *conditions)
        return f"SELECT {'DISTINCT ' if distinct else ''}{self._head(period)}, {values} FROM {source}{where}"  # noqa: S608

    def _head(self, period: int, month: str = "month") -> str:
        """The period and the group columns. Months of the year before stand in the row of their counterpart."""
        shown = {**COLUMN, Dimension.MONTH: f"({month} + interval '1 year')::date" if period else month}
        columns = [f"{shown[dimension]} AS {name}" for dimension, name in zip(self.question.group_by, self.groups, strict=True)]
        return ", ".join([f"{period} AS period", *columns])

    def _between(self, column: str, part: Part) -> str:
        return f"{column} BETWEEN {self.bind(part.first, 'date')} AND {self.bind(part.last, 'date')}"

    def _keys(self) -> str:
        return "".join(f"{name}, " for name in self.groups)

    def _total(self) -> str:
        return f"GROUPING({self.groups[0]}) AS total" if self.groups else "1 AS total"

    def _sets(self, *also: str) -> str:
        over_all = ["period", *also]
        if not self.groups:
            return f"GROUP BY {', '.join(over_all)}"
        return f"GROUP BY GROUPING SETS (({', '.join(['period', *self.groups, *also])}), ({', '.join(over_all)}))"


def _where(*conditions: list[str]) -> str:
    every = [condition for group in conditions for condition in group]
    return f" WHERE {' AND '.join(every)}" if every else ""


def _union(pieces: list[str]) -> str:
    return " UNION ALL ".join(pieces)
