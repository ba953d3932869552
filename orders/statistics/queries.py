"""Answering questions about sales."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.ledger.selection import Binds
from orders.statistics.cubes import SUMS
from orders.statistics.errors import TooManyRows
from orders.statistics.question import COUNTED, MAX_ROWS, Measure, Question
from orders.statistics.statement import statement
from shop.core import clock
from shop.regions import queries as regions

Key = tuple[Any, ...]


#: Where the other measures stand.
_SUMMED = {
    Measure.AMOUNT: "amount_fen",
    Measure.GROSS: "gross_fen",
    Measure.TONNES: "grams",
    Measure.QUANTITY: "quantity",
    Measure.ENTRIES: "entries",
}


@dataclass(slots=True)
class Figures:
    """Values of one group: fen, grams, units and numbers."""

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
        found: int | Decimal = getattr(self, _SUMMED[measure])
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
    """The sums of a question by group as a table in SQL, to be joined in a statement: columns ``g0…`` for the groups, and ``amount_fen``, ``gross_fen``,
    ``grams``, ``quantity``, ``entries``. Of the period asked for, however many groups there are."""
    today = clock.today()
    sql, bind = statement(question, today, regions.successors(session, min(question.selection.last, today)), most=None)
    groups = "".join(f"g{n}, " for n in range(len(question.group_by)))
    sums = ", ".join(f"v{n} AS {name}" for n, name in enumerate(SUMS))
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
    groups = len(question.group_by)
    for family, total, period, *rest in found:
        target = totals[period] if total else rows[tuple(rest[:groups])][period]
        _take(target, family, rest[groups:])
    if len(rows) > MAX_ROWS:
        raise TooManyRows.at("group_by", limit=MAX_ROWS)
    return Answer(question, exact_to, boundaries_on, dict(sorted(rows.items())), totals)


def _take(target: Figures, family: str, values: Sequence[Any]) -> None:
    if family != "sums":
        target.counts[family] = int(values[0] or 0)
        return
    amount_fen, gross_fen, grams, quantity, entries = values
    target.amount_fen, target.gross_fen, target.grams = int(amount_fen or 0), int(gross_fen or 0), int(grams or 0)
    target.quantity, target.entries = Decimal(quantity or 0), int(entries or 0)
