"""What of outlets' sales cannot count, whatever an officer says of it, as it would only be held again; and what a refund would give back."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.counting.errors import CorrectsNothing, RefundExceeds, RefundOfNoSale
from orders.counting.rules import Subject
from orders.ledger.rules import Part, part_to_reverse

#: What a batch says that it corrects, where it can take the place of nothing: as ``orders.outlet_sales.actions.taking`` would find it, once it has
#: carried out what was decided before.
_CORRECTS_NOTHING = text(
    """
    SELECT b.corrects FROM sales_batch b WHERE b.id = :id AND b.corrects IS NOT NULL AND NOT EXISTS (
        SELECT FROM sales_batch t WHERE t.outlet_id = b.outlet_id AND t.batch_id = b.corrects AND t.id <> b.id AND t.status <> 'waiting'
          AND NOT EXISTS (SELECT FROM sales_batch c WHERE c.replaces_id = t.id AND c.status <> 'void')
          AND NOT EXISTS (
              SELECT FROM sales_batch c WHERE c.outlet_id = b.outlet_id AND c.corrects = b.corrects AND c.id <> b.id AND c.status = 'held'
                AND (SELECT bool_and(h.status = 'counted') FROM counting_hold h WHERE h.subject_kind = 'sales_batch' AND h.subject_id = c.id)))
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

#: Refunds that are held, a line or those of a batch, each with its sale, which counts or stands in the same batch, and what was given back of that before.
_HELD_REFUNDS = """
    SELECT r.quantity, t.id AS sale_id, t.quantity AS sold, t.grams, t.amount_fen, coalesce(done.quantity, 0) AS back, coalesce(done.grams, 0)::bigint AS back_grams,
           coalesce(done.fen, 0)::bigint AS back_fen
    FROM sales_batch_line r
    JOIN sales_batch_line t ON t.outlet_id = r.outlet_id AND t.line_id = r.refunds_line_id AND t.refunds_line_id IS NULL
      AND (t.status IN ('counted', 'other', 'resale') AND t.reason_code IS NULL {and_sold})
    LEFT JOIN LATERAL (
        SELECT sum(quantity) AS quantity, sum(grams) AS grams, sum(amount_fen) AS fen FROM sales_batch_line
        WHERE refunded_id = t.id AND status IN ('counted', 'other', 'resale')
    ) done ON true
    WHERE r.{of} = :id AND r.status = 'held' ORDER BY r.line_no
"""
_OF_LINE = text(_HELD_REFUNDS.format(of="id", and_sold=""))
_OF_BATCH = text(_HELD_REFUNDS.format(of="batch_id", and_sold="OR t.batch_id = r.batch_id AND t.status = 'held'"))
#: A refund that is held for want of a sale counts as it was told.
_WITHOUT_SALE = text("SELECT amount_fen FROM sales_batch_line WHERE id = :id AND status = 'held' AND reason_code = 'no_sale'")
#: What stands in the figures of the batch in whose place a held one is to stand: its sales less what was given back of them, wherever, and less what it
#: gives back of other sales.
_INSTEAD_OF = text(
    """
    SELECT (SELECT coalesce(sum(CASE WHEN l.refunds_line_id IS NULL THEN l.amount_fen ELSE -l.amount_fen END), 0)::bigint
            FROM sales_batch_line l LEFT JOIN sales_batch_line of ON of.id = l.refunded_id
            WHERE (l.batch_id = t.id OR of.batch_id = t.id) AND l.status IN ('counted', 'other', 'resale')) AS fen
    FROM sales_batch b JOIN sales_batch t ON t.outlet_id = b.outlet_id AND t.batch_id = b.corrects AND t.id <> b.id AND t.status = 'accepted'
    WHERE b.id = :id AND b.status = 'held'
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


def would_give_back(session: Session, subject_kind: str, subject_id: int) -> int | None:
    """What counting a refund that is held would take out of the figures, in fen: its share of the sale, whatever the till said; of a whole batch the sum
    of its refunds and of what stands in the figures of the batch that it corrects or withdraws. None: there is none, or it cannot count."""
    if subject_kind == Subject.SALES_BATCH_LINE:
        alone: int | None = session.execute(_WITHOUT_SALE, {"id": subject_id}).scalar()
        return _shares(session.execute(_OF_LINE, {"id": subject_id}).all()) if alone is None else alone
    if subject_kind != Subject.SALES_BATCH:
        return None
    found = (
        _shares(session.execute(_OF_BATCH, {"id": subject_id}).all()),
        session.execute(_INSTEAD_OF, {"id": subject_id}).scalar(),
    )
    return sum(each or 0 for each in found) if any(each is not None for each in found) else None


def _shares(rows: Sequence[Row[Any]]) -> int | None:
    """What refunds give back, one after the other; of several of one sale those that fit. None: none does."""
    back: dict[int, Part] = {}
    found: list[int] = []
    for row in rows:
        before = back.get(row.sale_id, Part(row.back, row.back_grams, row.back_fen))
        if before.quantity + row.quantity > row.sold:
            continue
        part = part_to_reverse(Part(row.sold, row.grams, row.amount_fen), before, row.quantity)
        back[row.sale_id] = Part(before.quantity + part.quantity, before.grams + part.grams, before.amount_fen + part.amount_fen)
        found.append(part.amount_fen)
    return sum(found) if found else None
