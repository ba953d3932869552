"""When a month may be closed: pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from shop.programmes.reporting import CloseItem, ClosingRules


@dataclass(frozen=True, slots=True)
class Explained:
    """Why something may stay open: for as much as was open when it was said."""

    count: int
    explanation: str


def standing(items: Mapping[CloseItem, int], explained: Mapping[str, Explained], rules: ClosingRules) -> list[CloseItem]:
    """What keeps a month open: blocking items that are open beyond what was explained."""
    return [item for item in rules.blocking if items.get(item, 0) > (explained[item].count if item in explained else 0)]


def lacking(expected: Collection[str], closed: Collection[str]) -> list[str]:
    """The counties that have not closed."""
    return sorted(set(expected) - set(closed))
