"""Reading what the hourly job found."""

from sqlalchemy import text
from sqlmodel import Session

from orders.reconcile.schemas import RunOut
from shop.core import paging
from shop.core.paging import Page

_RUNS = text("SELECT * FROM reconciliation WHERE CAST(:start AS bigint) IS NULL OR id < :start ORDER BY id DESC LIMIT :rows")


def runs(session: Session, *, limit: int, after: str | None) -> Page[RunOut]:
    """Runs, newest first."""
    start = paging.position(after, int)
    rows = session.execute(_RUNS, {"start": start[0] if start else None, "rows": limit + 1}).all()
    return paging.page(rows, limit, lambda row: RunOut.model_validate(row, from_attributes=True), lambda row: [row.id])
