"""Deliveries: shipped, accepted, reserved."""

from orders.reconcile.checks.check import sql

DELIVERIES = [
    sql(
        "shipped",
        "已发数量 = 发货行之和",
        "Shipped = shipment lines",
        """
        SELECT 'order_line ' || l.id AS subject, format('shipped %s, closed %s', coalesce(s.quantity, 0), coalesce(s.closed, 0)) AS expected,
               format('shipped %s, closed %s', l.shipped_quantity, l.closed_quantity) AS found
        FROM order_line l
        LEFT JOIN (SELECT order_line_id AS id, sum(quantity) AS quantity, sum(closed_quantity) AS closed
                   FROM shipment_line GROUP BY order_line_id) s USING (id)
        WHERE (l.shipped_quantity, l.closed_quantity) IS DISTINCT FROM (coalesce(s.quantity, 0), coalesce(s.closed, 0))
        """,
    ),
    sql(
        "accepted",
        "验收、拒收数量和金额 = 验收行之和",
        "Accepted and rejected = acceptance lines",
        """
        SELECT 'order_line ' || l.id AS subject,
               format('accepted %s, rejected %s, missing %s, %s fen', coalesce(a.accepted, 0), coalesce(a.rejected, 0),
                      coalesce(a.difference, 0), round(l.accepted_quantity * l.unit_price_fen)) AS expected,
               format('accepted %s, rejected %s, missing %s, %s fen', l.accepted_quantity, l.rejected_quantity, l.difference_quantity,
                      coalesce(a.fen, 0)) AS found
        FROM order_line l
        LEFT JOIN (SELECT order_line_id AS id, sum(accepted_quantity) AS accepted, sum(rejected_quantity) AS rejected,
                          sum(difference_quantity) AS difference, sum(amount_fen) AS fen
                   FROM acceptance_line GROUP BY order_line_id) a USING (id)
        WHERE (l.accepted_quantity, l.rejected_quantity, l.difference_quantity, round(l.accepted_quantity * l.unit_price_fen))
              IS DISTINCT FROM (coalesce(a.accepted, 0), coalesce(a.rejected, 0), coalesce(a.difference, 0), coalesce(a.fen, 0))
        """,
    ),
    sql(
        "answered",
        "每批发货逐行验收",
        "Each answered shipment is answered line by line",
        """
        SELECT 'shipment_line ' || coalesce(s.id::text, 'of acceptance_line ' || a.id) AS subject, s.quantity::text AS expected,
               (a.accepted_quantity + a.rejected_quantity + a.difference_quantity)::text AS found
        FROM (SELECT l.id, l.order_line_id, l.quantity, a.id AS acceptance_id
              FROM shipment_line l JOIN acceptance a ON a.shipment_id = l.shipment_id) s
        FULL JOIN acceptance_line a ON a.acceptance_id = s.acceptance_id AND a.order_line_id = s.order_line_id
        WHERE s.quantity IS DISTINCT FROM a.accepted_quantity + a.rejected_quantity + a.difference_quantity
        """,
    ),
    sql(
        "reserved",
        "订单行预留 − 释放 − 发货 = 未发数量",
        "Reserved − released − shipped = what is open of a line",
        """
        SELECT 'order_line ' || coalesce(l.id, m.id) AS subject, format('reserved %s, shipped %s', l.open, l.shipped) AS expected,
               format('reserved %s, shipped %s', m.reserved, m.shipped) AS found
        FROM (SELECT l.id, l.sku_id, CASE WHEN o.status IN ('rejected', 'cancelled') THEN 0
                          ELSE l.quantity - l.closed_quantity - l.shipped_quantity END AS open,
                     l.shipped_quantity AS shipped
              FROM order_line l JOIN supplier_order o ON o.id = l.supplier_order_id) l
        FULL JOIN (SELECT order_line_id AS id, min(sku_id) AS sku_id, sum(reserved) AS reserved,
                          coalesce(-sum(on_hand) FILTER (WHERE kind NOT IN ('return', 'replace')), 0) AS shipped
                   FROM stock_movement WHERE order_line_id IS NOT NULL GROUP BY order_line_id) m ON m.id = l.id
        WHERE (l.sku_id, l.open, l.shipped) IS DISTINCT FROM (m.sku_id, m.reserved, m.shipped)
        """,
    ),
    sql(
        "stock",
        "库存 = 库存变动之和",
        "Stock = its movements",
        """
        SELECT 'sku ' || k.id AS subject, format('on hand %s, reserved %s', coalesce(m.on_hand, 0), coalesce(m.reserved, 0)) AS expected,
               format('on hand %s, reserved %s', s.on_hand, s.reserved) AS found
        FROM sku k LEFT JOIN stock s ON s.sku_id = k.id
        LEFT JOIN (SELECT sku_id, sum(on_hand) AS on_hand, sum(reserved) AS reserved FROM stock_movement GROUP BY sku_id) m
             ON m.sku_id = k.id
        WHERE (s.on_hand, s.reserved) IS DISTINCT FROM (coalesce(m.on_hand, 0), coalesce(m.reserved, 0))
        """,
    ),
]
