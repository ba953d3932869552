"""What must agree after the acceptance: returns, corrections, vouchers."""

# ruff: noqa: S608  statements are put together from constants only

from orders.ledger.booking import parent
from orders.reconcile.checks.check import sql

RETURNED = [
    sql(
        "returned",
        "退货行与其冲销分录一致",
        "Lines of returns = what the ledger took back by them",
        """
        SELECT 'goods_return_line ' || r.id AS subject, format('%s, %s g, %s fen', r.returned_quantity, r.grams, r.amount_fen) AS expected,
               format('%s, %s g, %s fen, acceptance line %s', -e.quantity, -e.grams, -e.amount_fen,
                      coalesce(c.acceptance_line_id, o.origin_id)) AS found
        FROM goods_return_line r
        LEFT JOIN sale_entry e ON e.id = r.reversal_id
        -- the entry that was booked first: one for another buyer names the reversal that made room for it
        LEFT JOIN LATERAL (
            WITH RECURSIVE back AS (
                SELECT x.id, x.origin_kind, x.origin_id FROM sale_entry x WHERE x.id = e.reverses_id
                UNION ALL
                SELECT y.id, y.origin_kind, y.origin_id FROM back JOIN sale_entry c ON back.origin_kind = 'reassignment' AND c.id = back.origin_id
                JOIN sale_entry y ON y.id = c.reverses_id
            )
            SELECT * FROM back WHERE origin_kind <> 'reassignment') o ON true
        LEFT JOIN acceptance_correction_line c ON o.origin_kind = 'acceptance_correction' AND c.id = o.origin_id
        WHERE r.reversal_id IS NOT NULL AND (r.returned_quantity, r.grams, r.amount_fen, r.acceptance_line_id)
              IS DISTINCT FROM (-e.quantity, -e.grams, -e.amount_fen, coalesce(c.acceptance_line_id, o.origin_id))
        """,
    ),
    sql(
        "return_totals",
        "退款金额 = 各行之和",
        "Refunds of returns = their lines",
        """
        SELECT 'goods_return ' || g.id AS subject, coalesce(l.fen, 0)::text AS expected, g.refund_fen::text AS found
        FROM goods_return g
        LEFT JOIN (SELECT goods_return_id AS id, sum(amount_fen) AS fen FROM goods_return_line GROUP BY 1) l USING (id)
        WHERE g.refund_fen <> coalesce(l.fen, 0)
        """,
    ),
    sql(
        "balances",
        "可退数量 = 验收（更正后）− 退货",
        "What can be given back = accepted, as corrected, less returns",
        """
        SELECT 'acceptance_line ' || b.acceptance_line_id AS subject, format('accepted %s, held %s, returned %s',
                      coalesce(c.accepted, a.accepted_quantity), coalesce(r.held, 0), coalesce(r.returned, 0)) AS expected,
               format('accepted %s, held %s, returned %s', b.accepted, b.held, b.returned) AS found
        FROM acceptance_balance b
        JOIN acceptance_line a ON a.id = b.acceptance_line_id
        LEFT JOIN (SELECT DISTINCT ON (l.acceptance_line_id) l.acceptance_line_id AS id, l.accepted_quantity AS accepted
                   FROM acceptance_correction_line l JOIN acceptance_correction h ON h.id = l.acceptance_correction_id AND h.status = 'agreed'
                   WHERE l.after_fen IS NOT NULL ORDER BY l.acceptance_line_id, h.answered_at DESC, l.id DESC) c ON c.id = a.id
        LEFT JOIN (SELECT l.acceptance_line_id AS id, sum(l.returned_quantity) AS returned,
                          sum(l.quantity) FILTER (WHERE g.status NOT IN ('refused', 'closed', 'cancelled')) AS held
                   FROM goods_return_line l JOIN goods_return g ON g.id = l.goods_return_id GROUP BY 1) r ON r.id = a.id
        WHERE (b.accepted, b.held, b.returned)
              IS DISTINCT FROM (coalesce(c.accepted, a.accepted_quantity), coalesce(r.held, 0), coalesce(r.returned, 0))
        """,
    ),
    sql(
        "sales_after_returns",
        "销售净额 = 验收 ± 更正 − 退货",
        "Net sales = accepted, as corrected, less returns",
        """
        SELECT 'acceptance_line ' || a.id AS subject, format('%s, %s g, %s fen', w.quantity, w.grams, w.fen) AS expected,
               format('%s, %s g, %s fen', e.quantity, e.grams, e.fen) AS found
        FROM acceptance_balance b
        JOIN acceptance_line a ON a.id = b.acceptance_line_id
        LEFT JOIN (SELECT acceptance_line_id AS id, sum(after_quantity - before_quantity) AS quantity, sum(after_grams - before_grams) AS grams,
                          sum(after_fen - before_fen) AS fen FROM acceptance_correction_line GROUP BY 1) c ON c.id = a.id
        LEFT JOIN (SELECT acceptance_line_id AS id, sum(returned_quantity) AS quantity, sum(grams) AS grams, sum(amount_fen) AS fen
                   FROM goods_return_line GROUP BY 1) r ON r.id = a.id
        CROSS JOIN LATERAL (SELECT a.accepted_quantity + coalesce(c.quantity, 0) - coalesce(r.quantity, 0) AS quantity,
                                   a.accepted_grams + coalesce(c.grams, 0) - coalesce(r.grams, 0) AS grams,
                                   a.amount_fen + coalesce(c.fen, 0) - coalesce(r.fen, 0) AS fen) w
        LEFT JOIN LATERAL (
            WITH RECURSIVE o AS (
                (SELECT o.id FROM sale_entry o WHERE o.origin_kind = 'acceptance_line' AND o.origin_id = a.id
                 UNION ALL SELECT l.entry_id FROM acceptance_correction_line l WHERE l.acceptance_line_id = a.id AND l.entry_id IS NOT NULL)
                UNION ALL
                SELECT n.id FROM o JOIN sale_entry c ON c.reverses_id = o.id
                JOIN sale_entry n ON n.origin_kind = 'reassignment' AND n.origin_id = c.id
            )
            SELECT sum(s.quantity) AS quantity, sum(s.grams) AS grams, sum(s.amount_fen) AS fen
            FROM o JOIN sale_entry s ON s.id = o.id OR s.reverses_id = o.id) e ON true
        WHERE (w.quantity, w.grams, w.fen) IS DISTINCT FROM (e.quantity, e.grams, e.fen)
        """,
    ),
    sql(
        "months_of_corrections",
        "更正分录归属于该验收行首笔销售的月份",
        "What is booked for corrections belongs to the first sale of its acceptance line, and so to its month",
        f"""
        WITH RECURSIVE up (entry_id, at, depth) AS (
            SELECT id, id, 0 FROM sale_entry WHERE origin_kind = 'acceptance_correction'
            UNION ALL
            SELECT up.entry_id, {parent("s")}, up.depth + 1 FROM up JOIN sale_entry s ON s.id = up.at WHERE {parent("s")} IS NOT NULL
        ), root AS (SELECT DISTINCT ON (entry_id) entry_id, at FROM up ORDER BY entry_id, depth DESC)
        SELECT 'sale_entry ' || r.entry_id AS subject, 'of sale_entry ' || first.id AS expected, 'of sale_entry ' || r.at AS found
        FROM root r JOIN acceptance_correction_line l ON l.entry_id = r.entry_id
        CROSS JOIN LATERAL (
            SELECT min(f.id) AS id FROM (
                SELECT id FROM sale_entry WHERE origin_kind = 'acceptance_line' AND origin_id = l.acceptance_line_id
                UNION ALL SELECT c.entry_id FROM acceptance_correction_line c WHERE c.acceptance_line_id = l.acceptance_line_id) f
        ) first
        WHERE r.at <> first.id
        """,
    ),
    sql(
        "back_in_stock",
        "退回入库、换货出库 = 库存变动",
        "Put back into stock and sent in exchange = movements",
        """
        SELECT 'order_line ' || coalesce(d.id, m.id) AS subject, format('back %s, replaced %s', d.back, d.replaced) AS expected,
               format('back %s, replaced %s', m.back, m.replaced) AS found
        FROM (SELECT id, sum(back) AS back, sum(replaced) AS replaced
              FROM (SELECT order_line_id AS id, restocked_quantity AS back, replaced_quantity AS replaced FROM goods_return_line
                    UNION ALL
                    -- vouchers that nobody redeemed are closed as sent and not accepted, and the units are free again
                    SELECT order_line_id, count(*), 0 FROM voucher v WHERE v.status = 'expired' AND NOT EXISTS (
                        SELECT FROM sale_entry e JOIN acceptance_line l ON l.id = e.origin_id WHERE e.origin_kind = 'acceptance_line'
                        AND l.acceptance_id = v.acceptance_id AND l.order_line_id = v.order_line_id) GROUP BY 1) r
              GROUP BY 1 HAVING sum(back) > 0 OR sum(replaced) > 0) d
        FULL JOIN (SELECT order_line_id AS id, coalesce(sum(on_hand) FILTER (WHERE kind = 'return'), 0) AS back,
                          coalesce(-sum(on_hand) FILTER (WHERE kind = 'replace'), 0) AS replaced
                   FROM stock_movement WHERE kind IN ('return', 'replace') GROUP BY 1) m ON m.id = d.id
        WHERE (d.back, d.replaced) IS DISTINCT FROM (m.back, m.replaced)
        """,
    ),
    sql(
        "vouchers",
        "服务券与发货、验收数量一致",
        "Vouchers = what of their lines was redeemed or closed",
        """
        SELECT 'order_line ' || l.id AS subject, format('%s vouchers, %s used', l.quantity, l.shipped_quantity) AS expected,
               format('%s vouchers, %s used', v.vouchers, v.used) AS found
        FROM order_line l
        JOIN (SELECT order_line_id AS id, count(*) AS vouchers, count(*) FILTER (WHERE status IN ('redeemed', 'expired')) AS used
              FROM voucher GROUP BY 1) v USING (id)
        WHERE (l.quantity, l.shipped_quantity) IS DISTINCT FROM (v.vouchers, v.used)
        """,
    ),
    sql(
        "days_booked",
        "预约数 = 当日容量占用",
        "Booked of a day = its vouchers",
        """
        SELECT format('sku %s on %s', coalesce(c.sku_id, v.sku_id), coalesce(c.day, v.day)) AS subject, coalesce(v.booked, 0)::text AS expected,
               c.booked::text AS found
        FROM service_capacity c
        FULL JOIN (SELECT sku_id, booked_for AS day, count(*) AS booked FROM voucher
                   WHERE status IN ('booked', 'redeemed') AND booked_for IS NOT NULL GROUP BY 1, 2) v ON v.sku_id = c.sku_id AND v.day = c.day
        WHERE coalesce(c.booked, -1) <> coalesce(v.booked, 0)
        """,
    ),
]
