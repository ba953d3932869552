"""The one statement that answers a question.

Sums and counts of a period are read from the smallest rollups that know every dimension of the question, together with the entries that no
rollup holds yet. All of it is one statement, so one snapshot: the answer holds every sale committed before it, each exactly once.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date

from orders.ledger.rules import Direction
from orders.ledger.selection import COLUMN, KNOWN_ON, TIME, Binds, Dimension, details, filters, from_lines
from orders.statistics.cubes import COUNTS, MEMBERS, READ, SUMS, WORD, Cube, Kind, bit, bit_of_word, in_chunk, smallest
from orders.statistics.models import CHUNK
from orders.statistics.question import COUNTED, MAX_ROWS, SUMMED, Measure, Question
from orders.statistics.rules import Part, by_years, parts, rest_of_month
from shop.core.months import month_end, month_start

Groups = tuple[Dimension, ...]


@dataclass(frozen=True)
class _Source:
    """A table that pieces are read from, with its columns of time; ``lines``: it has the columns of the ledger."""

    table: str
    day: str | None = None
    month: str | None = None
    year: str | None = None
    lines: bool = False

    def column(self, dimension: Dimension) -> str:
        return from_lines(dimension) if self.lines else COLUMN[dimension]


_LEDGER = _Source("sale_entry", "sold_on", "month", lines=True)
#: The entries that no rollup holds yet, within the filters.
_TAIL = _Source("tail", "sold_on", "month", lines=True)
#: How what is no whole number is added up.
_SUM = {"quantity": "sum"}
_TAKEN = "NOT EXISTS (SELECT FROM sale_entry_pending p WHERE p.entry_id = e.id)"


def _rollup(cube: Cube) -> _Source:
    day, month, year = (name if name == cube.time else None for name in ("day", "month", "year"))
    return _Source(cube.table, day, month, year)


def statement(question: Question, today: date, successors: Mapping[str, str], most: int | None = MAX_ROWS) -> tuple[str, Binds]:
    """The SQL of the answer; a district that was merged stands in its successor. Its rows: ``family`` (``sums`` or who is counted), ``total``
    (1 in the row over all groups), ``period`` (0 asked, 1 before), a column ``g0…`` for each group, and the values ``v0…``, of sums in the order
    of :attr:`Question.sums`, or how many entries there are where no sum is asked for. Where there are more than ``most`` groups it ends after some of them, as it will be refused."""
    bind = Binds()
    writer = _Writer(question, today, successors, bind)
    families = writer.families()
    limit = "" if most is None else f" LIMIT {(most + 1) * len(families) * len(question.periods)}"
    return f"WITH tail AS MATERIALIZED ({writer.tail()}){writer.mixed}{writer.added} {' UNION ALL '.join(families)}{limit}", bind


class _Writer:
    """Puts the statement together. Names of tables and columns come from the declarations, values are bound."""

    def __init__(self, question: Question, today: date, successors: Mapping[str, str], bind: Binds) -> None:
        self.question = question
        self.today = today
        self.bind = bind
        self.merged = sorted({*successors, *successors.values()})
        self.cases = " ".join(f"WHEN {bind(ended, 'text')} THEN {bind(code, 'text')}" for ended, code in successors.items())
        selection, reach = question.selection, question.reach
        # totals are open to every officer; who and where exactly only to those of their region
        self.scope = details(reach, bind) if question.scope_dims or not reach.official else []
        self.direction = [f"direction = {bind(selection.direction, 'text')}"]
        known = [] if selection.known_on is None else [f"{KNOWN_ON} <= {bind(selection.known_on, 'date')}"]
        #: The sums that are read, and those that are answered.
        self.read = self.summed = question.sums or [SUMMED[Measure.ENTRIES]]
        #: What holds for every ledger row of the answer.
        self.of_lines = ["counted", *filters(selection, bind), *self.scope, *self.direction, *known]
        self.of_rollups = [*filters(selection, bind, lines=False), *self.scope]
        # what was known by a day was sold by then
        until = today if selection.known_on is None else min(selection.known_on, today)
        self.periods = [
            [Part(first, last, False)] if question.by_days else parts(first, last, until) for first, last in question.periods
        ]
        #: The months in which several districts sold that were merged into one, if it matters: a table ``mixed`` of the statement.
        self.mixed = ""
        #: The sums by group, from which those over all groups follow, if any are asked for: a table ``added`` of the statement.
        self.added = ""

    def tail(self) -> str:
        """The entries that no rollup holds yet. A handful, as long as the workers run."""
        columns = ", ".join(f"e.{column}" for column in READ)
        inner = f"SELECT {columns} FROM sale_entry_pending p JOIN sale_entry e ON e.id = p.entry_id"  # noqa: S608
        return f"SELECT * FROM ({inner}) AS waiting{_where(self.of_lines)}"  # noqa: S608

    def families(self) -> list[str]:
        measures = self.question.measures
        found = self._sums() if self.question.sums or self.question.group_by else []
        for member in (COUNTED[measure] for measure in measures if measure in COUNTED):
            # groups before the total: the first family gives the group columns their types
            if self.question.group_by:
                found += self._present(member)
            found.append(self._total_present(member))
        return found

    def _cube(self, kind: Kind, needed: set[Dimension], member: str | None = None, *, daily: bool = False) -> Cube | None:
        """The rollup that answers; None where only the ledger can, as of an organisation's own sales."""
        known = self.question.selection.known_on is not None
        helped = self.question.selection.direction is Direction.HELPED_SALE
        if not self.question.reach.official or known != (kind is Kind.KNOWN) or (helped and kind in (Kind.PRESENCE, Kind.ORDERS)):
            return None
        return smallest(kind, needed | self.question.scope_dims, member, daily=daily)

    def _sums(self) -> list[str]:
        """Sums by group, and over all groups. Where none is asked for they still tell the groups in which something was sold: what is counted beside
        them may be nobody, and an answer has the same rows whatever it measures."""
        groups = self.question.group_by
        cuts = [(period, part) for period, cut in self._parts() for part in self._by_years(cut)]
        # what is taken out may be all that a group has: it sold nothing then, and is none
        some = ""
        if any(self._rest(part) for _, part in cuts):
            self.read = list(dict.fromkeys([*self.summed, "entries"]))
            some = " HAVING sum_bigint(entries) > 0"
        pieces = [piece for period, part in cuts for piece in self._sum_pieces(groups, period, part)]
        names = ", ".join(["period", *_names(groups)])
        sums = {f"v{n}": (_SUM.get(name, "sum_bigint"), name) for n, name in enumerate(self.summed)}
        added = ", ".join(f"{add}({name}) AS {value}" for value, (add, name) in sums.items())
        self.added = f", added AS MATERIALIZED (SELECT {names}, {added} FROM ({_union(pieces)}) AS piece GROUP BY {names}{some})"  # noqa: S608
        again = ", ".join(f"{add}({value}) AS {value}" for value, (add, _) in sums.items())
        total = f"SELECT 'sums' AS family, 1 AS total, period{', NULL' * len(groups)}, {again} FROM added GROUP BY period"  # noqa: S608
        return [f"SELECT 'sums' AS family, 0 AS total, {names}, {', '.join(sums)} FROM added", total] if groups else [total]  # noqa: S608

    def _by_years(self, part: Part) -> list[Part]:
        """The part itself, or where a rollup of years answers that is cut into years and what is left."""
        by_time = set(self.question.group_by) & set(TIME)
        if by_time or self.question.selection.known_on is not None or self._cube(Kind.YEARS, self.question.needed) is None:
            return [part]
        return by_years(part, self.today)

    def _sum_pieces(self, groups: Groups, period: int, part: Part) -> Iterator[str]:
        known = self.question.selection.known_on
        kind = Kind.DAYS if not part.whole else Kind.YEARS if part.years else Kind.MONTHS if known is None else Kind.KNOWN
        cube = self._cube(kind, self.question.needed)
        if cube is not None:
            until = [] if known is None else [f"known_on <= {self.bind(known, 'date')}"]
            yield self._read(_rollup(cube), groups, period, part, ", ".join(self.read), self.of_rollups, self.direction, until)
            yield self._read(_TAIL, groups, period, part, self._of_lines())
        elif rest := self._rest(part):
            yield from self._sum_pieces(groups, period, Part(month_start(part.first), month_end(part.first), whole=True))
            for days in rest:
                yield self._read(_LEDGER, groups, period, days, self._of_lines("-"), self.of_lines)
        else:
            yield self._read(_LEDGER, groups, period, part, self._of_lines(), self.of_lines)

    def _of_lines(self, sign: str = "") -> str:
        return ", ".join(f"{sign}({SUMS[name]}) AS {name}" for name in self.read)

    def _rest(self, part: Part) -> list[Part]:
        """What is left of the month of some days, where a rollup knows months and none days, and that is less to be read."""
        question = self.question
        if part.whole or question.by_days or self._cube(Kind.DAYS, question.needed) or not self._cube(Kind.MONTHS, question.needed):
            return []
        return rest_of_month(part)

    def _total_present(self, member: str) -> str:
        """How many take part over all groups."""
        return self._counted(member, (), self.question.filtered)

    def _present(self, member: str) -> Iterator[str]:
        """How many take part by group. Orders by district and month are stored as numbers; all else is counted from bitmaps, and orders of months in
        which districts that are one now sold side by side."""
        question, groups = self.question, self.question.group_by
        whole = [(period, part) for period, part in self._parts() if part.whole]
        stored = None
        if member == "order" and whole and {Dimension.DISTRICT, Dimension.MONTH} <= set(groups) and not question.by_days:
            stored = self._cube(Kind.ORDERS, question.needed)
        if stored is None:
            yield self._counted(member, groups, question.needed)
            return
        if not self.merged:
            yield self._orders(stored, [])
            return
        self.mixed = f", mixed AS MATERIALIZED ({self._mixed()})"
        # an order may have sales in several of them: their numbers cannot be added
        # in few districts, so those are looked at first
        among = {column: f"SELECT DISTINCT {column} FROM mixed" for column in ("district_code", "month")}  # noqa: S608
        within = " AND ".join(f"{column} = ANY (ARRAY({those}))" for column, those in among.items())
        yield self._orders(stored, [f"NOT ({within})"])
        yield self._family(member, groups, self._counts(member, groups, question.needed, whole, [within]))

    def _mixed(self) -> str:
        """Months and districts in which more than one of those sold that are one district now."""
        days = [day for period in self.question.periods for day in period]
        selling = [f"district_code = ANY ({self.bind(self.merged, 'text[]')})", *self.direction]
        rolled = [f"month BETWEEN {self.bind(month_start(min(days)), 'date')} AND {self.bind(max(days), 'date')}"]
        shown = f"month, district_code, {self._district('district_code')} AS district"
        sold = " UNION ".join(
            f"SELECT {shown} FROM {table}{_where(selling, more)}"  # noqa: S608
            for table, more in (("sales_district_month", rolled), ("tail", []))
        )
        beside = f"SELECT month, district_code, count(*) OVER (PARTITION BY month, district) AS districts FROM ({sold}) AS sold"  # noqa: S608
        return f"SELECT month, district_code FROM ({beside}) AS beside WHERE districts > 1"  # noqa: S608

    def _counted(self, member: str, groups: Groups, needed: set[Dimension]) -> str:
        """Members by group."""
        return self._family(member, groups, self._counts(member, groups, needed, list(self._parts()), []))

    def _counts(self, member: str, groups: Groups, needed: set[Dimension], parts: list[tuple[int, Part]], only: list[str]) -> str:
        """Members by group and chunk: their bitmaps united, then counted. Where no rollup has any, words of lines are enough."""
        cubes = [(period, part, self._cube(Kind.PRESENCE, needed, member, daily=not part.whole)) for period, part in parts]
        of_lines = all(cube is None for _, _, cube in cubes)
        pieces = [
            piece
            for period, part, cube in cubes
            for piece in self._present_pieces(member, groups, period, part, cube, only, words=of_lines)
        ]
        names = ", ".join(["period", *_names(groups)])
        united = f"SELECT {names}, chunk, bit_or(bits) AS bits FROM ({_union(pieces)}) AS piece GROUP BY {names}, chunk"  # noqa: S608
        bits = f"bits::bit({WORD})" if of_lines else "bits"
        return f"SELECT {names}, bit_count({bits}) AS v FROM ({united}) AS united"  # noqa: S608

    def _family(self, member: str, groups: Groups, counts: str) -> str:
        """Counts ``v`` added up by group, in the columns that all families share."""
        grouped = ", ".join(["period", *_names(groups)])
        blank = "" if len(groups) == len(self.question.group_by) else ", NULL" * len(self.question.group_by)
        total = 1 if blank or not self.question.group_by else 0
        rest = ", NULL" * (len(self.summed) - 1)
        return (
            f"SELECT '{member}' AS family, {total} AS total, {grouped}{blank}, sum(v) AS v0{rest}"  # noqa: S608
            f" FROM ({counts}) AS counts GROUP BY {grouped}"
        )

    def _present_pieces(
        self, member: str, groups: Groups, period: int, part: Part, cube: Cube | None, only: list[str], *, words: bool
    ) -> Iterator[str]:
        column = MEMBERS[member]
        if cube is None:
            of_words = self._words(member, groups, period, part, self.of_lines, only)
            names = ", ".join(["period", *_names(groups)])
            yield (
                of_words
                if words
                else (
                    f"SELECT {names}, chunk / {CHUNK // WORD} AS chunk, {in_chunk('bits', 'chunk')} AS bits FROM"  # noqa: S608
                    f" (SELECT {names}, chunk, bit_or(bits) AS bits FROM ({of_words}) AS words GROUP BY {names}, chunk) AS words"
                )
            )
            return
        yield self._read(_rollup(cube), groups, period, part, "chunk, bits", [f"member = '{member}'"], self.of_rollups, only)
        waiting = [COUNTS, f"{column} IS NOT NULL"]
        yield self._read(_TAIL, groups, period, part, f"{column} / {CHUNK} AS chunk, {bit(column)} AS bits", waiting, only)

    def _orders(self, cube: Cube, only: list[str]) -> str:
        """Orders by district and month (and what else an orders table knows). Months do not overlap, so their numbers stand side by side."""
        groups = self.question.group_by
        pieces: list[str] = []
        for period, part in self._parts():
            if part.whole:
                pieces += [self._stored_orders(cube, period, part, only), self._waiting_orders(period, part, only)]
            else:
                pieces.append(self._counts("order", groups, self.question.needed, [(period, part)], []))
        return self._family("order", groups, _union(pieces))

    def _stored_orders(self, cube: Cube, period: int, part: Part, only: list[str]) -> str:
        """The orders of every set that holds a cell within the filters."""
        groups, dims = self.question.group_by, cube.cell_dims
        around = [*self._filters_of(dims, inside=False), *self.scope, *only]
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
        source = _rollup(cube)
        where = _where([self._between(source, part)], around)
        return f"SELECT {self._head(source, groups, period)}, orders AS v FROM {cube.table}{matching}{where}"  # noqa: S608

    def _filters_of(self, dims: Groups, *, inside: bool) -> list[str]:
        """The filters on some dimensions, or on all others."""
        only = {dimension: wanted for dimension, wanted in self.question.selection.only.items() if (dimension in dims) == inside}
        return filters(replace(self.question.selection, only=only), self.bind, lines=False)

    def _waiting_orders(self, period: int, part: Part, only: list[str]) -> str:
        """Orders that waiting entries bring into a group in which no rollup has them yet."""
        groups = self.question.group_by
        columns = ["month", *(COLUMN[dimension] for dimension in groups if dimension not in TIME)]
        same = [f"e.{column} = t.{column}" for column in ("order_id", *columns)]
        conditions = [COUNTS, "order_id IS NOT NULL", self._between(_TAIL, part)]
        waiting = f"SELECT DISTINCT order_id, {', '.join(columns)} FROM tail{_where(conditions, only)}"  # noqa: S608
        return (
            f"SELECT {self._head(_Source('t', None, 'month', lines=True), groups, period)}, 1 AS v FROM ({waiting}) AS t"  # noqa: S608
            f" WHERE NOT EXISTS (SELECT FROM sale_entry e{_where(same, self.of_lines, [COUNTS, _TAKEN])})"
        )

    def _words(self, member: str, groups: Groups, period: int, part: Part, *conditions: list[str]) -> str:
        """The members of single lines, each as a bit of a word: whole numbers are united in a tenth of the time of bitmaps."""
        column = MEMBERS[member]
        present = [COUNTS, f"{column} IS NOT NULL"]
        return self._read(
            _LEDGER, groups, period, part, f"{column} / {WORD} AS chunk, {bit_of_word(column)} AS bits", present, *conditions
        )

    def _read(self, source: _Source, groups: Groups, period: int, part: Part, values: str, *conditions: list[str]) -> str:
        where = _where([self._between(source, part)], *conditions)
        return f"SELECT {self._head(source, groups, period)}, {values} FROM {source.table}{where}"  # noqa: S608

    def _parts(self) -> Iterator[tuple[int, Part]]:
        return ((period, part) for period, cut in enumerate(self.periods) for part in cut)

    def _between(self, source: _Source, part: Part) -> str:
        if source.year is not None:
            return f"{source.year} BETWEEN {self.bind(part.first.year, 'int')} AND {self.bind(part.last.year, 'int')}"
        return f"{source.day or source.month} BETWEEN {self.bind(part.first, 'date')} AND {self.bind(part.last, 'date')}"

    def _head(self, source: _Source, groups: Groups, period: int) -> str:
        """The period and the group columns. Days of the period before stand in the row of their counterpart."""
        shown = [f"{self._shown(source, dimension, period)} AS g{n}" for n, dimension in enumerate(groups)]
        return ", ".join([f"{period} AS period", *shown])

    def _shown(self, source: _Source, dimension: Dimension, period: int) -> str:
        if dimension in TIME:
            return self._time(source, dimension, period)
        column = source.column(dimension)
        return self._district(column) if dimension in (Dimension.DISTRICT, Dimension.BUYER_REGION) else column

    def _district(self, column: str) -> str:
        """The district as it stands now."""
        return f"CASE {column} {self.cases} ELSE {column} END" if self.cases else column

    def _time(self, source: _Source, dimension: Dimension, period: int) -> str:
        """When the span of time begins in which a row lies: moved first, then cut."""
        coarse = source.month is not None and not self.question.by_days
        base = source.month if coarse else source.day
        if period:
            shift = self.question.shift
            base = f"({base} + interval '{shift.months} months {shift.days} days')::date"
        if dimension is Dimension.DAY or (dimension is Dimension.MONTH and coarse):
            return str(base)
        return f"date_trunc('{dimension}', {base}::timestamp)::date"


def _names(groups: Groups) -> list[str]:
    return [f"g{n}" for n in range(len(groups))]


def _where(*conditions: list[str]) -> str:
    every = [condition for group in conditions for condition in group]
    return f" WHERE {' AND '.join(every)}" if every else ""


def _union(pieces: list[str]) -> str:
    return " UNION ALL ".join(pieces)
