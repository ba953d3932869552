"""The figures of a bulletin: the ledger's of a closed month, and what its revisions have told since."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlmodel import Session

from orders.bulletins.content import Compared, Sums
from orders.bulletins.queries.changes import Changed
from orders.ledger.rules import Direction
from orders.ledger.selection import EVERYWHERE, Dimension, Selection
from orders.statistics.queries import Figures, ask
from orders.statistics.question import Compare, Measure, Question
from orders.statistics.rules import growth

_MEASURES = (Measure.AMOUNT, Measure.TONNES, Measure.ENTRIES)


@dataclass(frozen=True, slots=True)
class Scope:
    """The days of the month, and the districts that are published; none: all of them."""

    first: date
    last: date
    districts: tuple[str, ...] | None

    def selection(self, direction: Direction, only: Mapping[Dimension, Any], first: date | None = None) -> Selection:
        published = {} if self.districts is None else {Dimension.DISTRICT: list(self.districts)}
        return Selection(first or self.first, self.last, {**published, **only}, direction)


def _sums(found: Figures, certified: bool) -> Sums:
    return Sums(
        amount_fen=found.amount_fen,
        grams=found.grams,
        certified_fen=found.amount_fen if certified else 0,
        entries=found.entries,
    )


def by(
    session: Session,
    scope: Scope,
    dimension: Dimension | None,
    *,
    direction: Direction = Direction.PURCHASE,
    only: Mapping[Dimension, Any] | None = None,
) -> dict[str, Compared]:
    """The ledger's figures by the codes of a dimension (none: one row, ``""``): the month, the same month of last year, the month before, and the
    year up to the month's end. All of them are of closed months, so that the same question has the same answer for good."""
    groups = (*([] if dimension is None else [dimension]), Dimension.CERTIFIED)
    now: dict[str, dict[str, Sums]] = defaultdict(lambda: defaultdict(Sums))

    def collect(name: str, selection: Selection, compare: Compare | None, period: int) -> None:
        # everywhere: a bulletin is of the city, whoever drafts it
        answer = ask(session, Question(selection, groups, _MEASURES, EVERYWHERE, compare))
        for key, found in answer.rows.items():
            code = "" if dimension is None else str(key[0])
            now[code][name] += _sums(found[period], key[-1])
            if period and name == "last_year":
                now[code]["now"] += _sums(found[0], key[-1])

    month = scope.selection(direction, only or {})
    collect("last_year", month, Compare.LAST_YEAR, 1)
    collect("last_period", month, Compare.LAST_PERIOD, 1)
    collect("to_date", scope.selection(direction, only or {}, scope.first.replace(month=1)), None, 0)
    return {code: Compared(**sums) for code, sums in now.items()}


def sold(session: Session, scope: Scope, only: Mapping[Dimension, Any]) -> int:
    """Fen that the ledger has of a scope."""
    selection = scope.selection(Direction.PURCHASE, only)
    return ask(session, Question(selection, (), (Measure.AMOUNT,), EVERYWHERE)).totals[0].amount_fen


def changed(
    figures: dict[str, Compared],
    changes: Iterable[Changed],
    code: Callable[[Changed], str | None],
    direction: Direction = Direction.PURCHASE,
) -> dict[str, Compared]:
    """The figures with what was told later of the month, by the code that each change belongs to (None: to none)."""
    found = dict(figures)
    for change in changes:
        place = code(change)
        if place is not None and change.direction == direction:
            found[place] = found.get(place, Compared()).plus(change.sums)
    return found


def together(figures: Collection[Compared]) -> Compared:
    """Several rows as one."""
    return Compared(
        now=_total(each.now for each in figures),
        last_year=_total(each.last_year for each in figures),
        last_period=_total(each.last_period for each in figures),
        to_date=_total(each.to_date for each in figures),
    )


def _total(sums: Iterable[Sums]) -> Sums:
    return sum(sums, Sums())


def row(code: str, names: tuple[str, str], figures: Compared) -> dict[str, Any]:
    """What every row of a bulletin has."""
    return {
        "code": code,
        "zh": names[0],
        "en": names[1],
        "figures": figures,
        "growth_year": growth(figures.now.amount_fen, figures.last_year.amount_fen),
        "growth_period": growth(figures.now.amount_fen, figures.last_period.amount_fen),
    }
