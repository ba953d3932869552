"""Orders of which suppliers were settled with more than is there of what the buyer paid, because a payment was taken back since.

The supplier delivered what was accepted, so nothing is taken back from it: the buyer owes the order again, and until it pays the marketplace
bears the money. What of the order is not settled yet waits as unpaid. Where suppliers bear lost payments, what they bear is left out.
"""

# ruff: noqa: S608  statements are put together from constants only

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.money.queries import NOT_ARRIVED, PAID
from orders.purchasing.queries import PAYABLE
from orders.settlement.schemas.settlements import UncoveredOut
from shop.core import paging
from shop.core.paging import Page
from shop.identity.actor import Actor
from shop.identity.permissions import Permission

#: SQL: what settlements took up of an order and it still costs, what of its buyer's money is there, and since when less of it is. What went
#: back after the settlement is for the next one to take up, and is no loss. Only orders of which money was taken back, or an
#: announcement withdrawn, are looked at, and of them those that ``{within}`` picks by posting ``p``.
_UNCOVERED = f"""
    SELECT x.*, x.settled - x.received AS missing FROM (
        SELECT po.id AS purchase_order_id, po.number, po.buyer_id, lost.last_on AS lost_on,
               (SELECT coalesce(sum(least(l.fen, greatest({PAYABLE}, 0)) - b.fen), 0)::bigint
                FROM supplier_order so
                CROSS JOIN LATERAL (SELECT sum(l.amount_fen) AS fen FROM settlement_line l JOIN money_posting p ON p.id = l.posting_id
                                    JOIN money_transaction t ON t.id = p.transaction_id
                                    WHERE l.supplier_order_id = so.id AND t.kind <> 'loss_borne') l
                CROSS JOIN LATERAL (SELECT coalesce(sum(amount_fen), 0) AS fen FROM loss_share WHERE supplier_order_id = so.id) b
                WHERE so.purchase_order_id = po.id AND l.fen > 0) AS settled,
               greatest({PAID.format(order="po.id")} - {NOT_ARRIVED.format(order="po.id")}, 0) AS received
        FROM (SELECT p.purchase_order_id AS id, max(t.booked_on) AS last_on
              FROM money_transaction t JOIN money_posting p ON p.transaction_id = t.id
              WHERE t.kind IN ('payment_undone', 'chargeback') AND {{within}} GROUP BY 1) lost
        JOIN purchase_order po ON po.id = lost.id
    ) x WHERE x.settled > x.received
"""
_OF_SETTLEMENT = """p.purchase_order_id IN (
    SELECT so.purchase_order_id FROM settlement_line l JOIN supplier_order so ON so.id = l.supplier_order_id WHERE l.settlement_id = :id)"""
_MISSING_OF = text(
    f"""
    SELECT coalesce(sum(least(u.missing, l.fen)), 0)::bigint FROM ({_UNCOVERED.format(within=_OF_SETTLEMENT)}) u
    JOIN (SELECT so.purchase_order_id, sum(l.amount_fen) AS fen FROM settlement_line l JOIN supplier_order so ON so.id = l.supplier_order_id
          WHERE l.settlement_id = :id GROUP BY 1 HAVING sum(l.amount_fen) > 0) l USING (purchase_order_id)
    """
)
_MANY = text(
    f"""
    SELECT u.purchase_order_id, u.number AS purchase_order_number, u.buyer_id, buyer.name AS buyer_name, u.lost_on, u.settled, u.received,
           u.missing, (SELECT array_agg(DISTINCT sup.name ORDER BY sup.name) FROM settlement_line l
                       JOIN supplier_order so ON so.id = l.supplier_order_id JOIN organisation sup ON sup.id = so.supplier_id
                       WHERE so.purchase_order_id = u.purchase_order_id) AS supplier_names
    FROM ({_UNCOVERED.format(within="p.purchase_order_id IS NOT NULL")}) u JOIN organisation buyer ON buyer.id = u.buyer_id
    WHERE buyer.region_code LIKE ANY (CAST(:regions AS text[])) AND (CAST(:buyer_id AS bigint) IS NULL OR u.buyer_id = :buyer_id)
      AND (CAST(:start AS bigint) IS NULL OR u.purchase_order_id > :start)
    ORDER BY u.purchase_order_id LIMIT :rows
    """
)


def missing_of(session: Session, settlement_id: int) -> int:
    """How much of what a settlement took up is not covered any more by what its buyers paid, in fen."""
    return int(session.execute(_MISSING_OF, {"id": settlement_id}).scalar_one())


def uncovered(session: Session, actor: Actor, *, buyer_id: int | None, limit: int, after: str | None) -> Page[UncoveredOut]:
    """Such orders of buyers whose money the caller keeps, the oldest first."""
    start = paging.position(after, int)
    values = {"buyer_id": buyer_id, "start": start[0] if start else None, "rows": limit + 1}
    regions = actor.region_patterns(Permission.MONEY_MANAGE)
    rows: Sequence[Row[Any]] = session.execute(_MANY, {**values, "regions": regions}).all()
    return paging.page(rows, limit, _shown, lambda row: [row.purchase_order_id])


def _shown(row: Row[Any]) -> UncoveredOut:
    return UncoveredOut(**{name: getattr(row, name) for name in UncoveredOut.model_fields})
