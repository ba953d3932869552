"""What an officer has decided of batches and lines that were held: counted as if they came now, or left out for good."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.counting.rules import Subject
from orders.outlet_sales.actions import taking
from orders.outlet_sales.rules import LineStatus
from shop.core.db import array

#: The last word on claims: of several doubts about one each must be resolved, and one that leaves it out is enough.
_DECIDED = text(
    """
    SELECT h.subject_kind, h.subject_id, bool_and(h.decided_by IS NULL) AS lifted, d.void
    FROM counting_hold h CROSS JOIN LATERAL (
        SELECT bool_or(e.status = 'open') AS open, bool_or(e.status = 'void') AS void
        FROM counting_hold e WHERE e.subject_kind = h.subject_kind AND e.subject_id = h.subject_id
    ) d
    WHERE h.id = ANY (CAST(:ids AS bigint[])) AND NOT d.open GROUP BY h.subject_kind, h.subject_id, d.void
    """
)
_OUTLETS = text(
    """
    SELECT s.outlet_id FROM counting_hold h CROSS JOIN LATERAL (
        SELECT outlet_id FROM sales_batch WHERE h.subject_kind = 'sales_batch' AND id = h.subject_id
        UNION ALL
        SELECT outlet_id FROM sales_batch_line WHERE h.subject_kind = 'sales_batch_line' AND id = h.subject_id
    ) s WHERE h.id = ANY (CAST(:ids AS bigint[]))
    """
)
#: What is held still, of tills in the order of their chain; nothing else was decided: it was done before, or corrected meanwhile.
_BATCHES = text(
    "SELECT id FROM sales_batch WHERE id = ANY (CAST(:ids AS bigint[])) AND status = 'held' ORDER BY sequence NULLS FIRST, id"
)
_LINES = text(
    """
    SELECT l.id, l.batch_id, l.outlet_id FROM sales_batch_line l JOIN sales_batch b ON b.id = l.batch_id AND b.status = 'accepted'
    WHERE l.id = ANY (CAST(:ids AS bigint[])) AND l.status = 'held' ORDER BY b.sequence NULLS FIRST, l.batch_id, l.line_no
    """
)
_VOID_BATCHES = text("UPDATE sales_batch SET status = 'void' WHERE id = ANY (CAST(:ids AS bigint[]))")
_SET_LINES_OF = text(
    """
    UPDATE sales_batch_line SET status = CAST(:status AS text), reason_code = CASE WHEN CAST(:status AS text) = 'void' THEN reason_code END
    WHERE batch_id = ANY (CAST(:ids AS bigint[])) AND status = 'held'
    """
)
_SET_LINES = text(
    """
    UPDATE sales_batch_line SET status = :status, reason_code = CASE WHEN id <> ALL (CAST(:anew AS bigint[])) THEN reason_code END
    WHERE id = ANY (CAST(:ids AS bigint[]))
    """
)


def lock(session: Session, hold_ids: Sequence[int]) -> None:
    """Nobody else changes the figures of the outlets that holds are about; before the holds themselves are locked, as tills that correct a batch close
    what is held of it."""
    taking.lock(session, session.execute(_OUTLETS, {"ids": array(hold_ids)}).scalars().all())


def decided(session: Session, hold_ids: Sequence[int]) -> None:
    """Do what was decided on holds, once nothing else speaks against their claims; does nothing for claims of other kinds, nor a second time."""
    lock(session, hold_ids)
    claims = session.execute(_DECIDED, {"ids": array(hold_ids)}).all()
    _batches(session, [claim for claim in claims if claim.subject_kind == Subject.SALES_BATCH])
    _lines(session, [claim for claim in claims if claim.subject_kind == Subject.SALES_BATCH_LINE])


def _batches(session: Session, claims: Sequence[Row[Any]]) -> None:
    void = {claim.subject_id: claim.void for claim in claims}
    held = session.execute(_BATCHES, {"ids": array(void)}).scalars().all()
    if left_out := [each for each in held if void[each]]:
        session.execute(_VOID_BATCHES, {"ids": array(left_out)})
        session.execute(_SET_LINES_OF, {"ids": array(left_out), "status": LineStatus.VOID.value})
    if counted := [each for each in held if not void[each]]:
        session.execute(_SET_LINES_OF, {"ids": array(counted), "status": LineStatus.WAITING.value})
        taking.take(session, counted, decided=True)


def _lines(session: Session, claims: Sequence[Row[Any]]) -> None:
    of = {claim.subject_id: claim for claim in claims}
    held = session.execute(_LINES, {"ids": array(of)}).all()
    # a line that waits with a reason has been looked at; nobody has, where what it was held against does not stand any more
    anew = array(line.id for line in held if of[line.id].lifted)
    for void, status in ((True, LineStatus.VOID), (False, LineStatus.WAITING)):
        ids = array(line.id for line in held if of[line.id].void is void)
        session.execute(_SET_LINES, {"ids": ids, "status": status.value, "anew": "{}" if void else anew})
    if counted := [line for line in held if not of[line.id].void]:
        batch_ids = list(dict.fromkeys(line.batch_id for line in counted))
        taking.settle(session, batch_ids, sorted({line.outlet_id for line in counted}))
