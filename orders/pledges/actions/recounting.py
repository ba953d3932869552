"""Sums of pledges made again once something touched them."""

from sqlalchemy import text
from sqlmodel import Session

from orders.pledges.queries.counting import TOTALS
from shop.core import locks

_LOCK = "pledges.recount"
_TAKE = text(
    """
    WITH gone AS (
        DELETE FROM pledge_touched WHERE pledge_id IN (SELECT DISTINCT pledge_id FROM pledge_touched ORDER BY pledge_id LIMIT :most) RETURNING pledge_id
    ) SELECT DISTINCT pledge_id FROM gone
    """
)
_COUNT = text(
    f"""
    WITH {TOTALS}
    INSERT INTO pledge_sum (pledge_id, ordered_fen, accepted_fen, grams)
    SELECT p.id, coalesce(t.ordered_fen, 0), coalesce(t.accepted_fen, 0), coalesce(t.grams, 0)
    FROM pledge p LEFT JOIN total t ON t.pledge_id = p.id WHERE p.id = ANY (CAST(:ids AS bigint[]))
    ON CONFLICT (pledge_id) DO UPDATE SET ordered_fen = excluded.ordered_fen, accepted_fen = excluded.accepted_fen, grams = excluded.grams
    """  # noqa: S608
)


def recount(session: Session, most: int = 300) -> int:
    """Count up to ``most`` touched pledges again; returns how many. One at a time: a second one leaves the work to the first.

    What was touched is taken before it is counted: whoever touches a pledge after that, or has not committed yet, leaves a row that stands. Readers
    count touched pledges themselves, so that they see every order and sale committed before, whenever this runs.
    """
    if not locks.try_hold(session, _LOCK):
        return 0
    ids = list(session.execute(_TAKE, {"most": most}).scalars())
    if ids:
        session.execute(_COUNT, {"ids": ids})
    return len(ids)
