"""Refunds whose sale does not come: after some days an officer decides about them, unless the sale comes all the same."""

from datetime import timedelta

from sqlalchemy import text
from sqlmodel import Session

from orders.counting import actions as counting
from orders.counting.actions import Doubted
from orders.counting.rules import Subject
from orders.outlet_sales.actions import taking
from orders.outlet_sales.rules import Doubt
from shop.core import clock, outbox
from shop.core.db import array
from shop.programmes import queries as programmes

#: So many outlets are looked at in one transaction.
MOST_OUTLETS = 200

#: Line ``l`` gives back of a sale that has not come. A batch that waits itself is not there yet.
_OLD = """
    FROM sales_batch_line l JOIN sales_batch b ON b.id = l.batch_id AND b.status = 'accepted' AND b.received_at < :before
    JOIN outlet o ON o.id = l.outlet_id WHERE l.status = 'waiting' AND l.refunds_line_id IS NOT NULL
"""
_OUTLETS = text(f"SELECT DISTINCT l.outlet_id {_OLD} ORDER BY 1 LIMIT :most")
_HOLD = text(
    f"""
    WITH old AS (SELECT l.id, b.received_at, o.region_code {_OLD} AND l.outlet_id = ANY (CAST(:ids AS bigint[])))
    UPDATE sales_batch_line l SET status = 'held', reason_code = '{Doubt.NO_SALE}' FROM old WHERE old.id = l.id
    RETURNING l.id, l.batch_id, l.sold_on, l.amount_fen, l.refunds_line_id, old.received_at, old.region_code
    """  # noqa: S608
)


def hold_old(session: Session) -> int:
    """Hold the refunds that have waited for their sale longer than the programme's ``refund_days``; returns how many."""
    before = clock.now() - timedelta(days=programmes.config_of(session, clock.today()).counting.refund_days)
    outlets = session.execute(_OUTLETS, {"before": before, "most": MOST_OUTLETS}).scalars().all()
    taking.lock(session, outlets)
    rows = session.execute(_HOLD, {"before": before, "ids": array(outlets)}).all()
    doubted = [
        Doubted(
            Subject.SALES_BATCH_LINE,
            row.id,
            Doubt.NO_SALE,
            {"batch": row.batch_id, "refunds_line_id": row.refunds_line_id, "received_at": row.received_at.isoformat()},
            row.region_code,
            row.amount_fen,
        )
        for row in rows
    ]
    counting.hold(session, doubted)
    if rows:
        outbox.publish_each(session, "sales_batch.held", "batch_id", sorted({row.batch_id for row in rows}))
    return len(rows)
