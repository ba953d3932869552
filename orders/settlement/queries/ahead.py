"""What was paid ahead for an agreement, what a supplier holds of all that, and what an agreement's lines may come to, by their caps and the prices of
today."""

from decimal import Decimal
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.agreements.rules import Price, PriceKind, unit_price
from shop.core.money import line_amount

#: SQL: what was asked for, approved or paid ahead for ``{agreement}``, without what came back.
AHEAD = """
    (SELECT coalesce(sum(v.amount_fen - v.returned_fen), 0)::bigint
     FROM advance v WHERE v.agreement_id = {agreement} AND v.status <> 'refused')
"""
# the list's price for the whole cap; below the least that the list sells, its price for the least
_LINES = text(
    """
    SELECT l.price_kind, l.unit_price_fen, l.percent_off, l.quantity_cap, l.amount_cap_fen, listed.unit_price_fen AS list_fen,
           (SELECT array_agg(t.min_quantity ORDER BY t.min_quantity) FROM agreement_price_tier t WHERE t.agreement_line_id = l.id) AS tier_least,
           (SELECT array_agg(t.unit_price_fen ORDER BY t.min_quantity) FROM agreement_price_tier t WHERE t.agreement_line_id = l.id) AS tier_fen
    FROM agreement_line l
    LEFT JOIN LATERAL (
        SELECT t.unit_price_fen FROM price_tier t WHERE t.sku_id = l.sku_id
        ORDER BY t.min_quantity <= l.quantity_cap DESC, CASE WHEN t.min_quantity <= l.quantity_cap THEN -t.min_quantity ELSE t.min_quantity END LIMIT 1
    ) listed ON true
    WHERE l.agreement_id = :id ORDER BY l.line_no
    """
)
_HELD = text(
    "SELECT coalesce(sum(amount_fen), 0)::bigint FROM money_posting WHERE account = 'advances' AND party_id = :supplier_id"
)


def held_ahead(session: Session, supplier_id: int) -> int:
    """What a supplier holds ahead and no settlement has set off yet, in fen: advances, and what it was paid twice."""
    return int(session.execute(_HELD, {"supplier_id": supplier_id}).scalar_one())


def lines_fen(session: Session, agreement_id: int) -> list[int | None]:
    """The most that each line may come to, in fen, without the tolerance; None: nothing bounds it."""
    return [_most(row, row.quantity_cap) for row in session.execute(_LINES, {"id": agreement_id})]


def _most(row: Any, quantity_cap: Decimal | None) -> int | None:
    price = None
    if quantity_cap is not None:
        tiers = tuple(zip(row.tier_least or (), row.tier_fen or (), strict=True))
        price = unit_price(Price(PriceKind(row.price_kind), row.unit_price_fen, row.percent_off, tiers), quantity_cap, row.list_fen)
    by_quantity = None if quantity_cap is None or price is None else line_amount(quantity_cap, price)
    return min((each for each in (by_quantity, row.amount_cap_fen) if each is not None), default=None)
