"""What a check is: one set-based statement, so one snapshot, that yields the rows which do not agree."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlmodel import Session


@dataclass(frozen=True)
class Difference:
    """A thing, what it should be, and what it is."""

    subject: str
    expected: str | None
    found: str | None


@dataclass(frozen=True)
class Check:
    name: str
    zh: str
    en: str
    #: The number of differences, and the first of them.
    find: Callable[[Session, int], tuple[int, list[Difference]]]


def sql(name: str, zh: str, en: str, statement: str) -> Check:
    """A check whose statement yields ``subject``, ``expected`` and ``found`` for every row that differs."""
    counted = text(f"SELECT d.*, count(*) OVER () AS differences FROM ({statement}) AS d ORDER BY d.subject LIMIT :keep")  # noqa: S608

    def find(session: Session, keep: int) -> tuple[int, list[Difference]]:
        rows: list[Any] = list(session.execute(counted, {"keep": max(keep, 1)}))
        first = [Difference(row.subject, row.expected, row.found) for row in rows[:keep]]
        return (rows[0].differences if rows else 0), first

    return Check(name, zh, en, find)
