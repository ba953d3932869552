"""What of refunds may have left the bank, as far as lines of its statements show."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.money.errors import LeftBefore
from orders.money.queries.shown import Transfer, lines_of, of_line
from orders.money.rules import Kind
from shop.core.db import array

# with the file that a refund stands in, or else the latest void one that it stood in, and what else in that failed
_REFUNDS = """
    WITH asked AS MATERIALIZED (
    SELECT r.id, r.number, r.amount_fen, r.payee_name, r.payee_account, (r.approved_at AT TIME ZONE 'Asia/Shanghai')::date AS released_on,
           f.number AS file_number, f.total_fen AS file_fen, f.id AS file_id,
           CASE r.status WHEN 'failed' THEN r.amount_fen ELSE 0 END AS own_failed_fen, (f.made_at AT TIME ZONE 'Asia/Shanghai')::date AS file_on{more}
    FROM refund r LEFT JOIN LATERAL (
        SELECT f.*, l.void FROM refund_file_line l JOIN refund_file f ON f.id = l.refund_file_id
        WHERE l.refund_id = r.id ORDER BY l.void, f.id DESC LIMIT 1) f ON true{joined}
    WHERE r.method = 'bank_transfer' AND {condition}
    )
    SELECT asked.*, (coalesce(gone.failed_fen, 0) - asked.own_failed_fen)::bigint AS failed_fen FROM asked LEFT JOIN (
        SELECT l.refund_file_id, sum(r.amount_fen) AS failed_fen FROM refund_file_line l JOIN refund r ON r.id = l.refund_id AND r.status = 'failed'
        WHERE l.refund_file_id IN (SELECT file_id FROM asked) GROUP BY 1) gone ON gone.refund_file_id = asked.file_id
    ORDER BY asked.id
"""
_BY_ID = text(_REFUNDS.format(more="", joined="", condition="r.id = ANY (CAST(:ids AS bigint[]))"))
#: Of the order of each refund those that were said to have failed; and the refund itself, if it is in no file but was in one that was never uploaded.
_SAID_NOT_TO_HAVE_LEFT = text(
    _REFUNDS.format(
        more=", own.id AS for_id, own.passed_line_id",
        joined=" JOIN refund own ON own.purchase_order_id = r.purchase_order_id",
        condition="own.id = ANY (CAST(:ids AS bigint[])) AND (r.status = 'failed' OR r.id = own.id AND r.status = 'approved' AND f.void)",
    )
)


def transfers_of(session: Session, refund_ids: Iterable[int]) -> list[Transfer]:
    """Released refunds by bank transfer, as lines may show them."""
    return [_transfer(row) for row in session.execute(_BY_ID, {"ids": array(refund_ids)})]


def left_before(session: Session, refund_ids: Sequence[int]) -> dict[int, LeftBefore]:
    """Why refunds may not go: a line, behind the one up to which lines were passed over, shows that another one of the order left, which was said to
    have failed, or it itself, which stood in a file that was never uploaded. The latest line of each."""
    rows = session.execute(_SAID_NOT_TO_HAVE_LEFT, {"ids": array(refund_ids)}).all()
    lines = lines_of(session, [replace(_transfer(row), after=row.passed_line_id or 0) for row in rows])
    latest: dict[int, Any] = {}
    for row, line in zip(rows, lines, strict=True):
        if line is not None and (row.for_id not in latest or line.id > latest[row.for_id][1].id):
            latest[row.for_id] = (row, line)
    return {for_id: LeftBefore(number=row.number, refund_id=row.id, **of_line(line)) for for_id, (row, line) in latest.items()}


def require_not_left(session: Session, refund_ids: Sequence[int], despite: str | None) -> dict[int, int]:
    """Refuse to pay back once more what a line shows to have left (:func:`left_before`). Returns the line of each that is passed over, for the reason that
    ``despite`` tells.

    Raises:
        LeftBefore: there is one, and ``despite`` says nothing (409).
    """
    found = left_before(session, refund_ids)
    if found and despite is None:
        raise found[min(found)]
    return {refund_id: each.data["line_id"] for refund_id, each in found.items()}


def _transfer(row: Any) -> Transfer:
    in_file: tuple[str, tuple[int, ...], date] | None = None
    if row.file_number:
        in_file = (row.file_number, (row.file_fen, row.file_fen - row.failed_fen), row.file_on)
    return Transfer(
        Kind.REFUND_PAID,
        row.id,
        (row.number,),
        row.amount_fen,
        row.payee_name,
        row.payee_account,
        row.released_on,
        in_file,
    )
