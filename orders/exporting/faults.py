"""Why a file could not be made, in words."""

from typing import Any

from orders.exporting.errors import NotAllowedAnyMore, TookTooLong, TooManyRows, Unfinished
from orders.exporting.rules import MOST_ROWS
from orders.statistics.errors import NothingToRunOver
from orders.statistics.errors import TooManyRows as TooManyGroups
from orders.statistics.question import MAX_ROWS
from shop.core.errors import Language, Problem

_WORDS: dict[str, tuple[type[Problem], dict[str, Any]]] = {
    NotAllowedAnyMore.code: (NotAllowedAnyMore, {}),
    TookTooLong.code: (TookTooLong, {}),
    TooManyRows.code: (TooManyRows, {"limit": f"{MAX_ROWS:,}–{max(MOST_ROWS.values()):,}"}),
    NothingToRunOver.code: (NothingToRunOver, {}),
    Unfinished.code: (Unfinished, {}),
}
assert TooManyGroups.code == TooManyRows.code


def told(code: str, language: Language) -> str:
    """The sentence of a reason; one without words shows its code."""
    if code not in _WORDS:
        return code
    problem, data = _WORDS[code]
    return str(problem(**data).told(language)["title"])
