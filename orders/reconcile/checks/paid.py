"""The money ledger: every posting told again from the documents that caused it, and every account from its postings."""

from orders.money.queries import CASH_KINDS
from orders.purchasing.queries.costs import PAYABLE_OF_ORDER
from orders.reconcile.checks.check import against_ledger, sql

#: The party of a posting where the document tells it: the buyer's may have changed since.
_OF_SUPPLIER = "CASE p.account WHEN 'payable' THEN p.party_id END"

#: What a part costs by what was accepted of it, what the ledger of sales made of that since, its freight, and what disputes gave back.
_OF_PARTS = """
    SELECT so.id, so.purchase_order_id, so.supplier_id, coalesce(a.fen, 0) + coalesce(e.fen, 0) - coalesce(d.fen, 0)
           + CASE WHEN EXISTS (SELECT FROM sale_entry e WHERE e.order_id = so.purchase_order_id AND e.supplier_order_id = so.id)
                  THEN so.freight_fen ELSE 0 END AS fen
    FROM supplier_order so
    LEFT JOIN (SELECT h.supplier_order_id AS id, sum(l.amount_fen) AS fen FROM acceptance_line l JOIN acceptance h ON h.id = l.acceptance_id
               GROUP BY 1) a ON a.id = so.id
    LEFT JOIN (SELECT supplier_order_id AS id, sum(amount_fen) AS fen FROM sale_entry WHERE origin_kind <> 'acceptance_line' GROUP BY 1) e
      ON e.id = so.id
    LEFT JOIN (SELECT supplier_order_id AS id, sum(refund_fen) AS fen FROM dispute GROUP BY 1) d ON d.id = so.id
"""

PAID = [
    sql(
        "money_transactions",
        "资金凭证借贷相等",
        "Transactions of the money ledger sum to zero",
        """
        SELECT 'money_transaction ' || coalesce(t.id, p.id) AS subject, '0' AS expected, coalesce(p.fen::text, 'no postings') AS found
        FROM money_transaction t FULL JOIN (SELECT transaction_id AS id, sum(amount_fen) AS fen FROM money_posting GROUP BY 1) p ON p.id = t.id
        WHERE t.id IS NULL OR p.fen IS DISTINCT FROM 0
        """,
    ),
    sql(
        "sales_owed",
        "每笔销售分录各记应收、应付一次",
        "Every sale is owed once and due once",
        """
        SELECT format('sale_entry %s %s', id, account) AS subject, e.facts AS expected, p.facts AS found
        FROM (SELECT e.id, side.account, format('%s fen, order %s, part %s, party %s', side.fen, e.order_id, e.supplier_order_id, side.party)
                     AS facts
              FROM sale_entry e CROSS JOIN LATERAL (VALUES ('receivable', e.amount_fen, e.buyer_id), ('payable', -e.amount_fen, e.supplier_id))
                   AS side (account, fen, party)
              WHERE e.supplier_order_id IS NOT NULL AND e.amount_fen <> 0) e
        FULL JOIN (SELECT p.sale_entry_id AS id, p.account, string_agg(format('%s fen, order %s, part %s, party %s', p.amount_fen,
                          p.purchase_order_id, p.supplier_order_id, p.party_id) || CASE WHEN t.kind <> 'sale' THEN ', ' || t.kind ELSE '' END, '; ')
                          AS facts
                   FROM money_posting p JOIN money_transaction t ON t.id = p.transaction_id
                   WHERE p.sale_entry_id IS NOT NULL OR t.kind = 'sale' GROUP BY 1, 2) p USING (id, account)
        WHERE e.facts IS DISTINCT FROM p.facts
        """,
    ),
    sql(
        "sales_causes",
        "销售凭证归于其首笔分录",
        "Transactions of sales name the first of their entries",
        """
        SELECT 'money_transaction ' || t.id AS subject, min(p.sale_entry_id)::text AS expected, t.origin_id::text AS found
        FROM money_transaction t JOIN money_posting p ON p.transaction_id = t.id WHERE t.kind = 'sale' GROUP BY t.id
        HAVING min(p.sale_entry_id) IS DISTINCT FROM t.origin_id OR count(DISTINCT p.supplier_order_id) > 1
        """,
    ),
    sql(
        "freight_owed",
        "已验收部分的运费记账一次",
        "The freight of accepted parts is owed once and due once",
        against_ledger(
            """
            SELECT 'freight', so.id, side.account, side.fen, so.purchase_order_id, so.id, side.party
            FROM supplier_order so CROSS JOIN LATERAL (VALUES ('receivable', so.freight_fen, CAST(NULL AS bigint)),
                 ('payable', -so.freight_fen, so.supplier_id)) AS side (account, fen, party)
            WHERE EXISTS (SELECT FROM sale_entry e WHERE e.order_id = so.purchase_order_id AND e.supplier_order_id = so.id)
            """,
            "freight",
            party=_OF_SUPPLIER,
        ),
    ),
    sql(
        "allowances",
        "争议退款 = 减免凭证",
        "What disputes gave back = its postings",
        against_ledger(
            """
            SELECT 'allowance', d.id, side.account, side.fen, so.purchase_order_id, so.id, side.party
            FROM dispute d JOIN supplier_order so ON so.id = d.supplier_order_id
            CROSS JOIN LATERAL (VALUES ('receivable', -d.refund_fen, CAST(NULL AS bigint)), ('payable', d.refund_fen, so.supplier_id))
                 AS side (account, fen, party)
            """,
            "allowance",
            party=_OF_SUPPLIER,
        ),
    ),
    sql(
        "payments",
        "付款及撤销 = 凭证",
        "Payments, and those taken back = their postings",
        against_ledger(
            """
            SELECT side.kind, p.id, side.account, side.fen, p.purchase_order_id, CAST(NULL AS bigint), CAST(NULL AS bigint)
            FROM payment p CROSS JOIN LATERAL (VALUES
                 ('payment', p.source, p.amount_fen), ('payment', 'receivable', -p.amount_fen),
                 ('payment_undone', p.source, CASE WHEN p.undone_at IS NOT NULL THEN -p.amount_fen ELSE 0 END),
                 ('payment_undone', 'receivable', CASE WHEN p.undone_at IS NOT NULL THEN p.amount_fen ELSE 0 END)) AS side (kind, account, fen)
            """,
            "payment",
            "payment_undone",
        ),
    ),
    sql(
        "credit_moves",
        "余款转单 = 凭证",
        "Credit that was moved = its postings",
        against_ledger(
            """
            SELECT 'credit_moved', m.id, 'receivable', side.fen, side.order_id, CAST(NULL AS bigint), CAST(NULL AS bigint)
            FROM credit_move m CROSS JOIN LATERAL (VALUES (m.amount_fen, m.from_order_id), (-m.amount_fen, m.to_order_id)) AS side (fen, order_id)
            """,
            "credit_moved",
        ),
    ),
    sql(
        "refunds",
        "退款及其状态 = 凭证",
        "Refunds, as far as they have come = their postings",
        # one that came back after it was paid has three transactions, one that came back before has two; a failure that the bank's line took back has
        # one more for each time
        """
        SELECT 'refund ' || coalesce(r.id, f.id) AS subject, w.facts || format(', order %s', r.purchase_order_id) AS expected,
               f.facts || format(', order %s', f.orders) AS found
        FROM refund r
        FULL JOIN (
            SELECT coalesce(u.origin_id, t.origin_id) AS id, string_agg(DISTINCT p.purchase_order_id::text, ' ') AS orders,
                   format('owed %s, promised %s, out %s, %s', coalesce(sum(p.amount_fen) FILTER (WHERE p.account = 'receivable'), 0),
                          coalesce(sum(p.amount_fen) FILTER (WHERE p.account = 'refunds'), 0),
                          coalesce(sum(p.amount_fen) FILTER (WHERE p.account IN ('bank', 'online')), 0),
                          string_agg(DISTINCT t.kind, ' ' ORDER BY t.kind)) AS facts,
                   bool_or(t.kind = 'refund_paid') AS was_paid, bool_or(t.kind = 'refund_reinstated') AS stood,
                   count(DISTINCT t.id) FILTER (WHERE t.kind = 'refund_failed') - count(DISTINCT t.id) FILTER (WHERE t.kind = 'refund_reinstated') AS failures,
                   string_agg(DISTINCT CASE WHEN p.account IN ('bank', 'online') THEN p.account END, ' ') AS till,
                   max(abs(p.amount_fen)) AS most, min(abs(p.amount_fen)) AS least, count(DISTINCT p.party_id) AS parties
            FROM money_transaction t JOIN money_posting p ON p.transaction_id = t.id
            LEFT JOIN money_transaction u ON t.kind = 'refund_reinstated' AND u.id = t.origin_id
            WHERE t.kind IN ('refund', 'refund_paid', 'refund_failed', 'refund_reinstated') GROUP BY 1) f ON f.id = r.id
        LEFT JOIN LATERAL (SELECT format('owed %s, promised %s, out %s, %s', CASE WHEN r.status <> 'failed' THEN r.amount_fen ELSE 0 END,
                     CASE WHEN r.status IN ('approved', 'sent') THEN -r.amount_fen ELSE 0 END,
                     CASE WHEN r.status = 'paid' THEN -r.amount_fen ELSE 0 END,
                     CASE WHEN f.stood AND r.status IN ('paid', 'failed') THEN 'refund refund_failed refund_paid refund_reinstated'
                          WHEN r.status = 'failed' AND f.was_paid THEN 'refund refund_failed refund_paid' WHEN r.status = 'failed'
                          THEN 'refund refund_failed' WHEN r.status = 'paid' THEN 'refund refund_paid' ELSE 'refund' END) AS facts
              WHERE r.status IN ('approved', 'sent', 'paid', 'failed')) w ON true
        WHERE w.facts IS DISTINCT FROM f.facts OR f.failures <> CASE r.status WHEN 'failed' THEN 1 ELSE 0 END
           OR f.id IS NOT NULL AND (f.orders, f.most, f.least) IS DISTINCT FROM (r.purchase_order_id::text, r.amount_fen, r.amount_fen)
           OR f.till <> CASE r.method WHEN 'online' THEN 'online' ELSE 'bank' END
        """,
    ),
    sql(
        "receivables",
        "订单应收余额 = 应付金额 − 已付",
        "What is owed for an order = what was accepted of it, as the documents say, less what was paid",
        f"""
        SELECT 'purchase_order ' || id AS subject, w.fen::text AS expected, coalesce(l.fen, 0)::text AS found
        FROM (SELECT po.id, coalesce(c.fen, 0) - coalesce(p.fen, 0) + coalesce(r.fen, 0) + coalesce(m.fen, 0) + coalesce(x.fen, 0) AS fen
              FROM purchase_order po
              LEFT JOIN (SELECT purchase_order_id AS id, sum(fen) AS fen FROM ({_OF_PARTS}) o GROUP BY 1) c ON c.id = po.id
              LEFT JOIN (SELECT purchase_order_id AS id, sum(amount_fen) AS fen FROM payment WHERE undone_at IS NULL GROUP BY 1) p ON p.id = po.id
              LEFT JOIN (SELECT purchase_order_id AS id, sum(amount_fen) AS fen FROM refund WHERE status IN ('approved', 'sent', 'paid')
                         GROUP BY 1) r ON r.id = po.id
              LEFT JOIN (SELECT id, sum(fen) AS fen FROM (SELECT from_order_id AS id, amount_fen AS fen FROM credit_move
                         UNION ALL SELECT to_order_id, -amount_fen FROM credit_move) m GROUP BY 1) m ON m.id = po.id
              LEFT JOIN (SELECT p.purchase_order_id AS id, sum(p.amount_fen) AS fen FROM money_posting p JOIN money_transaction t
                           ON t.id = p.transaction_id WHERE p.account = 'receivable' AND t.kind IN ('chargeback', 'chargeback_closed', 'chargeback_reinstated')
                         GROUP BY 1) x ON x.id = po.id) w
        FULL JOIN (SELECT purchase_order_id AS id, sum(amount_fen) AS fen FROM money_posting WHERE account = 'receivable' GROUP BY 1) l USING (id)
        WHERE coalesce(l.fen, 0) IS DISTINCT FROM w.fen
        """,  # noqa: S608
    ),
    sql(
        "costs",
        "已完成订单的应付金额 = 账上应收发生额",
        "What an order that is done costs = what the ledger charged for it",
        f"""
        SELECT 'purchase_order ' || o.id AS subject, o.fen::text AS expected, coalesce(l.fen, 0)::text AS found
        FROM (SELECT po.id, {PAYABLE_OF_ORDER.format(order="po.id")} AS fen FROM purchase_order po
              WHERE NOT EXISTS (SELECT FROM supplier_order WHERE purchase_order_id = po.id AND status NOT IN ('accepted', 'rejected', 'cancelled'))) o
        LEFT JOIN (SELECT p.purchase_order_id AS id, sum(p.amount_fen) AS fen FROM money_posting p JOIN money_transaction t
                     ON t.id = p.transaction_id WHERE p.account = 'receivable' AND t.kind NOT IN ({CASH_KINDS}) GROUP BY 1) l USING (id)
        WHERE o.fen <> coalesce(l.fen, 0)
        """,  # noqa: S608
    ),
    sql(
        "debtors",
        "订单的应收、应付记在其采购单位和供应商名下",
        "Orders are owed by whom they belong to, and due to who delivered",
        """
        SELECT format('%s of order %s', p.account, p.purchase_order_id) AS subject, 'nothing for another' AS expected,
               format('%s fen, party %s', sum(p.amount_fen), p.party_id) AS found
        FROM money_posting p LEFT JOIN purchase_order po ON po.id = p.purchase_order_id
        WHERE p.account = 'receivable' AND p.party_id IS DISTINCT FROM po.buyer_id
        GROUP BY p.account, p.purchase_order_id, p.party_id HAVING sum(p.amount_fen) <> 0
        UNION ALL
        SELECT format('payable of part %s', p.supplier_order_id), 'supplier ' || so.supplier_id, format('%s fen, party %s', sum(p.amount_fen), p.party_id)
        FROM money_posting p JOIN supplier_order so ON so.id = p.supplier_order_id
        WHERE p.account = 'payable' AND (p.party_id, p.purchase_order_id) IS DISTINCT FROM (so.supplier_id, so.purchase_order_id)
        GROUP BY p.supplier_order_id, so.supplier_id, p.party_id
        """,
    ),
    sql(
        "payables",
        "供应商应付余额 = 销售 + 运费 − 减免 − 已结算",
        "What is due for a part = sales and freight, less allowances and what was settled",
        f"""
        SELECT 'supplier_order ' || id AS subject, (coalesce(o.fen, 0) - coalesce(l.settled, 0))::text AS expected, (-coalesce(l.fen, 0))::text AS found
        FROM ({_OF_PARTS}) o
        FULL JOIN (SELECT p.supplier_order_id AS id, sum(p.amount_fen) AS fen,
                          sum(p.amount_fen) FILTER (WHERE t.kind NOT IN ('sale', 'freight', 'allowance')) AS settled
                   FROM money_posting p JOIN money_transaction t ON t.id = p.transaction_id WHERE p.account = 'payable' GROUP BY 1) l USING (id)
        WHERE coalesce(o.fen, 0) - coalesce(l.settled, 0) IS DISTINCT FROM -coalesce(l.fen, 0)
        """,  # noqa: S608
    ),
    sql(
        "moved_orders",
        "变更预算单位的凭证只在同一订单的应收之间结转",
        "Orders that moved to another buyer carried over what was owed for them, and nothing else",
        """
        SELECT 'money_transaction ' || t.id AS subject, 'within receivable of order ' || t.origin_id AS expected,
               string_agg(format('%s %s fen, order %s', p.account, p.amount_fen, p.purchase_order_id), '; ' ORDER BY p.id) AS found
        FROM money_transaction t JOIN money_posting p ON p.transaction_id = t.id WHERE t.kind = 'reassignment' GROUP BY t.id, t.origin_id
        HAVING bool_or((p.account, p.purchase_order_id) IS DISTINCT FROM ('receivable', t.origin_id)) OR sum(p.amount_fen) <> 0
        """,
    ),
    sql(
        "refunds_on_their_way",
        "待退款余额 = 已批准未完成的退款",
        "What is promised back = refunds that have not come to their end",
        """
        SELECT format('order %s, party %s', order_id, party_id) AS subject, coalesce(r.fen, 0)::text AS expected, (-coalesce(p.fen, 0))::text AS found
        FROM (SELECT purchase_order_id AS order_id, buyer_id AS party_id, sum(amount_fen) AS fen FROM refund WHERE status IN ('approved', 'sent')
              GROUP BY 1, 2) r
        FULL JOIN (SELECT purchase_order_id AS order_id, party_id, sum(amount_fen) AS fen FROM money_posting WHERE account = 'refunds'
                   GROUP BY 1, 2 HAVING sum(amount_fen) <> 0) p USING (order_id, party_id)
        WHERE coalesce(r.fen, 0) <> -coalesce(p.fen, 0)
        """,
    ),
    sql(
        "announced",
        "待核对汇款余额 = 未撤销且未核对的付款",
        "Announced transfers = payments that the bank has not shown yet",
        """
        SELECT format('order %s, party %s', order_id, party_id) AS subject, coalesce(w.fen, 0)::text AS expected, coalesce(p.fen, 0)::text AS found
        FROM (SELECT p.purchase_order_id AS order_id, p.party_id, sum(p.amount_fen) AS fen,
                     sum(p.amount_fen) FILTER (WHERE t.kind NOT IN ('payment', 'payment_undone')) AS shown
              FROM money_posting p JOIN money_transaction t ON t.id = p.transaction_id WHERE p.account = 'announced' GROUP BY 1, 2) p
        FULL JOIN (SELECT y.purchase_order_id AS order_id, p.party_id, sum(y.amount_fen) AS fen
                   FROM payment y JOIN money_transaction t ON t.kind = 'payment' AND t.origin_id = y.id
                   JOIN money_posting p ON p.transaction_id = t.id AND p.account = 'announced'
                   WHERE y.source = 'announced' AND y.undone_at IS NULL GROUP BY 1, 2) w USING (order_id, party_id)
        WHERE coalesce(w.fen, 0) + coalesce(p.shown, 0) <> coalesce(p.fen, 0) OR p.fen < 0
        """,
    ),
]
