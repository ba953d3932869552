"""What became of each of many things that one request asks for: each is done or refused by itself."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, Field

from shop.core.errors import Language, Problem


class OutcomeOut(BaseModel):
    """What became of one of many."""

    done: bool
    code: str | None = Field(description="why not")
    message: str | None
    already: bool = Field(description="it is not done because it was done before")


def outcome(problem: Problem | None, language: Language) -> dict[str, Any]:
    """The fields of :class:`OutcomeOut` for what was done (None), or refused for a problem."""
    told = problem.told(language) if problem else {}
    return {
        "done": problem is None,
        "code": told.get("code"),
        "message": told.get("title"),
        "already": problem is not None and problem.is_done_before,
    }


def counts(results: Sequence[OutcomeOut]) -> dict[str, int]:
    """How many are ``done`` and how many ``failed``."""
    done = sum(each.done for each in results)
    return {"done": done, "failed": len(results) - done}
