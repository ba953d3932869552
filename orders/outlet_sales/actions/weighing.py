"""Sales whose quantity cannot be what was sold: a slip at the till, or a unit that is another one than the list's."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.counting.rules import implausible
from orders.outlet_sales.rules import Doubt
from shop.core import clock
from shop.core.db import array
from shop.programmes import queries as programmes

# With the price that the outlet's list has now, by the goods' number or the barcode of one of them, as ``receiving`` looks goods up. What is given
# back is a part of its sale. A line with a reason has been looked at by an officer.
_TOLD = text(
    """
    SELECT l.id, l.batch_id, l.outlet_id, l.sold_on, l.grams, l.amount_fen,
           l.quantity * coalesce(own.price_fen, scanned.price_fen) AS listed_fen
    FROM sales_batch_line l
    LEFT JOIN outlet_goods own ON own.outlet_id = l.outlet_id AND own.goods_id = l.goods_id
    LEFT JOIN LATERAL (
        SELECT min(c.price_fen) AS price_fen FROM outlet_goods c
        WHERE own.id IS NULL AND c.outlet_id = l.outlet_id AND c.barcode = l.goods_id AND c.deleted_at IS NULL HAVING count(*) = 1
    ) scanned ON true
    WHERE l.batch_id = ANY (CAST(:ids AS bigint[])) AND l.status = 'waiting' AND l.refunds_line_id IS NULL AND l.reason_code IS NULL
    """
)
_HOLD = text(
    f"UPDATE sales_batch_line SET status = 'held', reason_code = '{Doubt.IMPLAUSIBLE}' WHERE id = ANY (CAST(:ids AS bigint[]))"  # noqa: S608
)


def hold(session: Session, batch_ids: Sequence[int]) -> list[Row[Any]]:
    """Hold the lines of accepted batches that wait, and whose quantity does not go with their amount or weighs too much; returns them. The caller
    holds the outlets locked."""
    limits = programmes.config_of(session, clock.today()).counting
    found = [
        line
        for line in session.execute(_TOLD, {"ids": array(batch_ids)})
        if implausible(line.grams, line.amount_fen, line.listed_fen, price_times=limits.price_times, line_tonnes=limits.line_tonnes)
    ]
    if found:
        session.execute(_HOLD, {"ids": array(line.id for line in found)})
    return found
