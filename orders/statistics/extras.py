"""What is shown beside the figures of rows: shares, ranks and running totals; and which rows are shown first."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from orders.ledger.selection import TIME
from orders.statistics import rules
from orders.statistics.errors import NothingToRunOver
from orders.statistics.queries import Answer, Figures, Key
from orders.statistics.question import COUNTED, Measure


class Extra(StrEnum):
    SHARE = "share"
    RANK = "rank"
    RUNNING = "running"


@dataclass(frozen=True)
class Order:
    """Rows by a measure instead of by their keys, the highest first (or last); and how many of them."""

    by: Measure | None = None
    descending: bool = True
    top: int | None = None


def ordered(answer: Answer, order: Order) -> list[Key]:
    """The keys of the rows in the order asked for."""
    keys = list(answer.rows)
    if (by := order.by) is not None:
        keys.sort(key=lambda key: answer.rows[key][0].value(by), reverse=order.descending)
    return keys[: order.top]


def share(answer: Answer, measures: Sequence[Measure]) -> dict[Key, dict[Measure, str | None]]:
    """How many percent of the total each row is, by each measure; of a sum the rows come to 100.00 together, in whatever order and however many of them
    are shown. What counts somebody once may be more together, as one order may stand in two rows: each is rounded by itself."""
    found: dict[Key, dict[Measure, str | None]] = {key: {} for key in answer.rows}
    for measure in measures:
        values = [row[0].value(measure) for row in answer.rows.values()]
        whole = answer.totals[0].value(measure)
        of_rows = [rules.share(value, whole) for value in values] if measure in COUNTED else rules.shares(values)
        for key, each in zip(answer.rows, of_rows, strict=True):
            found[key][measure] = each
    return found


def rank(answer: Answer, measures: Sequence[Measure]) -> dict[Key, dict[Measure, int]]:
    """The place of each row among all, by each measure."""
    found: dict[Key, dict[Measure, int]] = {key: {} for key in answer.rows}
    for measure in measures:
        for key, place in zip(answer.rows, rules.ranks([row[0].value(measure) for row in answer.rows.values()]), strict=True):
            found[key][measure] = place
    return found


def running(answer: Answer, period: int = 0) -> dict[Key, Figures]:
    """For each row the sums from the first span of time up to its own, of rows alike but for the time; of the period asked for (0) or the one
    before (1).

    Raises:
        NothingToRunOver: the rows are not by exactly one span of time (422).
    """
    places = [place for place, dimension in enumerate(answer.question.group_by) if dimension in TIME]
    if len(places) != 1:
        raise NothingToRunOver.at("extra")
    [place] = places
    sums: dict[Key, Figures] = defaultdict(Figures)
    found: dict[Key, Figures] = {}
    for key in sorted(answer.rows, key=lambda key: key[place]):
        alike = (*key[:place], *key[place + 1 :])
        now = answer.rows[key][period]
        before = sums[alike]
        sums[alike] = found[key] = Figures(
            before.amount_fen + now.amount_fen,
            before.gross_fen + now.gross_fen,
            before.grams + now.grams,
            Decimal(before.quantity + now.quantity),
            before.entries + now.entries,
        )
    return found
