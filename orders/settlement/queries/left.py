"""What of payouts may have left the bank, as far as lines of its statements show."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from itertools import chain
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.money.errors import LeftBefore
from orders.money.queries.shown import Transfer, lines_of, of_line
from orders.money.rules import Kind
from orders.settlement.actions.accounts import number_of
from orders.settlement.errors import PaidTwiceHeld
from shop.core.db import array
from shop.core.money import yuan_from_fen

# with the list that a release stands on, or else the latest void one that it stood on, and what else on that failed
_RELEASES = """
    WITH asked AS MATERIALIZED (
    SELECT a.id, a.payout_id, a.outcome, s.number, p.amount_fen, c.holder, c.sealed_number,
           (a.released_at AT TIME ZONE 'Asia/Shanghai')::date AS released_on,
           f.number AS list_number, f.amount_fen AS list_fen, f.id AS list_id,
           CASE a.outcome WHEN 'failed' THEN p.amount_fen ELSE 0 END AS own_failed_fen, (f.made_at AT TIME ZONE 'Asia/Shanghai')::date AS list_on
    FROM payout_attempt a JOIN payout p ON p.id = a.payout_id JOIN settlement s ON s.id = p.settlement_id
    JOIN payout_account c ON c.id = a.account_id LEFT JOIN LATERAL (
        SELECT f.*, l.void FROM payout_file_line l JOIN payout_file f ON f.id = l.payout_file_id
        WHERE l.attempt_id = a.id ORDER BY l.void, f.id DESC LIMIT 1) f ON true
    WHERE a.method = 'bank' AND {condition}
    )
    SELECT asked.*, (coalesce(gone.failed_fen, 0) - asked.own_failed_fen)::bigint AS failed_fen FROM asked LEFT JOIN (
        SELECT l.payout_file_id, sum(p.amount_fen) AS failed_fen
        FROM payout_file_line l JOIN payout_attempt a ON a.id = l.attempt_id AND a.outcome = 'failed' JOIN payout p ON p.id = a.payout_id
        WHERE l.payout_file_id IN (SELECT list_id FROM asked) GROUP BY 1) gone ON gone.payout_file_id = asked.list_id
    ORDER BY asked.id
"""
_BY_ID = text(_RELEASES.format(condition="a.id = ANY (CAST(:ids AS bigint[]))"))
#: Those that were said to have failed, or are on no list but were on one that was never handed over.
_SAID_NOT_TO_HAVE_LEFT = text(
    _RELEASES.format(
        condition="a.payout_id = ANY (CAST(:ids AS bigint[])) AND (a.outcome = 'failed' OR a.outcome IS NULL AND f.void)"
    )
)

#: SQL: what of payout or advance ``{of}`` left twice, less what of that came back, in fen: as two persons wrote lines off, one by one.
TWICE = """
    (SELECT coalesce(sum(CASE WHEN tl.amount_fen < 0 THEN tw.amount_fen ELSE -tw.amount_fen END), 0)::bigint
     FROM bank_write_off tw JOIN bank_line tl ON tl.id = tw.line_id WHERE tw.status = 'approved' AND {of})
"""
_LEFT_TWICE = text(f"SELECT {TWICE.format(of='(tw.payout_id = :payout_id OR tw.advance_id = :advance_id)')}")
#: Those of which the supplier holds something ahead because they left twice, with the latest line that shows it, behind the one passed over.
_HELD = text(
    f"""
    SELECT DISTINCT ON (p.id) p.id AS payout_id, l.*, least(x.twice_fen, ahead.fen)::bigint AS held_fen
    FROM unnest(CAST(:ids AS bigint[]), CAST(:afters AS bigint[])) AS u (id, after) JOIN payout p ON p.id = u.id
    JOIN bank_write_off w ON w.payout_id = p.id AND w.status = 'approved' JOIN bank_line l ON l.id = w.line_id AND l.amount_fen < 0 AND l.id > u.after
    CROSS JOIN LATERAL (SELECT {TWICE.format(of="tw.payout_id = p.id")} AS twice_fen) x
    CROSS JOIN LATERAL (SELECT coalesce(sum(amount_fen), 0)::bigint AS fen FROM money_posting
                        WHERE account = 'advances' AND party_id = p.supplier_id) ahead
    WHERE least(x.twice_fen, ahead.fen) > 0 ORDER BY p.id, l.id DESC
    """  # noqa: S608
)


def left_twice(session: Session, payout_id: int | None, advance_id: int | None) -> int:
    """What of a payout or advance left twice and has not come back, in fen."""
    return int(session.execute(_LEFT_TWICE, {"payout_id": payout_id, "advance_id": advance_id}).scalar_one())


def transfers_of(session: Session, attempt_ids: Iterable[int]) -> list[Transfer]:
    """Releases of payouts, as lines may show them; those that did not go by the bank are left out."""
    return [_transfer(row) for row in session.execute(_BY_ID, {"ids": array(attempt_ids)})]


def left_before(session: Session, payouts: Mapping[int, Any]) -> dict[int, list[LeftBefore | PaidTwiceHeld]]:
    """Why payouts may not go once more: a line shows that one left, though it was said to have failed, or never to have been handed to the bank; or it
    left twice, and its supplier holds that ahead, as no settlement has used it up. ``payouts``: by id, with the number of the settlement and the line up
    to which lines were passed over (``passed_line_id``). The latest line of each."""
    rows = session.execute(_SAID_NOT_TO_HAVE_LEFT, {"ids": array(payouts)}).all()
    transfers = [replace(_transfer(row), after=payouts[row.payout_id].passed_line_id or 0) for row in rows]
    latest: dict[int, Any] = {}
    for row, line in zip(rows, lines_of(session, transfers), strict=True):
        if line is not None and (row.payout_id not in latest or line.id > latest[row.payout_id].id):
            latest[row.payout_id] = line
    found: dict[int, list[LeftBefore | PaidTwiceHeld]] = {}
    for payout_id, line in sorted(latest.items()):
        number = payouts[payout_id].settlement_number
        found[payout_id] = [LeftBefore(number=number, payout_id=payout_id, **of_line(line))]
    asked = {"ids": array(payouts), "afters": array(each.passed_line_id or 0 for each in payouts.values())}
    for held in session.execute(_HELD, asked):
        told = {"number": payouts[held.payout_id].settlement_number, "held": yuan_from_fen(held.held_fen), **of_line(held)}
        found.setdefault(held.payout_id, []).append(PaidTwiceHeld(payout_id=held.payout_id, **told))
    return found


def require_not_left(session: Session, payouts: Mapping[int, Any], despite: str | None) -> dict[int, int]:
    """Refuse to pay once more what may have left (:func:`left_before`). Returns the latest line of each that is passed over, for the reason that
    ``despite`` tells.

    Raises:
        LeftBefore: there is one, and ``despite`` says nothing (409). PaidTwiceHeld: it left twice (409).
    """
    found = left_before(session, payouts)
    if found and despite is None:
        raise next(chain.from_iterable(found.values()))
    return {payout_id: max(each.data["line_id"] for each in refusals) for payout_id, refusals in found.items()}


def _transfer(row: Any) -> Transfer:
    on_list: tuple[str, tuple[int, ...], date] | None = None
    if row.list_number:
        on_list = (row.list_number, (row.list_fen, row.list_fen - row.failed_fen), row.list_on)
    return Transfer(
        Kind.PAYOUT_PAID,
        row.id,
        (f"{row.number}-{row.id}", row.number),
        row.amount_fen,
        row.holder,
        number_of(row),
        row.released_on,
        on_list,
    )
