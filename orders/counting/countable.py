"""What of outlets' sales cannot count, whatever an officer says of it: it would only be held again."""

from sqlalchemy import text
from sqlmodel import Session

from orders.counting.errors import CorrectsNothing, RefundExceeds, RefundOfNoSale
from orders.counting.rules import Subject

#: What a batch says that it corrects, where it can take the place of nothing: as ``orders.outlet_sales.actions.taking`` would find it.
_CORRECTS_NOTHING = text(
    """
    SELECT b.corrects FROM sales_batch b WHERE b.id = :id AND b.corrects IS NOT NULL AND NOT EXISTS (
        SELECT FROM sales_batch t WHERE t.outlet_id = b.outlet_id AND t.batch_id = b.corrects AND t.id <> b.id AND t.status <> 'waiting'
          AND NOT EXISTS (SELECT FROM sales_batch c WHERE c.replaces_id = t.id AND c.status <> 'void'))
    """
)
#: Whether a line gives back of what is no sale that counts.
_OF_NO_SALE = text(
    """
    SELECT EXISTS (
        SELECT FROM sales_batch_line r WHERE r.id = :id AND r.refunds_line_id IS NOT NULL AND r.reason_code = 'refund' AND NOT EXISTS (
            SELECT FROM sales_batch_line t WHERE t.outlet_id = r.outlet_id AND t.line_id = r.refunds_line_id AND t.refunds_line_id IS NULL
              AND t.status IN ('counted', 'other', 'resale') AND t.reason_code IS NULL))
    """
)
#: What is left of the sale that a line gives back of, where that is less than the line says: as ``orders.outlet_sales.actions.refunding`` would
#: find it, once it has carried out what was decided before.
_EXCEEDS = text(
    """
    SELECT s.left_over FROM sales_batch_line r
    JOIN sales_batch_line t ON t.outlet_id = r.outlet_id AND t.line_id = r.refunds_line_id AND t.refunds_line_id IS NULL
      AND t.status IN ('counted', 'other', 'resale') AND t.reason_code IS NULL
    CROSS JOIN LATERAL (
        SELECT t.quantity - coalesce(sum(quantity), 0) AS left_over FROM (
            SELECT quantity FROM sales_batch_line WHERE refunded_id = t.id AND status IN ('counted', 'other', 'resale')
            UNION ALL
            SELECT d.quantity FROM sales_batch_line d
            WHERE d.outlet_id = r.outlet_id AND d.refunds_line_id = r.refunds_line_id AND d.status = 'held' AND d.id <> r.id
              AND (SELECT bool_and(h.status = 'counted') FROM counting_hold h WHERE h.subject_kind = 'sales_batch_line' AND h.subject_id = d.id)
        ) back
    ) s
    WHERE r.id = :id AND r.quantity > s.left_over
    """
)


def require(session: Session, subject_kind: str, subject_id: int) -> None:
    """Pass a claim that can count.

    Raises:
        CorrectsNothing: a batch is to take the place of one that is not here, or was corrected before (409).
        RefundOfNoSale, RefundExceeds: a line gives back of no sale that counts, or more than is left of it (409).
    """
    if subject_kind == Subject.SALES_BATCH:
        _require_target(session, subject_id)
    elif subject_kind == Subject.SALES_BATCH_LINE:
        _require_rest(session, subject_id)


def _require_target(session: Session, batch_id: int) -> None:
    corrects = session.execute(_CORRECTS_NOTHING, {"id": batch_id}).scalar()
    if corrects is not None:
        raise CorrectsNothing(corrects=corrects)


def _require_rest(session: Session, line_id: int) -> None:
    if session.execute(_OF_NO_SALE, {"id": line_id}).scalar_one():
        raise RefundOfNoSale
    left = session.execute(_EXCEEDS, {"id": line_id}).scalar()
    if left is not None:
        raise RefundExceeds(left=f"{left.normalize():f}")
