"""Reading what the daily checks found."""

from sqlalchemy import text
from sqlmodel import Session

from orders.ties.schemas import DataCheckOut
from shop.core import paging
from shop.core.paging import Page

_PAGE = text(
    """
    SELECT day, finished_at AS ran_at, seconds, cells, differing_cells, reconciliation, differences FROM data_check
    WHERE finished_at IS NOT NULL AND (CAST(:start AS date) IS NULL OR day < :start) ORDER BY day DESC LIMIT :rows
    """
)


def data_checks(session: Session, *, limit: int, after: str | None) -> Page[DataCheckOut]:
    """Finished checks, the newest first."""
    start = paging.position(after, str)
    rows = session.execute(_PAGE, {"start": paging.day(start[0]) if start else None, "rows": limit + 1}).all()
    return paging.page(rows, limit, lambda row: DataCheckOut.model_validate(row, from_attributes=True), lambda row: [row.day])
