"""Orders: totals, lines, what was paid."""

from orders.reconcile.checks.check import sql

ORDERS = [
    sql(
        "order_totals",
        "采购订单合计 = 各行之和",
        "Order totals = their lines",
        """
        SELECT 'purchase_order ' || o.id AS subject, format('%s fen, %s g, %s lines', l.fen, l.grams, l.lines) AS expected,
               format('%s fen, %s g, %s lines', o.total_fen, o.total_grams, o.line_count) AS found
        FROM purchase_order o
        LEFT JOIN (SELECT purchase_order_id AS id, sum(amount_fen) AS fen, sum(grams) AS grams, count(*) AS lines
                   FROM order_line GROUP BY purchase_order_id) l USING (id)
        WHERE (o.total_fen, o.total_grams, o.line_count) IS DISTINCT FROM (l.fen, l.grams, l.lines)
        """,
    ),
    sql(
        "supplier_order_totals",
        "供应商订单合计 = 各行之和",
        "Supplier order totals = their lines",
        """
        SELECT 'supplier_order ' || o.id AS subject, format('%s fen, %s g', l.fen, l.grams) AS expected,
               format('%s fen, %s g', o.total_fen, o.total_grams) AS found
        FROM supplier_order o
        LEFT JOIN (SELECT supplier_order_id AS id, sum(amount_fen) AS fen, sum(grams) AS grams
                   FROM order_line GROUP BY supplier_order_id) l USING (id)
        WHERE (o.total_fen, o.total_grams) IS DISTINCT FROM (l.fen, l.grams)
        """,
    ),
    sql(
        "line_amounts",
        "行金额和税额重算一致",
        "Line amounts and VAT, computed again",
        """
        SELECT 'order_line ' || id AS subject, format('%s fen, VAT %s', amount, vat) AS expected,
               format('%s fen, VAT %s', amount_fen, vat_fen) AS found
        FROM (SELECT id, amount_fen, vat_fen, round(quantity * unit_price_fen) AS amount,
                     round(amount_fen::numeric * vat_bp / (10000 + vat_bp)) AS vat FROM order_line) l
        WHERE (amount_fen, vat_fen) IS DISTINCT FROM (amount, vat)
        """,
    ),
    sql(
        "line_places",
        "订单行属于正确的订单、供应商和产品",
        "Lines stand in the order of their supplier and product",
        """
        SELECT 'order_line ' || l.id AS subject, format('order %s, supplier %s, product %s', o.purchase_order_id, p.supplier_id, s.product_id)
               AS expected, format('order %s, supplier %s, product %s', l.purchase_order_id, o.supplier_id, l.product_id) AS found
        FROM order_line l JOIN supplier_order o ON o.id = l.supplier_order_id JOIN sku s ON s.id = l.sku_id JOIN product p ON p.id = s.product_id
        WHERE (o.purchase_order_id, p.supplier_id, s.product_id) IS DISTINCT FROM (l.purchase_order_id, o.supplier_id, l.product_id)
        """,
    ),
    sql(
        "payments",
        "登记的付款不超过订单金额",
        "Announced payments do not exceed the order with its freight, before what both sides agreed to take off",
        """
        SELECT 'purchase_order ' || o.id AS subject, format('at most %s fen', f.most) AS expected, format('%s fen', p.fen) AS found
        FROM purchase_order o
        JOIN (SELECT purchase_order_id AS id, sum(amount_fen) AS fen FROM payment
              WHERE source = 'announced' AND undone_at IS NULL GROUP BY purchase_order_id) p USING (id)
        CROSS JOIN LATERAL (
            SELECT o.total_fen + sum(so.freight_fen) + coalesce((SELECT -sum(least(a.change_fen, 0)) FROM amendment a
                   JOIN supplier_order s ON s.id = a.supplier_order_id WHERE s.purchase_order_id = o.id), 0) AS most
            FROM supplier_order so WHERE so.purchase_order_id = o.id) f
        WHERE p.fen > f.most
        """,
    ),
]
