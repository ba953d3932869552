"""Sales that a till and a file tell, or two files: by two numbers, so that nothing but what they say shows that they are one."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.outlet_sales.rules import APART, Doubt, alike
from shop.core.db import array

# Of batches that are taken, those that tell of the same time as accepted ones; of both at least one is a file. Most outlets send none, and are
# done with this.
_BESIDE = text(
    """
    SELECT b.id, o.id AS other_id FROM unnest(CAST(:ids AS bigint[])) AS t (id) JOIN sales_batch b ON b.id = t.id
    CROSS JOIN LATERAL (
        SELECT f.* FROM sales_batch f WHERE f.outlet_id = b.outlet_id AND f.way = 'file'
        UNION ALL
        SELECT d.* FROM sales_batch d WHERE b.way = 'file' AND d.outlet_id = b.outlet_id AND d.way = 'device'
    ) o
    WHERE o.id <> b.id AND o.status = 'accepted' AND o.first_sold_at <= b.last_sold_at + CAST(:apart AS interval)
      AND o.last_sold_at >= b.first_sold_at - CAST(:apart AS interval)
    """
)
# A line with a reason has been looked at by an officer; one of which that was the quantity may be told twice still.
_TOLD = text(
    f"""
    SELECT id, batch_id, outlet_id, sold_at, sold_on, goods_id, product_id, quantity, amount_fen FROM sales_batch_line
    WHERE batch_id = ANY (CAST(:ids AS bigint[])) AND status = 'waiting' AND refunds_line_id IS NULL
      AND coalesce(reason_code, '{Doubt.IMPLAUSIBLE}') = '{Doubt.IMPLAUSIBLE}'
    """  # noqa: S608
)
_COUNTED = text(
    """
    SELECT id, outlet_id, sold_at, goods_id, product_id, quantity, amount_fen FROM sales_batch_line
    WHERE batch_id = ANY (CAST(:ids AS bigint[])) AND status IN ('counted', 'other', 'resale') AND refunds_line_id IS NULL
      AND sold_at BETWEEN CAST(:first AS timestamptz) AND CAST(:last AS timestamptz)
    """
)
_HOLD = text(
    f"UPDATE sales_batch_line SET status = 'held', reason_code = '{Doubt.SUSPECTED_DUPLICATE}' WHERE id = ANY (CAST(:ids AS bigint[]))"  # noqa: S608
)


def hold(session: Session, batch_ids: Sequence[int]) -> list[tuple[Row[Any], int]]:
    """Hold the lines of accepted batches that wait, and look like what another way has told before; returns each with the one that it looks like.
    The caller holds the outlets locked. Pairs are looked for here, not by a join: a planner that knows nothing of a file's many like lines would
    hold each against each."""
    beside = session.execute(_BESIDE, {"ids": array(batch_ids), "apart": APART}).all()
    told = session.execute(_TOLD, {"ids": array({row.id for row in beside})}).all() if beside else []
    if not told:
        return []
    days = {"first": min(line.sold_at for line in told) - APART, "last": max(line.sold_at for line in told) + APART}
    counted = session.execute(_COUNTED, {"ids": array({row.other_id for row in beside}), **days})
    found = alike(told, counted)
    if found:
        session.execute(_HOLD, {"ids": array(found)})
    return [(line, found[line.id]) for line in told if line.id in found]
