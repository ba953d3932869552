"""Reading what the hourly job found, and how far a run is that somebody asked for."""

from sqlalchemy import text
from sqlmodel import Session

from orders.reconcile.checks import CHECKS
from orders.reconcile.schemas import AskedOut, RunOut
from shop.core import paging
from shop.core.errors import NotFound
from shop.core.paging import Page

_RUNS = text("SELECT * FROM reconciliation WHERE CAST(:start AS bigint) IS NULL OR id < :start ORDER BY id DESC LIMIT :rows")


_ASKED = text("SELECT * FROM reconciliation_request ORDER BY id DESC LIMIT 1")
_RUN = text("SELECT * FROM reconciliation WHERE id = :id")


def asked(session: Session) -> AskedOut:
    """The run that was asked for last.

    Raises:
        NotFound: nobody has asked for one (404).
    """
    row = session.execute(_ASKED).first()
    if row is None:
        raise NotFound
    run = session.execute(_RUN, {"id": row.reconciliation_id}).one() if row.reconciliation_id is not None else None
    return AskedOut(
        **{name: getattr(row, name) for name in AskedOut.model_fields if name not in ("checks", "run")},
        checks=len(CHECKS),
        run=None if run is None else RunOut.model_validate(run, from_attributes=True),
    )


def runs(session: Session, *, limit: int, after: str | None) -> Page[RunOut]:
    """Runs, newest first."""
    start = paging.position(after, int)
    rows = session.execute(_RUNS, {"start": start[0] if start else None, "rows": limit + 1}).all()
    return paging.page(rows, limit, lambda row: RunOut.model_validate(row, from_attributes=True), lambda row: [row.id])
