"""What is open: accepted and not invoiced, and invoiced beyond what is owed; by part of an order, newest first."""

# ruff: noqa: S608  statements are put together from constants only

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.invoices import positions
from orders.invoices.schemas import CreditDueRow, OpenFilter, UninvoicedRow
from orders.money.queries import ALLOWED_OF_PART
from orders.purchasing.queries import IN_REACH, SIDES, reach
from shop.core import paging
from shop.core.paging import Page
from shop.identity.actor import Actor

_OF_BRANCH = """
    SELECT so.id FROM organisation o JOIN supplier_order so ON so.supplier_id = o.id WHERE o.path LIKE CAST(:branch AS text)
    UNION SELECT so.id FROM organisation o JOIN purchase_order po ON po.buyer_id = o.id OR po.ordering_unit_id = o.id
          JOIN supplier_order so ON so.purchase_order_id = po.id WHERE o.path LIKE CAST(:branch AS text)
"""
_OF_REGIONS = f"SELECT so.id FROM supplier_order so {SIDES} WHERE {IN_REACH}"
# Parts of which something was accepted, within reach.
_PARTS = f"""
    SELECT so.id AS supplier_order_id, po.id AS purchase_order_id, po.number AS purchase_order_number, so.supplier_id AS seller_id,
           supplier.name AS seller_name, po.buyer_id, buyer.name AS buyer_name
    FROM supplier_order so {SIDES}
    WHERE so.status IN ('partly_accepted', 'accepted') AND so.id IN ({{within}})
      AND (CAST(:seller_id AS bigint) IS NULL OR so.supplier_id = :seller_id) AND (CAST(:buyer_id AS bigint) IS NULL OR po.buyer_id = :buyer_id)
      AND (CAST(:start AS bigint) IS NULL OR so.id < :start)
"""
#: SQL: what of part ``p`` (supplier_order_id, purchase_order_id) was accepted and is not invoiced: (lines, goods, freight, total, first_sold_on).
OPEN = f"""
    LATERAL (
        SELECT g.lines, g.fen AS goods, f.fen AS freight, g.fen + f.fen AS total, g.first_sold_on
        FROM (
            SELECT count(*) AS lines, coalesce(sum(n.amount_fen), 0)::bigint AS fen, min(e.sold_on) AS first_sold_on
            FROM sale_entry e CROSS JOIN {positions.LEFT} n
            WHERE e.order_id = p.purchase_order_id AND e.supplier_order_id = p.supplier_order_id AND e.reverses_id IS NULL
              AND e.origin_kind <> 'history' AND n.amount_fen > 0 AND NOT {positions.INVOICED}
        ) g
        CROSS JOIN LATERAL (SELECT coalesce({positions.FREIGHT_LEFT.format(part="p.supplier_order_id")}, 0) AS fen) f
    )
"""
#: SQL: what the invoices of part ``p`` hold by now, and what is owed of that, and what a dispute gave back that no invoice has room for yet:
#: (invoice_ids, held, owed, waiting).
HELD = f"""
    LATERAL (
        SELECT l.invoice_ids, l.held, greatest(l.sold - a.fen, 0)::bigint AS owed, greatest(a.fen - l.sold, 0)::bigint AS waiting
        FROM (
            SELECT array_agg(DISTINCT l.invoice_id) AS invoice_ids, coalesce(sum(l.amount_fen - l.returned_fen - l.reduced_fen), 0)::bigint AS held,
                   coalesce(sum(least(l.sold_fen, l.amount_fen - l.returned_fen)), 0) AS sold
            FROM ({positions.LIVE_LINES.replace(":id", "p.supplier_order_id")}) l
        ) l
        CROSS JOIN LATERAL (SELECT {ALLOWED_OF_PART.format(id="p.supplier_order_id")} AS fen) a
    )
"""
_UNINVOICED = f"""
    SELECT p.*, o.* FROM ({_PARTS}) p CROSS JOIN {OPEN} o WHERE o.lines > 0 OR o.freight > 0
    ORDER BY p.supplier_order_id DESC LIMIT :rows
"""
_CREDIT_DUE = f"""
    SELECT p.*, h.*, h.held - h.owed AS due
    FROM ({_PARTS} AND EXISTS (SELECT FROM invoice i WHERE i.supplier_order_id = so.id AND i.credited_fen < i.gross_fen)) p
    CROSS JOIN {HELD} h
    WHERE h.held > h.owed
    ORDER BY p.supplier_order_id DESC LIMIT :rows
"""


def parts_of(given: dict[str, Any]) -> str:
    """SQL: the ids of the parts of orders within a reach, as :func:`orders.purchasing.queries.reach` tells it."""
    return _OF_REGIONS if given["regions"] else _OF_BRANCH


def uninvoiced(session: Session, actor: Actor, asked: OpenFilter, *, limit: int, after: str | None) -> Page[UninvoicedRow]:
    """Parts of orders of which something was accepted and is not invoiced."""
    return _page(session, actor, _UNINVOICED, UninvoicedRow, asked, limit, after)


def credit_due(session: Session, actor: Actor, asked: OpenFilter, *, limit: int, after: str | None) -> Page[CreditDueRow]:
    """Parts of orders whose invoices hold more than is owed: credit notes are due."""
    return _page(session, actor, _CREDIT_DUE, CreditDueRow, asked, limit, after)


def _page(
    session: Session, actor: Actor, statement: str, shape: Any, asked: OpenFilter, limit: int, after: str | None
) -> Page[Any]:
    start = paging.position(after, int)
    given = reach(actor)
    values = {**given, **asked.model_dump(), "start": start[0] if start else None, "rows": limit + 1}
    rows = session.execute(text(statement.format(within=parts_of(given))), values).all()
    return paging.page(
        rows, limit, lambda row: shape.model_validate(row, from_attributes=True), lambda row: [row.supplier_order_id]
    )
