"""Reading what the last runs found, and how far a run is that somebody asked for."""

from sqlalchemy import text
from sqlmodel import Session

from orders.reconcile.checks import CHECKS
from orders.reconcile.schemas import AskedOut, FindingOut, ReconciliationOut, RunOut
from shop.core import paging
from shop.core.errors import Language, NotFound
from shop.core.paging import Page

_RUNS = text("SELECT * FROM reconciliation WHERE CAST(:start AS bigint) IS NULL OR id < :start ORDER BY id DESC LIMIT :rows")
_LAST = text("SELECT * FROM reconciliation ORDER BY id DESC LIMIT 1")
_ASKED = text("SELECT * FROM reconciliation_request ORDER BY id DESC LIMIT 1")
_RUN = text("SELECT * FROM reconciliation WHERE id = :id")


def last(session: Session, language: Language, runs: str) -> ReconciliationOut:
    """What the last run found, check by check; ``runs``: where others are asked for and listed."""
    row = session.execute(_LAST).first()
    if row is None:
        return ReconciliationOut(ran_at=None, seconds=None, differences=None, runs=runs, checks=[])
    labels = {check.name: check.zh if language == "zh" else check.en for check in CHECKS}
    checks = [FindingOut(label=labels.get(each["name"], each["name"]), **each) for each in row.findings]
    return ReconciliationOut(ran_at=row.ran_at, seconds=row.seconds, differences=row.differences, runs=runs, checks=checks)


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
