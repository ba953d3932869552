"""Reading what is written off of lines of the bank."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.banking.schemas.lines import WriteOffOut
from orders.banking.states import WriteOffStatus, write_off_moves
from orders.money.queries.reach import keeps_all, require_keeper
from shop.core import paging
from shop.core.errors import NotFound
from shop.core.paging import Page
from shop.identity.actor import Actor

#: SQL: what left once more by write-off ``{write_off}``: a payout ``p`` of settlement ``s``, a refund ``r``, or an advance ``v``; and ``o`` who has it.
LEFT_AGAIN = """
    LEFT JOIN payout p ON p.id = {write_off}.payout_id LEFT JOIN settlement s ON s.id = p.settlement_id
    LEFT JOIN refund r ON r.id = {write_off}.refund_id LEFT JOIN purchase_order po ON po.id = r.purchase_order_id
    LEFT JOIN advance v ON v.id = {write_off}.advance_id LEFT JOIN organisation o ON o.id = coalesce(p.supplier_id, po.buyer_id, v.supplier_id)
"""
_WRITE_OFF = f"""
    SELECT w.*, w.amount_fen AS amount, asked.name AS requested_by_name, decided.name AS decided_by_name, coalesce(s.number, r.number, v.number) AS number,
           o.name AS party_name, coalesce(p.amount_fen, r.amount_fen, v.amount_fen) AS paid_before, l.amount_fen AS line_amount, l.payer_name AS line_payer_name, l.text AS line_text
    FROM bank_write_off w JOIN bank_line l ON l.id = w.line_id JOIN app_user asked ON asked.id = w.requested_by
    LEFT JOIN app_user decided ON decided.id = w.decided_by {LEFT_AGAIN.format(write_off="w")}
"""  # noqa: S608
_ONE = text(f"{_WRITE_OFF} WHERE w.id = :id")
_OF_LINE = text(f"{_WRITE_OFF} WHERE w.line_id = :id ORDER BY w.id")
_MANY = text(
    f"{_WRITE_OFF} WHERE (CAST(:status AS text) IS NULL OR w.status = :status) AND (CAST(:start AS bigint) IS NULL OR w.id < :start)"
    " ORDER BY w.id DESC LIMIT :rows"
)


def write_off(session: Session, actor: Actor, write_off_id: int) -> WriteOffOut:
    """One of them.

    Raises:
        NotFound: there is none, or the caller keeps the money of a district only (404).
    """
    row = session.execute(_ONE, {"id": write_off_id}).first()
    if row is None or not keeps_all(actor):
        raise NotFound
    return _shown(row, actor)


def write_offs(
    session: Session, actor: Actor, *, status: WriteOffStatus | None, limit: int, after: str | None
) -> Page[WriteOffOut]:
    """All of them, newest first. Raises Forbidden: the caller keeps the money of a district only (403)."""
    require_keeper(actor)
    start = paging.position(after, int)
    rows = session.execute(_MANY, {"status": status, "start": start[0] if start else None, "rows": limit + 1}).all()
    return paging.page(rows, limit, lambda row: _shown(row, actor), lambda row: [row.id])


def of_line(session: Session, actor: Actor, line_id: int) -> list[WriteOffOut]:
    """Those of a line that the caller was seen to reach, oldest first."""
    return [_shown(row, actor) for row in session.execute(_OF_LINE, {"id": line_id})]


def _shown(row: Any, actor: Actor) -> WriteOffOut:
    fields = {name: getattr(row, name) for name in WriteOffOut.model_fields if name != "possible_actions"}
    return WriteOffOut(**fields, possible_actions=write_off_moves(row.status, own=row.requested_by == actor.user_id))
