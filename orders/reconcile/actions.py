"""Asking for a run of all checks, which a worker makes: however long it takes, nobody waits for it in a request."""

from sqlalchemy import text
from sqlmodel import Session

from orders.reconcile import report
from orders.reconcile.report import Finding
from shop.core import audit, clock, locks
from shop.core.db import Database
from shop.identity.actor import Actor

#: So often a run is begun whose worker is killed.
_MOST_ATTEMPTS = 3
_ASK = text(
    "INSERT INTO reconciliation_request (requested_by, requested_at) VALUES (:by, :now) ON CONFLICT DO NOTHING RETURNING id"
)
_GIVE_UP = text(
    "UPDATE reconciliation_request SET status = 'failed', finished_at = :now WHERE status = 'running' AND attempts >= :most"
)
#: Under the lock nobody else makes one, so that one that is running was left behind by a worker that was killed.
_BEGIN = text(
    """
    UPDATE reconciliation_request SET status = 'running', started_at = :now, attempts = attempts + 1, checks_done = 0
    WHERE status IN ('waiting', 'running') RETURNING id
    """
)
_FAR = text("UPDATE reconciliation_request SET checks_done = :done WHERE id = :id")
_DONE = text("UPDATE reconciliation_request SET status = 'done', finished_at = :now, reconciliation_id = :run_id WHERE id = :id")
_FAILED = text("UPDATE reconciliation_request SET status = 'failed', finished_at = :now WHERE id = :id")


def ask(session: Session, actor: Actor) -> None:
    """Have all books compared in the background. While one run is open another one is not needed."""
    made = session.execute(_ASK, {"by": actor.person, "now": clock.now()}).scalar()
    if made is not None:
        audit.record(session, actor, "reconciliation.requested", "reconciliation_request", made)


def run_asked(database: Database) -> list[Finding] | None:
    """Make the run that somebody asked for, one at a time; returns what it found, None if nobody asked."""
    with locks.alone(database.engine, "reconcile.asked") as first:
        if not first:
            return None
        with database.unit_of_work() as session:
            session.execute(_GIVE_UP, {"now": clock.now(), "most": _MOST_ATTEMPTS})
            request_id = session.execute(_BEGIN, {"now": clock.now()}).scalar()
        return None if request_id is None else _run(database, request_id)


def _run(database: Database, request_id: int) -> list[Finding]:
    def tell(done: int) -> None:
        with database.unit_of_work() as session:
            session.execute(_FAR, {"id": request_id, "done": done})

    try:
        run_id, found = report.keep(database, tell)
        with database.unit_of_work() as session:
            session.execute(_DONE, {"id": request_id, "now": clock.now(), "run_id": run_id})
    except BaseException:
        with database.unit_of_work() as session:
            session.execute(_FAILED, {"id": request_id, "now": clock.now()})
        raise
    return found
