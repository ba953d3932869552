"""Moving stock, set-based: one UPDATE and one INSERT however many rows move."""

from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import text
from sqlmodel import Session

from shop.core import clock

_MOVE = """
    WITH wanted AS (
        SELECT * FROM unnest(CAST(:skus AS bigint[]), CAST(:quantities AS numeric[]), CAST(:lines AS bigint[]))
          AS u (sku_id, quantity, order_line_id)
    ), locked AS MATERIALIZED (
        SELECT sku_id FROM stock WHERE sku_id = ANY (CAST(:skus AS bigint[])) ORDER BY sku_id FOR UPDATE
    ), moved AS (
        UPDATE stock SET {change}
        FROM (SELECT sku_id, sum(quantity) AS quantity FROM wanted JOIN locked USING (sku_id) GROUP BY sku_id) w
        WHERE stock.sku_id = w.sku_id
    )
    INSERT INTO stock_movement (sku_id, kind, on_hand, reserved, order_line_id, at)
    SELECT sku_id, '{kind}', {on_hand}, -quantity, order_line_id, :now FROM wanted
"""
_RELEASE = text(_MOVE.format(kind="release", change="reserved = stock.reserved - w.quantity", on_hand="0"))
_SHIP = text(
    _MOVE.format(
        kind="ship", change="reserved = stock.reserved - w.quantity, on_hand = stock.on_hand - w.quantity", on_hand="-quantity"
    )
)


def release(session: Session, *, sku_ids: Sequence[int], quantities: Sequence[Decimal], order_line_ids: Sequence[int]) -> None:
    """Give back what order lines had reserved."""
    _move(session, _RELEASE, sku_ids, quantities, order_line_ids)


def ship(session: Session, *, sku_ids: Sequence[int], quantities: Sequence[Decimal], order_line_ids: Sequence[int]) -> None:
    """Take what order lines had reserved out of the store."""
    _move(session, _SHIP, sku_ids, quantities, order_line_ids)


def _move(session, statement, sku_ids, quantities, order_line_ids):
    session.execute(
        statement,
        {"skus": list(sku_ids), "quantities": list(quantities), "lines": list(order_line_ids), "now": clock.now()},
    )
