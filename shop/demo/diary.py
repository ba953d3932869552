"""What people of the demo do beside ordering, each at its moment and through the actions of the domains."""

import heapq
from collections.abc import Callable
from datetime import date, datetime, timedelta
from itertools import count

from shop.core import clock
from shop.demo.trail import Trail

Act = Callable[[], object]


class Diary:
    """Acts wait here until their moment has come. An act may note others."""

    def __init__(self, trail: Trail, now: datetime) -> None:
        self.trail, self.now = trail, now
        self._acts: list[tuple[datetime, int, Act]] = []
        self._number = count()

    def note(self, at: datetime, act: Act) -> None:
        """``act`` happens ``at``, or now if that is still to come."""
        heapq.heappush(self._acts, (min(at, self.now), next(self._number), act))

    def note_day(self, day: date, hour: int, act: Act) -> None:
        """``act`` happens on a day at an hour, unless that has not come yet."""
        at = clock.start_of_day(day) + timedelta(hours=hour)
        if at < self.now:
            self.note(at, act)

    def until(self, moment: datetime) -> None:
        """Do what comes before a moment, and at it."""
        while self._acts and self._acts[0][0] <= moment:
            at, _, act = heapq.heappop(self._acts)
            self.trail.write_until(at)
            with clock.fixed(at):
                act()
