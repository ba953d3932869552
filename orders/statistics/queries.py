"""Answering questions about sales."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from psycopg.errors import QueryCanceled
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from orders.ledger.selection import Binds
from orders.statistics.errors import QuestionTooWide, TooManyRows
from orders.statistics.question import COUNTED, MAX_ROWS, SUMMED, Measure, Question
from orders.statistics.statement import statement
from shop.core import clock
from shop.core.settings import settings
from shop.regions import queries as regions

Key = tuple[Any, ...]


@dataclass(slots=True)
class Figures:
    """Values of one group: fen, grams, units and numbers; 0 where nobody asked."""

    amount_fen: int = 0
    gross_fen: int = 0
    grams: int = 0
    quantity: Decimal = Decimal(0)
    entries: int = 0
    #: How many orders, buyers, products, suppliers.
    counts: dict[str, int] = field(default_factory=dict)

    def value(self, measure: Measure) -> int | Decimal:
        """The exact number behind a measure (tonnes as grams, amounts as fen)."""
        if measure in COUNTED:
            return self.counts.get(COUNTED[measure], 0)
        found: int | Decimal = getattr(self, SUMMED[measure])
        return found


@dataclass
class Answer:
    """Figures by group for each period asked for (0: the period itself, 1: the one before), and over all groups."""

    question: Question
    exact_to: datetime
    #: Districts stand as they did on this day.
    boundaries_on: date
    rows: dict[Key, list[Figures]]
    totals: list[Figures]


def cells(session: Session, question: Question) -> tuple[str, Binds]:
    """The sums of a question by group as a table in SQL, to be joined in a statement: columns ``g0…`` for the groups, and those of
    :attr:`Question.sums`. Of the period asked for, however many groups there are."""
    today = clock.today()
    sql, bind = statement(question, today, regions.successors(session, min(question.selection.last, today)), most=None)
    groups = "".join(f"g{n}, " for n in range(len(question.group_by)))
    sums = ", ".join(f"v{n} AS {name}" for n, name in enumerate(question.sums))
    return f"(SELECT {groups}{sums} FROM ({sql}) AS families WHERE family = 'sums' AND total = 0 AND period = 0)", bind  # noqa: S608


def ask(session: Session, question: Question, exact_to: datetime | None = None) -> Answer:
    """The figures, exact to the last sale committed before the call, or (of a replica) up to ``exact_to``. One statement, so one snapshot.

    Raises:
        TooManyRows: the groups are more than an answer may hold (422).
    """
    exact_to = exact_to or clock.now()
    today = clock.shanghai_date(exact_to)
    boundaries_on = min(question.selection.last, today)
    sql, bind = statement(question, today, regions.successors(session, boundaries_on))
    found = session.execute(text(sql), bind.values).all()
    count = len(question.periods)
    rows: dict[Key, list[Figures]] = defaultdict(lambda: [Figures() for _ in range(count)])
    totals = [Figures() for _ in range(count)]
    groups, sums = len(question.group_by), question.sums
    for family, total, period, *rest in found:
        target = totals[period] if total else rows[tuple(rest[:groups])][period]
        if family == "sums":
            _add(target, sums, rest[groups:])
        else:
            target.counts[family] = int(rest[groups] or 0)
    if len(rows) > MAX_ROWS:
        raise TooManyRows.at("group_by", limit=MAX_ROWS)
    return Answer(question, exact_to, boundaries_on, dict(sorted(rows.items())), totals)


def ask_in_time(session: Session, question: Question, exact_to: datetime) -> Answer:
    """The same for somebody who waits for it, and is told how to ask for less. Of a job that takes too long its own words tell.

    Raises:
        TooManyRows: as :func:`ask` (422). QuestionTooWide: it would take longer than a statement may (422).
    """
    try:
        return ask(session, question, exact_to)
    except OperationalError as error:
        if isinstance(error.orig, QueryCanceled):
            raise QuestionTooWide.at("measure", seconds=settings().statement_timeout_ms // 1000) from error
        raise


def _add(target: Figures, sums: Sequence[str], values: Sequence[Any]) -> None:
    for name, value in zip(sums, values, strict=False):
        setattr(target, name, Decimal(value or 0) if name == "quantity" else int(value or 0))
