"""A question about sales, and the one statement that answers it.

Sums and counts of a period are read from the smallest rollups that know every dimension of the question, together with the entries that no
rollup holds yet. All of it is one statement, so one snapshot: the answer holds every sale committed before it, each exactly once.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from orders.ledger.selection import COLUMN, Binds, Dimension, Reach, Selection, details, filters
from orders.statistics.cubes import COUNTS, ENTRIES, MEMBERS, READ, SUMS, Cube, Kind, bit, smallest
from orders.statistics.models import CHUNK
from orders.statistics.rules import Part, parts, same_period_last_year

Groups = tuple[Dimension, ...]

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
    def filtered(self) -> set[Dimension]:
        return {dimension for dimension, wanted in self.selection.only.items() if wanted}

    @property
    def needed(self) -> set[Dimension]:
        return {*self.group_by, *self.filtered}

    @property
    def about_suppliers(self) -> bool:
        return Dimension.SUPPLIER in self.needed

    @property
    def from_lines(self) -> bool:
        """Whether only the ledger itself can answer: an organisation's own sales, or the suppliers of one township."""
        return not self.reach.official or (self.about_suppliers and self.reach.has_townships)


def statement(question: Question, today: date) -> tuple[str, Binds]:
    """The SQL of the answer. Its rows: ``family`` (``sums`` or who is counted), ``total`` (1 in the row over all groups), ``period`` (0
    asked, 1 a year before), a column ``g0…`` for each group, and the values ``v0…v3``."""
    bind = Binds()
    writer = _Writer(question, today, bind)
    families = writer.families()
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

    def tail(self) -> str:
        """The entries that no rollup holds yet. A handful, as long as the workers run."""
        columns = ", ".join(f"e.{column}" for column in (*READ, "township_code"))
        inner = f"SELECT {columns} FROM sale_entry_pending p JOIN sale_entry e ON e.id = p.entry_id"  # noqa: S608
        return f"SELECT * FROM ({inner}) AS waiting{_where(self.filters, self.scope)}"  # noqa: S608

    def families(self) -> list[str]:
        measures = self.question.measures
        found = [self._sums()] if set(measures) - set(COUNTED) else []
        for member in (COUNTED[measure] for measure in measures if measure in COUNTED):
            # groups before the total: the first family gives the group columns their types
            if self.question.group_by:
                found.append(self._present(member))
            found.append(self._total_present(member))
        return found

    def _sums(self) -> str:
        """Sums by group, and over all groups."""
        groups = self.question.group_by
        pieces = [piece for period, part in self._parts() for piece in self._sum_pieces(groups, period, part)]
        values = ", ".join(f"sum({name}) AS v{n}" for n, name in enumerate(SUMS))
        names = ", ".join(["period", *_names(groups)])
        total, by = ("GROUPING(g0)", f"GROUPING SETS (({names}), (period))") if groups else ("1", "period")
        return f"SELECT 'sums' AS family, {total} AS total, {names}, {values} FROM ({_union(pieces)}) AS piece GROUP BY {by}"  # noqa: S608

    def _total_present(self, member: str) -> str:
        """How many take part over all groups."""
        needed = self.question.filtered | ({Dimension.DISTRICT} if self.scope else set())
        return self._counted(member, (), smallest(Kind.PRESENCE, needed, member))

    def _present(self, member: str) -> str:
        """How many take part by group. Orders by district and month are stored as numbers; all else is counted from bitmaps."""
        groups = self.question.group_by
        if member == "order" and {Dimension.DISTRICT, Dimension.MONTH} <= set(groups) and not self.question.from_lines:
            cube = smallest(Kind.ORDERS, self.question.needed)
            if cube is not None:
                return self._orders(cube)
        return self._counted(member, groups, smallest(Kind.PRESENCE, self.question.needed, member))

    def _counted(self, member: str, groups: Groups, cube: Cube | None) -> str:
        """Members by group: their bitmaps united, then counted."""
        cube = None if self.question.from_lines else cube
        pieces = [
            piece
            for period, part in self._parts()
            for piece in self._present_pieces(member, groups, period, part, cube if part.whole else None)
        ]
        names = ", ".join(["period", *_names(groups)])
        united = f"SELECT {names}, chunk, bit_or(bits) AS bits FROM ({_union(pieces)}) AS piece GROUP BY {names}, chunk"  # noqa: S608
        return self._family(member, groups, f"SELECT {names}, bit_count(bits) AS v FROM ({united}) AS united")  # noqa: S608

    def _family(self, member: str, groups: Groups, counts: str) -> str:
        """Counts ``v`` added up by group, in the columns that all families share."""
        grouped = ", ".join(["period", *_names(groups)])
        blank = "" if len(groups) == len(self.question.group_by) else ", NULL" * len(self.question.group_by)
        total = 1 if blank or not self.question.group_by else 0
        return (
            f"SELECT '{member}' AS family, {total} AS total, {grouped}{blank}, sum(v) AS v0, NULL, NULL, NULL"  # noqa: S608
            f" FROM ({counts}) AS counts GROUP BY {grouped}"
        )

    def _sum_pieces(self, groups: Groups, period: int, part: Part) -> Iterator[str]:
        kind = Kind.MONTHS if part.whole else Kind.DAYS
        cube = None if self.question.from_lines else smallest(kind, self.question.needed)
        values = "amount_fen, grams, quantity, 1 AS entries"
        if cube is None:
            yield self._lines(groups, period, part, values, ENTRIES, self.filters, self.scope)
            return
        month = "date_trunc('month', day::timestamp)::date" if cube.time == "day" else "month"
        where = _where([self._between(cube.time, part)], self.filters, self.scope)
        yield f"SELECT {_head(groups, period, month)}, {', '.join(SUMS)} FROM {cube.table}{where}"  # noqa: S608
        yield self._lines(groups, period, part, values, "tail")

    def _present_pieces(self, member: str, groups: Groups, period: int, part: Part, cube: Cube | None) -> Iterator[str]:
        column = MEMBERS[member]
        if cube is None:
            # a member's many lines are reduced to one before they become a bitmap
            once = self._members(member, groups, period, part, ENTRIES, self.filters, self.scope)
            names = ", ".join(["period", *_names(groups)])
            yield f"SELECT {names}, id / {CHUNK} AS chunk, {bit('id')} AS bits FROM ({once}) AS once"  # noqa: S608
            return
        where = _where([f"member = '{member}'", self._between("month", part)], self.filters, self.scope)
        yield f"SELECT {_head(groups, period)}, chunk, bits FROM {cube.table}{where}"  # noqa: S608
        yield self._lines(
            groups, period, part, f"{column} / {CHUNK} AS chunk, {bit(column)} AS bits", "tail", [COUNTS, f"{column} IS NOT NULL"]
        )

    def _orders(self, cube: Cube) -> str:
        """Orders by district and month (and what else an orders table knows). Months do not overlap, so their numbers stand side by side."""
        groups = self.question.group_by
        pieces: list[str] = []
        for period, part in self._parts():
            if part.whole:
                pieces += [self._stored_orders(cube, period, part), self._waiting_orders(period, part)]
            else:
                once = self._members("order", groups, period, part, ENTRIES, self.filters)
                pieces.append(f"SELECT {', '.join(['period', *_names(groups)])}, 1 AS v FROM ({once}) AS once")  # noqa: S608
        return self._family("order", groups, _union(pieces))

    def _stored_orders(self, cube: Cube, period: int, part: Part) -> str:
        """The orders of every set that holds a cell within the filters."""
        groups, dims = self.question.group_by, cube.cell_dims
        around = self._filters_of(dims, inside=False)
        matching = ""
        if len(dims) == 1 and dims[0] not in groups:
            # a cell is one code: whether a set meets the filter needs no look at its single cells
            around.append(f"cells && {self.bind(list(self.question.selection.only[dims[0]]), 'text[]')}")
        elif dims:
            within = self._filters_of(dims, inside=True)
            inner = [f"split_part(cell, '/', {n}) AS {COLUMN[dimension]}" for n, dimension in enumerate(dims, 1)]
            shown = [COLUMN[dimension] for dimension in dims if dimension in groups] or ["1 AS found"]
            cells = f"SELECT {', '.join(inner)} FROM unnest(cells) AS cell"  # noqa: S608
            matching = f" CROSS JOIN LATERAL (SELECT DISTINCT {', '.join(shown)} FROM ({cells}) AS one{_where(within)}) AS matching"  # noqa: S608
        where = _where([self._between("month", part)], around)
        return f"SELECT {_head(groups, period)}, orders AS v FROM {cube.table}{matching}{where}"  # noqa: S608

    def _filters_of(self, dims: Groups, *, inside: bool) -> list[str]:
        """The filters on some dimensions, or on all others."""
        only = {dimension: wanted for dimension, wanted in self.question.selection.only.items() if (dimension in dims) == inside}
        return filters(replace(self.question.selection, only=only), self.bind)

    def _waiting_orders(self, period: int, part: Part) -> str:
        """Orders that waiting entries bring into a group in which no rollup has them yet."""
        groups = self.question.group_by
        columns = [COLUMN[dimension] for dimension in groups]
        same = [f"e.{column} = t.{column}" for column in ("order_id", *columns)]
        taken = "NOT EXISTS (SELECT FROM sale_entry_pending p WHERE p.entry_id = e.id)"
        conditions = [COUNTS, "order_id IS NOT NULL", self._between("sold_on", part)]
        held = [COUNTS, "e.counted", taken]
        return (
            f"SELECT {_head(groups, period)}, 1 AS v FROM (SELECT DISTINCT order_id, {', '.join(columns)} FROM tail{_where(conditions)}) AS t"  # noqa: S608
            f" WHERE NOT EXISTS (SELECT FROM sale_entry e{_where(same, self.filters, held)})"
        )

    def _members(self, member: str, groups: Groups, period: int, part: Part, source: str, *conditions: list[str]) -> str:
        column = MEMBERS[member]
        present = [COUNTS, f"{column} IS NOT NULL", self._between("sold_on", part)]
        return f"SELECT DISTINCT {_head(groups, period)}, {column} AS id FROM {source}{_where(present, *conditions)}"  # noqa: S608

    def _lines(self, groups: Groups, period: int, part: Part, values: str, source: str, *conditions: list[str]) -> str:
        where = _where([self._between("sold_on", part)], *conditions)
        return f"SELECT {_head(groups, period)}, {values} FROM {source}{where}"  # noqa: S608

    def _parts(self) -> Iterator[tuple[int, Part]]:
        return ((period, part) for period, cut in enumerate(self.periods) for part in cut)

    def _between(self, column: str, part: Part) -> str:
        return f"{column} BETWEEN {self.bind(part.first, 'date')} AND {self.bind(part.last, 'date')}"


def _head(groups: Groups, period: int, month: str = "month") -> str:
    """The period and the group columns. Months of the year before stand in the row of their counterpart."""
    shown = {**COLUMN, Dimension.MONTH: f"({month} + interval '1 year')::date" if period else month}
    return ", ".join([f"{period} AS period", *(f"{shown[dimension]} AS g{n}" for n, dimension in enumerate(groups))])


def _names(groups: Groups) -> list[str]:
    return [f"g{n}" for n in range(len(groups))]


def _where(*conditions: list[str]) -> str:
    every = [condition for group in conditions for condition in group]
    return f" WHERE {' AND '.join(every)}" if every else ""


def _union(pieces: list[str]) -> str:
    return " UNION ALL ".join(pieces)
