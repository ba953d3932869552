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


#: Postings as they have to be, each with what caused it. ``booked``: what the ledger says of the same causes.
_AGAINST_LEDGER = """
    SELECT concat_ws(' ', kind, id, account) AS subject, e.facts AS expected, f.facts AS found
    FROM (SELECT kind, id, account, string_agg(format('%s fen, order %s, part %s, party %s', fen, order_id, part_id, party_id), '; '
                 ORDER BY fen, order_id, part_id, party_id) AS facts FROM ({expected}) e (kind, id, account, fen, order_id, part_id, party_id)
          WHERE fen <> 0 GROUP BY 1, 2, 3) e
    FULL JOIN (SELECT t.kind, t.origin_id AS id, p.account, string_agg(format('%s fen, order %s, part %s, party %s', p.amount_fen,
                      p.purchase_order_id, p.supplier_order_id, {party}), '; '
                      ORDER BY p.amount_fen, p.purchase_order_id, p.supplier_order_id, {party}) AS facts
               FROM money_transaction t JOIN money_posting p ON p.transaction_id = t.id WHERE t.kind IN ({kinds}) GROUP BY 1, 2, 3) f
    USING (kind, id, account)
    WHERE e.facts IS DISTINCT FROM f.facts
"""


def against_ledger(expected: str, *kinds: str, party: str = "CAST(NULL AS bigint)") -> str:
    """The statement of a check that the money ledger says of transactions of some kinds what their documents say.

    ``expected`` yields the postings as the documents have them: kind, id of the cause, account, fen, order, part, party. ``party``: whose a posting
    is, where the documents tell.
    """
    return _AGAINST_LEDGER.format(expected=expected, kinds=", ".join(f"'{kind}'" for kind in kinds), party=party)
