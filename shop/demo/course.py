"""How far the demo's cases have come, and on which days: pure planning, nothing is written here."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from shop.core.workdays import Calendar

#: Moves of a case by the step at which they are made, and how many working days before the last of them (or before today).
Way = tuple[tuple[str, int], ...]

#: A smooth course to the certificate: each step in its time. The notice and a margin lie between county and notice.
_SMOOTH: Way = (("submit", 14), ("township", 13), ("county", 11), ("notice", 4), ("city", 2), ("publish", 0))
#: Corrected once, at the county.
_CORRECTED: Way = (("submit", 22), ("township", 21), ("return", 19), ("resubmit", 12), *_SMOOTH[2:])
#: The county was slow.
_LATE: Way = (("submit", 19), ("township", 18), *_SMOOTH[2:])

#: Where the other products of ``products.csv`` stand today, by its column ``certification``.
OPEN_WAYS: dict[str, Way] = {
    "draft": (),
    "submitted": (("submit", 1),),
    "overdue": (("submit", 6),),
    "county_review": (("submit", 4), ("township", 2)),
    "notice_open": (("submit", 6), ("township", 5), ("county", 3)),
    "notice_over": (("submit", 12), ("township", 11), ("county", 8)),
    "city_review": (("submit", 14), ("township", 13), ("county", 10), ("notice", 2)),
    "filing": (("submit", 17), ("township", 16), ("county", 14), ("notice", 6), ("city", 4)),
    "returned": (("submit", 7), ("township", 6), ("return", 4)),
    "rejected": (("submit", 9), ("township", 8), ("reject", 6)),
}

#: Batches are published once a quarter; the last before the first order, so many days before it.
_BATCH_EVERY, _BATCH_BEFORE_START = timedelta(days=91), timedelta(days=40)


@dataclass(frozen=True)
class Course:
    """The days on which a case was drawn up and moved. ``published``: the day of its batch, if it came that far."""

    begun: date
    moves: Sequence[tuple[str, date]]
    published: date | None


class Timetable:
    """Gives each product its course. The same ``chance`` gives the same courses."""

    def __init__(self, workdays: Calendar, chance: random.Random, start: date, today: date) -> None:
        self.workdays, self.chance, self.start, self.today = workdays, chance, start, today

    def course(self, certification: str, joined: date | None) -> Course:
        """``joined``: the first day of a district that came into being after ``start``; nothing happened there before."""
        if certification in OPEN_WAYS:
            return self._back_from(self.today, OPEN_WAYS[certification], None)
        way = self.chance.choices([_SMOOTH, _CORRECTED, _LATE], [80, 12, 8])[0]
        wait = self.chance.randint(0, 6)
        way = tuple((move, days + wait if move != "publish" else 0) for move, days in way)
        day = self._batch_day(certification, joined, way[0][1])
        return self._back_from(day, way, day)

    def back(self, day: date, count: int) -> date:
        """The ``count``-th working day before ``day``."""
        while count:
            day -= timedelta(days=1)
            count -= self.workdays.is_working(day)
        return day

    def _back_from(self, last: date, way: Way, published: date | None) -> Course:
        moves = [(move, self.back(last, days)) for move, days in way]
        begun = self.back(moves[0][1] if moves else last, 2)
        return Course(begun, moves, published)

    def _batch_day(self, certification: str, joined: date | None, working_days: int) -> date:
        """A working day on which a batch was published, so many working days or more after the product could be applied for."""
        if certification == "expired":
            return self._working(months_later(self.today, -36) - timedelta(days=28))
        if certification == "expiring":
            return self._working(months_later(self.today, -36) + timedelta(days=45))
        if joined:
            return min(self.workdays.add(joined, working_days + 4), self.back(self.today, 1))
        first = self.start - _BATCH_BEFORE_START
        if certification == "new":
            ready = self.start + (self.today - self.start) * self.chance.uniform(0, 0.35)
            quarters = (ready - first) // _BATCH_EVERY + 1
            return min(self._working(first + quarters * _BATCH_EVERY), self.back(self.today, 2))
        return self._working(first - self.chance.choice([0, 0, 1]) * _BATCH_EVERY)

    def _working(self, day: date) -> date:
        return day if self.workdays.is_working(day) else self.workdays.add(day, 1)


def months_later(day: date, months: int) -> date:
    """The same day of another month, or its last day where it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, last)
        except ValueError:
            continue
    raise AssertionError(day)
