"""The same for sales made elsewhere: batches of outlets (batch, lines, ledger) and external sales (documents, lines, ledger)."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.ledger.booking import CHAIN
from orders.ties.queries.reach import reach, side
from orders.ties.rules import BATCH_REASONS, EXTERNAL_REASONS
from orders.ties.schemas import BatchesSearch, BatchTieOut, ExternalSalesSearch, ExternalTieOut, ReasonOut
from shop.core import clock, paging
from shop.core.errors import Language
from shop.core.paging import Page
from shop.identity.actor import Actor

#: What stands in the ledger of a line, with everything that was taken back or booked again of it.
_NET = f"""
    ({CHAIN.format(of="origin_kind = '{origin}' AND origin_id = {line}")}
     SELECT coalesce(sum(e.amount_fen), 0)::bigint FROM chain JOIN sale_entry e ON e.id = chain.id OR e.reverses_id = chain.id)
"""  # noqa: S608
# What was given back of a sale is a line of its own, maybe of another batch than the sale: it ties with the corrections by which the ledger took it
# back, so that what all batches booked is what the ledger holds. A batch that was corrected has nothing left in the ledger.
_BATCHES = f"""
    SELECT b.id, b.outlet_id, o.number AS outlet_number, o.name AS outlet_name, b.batch_id, b.status, b.received_at,
           b.certified_fen + b.other_fen AS batch_fen, l.lines_fen, r.refunds_fen, l.counted_fen - r.counted_fen AS counted_fen,
           l.booked_fen + r.booked_fen AS booked_fen,
           array_remove(ARRAY[
               CASE WHEN l.lines_fen <> b.certified_fen + b.other_fen THEN 'lines_differ' END,
               CASE WHEN l.lacking + r.lacking > 0 THEN 'not_booked' END,
               CASE WHEN l.differing + r.differing > 0 THEN 'booked_differs' END,
               CASE WHEN l.needless + r.needless > 0 THEN 'booked_without_counting' END], NULL) AS reasons
    FROM sales_batch b
    JOIN outlet o ON o.id = b.outlet_id
    JOIN organisation operator ON operator.id = o.operator_id
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(l.amount_fen), 0)::bigint AS lines_fen,
               coalesce(sum(l.amount_fen) FILTER (WHERE l.status = 'counted'), 0)::bigint AS counted_fen,
               coalesce(sum(e.amount_fen) FILTER (WHERE l.status = 'counted'), 0)::bigint AS booked_fen,
               count(*) FILTER (WHERE l.status = 'counted' AND e.id IS NULL) AS lacking,
               count(*) FILTER (WHERE l.status = 'counted' AND e.amount_fen <> l.amount_fen) AS differing,
               count(*) FILTER (WHERE l.status <> 'counted' AND e.id IS NOT NULL AND {_NET.format(origin="outlet_line", line="l.id")} <> 0)
                   AS needless
        FROM sales_batch_line l
        LEFT JOIN sale_entry e ON e.origin_kind = 'outlet_line' AND e.origin_id = l.id
        WHERE l.batch_id = b.id AND l.refunds_line_id IS NULL) l
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(l.amount_fen), 0)::bigint AS refunds_fen,
               coalesce(sum(l.amount_fen) FILTER (WHERE l.status = 'counted'), 0)::bigint AS counted_fen,
               coalesce(sum(c.fen) FILTER (WHERE l.status = 'counted'), 0)::bigint AS booked_fen,
               count(*) FILTER (WHERE l.status = 'counted' AND c.fen IS NULL) AS lacking,
               count(*) FILTER (WHERE l.status = 'counted' AND -c.fen <> l.amount_fen) AS differing,
               count(*) FILTER (WHERE l.status <> 'counted' AND c.standing) AS needless
        FROM sales_batch_line l
        CROSS JOIN LATERAL (
            SELECT sum(e.amount_fen) AS fen,
                   bool_or(NOT EXISTS (SELECT FROM sale_entry again WHERE again.origin_kind = 'release' AND again.origin_id = e.id)) AS standing
            FROM sale_entry e WHERE e.id = ANY (l.correction_ids)) c
        WHERE l.batch_id = b.id AND l.refunds_line_id IS NOT NULL) r
    WHERE ({side("operator")} OR o.region_code LIKE ANY (CAST(:regions AS text[])) OR o.township_code LIKE ANY (CAST(:regions AS text[])))
      AND (CAST(:outlet_id AS bigint) IS NULL OR b.outlet_id = :outlet_id)
      AND (CAST(:first AS timestamptz) IS NULL OR b.received_at >= :first)
      AND (CAST(:until AS timestamptz) IS NULL OR b.received_at < :until)
"""  # noqa: S608
# Buyers' claims are held against those of sellers and book nothing.
_EXTERNAL = f"""
    SELECT x.id, x.number, x.supplier_id, supplier.name AS supplier_name, x.buyer_name, x.sold_on, x.status, x.total_fen AS claimed_fen,
           d.documents_fen, l.lines_fen, l.booked_fen,
           array_remove(ARRAY[
               CASE WHEN x.total_fen <> l.lines_fen THEN 'lines_differ' END,
               CASE WHEN x.status IN ('submitted', 'held', 'accepted') AND d.documents = 0 THEN 'documents_missing' END,
               CASE WHEN d.documents > 0 AND d.documents_fen < l.lines_fen THEN 'documents_differ' END,
               CASE WHEN x.status = 'accepted' AND l.lacking > 0 THEN 'not_booked' END,
               CASE WHEN x.status = 'accepted' AND l.differing > 0 THEN 'booked_differs' END,
               CASE WHEN x.status <> 'accepted' AND l.net_fen <> 0 THEN 'booked_without_counting' END], NULL) AS reasons
    FROM external_sale x
    JOIN organisation claimant ON claimant.id = x.claimant_id
    JOIN organisation supplier ON supplier.id = x.supplier_id
    CROSS JOIN LATERAL (
        SELECT count(*) AS documents, coalesce(greatest(sum(amount_fen) FILTER (WHERE kind = 'invoice'),
                                                        sum(amount_fen) FILTER (WHERE kind = 'bank_receipt')), 0)::bigint AS documents_fen
        FROM external_sale_document WHERE sale_id = x.id AND kind IN ('invoice', 'bank_receipt') AND amount_fen IS NOT NULL) d
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(l.amount_fen), 0)::bigint AS lines_fen, coalesce(sum(e.amount_fen), 0)::bigint AS booked_fen,
               count(*) FILTER (WHERE e.id IS NULL) AS lacking, count(*) FILTER (WHERE e.amount_fen <> l.amount_fen) AS differing,
               coalesce(sum({_NET.format(origin="external_line", line="l.id")}), 0)::bigint AS net_fen
        FROM external_sale_line l
        LEFT JOIN sale_entry e ON e.origin_kind = 'external_line' AND e.origin_id = l.id
        WHERE l.sale_id = x.id) l
    WHERE x.side = 'seller'
      AND (coalesce(claimant.path LIKE CAST(:branch AS text), false)
           OR x.submitted_at IS NOT NULL AND ({side("supplier")} OR x.district_code LIKE ANY (CAST(:regions AS text[]))))
      AND (CAST(:supplier_id AS bigint) IS NULL OR x.supplier_id = :supplier_id)
      AND (CAST(:first AS date) IS NULL OR x.sold_on >= :first)
      AND (CAST(:last AS date) IS NULL OR x.sold_on <= :last)
"""  # noqa: S608
_PAGE = """
    SELECT * FROM ({found}) t WHERE (NOT :untied OR t.reasons <> '{{}}') AND (CAST(:start AS bigint) IS NULL OR t.id < :start)
    ORDER BY t.id DESC LIMIT :rows
"""
_BATCH_PAGE, _EXTERNAL_PAGE = text(_PAGE.format(found=_BATCHES)), text(_PAGE.format(found=_EXTERNAL))


def batches(
    session: Session,
    actor: Actor,
    language: Language,
    asked: BatchesSearch,
) -> Page[BatchTieOut]:
    """Batches that were received on these days, the newest first: of the operator's own branch, or of a region's outlets."""
    start = paging.position(asked.after, int)
    values = {
        **reach(actor),
        "outlet_id": asked.outlet_id,
        "first": clock.start_of_day(asked.first) if asked.first else None,
        "until": clock.end_of_day(asked.last) if asked.last else None,
    }
    rows = session.execute(
        _BATCH_PAGE, {**values, "untied": asked.untied, "start": start[0] if start else None, "rows": asked.limit + 1}
    ).all()
    names = ("batch", "lines", "refunds", "counted", "booked")

    def shown(row: Row[Any]) -> BatchTieOut:
        known = _known(row, names, BATCH_REASONS, language)
        return BatchTieOut(**known, **{name: getattr(row, name) for name in BatchTieOut.model_fields if name not in known})

    return paging.page(rows, asked.limit, shown, lambda row: [row.id])


def external_sales(
    session: Session,
    actor: Actor,
    language: Language,
    asked: ExternalSalesSearch,
) -> Page[ExternalTieOut]:
    """Sellers' claims of sales on these days, the newest first: those of the own branch, and once they are handed in of the supplier's branch, or of a region."""
    start = paging.position(asked.after, int)
    values = {**reach(actor), "supplier_id": asked.supplier_id, "first": asked.first, "last": asked.last}
    rows = session.execute(
        _EXTERNAL_PAGE, {**values, "untied": asked.untied, "start": start[0] if start else None, "rows": asked.limit + 1}
    ).all()
    names = ("claimed", "documents", "lines", "booked")

    def shown(row: Row[Any]) -> ExternalTieOut:
        known = _known(row, names, EXTERNAL_REASONS, language)
        return ExternalTieOut(**known, **{name: getattr(row, name) for name in ExternalTieOut.model_fields if name not in known})

    return paging.page(rows, asked.limit, shown, lambda row: [row.id])


def _known(row: Row[Any], names: tuple[str, ...], words: Mapping[str, tuple[str, str]], language: Language) -> dict[str, Any]:
    return {
        "ties": not row.reasons,
        "reasons": [ReasonOut(code=code, label=words[code][language == "en"]) for code in row.reasons],
        **{name: getattr(row, f"{name}_fen") for name in names},
    }
