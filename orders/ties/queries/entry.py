"""From one sale down to the documents behind it."""

from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.ledger import queries as ledger
from orders.ledger.booking import accepted_line
from orders.ledger.selection import reach_of
from orders.tax_invoices.states import COUNTED
from orders.ties.schemas import DocumentOut, SaleEntryDetailOut
from shop.core import clock
from shop.identity.actor import Actor
from shop.identity.permissions import Permission

#: One statement for every kind of document, each by an index; an entry has those of its own origin. What was taken back and booked again leads
#: to the document of the first booking; what an outlet gave back, also to the batch that says so.
_DOCUMENTS = text(
    f"""
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
        SELECT al.*, h.accepted_at, h.shipment_id FROM origin JOIN acceptance_line al ON al.id = ({accepted_line("origin")})
        JOIN acceptance h ON h.id = al.acceptance_id),
    invoiced AS (SELECT il.* FROM chain JOIN invoice_line il ON il.sale_entry_id = chain.id),
    credited AS (SELECT cl.* FROM invoiced JOIN credit_note_line cl ON cl.invoice_line_id = invoiced.id),
    document AS (
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
    SELECT 6, 'invoice', v.id, v.number, NULL, v.issued_on, invoiced.amount_fen FROM invoiced JOIN invoice v ON v.id = invoiced.invoice_id
    UNION ALL
    SELECT 7, 'credit_note', n.id, n.number, NULL, n.issued_on, -credited.amount_fen
    FROM credited JOIN credit_note n ON n.id = credited.credit_note_id
    UNION ALL
    SELECT 8, 'tax_invoice', t.id, concat_ws(' ', t.code, t.number), NULL, t.issued_on, CASE WHEN t.red THEN -t.gross_fen ELSE t.gross_fen END
    FROM tax_invoice t WHERE t.status = ANY (CAST(:counted AS text[])) AND t.id IN (
        SELECT c.tax_invoice_id FROM invoiced JOIN tax_invoice_cover c ON c.invoice_id = invoiced.invoice_id
        UNION ALL SELECT c.tax_invoice_id FROM credited JOIN tax_invoice_cover c ON c.credit_note_id = credited.credit_note_id
        UNION ALL SELECT c.tax_invoice_id FROM accepted JOIN tax_invoice_cover c ON c.acceptance_id = accepted.acceptance_id
        UNION ALL SELECT c.tax_invoice_id FROM entry JOIN tax_invoice_cover c ON c.supplier_order_id = entry.supplier_order_id
        WHERE num_nonnulls(c.invoice_id, c.credit_note_id, c.acceptance_id) = 0)
    UNION ALL
    SELECT 9, 'due', d.id, NULL, NULL, d.due_on, d.amount_fen FROM entry JOIN payment_due d ON d.supplier_order_id = entry.supplier_order_id
    UNION ALL
    SELECT 10, 'outlet_batch', b.id, b.batch_id, b.received_at, NULL, l.amount_fen
    FROM origin JOIN sales_batch_line l ON l.id = origin.origin_id JOIN sales_batch b ON b.id = l.batch_id WHERE origin.origin_kind = 'outlet_line'
    UNION ALL
    SELECT 10, 'outlet_batch', b.id, b.batch_id, b.received_at, NULL, -r.amount_fen
    FROM origin JOIN sales_batch_line r ON r.refunded_id = origin.origin_id AND r.correction_ids && ARRAY(SELECT id FROM chain)
    JOIN sales_batch b ON b.id = r.batch_id WHERE origin.origin_kind = 'outlet_line'
    UNION ALL
    SELECT 11, 'external_sale', x.id, x.number, NULL, x.sold_on, l.amount_fen
    FROM origin JOIN external_sale_line l ON l.id = origin.origin_id JOIN external_sale x ON x.id = l.sale_id WHERE origin.origin_kind = 'external_line'
    UNION ALL
    SELECT 12, 'evidence', d.id, concat_ws(' ', d.kind, d.number), NULL, d.dated_on, d.amount_fen
    FROM origin JOIN external_sale_line l ON l.id = origin.origin_id JOIN external_sale_document d ON d.sale_id = l.sale_id
    WHERE origin.origin_kind = 'external_line'
    UNION ALL
    SELECT 13, 'reversed_entry', id, NULL, NULL, sold_on, amount_fen FROM chain WHERE id <> :id
    UNION ALL
    SELECT 14, 'correction', c.id, NULL, NULL, c.sold_on, c.amount_fen FROM sale_entry c WHERE c.reverses_id = :id
    )
    SELECT document.*, p.sale_id AS claim_id, p.file_id
    FROM document LEFT JOIN external_sale_document p ON document.kind = 'evidence' AND p.id = document.id ORDER BY place, document.id
    """  # noqa: S608
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
    "tax_invoice": ("/v1/tax-invoices/{id}", Permission.ORDER_DOCUMENTS_READ),
    "outlet_batch": ("/v1/sales-batches/{id}", Permission.OUTLETS_READ),
    "external_sale": ("/v1/external-sales/{id}", Permission.EXTERNAL_SALES_READ),
    "evidence": ("/v1/external-sales/{claim}/documents/{id}/file", Permission.EXTERNAL_SALES_READ),
    "reversed_entry": ("/v1/sale-entries/{id}", Permission.STATISTICS_READ),
    "correction": ("/v1/sale-entries/{id}", Permission.STATISTICS_READ),
}


def sale_entry(session: Session, actor: Actor, sale_entry_id: int) -> SaleEntryDetailOut:
    """One sale with the documents behind it.

    Raises:
        NotFound: none within the caller's reach (404).
    """
    entry = ledger.sale_entry(session, reach_of(actor), sale_entry_id)
    rows = session.execute(_DOCUMENTS, {"id": sale_entry_id, "counted": list(COUNTED)}).all()
    ids = {"part": entry.supplier_order_id, "shipment": next((row.id for row in rows if row.kind == "shipment"), None)}
    return SaleEntryDetailOut(**dict(entry), documents=[_document(actor, row, ids) for row in rows])


def _document(actor: Actor, row: Row[Any], ids: dict[str, int | None]) -> DocumentOut:
    path, needed = _PATHS.get(row.kind, (None, None))
    if row.kind == "evidence" and row.file_id is None:  # a paper may be known by its number alone
        path = None
    return DocumentOut(
        kind=row.kind,
        id=row.id,
        number=row.number,
        dated_on=row.on_day or (clock.shanghai_date(row.at) if row.at else None),
        amount=row.fen,
        path=path.format(id=row.id, claim=row.claim_id, **ids) if path and needed and actor.may(needed) else None,
    )
