"""The twin's own clock: it runs with the machine's, and can be put forward."""

import time

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR


class Clock:
    """Seconds since 1970, plus what tests have added. It never goes back."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def now(self) -> float:
        return time.time() + self.ahead

    def seconds(self) -> int:
        """The present as Stripe writes it: whole seconds."""
        return int(self.now())

    def reach(self, moment: float) -> None:
        """Puts the clock forward to ``moment``, if it is not there yet."""
        self.ahead += max(0.0, moment - self.now())
