"""Reading refunds, each within the caller's reach."""

from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.money.queries.reach import reach
from orders.refunds.schemas import RefundFilter, RefundOut
from orders.refunds.states import refund_moves
from shop.core import paging
from shop.core.errors import NotFound
from shop.core.exports import MAX_LINES, whole
from shop.core.paging import Page
from shop.identity.actor import Actor

_REFUND = """
    SELECT r.*, r.amount_fen AS amount, po.number AS purchase_order_number, buyer.name AS buyer_name,
           asked.name AS requested_by_name, released.name AS approved_by_name
    FROM refund r LEFT JOIN app_user asked ON asked.id = r.requested_by LEFT JOIN app_user released ON released.id = r.approved_by JOIN purchase_order po ON po.id = r.purchase_order_id JOIN organisation buyer ON buyer.id = po.buyer_id
    JOIN organisation unit ON unit.id = po.ordering_unit_id
    WHERE (buyer.path LIKE CAST(:branch AS text) OR unit.path LIKE CAST(:branch AS text)
           OR buyer.region_code LIKE ANY (CAST(:regions AS text[])))
"""
_ONE = text(f"{_REFUND} AND r.id = :id")
_MANY = text(
    f"""{_REFUND} AND (CAST(:status AS text) IS NULL OR r.status = :status)
    AND (CAST(:method AS text) IS NULL OR r.method = :method)
    AND (CAST(:buyer_id AS bigint) IS NULL OR po.buyer_id = :buyer_id)
    AND (CAST(:purchase_order_id AS bigint) IS NULL OR r.purchase_order_id = :purchase_order_id)
    AND (CAST(:requested_from AS date) IS NULL OR (r.requested_at AT TIME ZONE 'Asia/Shanghai')::date >= :requested_from)
    AND (CAST(:requested_to AS date) IS NULL OR (r.requested_at AT TIME ZONE 'Asia/Shanghai')::date <= :requested_to)
    AND (CAST(:start AS bigint) IS NULL OR r.id < :start) ORDER BY r.id DESC LIMIT :rows"""
)


def refund(session: Session, actor: Actor, refund_id: int) -> RefundOut:
    """One refund.

    Raises:
        NotFound: there is none within reach (404).
    """
    row = session.execute(_ONE, {"id": refund_id, **reach(actor)}).first()
    if row is None:
        raise NotFound
    return _shown(row)


def refunds(session: Session, actor: Actor, asked: RefundFilter, *, limit: int, after: str | None) -> Page[RefundOut]:
    """Refunds of the caller's branch, or of those whose money it keeps; newest first."""
    start = paging.position(after, int)
    values = {**asked.model_dump(), "start": start[0] if start else None, "rows": limit + 1}
    rows = session.execute(_MANY, {**values, **reach(actor)}).all()
    return paging.page(rows, limit, _shown, lambda row: [row.id])


def all_refunds(session: Session, actor: Actor, asked: RefundFilter) -> list[RefundOut]:
    """The same, all of them, for a file.

    Raises:
        TooManyLines: there are more than a file holds (422).
    """
    return whole(refunds(session, actor, asked, limit=MAX_LINES, after=None), MAX_LINES)


def _shown(row: Row[Any]) -> RefundOut:
    fields = {name: getattr(row, name) for name in RefundOut.model_fields if name != "possible_actions"}
    return RefundOut(**fields, possible_actions=refund_moves(row.status, row.method))
