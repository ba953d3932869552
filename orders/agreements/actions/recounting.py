"""Days and months of agreements counted again once something touched them."""

# ruff: noqa: S608  statements are put together from constants only; every value that a caller gives is bound

from sqlalchemy import text
from sqlmodel import Session

from orders.agreements.queries.kept import SUMS, counted
from shop.core import locks

_LOCK = "agreements.recount"
_IDS = "SELECT unnest(CAST(:ids AS bigint[]))"
_TAKE = text(
    """
    WITH gone AS (
        DELETE FROM agreement_touched
        WHERE agreement_id IN (SELECT DISTINCT agreement_id FROM agreement_touched ORDER BY agreement_id LIMIT :most) RETURNING agreement_id
    ) SELECT DISTINCT agreement_id FROM gone
    """
)
_NAMES = ", ".join(SUMS)
_AGAIN = [
    text(f"DELETE FROM agreement_month WHERE agreement_id IN ({_IDS})"),
    text(f"DELETE FROM agreement_day WHERE agreement_id IN ({_IDS})"),
    text(
        f"INSERT INTO agreement_day (agreement_id, district_code, day, {_NAMES})"
        f" SELECT agreement_id, district_code, day, {_NAMES} FROM ({counted(_IDS)}) AS counted"
    ),
    text(
        f"INSERT INTO agreement_month (agreement_id, district_code, month, {_NAMES})"
        f" SELECT agreement_id, district_code, date_trunc('month', day::timestamp)::date, {', '.join(f'sum({name})' for name in SUMS)}"
        f" FROM agreement_day WHERE agreement_id IN ({_IDS}) GROUP BY 1, 2, 3"
    ),
]


def recount(session: Session, most: int = 300) -> int:
    """Count up to ``most`` touched agreements again; returns how many. As ``pledges.actions.recounting`` does it, for the same reasons."""
    if not locks.try_hold(session, _LOCK):
        return 0
    ids = list(session.execute(_TAKE, {"most": most}).scalars())
    for statement in _AGAIN if ids else ():
        session.execute(statement, {"ids": ids})
    return len(ids)
