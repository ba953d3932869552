"""What is given back of sales at outlets, and what is undone because a batch was corrected."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.counting import actions as counting
from orders.counting.rules import HoldStatus, Subject
from orders.ledger import actions as ledger
from orders.ledger.rules import Claim, Part
from orders.outlet_sales.actions.days import add_to_days
from orders.outlet_sales.rules import Doubt, LineStatus, allocate, refund
from shop.core import outbox
from shop.core.db import array

#: Refunds at these outlets that wait, or are held because they did not fit, and whose sale is there; in the order of their chain, with what was
#: given back of the sale before. Of a number that no sale has, but a refund (``of_refund``), nothing can be given back. Goods are the same by their
#: number, by their barcode or as a pack here.
_WAITING = text(
    """
    SELECT r.id, r.batch_id, r.outlet_id, r.sold_on, r.quantity, r.amount_fen, r.status, r.reason_code, t.id AS sale_id, t.status AS sale_status,
           t.quantity AS sale_quantity, t.grams AS sale_grams, t.amount_fen AS sale_fen, t.of_refund,
           coalesce(r.goods_id IN (normalize(t.goods_id, NFKC), t.barcode) OR r.barcode IN (t.goods_id, t.barcode) OR r.sku_id = t.sku_id, false) AS same_goods,
           coalesce(done.quantity, 0) AS back_quantity, coalesce(done.grams, 0)::bigint AS back_grams, coalesce(done.fen, 0)::bigint AS back_fen,
           coalesce((SELECT e.id FROM sales_batch_line e WHERE e.outlet_id = r.outlet_id AND e.line_id = r.line_id
                       AND e.status IN ('counted', 'other', 'resale') AND e.reason_code IS NULL),
                    nullif(first_value(r.id) OVER (PARTITION BY r.outlet_id, r.line_id ORDER BY b.sequence, r.batch_id), r.id)) AS told_before
    FROM sales_batch_line r
    JOIN sales_batch b ON b.id = r.batch_id AND b.status = 'accepted'
    CROSS JOIN LATERAL (
        (SELECT s.*, false AS of_refund FROM sales_batch_line s WHERE s.outlet_id = r.outlet_id AND s.line_id = r.refunds_line_id
           AND s.refunds_line_id IS NULL AND s.status IN ('counted', 'other', 'resale') AND s.reason_code IS NULL)
        UNION ALL
        (SELECT s.*, true FROM sales_batch_line s JOIN sales_batch of ON of.id = s.batch_id AND of.status = 'accepted'
         WHERE s.outlet_id = r.outlet_id AND s.line_id = r.refunds_line_id AND s.refunds_line_id IS NOT NULL AND s.status NOT IN ('replaced', 'void')
         ORDER BY s.id LIMIT 1)
        LIMIT 1
    ) t
    LEFT JOIN LATERAL (
        SELECT sum(quantity) AS quantity, sum(grams) AS grams, sum(amount_fen) AS fen FROM sales_batch_line
        WHERE refunded_id = t.id AND status IN ('counted', 'other', 'resale')
    ) done ON true
    WHERE r.outlet_id = ANY (CAST(:outlets AS bigint[])) AND r.refunds_line_id IS NOT NULL
      AND (r.status = 'waiting' OR r.status = 'held' AND r.reason_code = 'refund')
    ORDER BY b.sequence, r.batch_id, r.line_no
    """
)
_GIVE_BACK = text(
    """
    UPDATE sales_batch_line r SET status = t.status, told_fen = r.amount_fen, amount_fen = g.fen, grams = g.grams, refunded_id = t.id,
        product_id = t.product_id, reason_code = CASE WHEN r.status = 'waiting' THEN r.reason_code END, sku_id = t.sku_id, correction_ids = CAST(g.corrections AS bigint[])
    FROM unnest(CAST(:ids AS bigint[]), CAST(:sales AS bigint[]), CAST(:fens AS bigint[]), CAST(:grams AS bigint[]), CAST(:corrections AS text[]))
      AS g (id, sale_id, fen, grams, corrections)
    JOIN sales_batch_line t ON t.id = g.sale_id WHERE r.id = g.id
    """
)
_HOLD = text(
    """
    UPDATE sales_batch_line l SET status = 'held', reason_code = t.reason
    FROM unnest(CAST(:ids AS bigint[]), CAST(:reasons AS text[])) AS t (id, reason) WHERE l.id = t.id
    """
)
#: Lines of corrected batches, and (``orphan``) refunds told elsewhere: of what was sold in them, and of sales that they gave back of too, so that
#: whatever order the batches come in, those are given back that would have been without what is undone.
_UNDONE = text(
    """
    SELECT l.id, l.outlet_id, l.sold_on, l.status, l.refunds_line_id, l.amount_fen, l.grams, l.correction_ids, false AS orphan,
           (SELECT status FROM sales_batch_line t WHERE t.id = l.refunded_id) AS sale_status
    FROM sales_batch_line l WHERE l.batch_id = ANY (CAST(:ids AS bigint[])) AND l.status NOT IN ('replaced', 'void')
    UNION ALL
    SELECT r.id, r.outlet_id, r.sold_on, r.status, r.refunds_line_id, r.amount_fen, r.grams, r.correction_ids, true, l.status
    FROM sales_batch_line l JOIN sales_batch_line r ON r.refunded_id = l.id AND r.batch_id <> ALL (CAST(:ids AS bigint[]))
    WHERE l.batch_id = ANY (CAST(:ids AS bigint[])) AND r.status IN ('counted', 'other', 'resale')
    UNION ALL
    SELECT r.id, r.outlet_id, r.sold_on, r.status, r.refunds_line_id, r.amount_fen, r.grams, r.correction_ids, true, t.status
    FROM (SELECT DISTINCT refunded_id FROM sales_batch_line WHERE batch_id = ANY (CAST(:ids AS bigint[])) AND refunded_id IS NOT NULL) l
    JOIN sales_batch_line t ON t.id = l.refunded_id AND t.batch_id <> ALL (CAST(:ids AS bigint[]))
    JOIN sales_batch_line r ON r.refunded_id = t.id AND r.batch_id <> ALL (CAST(:ids AS bigint[]))
    WHERE r.status IN ('counted', 'other', 'resale')
    """
)
_REPLACE = text("UPDATE sales_batch_line SET status = 'replaced' WHERE id = ANY (CAST(:ids AS bigint[]))")
_WAIT_AGAIN = text(
    """
    UPDATE sales_batch_line SET status = 'waiting', amount_fen = coalesce(told_fen, amount_fen), told_fen = NULL, refunded_id = NULL, correction_ids = '{}'
    WHERE id = ANY (CAST(:ids AS bigint[]))
    """
)
#: What was held, and has not been decided, is as it was before once there is something that it gives back of, be it a sale or another refund.
_CAME = text(
    f"""
    UPDATE sales_batch_line r SET status = 'waiting', reason_code = NULL
    WHERE r.outlet_id = ANY (CAST(:outlets AS bigint[])) AND r.status = 'held' AND r.reason_code = '{Doubt.NO_SALE}' AND EXISTS (
        SELECT FROM sales_batch_line s WHERE s.outlet_id = r.outlet_id AND s.line_id = r.refunds_line_id
          AND (s.refunds_line_id IS NOT NULL AND s.status NOT IN ('replaced', 'void') OR s.status IN ('counted', 'other', 'resale') AND s.reason_code IS NULL))
    RETURNING r.id
    """  # noqa: S608
)
_WITHOUT = text(
    f"""
    UPDATE sales_batch_line SET status = 'other', told_fen = amount_fen
    WHERE outlet_id = ANY (CAST(:outlets AS bigint[])) AND status = 'waiting' AND refunds_line_id IS NOT NULL AND reason_code = '{Doubt.NO_SALE}'
    RETURNING outlet_id, sold_on, amount_fen
    """  # noqa: S608
)
_FIGURES = (LineStatus.COUNTED, LineStatus.OTHER, LineStatus.RESALE)


def give_back(session: Session, outlet_ids: Sequence[int]) -> list[tuple[Row[Any], Doubt, int | None]]:
    """Give back what refunds that wait say, wherever their sales are there by now. Returns those that are doubted, with why: more than there is,
    another amount than the sale's share, other goods, of no sale but another refund, or told before."""
    _look_again(session, outlet_ids)
    rows = session.execute(_WAITING, {"outlets": array(outlet_ids)}).all()
    back: dict[int, Part] = {}
    given: list[tuple[Row[Any], Part]] = []
    doubted: list[tuple[Row[Any], Doubt, int | None]] = []
    for row in rows:
        before = back.get(row.sale_id, Part(row.back_quantity, row.back_grams, row.back_fen))
        sale = Part(row.sale_quantity, row.sale_grams, row.sale_fen)
        resolved = row.status == LineStatus.WAITING and row.reason_code is not None
        fits = not row.of_refund and (resolved or row.same_goods)
        part = refund(sale, before, row.quantity, None if resolved else row.amount_fen) if fits else None
        if row.told_before is not None and not resolved:
            doubted.append((row, Doubt.SUSPECTED_DUPLICATE, row.told_before))
        elif part is None:
            doubted.append((row, Doubt.REFUND, row.sale_id))
        else:
            back[row.sale_id] = Part(
                before.quantity + part.quantity, before.grams + part.grams, before.amount_fen + part.amount_fen
            )
            given.append((row, part))
    if given:
        _write(session, given)
    if fitting := [row.id for row, _ in given if row.status == LineStatus.HELD]:
        counting.close(session, Subject.SALES_BATCH_LINE, fitting, HoldStatus.COUNTED, "it fits its sale")
    doubted = [each for each in doubted if each[0].status == LineStatus.WAITING]
    if doubted:
        session.execute(
            _HOLD, {"ids": array(row.id for row, _, _ in doubted), "reasons": [str(reason) for _, reason, _ in doubted]}
        )
    _without_sale(session, outlet_ids)
    return doubted


def _look_again(session: Session, outlet_ids: Sequence[int]) -> None:
    """Let refunds that are held for want of a sale wait as before, if it has come."""
    if came := session.execute(_CAME, {"outlets": array(outlet_ids)}).scalars().all():
        counting.close(session, Subject.SALES_BATCH_LINE, came, HoldStatus.COUNTED, "its sale came")


def _without_sale(session: Session, outlet_ids: Sequence[int]) -> None:
    """Count the refunds of which an officer has said so, and whose sale is not there still: as other goods. No sale of theirs counts, so that nothing
    leaves the ledger."""
    rows = session.execute(_WITHOUT, {"outlets": array(outlet_ids)}).all()
    add_to_days(session, [(row.outlet_id, row.sold_on, LineStatus.OTHER, -row.amount_fen, 0, 0) for row in rows])


def undo(session: Session, batch_ids: Sequence[int]) -> None:
    """Take back what batches booked, because others stand in their place. Refunds told elsewhere of what they sold wait for the sales anew; what was
    held against them is judged anew (``sales_batch.undone``)."""
    if not batch_ids:
        return
    rows = session.execute(_UNDONE, {"ids": array(batch_ids)}).all()
    lines = [row for row in rows if not row.orphan]
    orphans = [row.id for row in rows if row.orphan]
    # what refunds took back holds again, and then everything that they sold goes, from its own day
    again = [each for row in rows if row.sale_status == LineStatus.COUNTED for each in row.correction_ids]
    if again:
        ledger.release(session, again)
    sold = [row.id for row in lines if row.refunds_line_id is None and row.status == LineStatus.COUNTED]
    if sold:
        ledger.take_back(session, Claim.OUTLET_LINE, sold)
    add_to_days(session, [_away(row) for row in rows if row.status in _FIGURES])
    session.execute(_REPLACE, {"ids": array(row.id for row in lines)})
    if orphans:
        session.execute(_WAIT_AGAIN, {"ids": array(orphans)})
    # what was held of them needs no decision any more
    counting.close(session, Subject.SALES_BATCH, batch_ids, HoldStatus.VOID, "replaced")
    counting.close(session, Subject.SALES_BATCH_LINE, [row.id for row in lines], HoldStatus.VOID, "replaced")
    outbox.publish(session, "sales_batch.undone", batch_ids=list(batch_ids))


def _write(session: Session, given: Sequence[tuple[Row[Any], Part]]) -> None:
    corrections: dict[int, list[int]] = {}
    counted = {row.id: row for row, _ in given if row.sale_status == LineStatus.COUNTED}
    taken = _reverse(session, counted, corrections) if counted else {}
    parts = [taken.get(row.id, part) for row, part in given]
    values = {
        "ids": array(row.id for row, _ in given),
        "sales": array(row.sale_id for row, _ in given),
        "fens": array(part.amount_fen for part in parts),
        "grams": array(part.grams for part in parts),
        "corrections": [array(corrections.get(row.id, [])) for row, _ in given],
    }
    session.execute(_GIVE_BACK, values)
    add_to_days(
        session,
        [
            (row.outlet_id, row.sold_on, row.sale_status, -part.amount_fen, -part.grams, 0)
            for (row, _), part in zip(given, parts, strict=True)
        ],
    )


def _reverse(session: Session, refunds: Mapping[int, Row[Any]], corrections: dict[int, list[int]]) -> dict[int, Part]:
    """Take the quantities back in the ledger; returns what that was for each refund. Several refunds of one sale go one after the other, so that
    each has corrections of its own."""
    sale_ids = sorted({row.sale_id for row in refunds.values()})
    left = ledger.left_of_claims(session, Claim.OUTLET_LINE, sale_ids)
    rounds: list[dict[int, dict[int, Decimal]]] = []
    nth: dict[int, int] = {}
    for refund_id, row in refunds.items():
        parts = allocate(left[row.sale_id], row.quantity)
        left[row.sale_id] = [(entry, rest - parts.get(entry, Decimal(0))) for entry, rest in left[row.sale_id]]
        place = nth[row.sale_id] = nth.get(row.sale_id, -1) + 1
        if place == len(rounds):
            rounds.append({})
        rounds[place][refund_id] = parts
    found: dict[int, Part] = {}
    for each in rounds:
        done = ledger.reverse_parts(session, {entry: quantity for parts in each.values() for entry, quantity in parts.items()})
        for refund_id, parts in each.items():
            reversals = [done[entry] for entry in parts]
            corrections[refund_id] = [reversal.correction_id for reversal in reversals]
            found[refund_id] = Part(
                sum((reversal.part.quantity for reversal in reversals), Decimal(0)),
                sum(reversal.part.grams for reversal in reversals),
                sum(reversal.part.amount_fen for reversal in reversals),
            )
    return found


def _away(row: Row[Any]) -> tuple[int, Any, str, int, int, int]:
    sign, lines = (1, 0) if row.refunds_line_id is not None else (-1, -1)
    return (row.outlet_id, row.sold_on, row.status, sign * row.amount_fen, sign * row.grams, lines)
