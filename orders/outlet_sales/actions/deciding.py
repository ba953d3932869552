"""What an officer has decided of batches and lines that were held: counted as if they came now, or left out for good."""

from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.outlet_sales.actions import taking
from orders.outlet_sales.rules import BatchStatus, LineStatus

#: The last word on a claim: of several doubts each must be resolved, and one that leaves it out is enough.
_DECIDED = text(
    """
    SELECT h.subject_kind, h.subject_id, h.decided_by IS NULL AS lifted, bool_or(e.status = 'open') AS open, bool_or(e.status = 'void') AS void
    FROM counting_hold h JOIN counting_hold e ON e.subject_kind = h.subject_kind AND e.subject_id = h.subject_id
    WHERE h.id = :id GROUP BY h.id
    """
)
_SUBJECT = text("SELECT subject_kind, subject_id FROM counting_hold WHERE id = :id")
_OUTLETS = {
    "sales_batch": text("SELECT outlet_id FROM sales_batch WHERE id = :id"),
    "sales_batch_line": text("SELECT outlet_id FROM sales_batch_line WHERE id = :id"),
}
_BATCH = text("SELECT status, outlet_id FROM sales_batch WHERE id = :id")
_LINE = text(
    "SELECT l.status, l.batch_id, l.outlet_id, b.status AS batch_status FROM sales_batch_line l JOIN sales_batch b ON b.id = l.batch_id WHERE l.id = :id"
)
_VOID_BATCH = text("UPDATE sales_batch SET status = 'void' WHERE id = :id")
_LINES_OF = text(
    """
    UPDATE sales_batch_line SET status = CAST(:status AS text), reason_code = CASE WHEN CAST(:status AS text) = 'void' THEN reason_code END
    WHERE batch_id = :id AND status = 'held'
    """
)
_SET_LINE = text(
    "UPDATE sales_batch_line SET status = :status, reason_code = CASE WHEN NOT CAST(:anew AS boolean) THEN reason_code END WHERE id = :id"
)


def lock(session: Session, hold_id: int) -> None:
    """Nobody else changes the figures of the outlet that a hold is about; before the hold itself is locked, as tills that correct a batch close what is
    held of it."""
    subject = session.execute(_SUBJECT, {"id": hold_id}).first()
    if subject is not None and subject.subject_kind in _OUTLETS:
        taking.lock(session, session.execute(_OUTLETS[subject.subject_kind], {"id": subject.subject_id}).scalars().all())


def decided(session: Session, hold_id: int) -> None:
    """Do what was decided on a hold, once nothing else speaks against the claim; does nothing for claims of other kinds, nor a second time."""
    lock(session, hold_id)
    verdict = session.execute(_DECIDED, {"id": hold_id}).first()
    if verdict is None or verdict.open or verdict.subject_kind not in _OUTLETS:
        return
    (_batch if verdict.subject_kind == "sales_batch" else _line)(session, verdict)


def _batch(session: Session, verdict: Row[Any]) -> None:
    batch_id = verdict.subject_id
    batch = session.execute(_BATCH, {"id": batch_id}).one()
    if batch.status != BatchStatus.HELD:
        return  # done before, or corrected meanwhile
    if verdict.void:
        session.execute(_VOID_BATCH, {"id": batch_id})
        session.execute(_LINES_OF, {"id": batch_id, "status": LineStatus.VOID.value})
        return
    session.execute(_LINES_OF, {"id": batch_id, "status": LineStatus.WAITING.value})
    taking.take(session, [batch_id], decided=True)


def _line(session: Session, verdict: Row[Any]) -> None:
    line = session.execute(_LINE, {"id": verdict.subject_id}).one()
    if line.status != LineStatus.HELD or line.batch_status != BatchStatus.ACCEPTED:
        return
    # a line that waits with a reason has been looked at; nobody has, where what it was held against does not stand any more
    status, anew = (LineStatus.VOID, False) if verdict.void else (LineStatus.WAITING, verdict.lifted)
    session.execute(_SET_LINE, {"id": verdict.subject_id, "status": status.value, "anew": anew})
    if not verdict.void:
        taking.settle(session, [line.batch_id], [line.outlet_id])
