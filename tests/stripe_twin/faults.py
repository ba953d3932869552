"""Faults on demand, drawn from one seed; what really happened is counted."""

import random
from collections import Counter
from typing import Any

# answered before the endpoint is reached: nothing happens, and a key stays free
BEFORE = ("400", "409", "429", "503", "reset_before")
# the endpoint had begun: a key keeps the answer, though it may never arrive
AFTER = ("500_before", "500_after", "timeout_after", "reset_after")
KINDS = BEFORE + AFTER


class Faults:
    """Which request meets which fault.

    ``script`` names the faults of the next requests one by one ("" for none). After it, each request that matches meets one with
    probability ``rate``, as the seed has it.
    """

    def __init__(self) -> None:
        self.set({})

    def set(self, wanted: dict[str, Any]) -> None:
        """Raises:
        ValueError: a kind that does not exist.
        """
        self.seed = int(wanted.get("seed", 0))
        self.rate = float(wanted.get("rate", 0))
        self.kinds = [str(kind) for kind in wanted.get("kinds", KINDS)]
        self.methods = set(wanted.get("methods", ["POST"]))
        self.path = str(wanted.get("path", "/v1/"))
        self.script = [str(kind) for kind in wanted.get("script", [])]
        self.hang = float(wanted.get("hang", 30))
        if unknown := {kind for kind in [*self.kinds, *self.script] if kind} - set(KINDS):
            raise ValueError(f"no such fault: {sorted(unknown)}; there are {list(KINDS)}")
        self.random = random.Random(self.seed)
        self.requests = 0
        self.happened: Counter[str] = Counter()

    def draw(self, method: str, path: str) -> str | None:
        if method not in self.methods or not path.startswith(self.path):
            return None
        self.requests += 1
        if self.script:
            return self.script.pop(0) or None
        if self.random.random() >= self.rate or not self.kinds:
            return None
        return self.random.choice(self.kinds)

    def count(self, kind: str) -> None:
        self.happened[kind] += 1

    def report(self) -> dict[str, Any]:
        return {
            "seed": self.seed,
            "rate": self.rate,
            "kinds": self.kinds,
            "requests": self.requests,
            "happened": dict(self.happened),
            "total": self.happened.total(),
        }
