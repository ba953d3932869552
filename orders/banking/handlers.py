"""What follows an import, and who hears what was decided about a payer."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.banking.actions.matching import match_by_rule
from shop.core import clock, outbox
from shop.core.outbox import Handler
from shop.notifications.actions import notify

#: Lines that are matched in one transaction: few enough that nobody waits long for their orders.
CHUNK = 1000
_NEXT = text("SELECT id FROM bank_line WHERE statement_id = :statement_id AND id > :after ORDER BY id LIMIT :count")
_OPEN = text(
    "SELECT id FROM bank_line WHERE matched_fen = 0 AND automatic AND matched_fen < abs(amount_fen) AND booked_on >= :today - 90"
    " AND (CAST(:before AS bigint) IS NULL OR id < :before) ORDER BY id DESC LIMIT :count"
)


def _imported(session: Session, payload: dict[str, Any]) -> None:
    """Match the new lines, some at a time."""
    statement_id = payload["bank_statement_id"]
    ids = session.execute(_NEXT, {"statement_id": statement_id, "after": payload["after"], "count": CHUNK}).scalars().all()
    match_by_rule(session, ids)
    if len(ids) == CHUNK:
        outbox.publish(session, "bank_statement.imported", bank_statement_id=statement_id, after=ids[-1])


def match_open(session: Session, before: int | None = None) -> int:
    """Match open lines of the last 90 days by what is known by now: payments announced, payers approved, orders placed after the import. The
    newest come first; the others follow, some at a time. Returns how many of the first were matched."""
    ids = session.execute(_OPEN, {"today": clock.today(), "before": before, "count": CHUNK}).scalars().all()
    if len(ids) == CHUNK:
        outbox.publish(session, "bank_lines.open", before=ids[-1])
    return match_by_rule(session, ids)


def _more_open(session: Session, payload: dict[str, Any]) -> None:
    match_open(session, payload["before"])


def _decided(session: Session, payload: dict[str, Any]) -> None:
    """The buyer hears whether somebody else may pay for it."""
    row = session.execute(
        text("SELECT id, buyer_id, payer_name, status FROM payer_declaration WHERE id = :id"),
        {"id": payload["payer_declaration_id"]},
    ).one()
    if row.status not in ("approved", "refused"):
        return
    notify(
        session,
        origin=f"payer_declaration.{row.status}:{row.id}",
        kind=f"payer_declaration.{row.status}",
        subject_type="payer_declaration",
        subject_id=row.id,
        organisation_id=row.buyer_id,
        payer=row.payer_name,
    )


HANDLERS: dict[str, Handler] = {
    "bank_lines.open": _more_open,
    "bank_statement.imported": _imported,
    "payer_declaration.decided": _decided,
}
