"""Reading what the daily checks found."""

from sqlalchemy import text
from sqlmodel import Session

from orders.ties.checking import next_from
from orders.ties.schemas import DataCheckOut, DataChecksOut
from shop.core import clock, paging

_PAGE = text(
    """
    SELECT day, finished_at AS ran_at, seconds, cells, differing_cells, reconciliation, differences FROM data_check
    WHERE finished_at IS NOT NULL AND (CAST(:start AS date) IS NULL OR day < :start) ORDER BY day DESC LIMIT :rows
    """
)
_DONE = text("SELECT EXISTS (SELECT FROM data_check WHERE day = :today AND finished_at IS NOT NULL)")


def data_checks(session: Session, *, limit: int, after: str | None) -> DataChecksOut:
    """Finished checks, the newest first, and when the next is due."""
    start = paging.position(after, str)
    rows = session.execute(_PAGE, {"start": paging.day(start[0]) if start else None, "rows": limit + 1}).all()
    page = paging.page(rows, limit, lambda row: DataCheckOut.model_validate(row, from_attributes=True), lambda row: [row.day])
    done = session.execute(_DONE, {"today": clock.today()}).scalar_one()
    return DataChecksOut(items=page.items, next=page.next, next_from=max(next_from(clock.today(), done), clock.now()))
