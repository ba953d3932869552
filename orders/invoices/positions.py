"""What of an order was accepted and is sold by now, as the ledger says: the source of every invoice and credit note.

A line that was accepted stands in the ledger as one entry: the first, the one that a correction put in its place, or the one that was booked
for another buyer since. What came back is booked against that entry.
"""

# ruff: noqa: S608  statements are put together from constants only

#: SQL: the entries in which accepted lines stood at any time (acceptance_line_id, sale_entry_id), of the acceptances that ``{acceptances}`` picks.
STANDING = """
    SELECT al.id AS acceptance_line_id, e.id AS sale_entry_id
    FROM acceptance a JOIN acceptance_line al ON al.acceptance_id = a.id
    CROSS JOIN LATERAL (
        SELECT id FROM sale_entry WHERE origin_kind = 'acceptance_line' AND origin_id = al.id
        UNION ALL SELECT entry_id FROM acceptance_correction_line WHERE acceptance_line_id = al.id AND entry_id IS NOT NULL
    ) e
    WHERE {acceptances}
    UNION ALL
    SELECT s.acceptance_line_id, n.id
    FROM standing s JOIN sale_entry c ON c.reverses_id = s.sale_entry_id
    JOIN sale_entry n ON n.origin_kind = 'reassignment' AND n.origin_id = c.id
"""
#: SQL: what is left of entry ``e`` (quantity, amount_fen).
LEFT = """
    LATERAL (SELECT e.quantity + coalesce(sum(r.quantity), 0) AS quantity, (e.amount_fen + coalesce(sum(r.amount_fen), 0))::bigint AS amount_fen
             FROM sale_entry r WHERE r.reverses_id = e.id)
"""
#: SQL: whether entry ``e`` stands in an invoice.
INVOICED = "EXISTS (SELECT FROM invoice_line i WHERE i.sale_entry_id = e.id AND i.returned_fen < i.amount_fen)"
#: SQL: what the ledger of money booked as the freight of part ``{part}``, in fen; none before something of it was accepted.
FREIGHT = """
    (SELECT -mp.amount_fen FROM money_transaction mt JOIN money_posting mp ON mp.transaction_id = mt.id AND mp.account = 'payable'
     WHERE mt.kind = 'freight' AND mt.origin_id = {part})
"""
#: SQL: the freight of part ``{part}`` that no invoice holds yet.
FREIGHT_LEFT = f"""
    (SELECT f.fen FROM (SELECT {FREIGHT} AS fen) f WHERE f.fen > 0 AND NOT EXISTS (
        SELECT FROM invoice_line i WHERE i.supplier_order_id = {{part}} AND i.kind = 'freight' AND i.returned_fen < i.amount_fen))
"""

#: Accepted and not invoiced lines of part ``:id``, of all its acceptances or of those named.
OPEN_LINES = f"""
    WITH RECURSIVE standing AS ({STANDING.format(acceptances="a.supplier_order_id = :id")})
    SELECT e.id AS sale_entry_id, al.acceptance_id, a.shipment_id, a.accepted_at, l.id AS order_line_id, l.vat_bp, p.kind AS product_kind, p.category,
           n.quantity, n.amount_fen
    FROM standing s
    JOIN sale_entry e ON e.id = s.sale_entry_id
    CROSS JOIN {LEFT} n
    JOIN acceptance_line al ON al.id = s.acceptance_line_id
    JOIN acceptance a ON a.id = al.acceptance_id
    JOIN order_line l ON l.id = al.order_line_id
    JOIN product p ON p.id = l.product_id
    WHERE n.amount_fen > 0 AND NOT {INVOICED}
      AND (CAST(:acceptances AS bigint[]) IS NULL OR a.id = ANY (CAST(:acceptances AS bigint[])))
      AND (CAST(:sales AS bigint[]) IS NULL OR e.id = ANY (CAST(:sales AS bigint[])))
    ORDER BY a.accepted_at, a.id, l.line_no
"""
#: Lines of invoices of part ``:id`` that are not taken back whole, with what is sold of them by now. Freight is owed by whom the order belongs to.
LIVE_LINES = f"""
    SELECT l.id, l.invoice_id, l.quantity, l.amount_fen, l.vat_bp, l.returned_quantity, l.returned_fen, l.reduced_fen,
           CASE l.kind WHEN 'goods' THEN n.quantity ELSE CASE WHEN h.buyer_id = po.buyer_id THEN 1 ELSE 0 END END AS sold_quantity,
           CASE l.kind WHEN 'goods' THEN n.amount_fen ELSE CASE WHEN h.buyer_id = po.buyer_id THEN l.amount_fen ELSE 0 END END AS sold_fen
    FROM invoice_line l
    JOIN invoice h ON h.id = l.invoice_id
    JOIN purchase_order po ON po.id = h.purchase_order_id
    LEFT JOIN sale_entry e ON e.id = l.sale_entry_id
    LEFT JOIN {LEFT} n ON true
    WHERE l.supplier_order_id = :id AND l.returned_fen < l.amount_fen
    ORDER BY l.id
"""
