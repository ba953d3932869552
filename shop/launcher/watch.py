"""Keeps services running."""

import time
from collections.abc import Callable, Sequence

from shop.launcher.children import Service
from shop.launcher.errors import CannotStart

FIRST_WAIT = 0.5
LONGEST_WAIT = 30.0
#: A service that ran for so long has recovered, and its next end is a new story.
STEADY = 60.0


class Watched:
    """One service under watch: started again when it ends, and ever later while it keeps ending."""

    def __init__(self, service: Service, say: Callable[[str], None]) -> None:
        self._service = service
        self._say = say
        self._wait = FIRST_WAIT
        self._began = time.monotonic()
        self._due: float | None = None

    def look(self) -> None:
        now = time.monotonic()
        if self._due is not None:
            if now >= self._due:
                self._start(now)
        elif not self._service.alive():
            self._plan(now)

    def _plan(self, now: float) -> None:
        if now - self._began > STEADY:
            self._wait = FIRST_WAIT
        self._say(f"{self._service.name} ended ({self._service.ended()}); starting it again in {self._wait:g} s")
        self._due = now + self._wait
        self._wait = min(self._wait * 2, LONGEST_WAIT)

    def _start(self, now: float) -> None:
        self._due, self._began = None, now
        try:
            self._service.start()
        except CannotStart as error:
            self._say(str(error))
            self._service.stop()  # so that the next look finds it ended


def watch(services: Sequence[Service], say: Callable[[str], None]) -> None:
    """Start again whatever ends, until a signal interrupts."""
    watched = [Watched(service, say) for service in services]
    while True:
        for one in watched:
            one.look()
        time.sleep(0.2)
