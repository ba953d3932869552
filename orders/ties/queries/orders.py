"""The chain of a part of an order: order, contract, waybill, acceptance, statistic, invoice, payment, with what each says of the same goods."""

from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.money.queries import PAID
from orders.purchasing.queries import PAYABLE, SIDES
from orders.purchasing.queries.costs import PAYABLE_OF_ORDER
from orders.ties.queries.reach import reach, side
from orders.ties.rules import REASONS
from orders.ties.schemas import ChainOut, OrderChainsOut, ReasonOut, TiesAsked, TiesSearch
from shop.core import clock, paging
from shop.core.errors import Language, NotFound
from shop.core.paging import Page
from shop.identity.actor import Actor

#: Part by part, each link by an index on the part; amounts in fen.
_LINKS = f"""
    SELECT so.id, so.purchase_order_id, so.supplier_id, so.status, po.number, po.placed_at, po.buyer_id, buyer.name AS buyer_name,
           supplier.name AS supplier_name, so.total_fen AS ordered_fen, k.number AS contract_number, k.fen AS contracted_fen, w.waybills, w.shipped_fen,
           w.lacking, w.differing, a.accepted_fen, a.by_quantity_fen, e.booked_fen, e.first_fen, i.invoice_ids, i.invoice_numbers, i.invoiced_fen,
           {PAYABLE} AS payable_fen, d.paid_fen, d.announced_fen, d.due_fen, d.overdue, x.allowed_fen, m.*, v.*,
           EXISTS (SELECT FROM payment_plan q WHERE q.purchase_order_id = po.id AND q.counted_at IS NOT NULL) AS counted
    FROM supplier_order so {SIDES}
    LEFT JOIN LATERAL (
        SELECT number, round(CAST(content ->> 'goods' AS numeric) * 100)::bigint AS fen FROM contract
        WHERE supplier_order_id = so.id ORDER BY supplement_no DESC LIMIT 1) k ON true
    CROSS JOIN LATERAL (
        SELECT coalesce(array_agg(DISTINCT s.waybill) FILTER (WHERE s.waybill IS NOT NULL), '{{}}') AS waybills,
               coalesce(sum(round(sl.quantity * l.unit_price_fen)), 0)::bigint AS shipped_fen,
               count(*) FILTER (WHERE s.waybill IS NULL AND sl.grams > 0) AS lacking,
               count(*) FILTER (WHERE al.id IS NOT NULL AND sl.quantity <> al.accepted_quantity + al.rejected_quantity + al.difference_quantity)
                   AS differing
        FROM shipment s
        JOIN shipment_line sl ON sl.shipment_id = s.id
        JOIN order_line l ON l.id = sl.order_line_id
        LEFT JOIN acceptance h ON h.shipment_id = s.id
        LEFT JOIN acceptance_line al ON al.acceptance_id = h.id AND al.order_line_id = sl.order_line_id
        WHERE s.supplier_order_id = so.id) w
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(round(l.accepted_quantity * l.unit_price_fen)), 0)::bigint AS by_quantity_fen,
               coalesce((SELECT sum(al.amount_fen) FROM acceptance h JOIN acceptance_line al ON al.acceptance_id = h.id
                         WHERE h.supplier_order_id = so.id), 0)::bigint AS accepted_fen
        FROM order_line l WHERE l.supplier_order_id = so.id) a
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(amount_fen), 0)::bigint AS booked_fen,
               coalesce(sum(amount_fen) FILTER (WHERE origin_kind = 'acceptance_line'), 0)::bigint AS first_fen
        FROM sale_entry WHERE order_id = so.purchase_order_id AND supplier_order_id = so.id) e
    CROSS JOIN LATERAL (
        SELECT coalesce(array_agg(DISTINCT v.id), '{{}}') AS invoice_ids, coalesce(array_agg(DISTINCT v.number), '{{}}') AS invoice_numbers,
               (coalesce(sum(il.amount_fen - il.returned_fen) FILTER (WHERE il.kind = 'goods'), 0) - coalesce(sum(il.reduced_fen), 0))::bigint
                   AS invoiced_fen
        FROM invoice v JOIN invoice_line il ON il.invoice_id = v.id WHERE v.supplier_order_id = so.id) i
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(arrived_fen), 0)::bigint AS paid_fen, coalesce(sum(paid_fen - arrived_fen), 0)::bigint AS announced_fen,
               coalesce(sum(amount_fen), 0)::bigint AS due_fen,
               coalesce(bool_or(due_on < CAST(:today AS date) AND paid_fen < amount_fen), false) AS overdue
        FROM payment_due WHERE supplier_order_id = so.id) d
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(refund_fen), 0)::bigint AS allowed_fen FROM dispute WHERE supplier_order_id = so.id) x
    CROSS JOIN LATERAL (
        SELECT greatest({PAID.format(order="po.id")} - {PAYABLE_OF_ORDER.format(order="po.id")}, 0) AS overpaid_fen) m
    CROSS JOIN LATERAL (
        SELECT CASE WHEN i.invoice_numbers <> '{{}}' THEN i.invoiced_fen - greatest(e.booked_fen - x.allowed_fen, 0) END AS invoice_difference_fen) v
"""  # noqa: S608
#: When each reason holds of the links ``l``. Parts that nobody confirmed, or that came to nothing, have no contract.
_WHEN = {
    "contract_missing": "l.status NOT IN ('placed', 'rejected', 'cancelled') AND l.contract_number IS NULL",
    "contract_differs": "l.status NOT IN ('rejected', 'cancelled') AND l.contracted_fen <> l.ordered_fen",
    "waybill_missing": "l.lacking > 0",
    "delivery_differs": "l.differing > 0",
    "acceptance_differs": "l.accepted_fen <> l.by_quantity_fen",
    "statistic_differs": "l.first_fen <> l.accepted_fen",
    "invoice_missing": "l.status = 'accepted' AND l.booked_fen > l.allowed_fen AND cardinality(l.invoice_numbers) = 0",
    "invoice_differs": "l.status = 'accepted' AND l.invoice_difference_fen <> 0",
    "due_differs": "l.counted AND l.due_fen <> greatest(l.payable_fen, 0)",
    "payment_overdue": "l.overdue",
    "overpaid": "l.overpaid_fen > 0",
}
assert _WHEN.keys() == REASONS.keys()
_FOUND = ", ".join(f"CASE WHEN {condition} THEN '{code}' END" for code, condition in _WHEN.items())
_IN_REACH = f"({side('buyer')} OR {side('unit')} OR {side('supplier')})"
_ASKED = """
    (CAST(:buyer_id AS bigint) IS NULL OR po.buyer_id = :buyer_id)
    AND (CAST(:supplier_id AS bigint) IS NULL OR so.supplier_id = :supplier_id)
    AND (CAST(:placed_from AS timestamptz) IS NULL OR po.placed_at >= :placed_from)
    AND (CAST(:placed_until AS timestamptz) IS NULL OR po.placed_at < :placed_until)
    AND (CAST(:district AS text) IS NULL OR EXISTS (
        SELECT FROM order_line g JOIN product p ON p.id = g.product_id WHERE g.supplier_order_id = so.id AND p.district_code = :district))
"""
_CHAINS = "SELECT * FROM (SELECT l.*, array_remove(ARRAY[{found}], NULL) AS reasons FROM ({links} WHERE {where}) l) t"
_LISTED = (
    f"{_CHAINS.format(found=_FOUND, links=_LINKS, where=f'{_IN_REACH} AND {_ASKED}')} WHERE (NOT :untied OR t.reasons <> '{{}}')"
)
_PAGE = text(f"{_LISTED} AND (CAST(:start AS bigint) IS NULL OR t.id < :start) ORDER BY t.id DESC LIMIT :rows")
_OF_ORDER = text(f"{_CHAINS.format(found=_FOUND, links=_LINKS, where=f'so.purchase_order_id = :id AND {_IN_REACH}')} ORDER BY t.id")


def chains(session: Session, actor: Actor, language: Language, asked: TiesSearch) -> Page[ChainOut]:
    """Parts of orders within reach, the newest first."""
    start = paging.position(asked.after, int)
    values = {**_values(actor, asked), "start": start[0] if start else None, "rows": asked.limit + 1}
    rows = session.execute(_PAGE, values).all()
    return paging.page(rows, asked.limit, lambda row: _shown(row, language), lambda row: [row.id])


def of_order(session: Session, actor: Actor, language: Language, purchase_order_id: int) -> OrderChainsOut:
    """The chains of one order's parts, as far as the caller sees them.

    Raises:
        NotFound: none within reach (404).
    """
    rows = session.execute(_OF_ORDER, {**reach(actor), "id": purchase_order_id, "today": clock.today()}).all()
    if not rows:
        raise NotFound
    parts = [_shown(row, language) for row in rows]
    return OrderChainsOut(
        purchase_order_id=purchase_order_id, number=parts[0].number, ties=all(part.ties for part in parts), parts=parts
    )


def listed(actor: Actor, asked: TiesAsked) -> tuple[str, dict[str, Any]]:
    """The statement of all of them and its values: for a file."""
    return _LISTED, _values(actor, asked)


def _values(actor: Actor, asked: TiesAsked) -> dict[str, Any]:
    return {
        **reach(actor),
        "today": clock.today(),
        "buyer_id": asked.buyer_id,
        "supplier_id": asked.supplier_id,
        "district": asked.district,
        "untied": asked.untied,
        "placed_from": clock.start_of_day(asked.placed_from) if asked.placed_from else None,
        "placed_until": clock.end_of_day(asked.placed_to) if asked.placed_to else None,
    }


_AMOUNTS = (
    *("ordered", "contracted", "shipped", "accepted", "booked", "allowed", "invoiced", "invoice_difference"),
    *("payable", "paid", "announced", "overpaid"),
)


def _shown(row: Row[Any], language: Language) -> ChainOut:
    known: dict[str, Any] = {
        "supplier_order_id": row.id,
        "ties": not row.reasons,
        "reasons": [ReasonOut(code=code, label=REASONS[code][language == "en"]) for code in row.reasons],
        **{name: getattr(row, f"{name}_fen") for name in _AMOUNTS},
    }
    return ChainOut(**known, **{name: getattr(row, name) for name in ChainOut.model_fields if name not in known})
