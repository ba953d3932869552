"""A period as few rows of kept sums: whole years, months, ten days (旬) and days, added or taken out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from orders.ledger.selection import Binds

_MONTHS_OF_A_YEAR, _TENS_OF_A_MONTH = 12, 3


class Unit(StrEnum):
    """What a table of kept sums has a row for; each is told by its number, and follows the one before it without a gap."""

    DAY = "day"
    #: 旬: from the 1st, 11th and 21st of a month.
    TEN_DAYS = "ten_days"
    MONTH = "month"
    YEAR = "year"

    def number(self, day: date) -> int:
        """The one that a day lies in."""
        month = day.year * _MONTHS_OF_A_YEAR + day.month - 1
        match self:
            case Unit.DAY:
                return day.toordinal()
            case Unit.TEN_DAYS:
                return month * _TENS_OF_A_MONTH + min((day.day - 1) // 10, _TENS_OF_A_MONTH - 1)
            case Unit.MONTH:
                return month
            case Unit.YEAR:
                return day.year

    def first_day(self, number: int) -> date:
        match self:
            case Unit.DAY:
                return date.fromordinal(number)
            case Unit.TEN_DAYS:
                month, ten = divmod(number, _TENS_OF_A_MONTH)
                return Unit.MONTH.first_day(month).replace(day=1 + 10 * ten)
            case Unit.MONTH:
                year, month = divmod(number, _MONTHS_OF_A_YEAR)
                return date(year, month + 1, 1)
            case Unit.YEAR:
                return date(number, 1, 1)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Units that follow one another, by the first days of the first and the last, that are added (``sign`` 1) or taken out (-1)."""

    unit: Unit
    first: date
    last: date
    sign: int = 1

    def within(self, bind: Binds) -> str:
        """SQL: the condition on rows of a table of the unit's sums."""
        if self.unit is Unit.YEAR:
            return f"year BETWEEN {bind(self.first.year, 'int')} AND {bind(self.last.year, 'int')}"
        return f"{self.unit} BETWEEN {bind(self.first, 'date')} AND {bind(self.last, 'date')}"

    @property
    def minus(self) -> str:
        """What stands before a figure."""
        return "-" if self.sign < 0 else ""


def rows_over(period: Iterable[Stretch], book: str, keys: Sequence[str], figures: Sequence[str], bind: Binds) -> str:
    """SQL: the rows of ``book`` over a period, to be added up by ``keys``, in which ``{unit}`` stands for its column of time: of ``{book}_{unit}``."""

    def read(stretch: Stretch) -> str:
        shown = [*(key.format(unit=stretch.unit) for key in keys), *(f"{stretch.minus}{figure} AS {figure}" for figure in figures)]
        return f"SELECT {', '.join(shown)} FROM {book}_{stretch.unit} WHERE {stretch.within(bind)}"  # noqa: S608

    return " UNION ALL ".join(map(read, period))


def cover(first: date, last: date, units: Iterable[Unit]) -> list[Stretch]:
    """Stretches that read few rows: of a unit that the period holds most of all of it, less what does not belong. ``units``: what there are sums
    for besides those of days, from the shortest on. Two stretches of each at most."""
    found: list[Stretch] = []
    unit, begin, end = Unit.DAY, Unit.DAY.number(first), Unit.DAY.number(last) + 1
    for coarser in units:
        start, until = _nearest(begin, unit, coarser), _nearest(end, unit, coarser)
        edges = [
            (min(edge, whole), max(edge, whole), 1 if (edge < whole) == opens else -1)
            for edge, whole, opens in ((begin, start, True), (end, until, False))
            if edge != whole
        ]
        if start >= until or sum(high - low for low, high, _ in edges) >= end - begin:
            break
        found += [Stretch(unit, unit.first_day(low), unit.first_day(high - 1), sign) for low, high, sign in edges]
        begin, end = (coarser.number(unit.first_day(number)) for number in (start, until))
        unit = coarser
    return [Stretch(unit, unit.first_day(begin), unit.first_day(end - 1)), *reversed(found)]


def _nearest(number: int, unit: Unit, coarser: Unit) -> int:
    """The number at which the coarser unit begins that is nearest to one."""
    within = coarser.number(unit.first_day(number))
    low, high = (unit.number(coarser.first_day(each)) for each in (within, within + 1))
    return low if number - low <= high - number else high
