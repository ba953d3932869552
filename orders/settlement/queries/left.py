"""What of payouts may have left the bank, as far as lines of its statements show."""

from datetime import date
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.money.errors import LeftBefore
from orders.money.queries.shown import Transfer, latest_of, of_line
from orders.money.rules import Kind
from orders.settlement.actions.accounts import number_of

_RELEASES = text(
    """
    SELECT a.id, a.outcome, s.number, p.amount_fen, c.holder, c.sealed_number, (a.released_at AT TIME ZONE 'Asia/Shanghai')::date AS released_on,
           f.number AS list_number, f.amount_fen AS list_fen, (f.made_at AT TIME ZONE 'Asia/Shanghai')::date AS list_on
    FROM payout_attempt a JOIN payout p ON p.id = a.payout_id JOIN settlement s ON s.id = p.settlement_id
    JOIN payout_account c ON c.id = a.account_id LEFT JOIN payout_file_line l ON l.attempt_id = a.id AND NOT l.void
    LEFT JOIN payout_file f ON f.id = l.payout_file_id
    WHERE a.payout_id = :id AND a.method = 'bank' ORDER BY a.id
    """
)


def transfer_of(session: Session, payout_id: int, attempt_id: int) -> Transfer | None:
    """One release of a payout, as lines may show it; none: it did not go by the bank."""
    return next((_transfer(row) for row in _releases(session, payout_id) if row.id == attempt_id), None)


def line_of_failed(session: Session, payout_id: int, after: int = 0) -> Any | None:
    """The latest line behind ``after`` that shows a release of the payout which was said to have failed; none: no line does."""
    return latest_of(session, [_transfer(row) for row in _releases(session, payout_id) if row.outcome == "failed"], after)


def require_failed_not_shown(session: Session, payout: Any, despite: str | None, after: int = 0) -> int | None:
    """Refuse to pay once more what a line shows to have left. ``payout``: its id and the number of its settlement. Returns the line that is passed
    over, for the reason that ``despite`` tells; none: there is none.

    Raises:
        LeftBefore: there is one, and ``despite`` says nothing (409).
    """
    line = line_of_failed(session, payout.id, after)
    if line is None:
        return None
    if despite is None:
        raise LeftBefore(number=payout.settlement_number, payout_id=payout.id, **of_line(line))
    return int(line.id)


def _releases(session: Session, payout_id: int) -> list[Any]:
    return list(session.execute(_RELEASES, {"id": payout_id}))


def _transfer(row: Any) -> Transfer:
    on_list: tuple[str, int, date] | None = (row.list_number, row.list_fen, row.list_on) if row.list_number else None
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
