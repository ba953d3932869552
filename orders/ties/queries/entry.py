"""From one sale down to the documents behind it."""

from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.ledger import queries as ledger
from orders.ledger.selection import reach_of
from orders.ties.schemas import DocumentOut, SaleEntryDetailOut
from shop.core import clock
from shop.identity.actor import Actor
from shop.identity.permissions import Permission

#: One statement for every kind of document, each by an index; an entry has those of its own origin. What was taken back and booked again leads
#: to the document of the first booking; what an outlet gave back, also to the batch that says so.
_DOCUMENTS = text(
    """
    WITH RECURSIVE chain AS (
        SELECT e.* FROM sale_entry e WHERE e.id = :id
        UNION ALL
        SELECT before.* FROM chain JOIN sale_entry before ON before.id = CASE
            WHEN chain.reverses_id IS NOT NULL THEN chain.reverses_id
            WHEN chain.origin_kind IN ('reassignment', 'release') THEN chain.origin_id END
    ),
    entry AS (SELECT * FROM chain WHERE id = :id),
    origin AS (SELECT origin_kind, origin_id FROM chain WHERE origin_kind NOT IN ('correction', 'reassignment', 'release') LIMIT 1),
    accepted AS (
        SELECT al.*, h.accepted_at, h.shipment_id FROM origin JOIN acceptance_line al ON al.id = origin.origin_id
        JOIN acceptance h ON h.id = al.acceptance_id WHERE origin.origin_kind = 'acceptance_line')
    SELECT 1 AS place, 'order' AS kind, po.id, po.number, po.placed_at AS at, CAST(NULL AS date) AS on_day, po.total_fen AS fen
    FROM entry JOIN purchase_order po ON po.id = entry.order_id
    UNION ALL
    SELECT 2, 'supplier_order', so.id, NULL, so.confirmed_at, NULL, so.total_fen FROM entry JOIN supplier_order so ON so.id = entry.supplier_order_id
    UNION ALL
    SELECT 3, 'contract', k.id, k.number, k.made_at, NULL, round(CAST(k.content ->> 'total' AS numeric) * 100)::bigint
    FROM entry JOIN contract k ON k.supplier_order_id = entry.supplier_order_id
    UNION ALL
    SELECT 4, 'shipment', s.id, s.waybill, s.shipped_at, NULL, NULL FROM accepted JOIN shipment s ON s.id = accepted.shipment_id
    UNION ALL
    SELECT 5, 'acceptance', acceptance_id, NULL, accepted_at, NULL, amount_fen FROM accepted
    UNION ALL
    SELECT 6, 'invoice', v.id, v.number, NULL, v.issued_on, il.amount_fen
    FROM chain JOIN invoice_line il ON il.sale_entry_id = chain.id JOIN invoice v ON v.id = il.invoice_id
    UNION ALL
    SELECT 7, 'credit_note', n.id, n.number, NULL, n.issued_on, -cl.amount_fen
    FROM chain JOIN invoice_line il ON il.sale_entry_id = chain.id JOIN credit_note_line cl ON cl.invoice_line_id = il.id
    JOIN credit_note n ON n.id = cl.credit_note_id
    UNION ALL
    SELECT 8, 'due', d.id, NULL, NULL, d.due_on, d.amount_fen FROM entry JOIN payment_due d ON d.supplier_order_id = entry.supplier_order_id
    UNION ALL
    SELECT 9, 'outlet_batch', b.id, b.batch_id, b.received_at, NULL, l.amount_fen
    FROM origin JOIN sales_batch_line l ON l.id = origin.origin_id JOIN sales_batch b ON b.id = l.batch_id WHERE origin.origin_kind = 'outlet_line'
    UNION ALL
    SELECT 9, 'outlet_batch', b.id, b.batch_id, b.received_at, NULL, -r.amount_fen
    FROM origin JOIN sales_batch_line r ON r.refunded_id = origin.origin_id AND r.correction_ids && ARRAY(SELECT id FROM chain)
    JOIN sales_batch b ON b.id = r.batch_id WHERE origin.origin_kind = 'outlet_line'
    UNION ALL
    SELECT 10, 'external_sale', x.id, x.number, NULL, x.sold_on, l.amount_fen
    FROM origin JOIN external_sale_line l ON l.id = origin.origin_id JOIN external_sale x ON x.id = l.sale_id WHERE origin.origin_kind = 'external_line'
    UNION ALL
    SELECT 11, 'evidence', d.id, concat_ws(' ', d.kind, d.number), NULL, d.dated_on, d.amount_fen
    FROM origin JOIN external_sale_line l ON l.id = origin.origin_id JOIN external_sale_document d ON d.sale_id = l.sale_id
    WHERE origin.origin_kind = 'external_line'
    UNION ALL
    SELECT 12, 'reversed_entry', id, NULL, NULL, sold_on, amount_fen FROM chain WHERE id <> :id
    UNION ALL
    SELECT 13, 'correction', c.id, NULL, NULL, c.sold_on, c.amount_fen FROM sale_entry c WHERE c.reverses_id = :id
    ORDER BY place, id
    """
)
#: Where a document is read, and what that takes.
_PATHS = {
    "order": ("/v1/purchase-orders/{id}", Permission.ORDER_DOCUMENTS_READ),
    "supplier_order": ("/v1/supplier-orders/{id}", Permission.ORDER_DOCUMENTS_READ),
    "contract": ("/v1/supplier-orders/{part}/contract", Permission.ORDER_DOCUMENTS_READ),
    "shipment": ("/v1/shipments/{id}", Permission.ORDER_DOCUMENTS_READ),
    "acceptance": ("/v1/shipments/{shipment}", Permission.ORDER_DOCUMENTS_READ),
    "invoice": ("/v1/invoices/{id}", Permission.ORDER_DOCUMENTS_READ),
    "credit_note": ("/v1/credit-notes/{id}", Permission.ORDER_DOCUMENTS_READ),
    "external_sale": ("/v1/external-sales/{id}", Permission.EXTERNAL_SALES_READ),
    "reversed_entry": ("/v1/sale-entries/{id}", Permission.STATISTICS_READ),
    "correction": ("/v1/sale-entries/{id}", Permission.STATISTICS_READ),
}


def sale_entry(session: Session, actor: Actor, sale_entry_id: int) -> SaleEntryDetailOut:
    """One sale with the documents behind it.

    Raises:
        NotFound: none within the caller's reach (404).
    """
    entry = ledger.sale_entry(session, reach_of(actor), sale_entry_id)
    rows = session.execute(_DOCUMENTS, {"id": sale_entry_id}).all()
    ids = {"part": entry.supplier_order_id, "shipment": next((row.id for row in rows if row.kind == "shipment"), None)}
    return SaleEntryDetailOut(**dict(entry), documents=[_document(actor, row, ids) for row in rows])


def _document(actor: Actor, row: Row[Any], ids: dict[str, int | None]) -> DocumentOut:
    path, needed = _PATHS.get(row.kind, (None, None))
    return DocumentOut(
        kind=row.kind,
        id=row.id,
        number=row.number,
        dated_on=row.on_day or (clock.shanghai_date(row.at) if row.at else None),
        amount=row.fen,
        path=path.format(id=row.id, **ids) if path and needed and actor.may(needed) else None,
    )
