"""A period as few rows of kept sums: whole years, months and days, added or taken out."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from orders.ledger.selection import Binds
from shop.core.months import following, month_start

_MONTHS_OF_A_YEAR = 12


@dataclass(frozen=True, slots=True)
class Edge:
    """Months (by their first days) or days, both included, that are added (``sign`` 1) or taken out (-1)."""

    first: date
    last: date
    sign: int


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows of a table of kept sums: ``unit`` is year, month or day, ``within`` a condition in SQL, ``minus`` what stands before a figure."""

    unit: str
    within: str
    minus: str


@dataclass(frozen=True, slots=True)
class Cover:
    """Sums over a period are those of its years (from, to; None: no year), with the months and days at its edges added or taken out; two of each at most."""

    years: tuple[int, int] | None
    months: tuple[Edge, ...]
    days: tuple[Edge, ...]

    def pieces(self, bind: Binds) -> Iterator[Piece]:
        """What is to be read."""
        if self.years:
            first, last = self.years
            yield Piece("year", f"year BETWEEN {bind(first, 'int')} AND {bind(last, 'int')}", "")
        for unit, edges in (("month", self.months), ("day", self.days)):
            for edge in edges:
                within = f"{unit} BETWEEN {bind(edge.first, 'date')} AND {bind(edge.last, 'date')}"
                yield Piece(unit, within, "-" if edge.sign < 0 else "")


def rows_over(period: Cover, book: str, keys: Sequence[str], figures: Sequence[str], bind: Binds) -> str:
    """SQL: the rows of ``book`` over a period, to be added up by its keys: of ``{book}_year`` (if the cover has years), ``{book}_month``, ``{book}_day``."""

    def read(piece: Piece) -> str:
        shown = [*keys, *(f"{piece.minus}{figure} AS {figure}" for figure in figures)]
        return f"SELECT {', '.join(shown)} FROM {book}_{piece.unit} WHERE {piece.within}"  # noqa: S608

    return " UNION ALL ".join(map(read, period.pieces(bind)))


def cover(first: date, last: date, *, years: bool = False) -> Cover:
    """The cover of a period that reads few rows: of a month that it holds most of the month less the other days; with ``years`` the same with the
    years that it holds most months of."""
    begin, end = first.toordinal(), last.toordinal() + 1
    months = _whole(begin, end, _month_of_day)
    if months is None:
        return Cover(None, (), (Edge(first, last, 1),))
    days = tuple(Edge(date.fromordinal(low), date.fromordinal(high - 1), sign) for low, high, sign in months.edges)
    start, until = (_number(date.fromordinal(day)) for day in (months.start, months.end))
    whole = _whole(start, until, _year_of_month) if years else None
    if whole is None:
        return Cover(None, (Edge(_month(start), _month(until - 1), 1),), days)
    edges = tuple(Edge(_month(low), _month(high - 1), sign) for low, high, sign in whole.edges)
    return Cover((whole.start // _MONTHS_OF_A_YEAR, whole.end // _MONTHS_OF_A_YEAR - 1), edges, days)


@dataclass(frozen=True, slots=True)
class _Whole:
    """From ``start`` to before ``end`` there are whole units only; the edges (from, to before, sign) say what must be added or taken out."""

    start: int
    end: int
    edges: tuple[tuple[int, int, int], ...]


def _whole(first: int, end: int, unit: Callable[[int], tuple[int, int]]) -> _Whole | None:
    """The whole units nearest to a stretch of numbers; None where its numbers one by one are fewer than what the edges hold. ``unit`` tells where the
    unit of a number begins, and where the next one does."""
    starts, ends = _nearest(first, unit), _nearest(end, unit)
    edges = []
    if starts != first:
        edges.append((min(first, starts), max(first, starts), 1 if first < starts else -1))
    if ends != end:
        edges.append((min(end, ends), max(end, ends), 1 if ends < end else -1))
    if starts >= ends or sum(high - low for low, high, _ in edges) >= end - first:
        return None
    return _Whole(starts, ends, tuple(edges))


def _nearest(number: int, unit: Callable[[int], tuple[int, int]]) -> int:
    low, high = unit(number)
    return low if number - low <= high - number else high


def _month_of_day(day: int) -> tuple[int, int]:
    start = month_start(date.fromordinal(day))
    return start.toordinal(), following(start).toordinal()


def _year_of_month(number: int) -> tuple[int, int]:
    start = number - number % _MONTHS_OF_A_YEAR
    return start, start + _MONTHS_OF_A_YEAR


def _number(month: date) -> int:
    return month.year * _MONTHS_OF_A_YEAR + month.month - 1


def _month(number: int) -> date:
    return date(number // _MONTHS_OF_A_YEAR, number % _MONTHS_OF_A_YEAR + 1, 1)
