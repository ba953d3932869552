"""Online payments, against what was booked and against the provider's own statement."""

from orders.reconcile.checks.check import against_ledger, sql

ONLINE = [
    sql(
        "online_payments",
        "成功的在线支付各入账一次",
        "Every online payment that succeeded is booked once, as it came",
        """
        SELECT 'online_payment ' || coalesce(o.id::text, 'of payment ' || p.id) AS subject,
               format('%s fen, order %s, %s', o.received_fen, o.purchase_order_id, o.method) AS expected,
               format('%s fen, order %s, %s', p.amount_fen, p.purchase_order_id, p.method) AS found
        FROM (SELECT * FROM online_payment WHERE status = 'succeeded') o FULL JOIN (SELECT * FROM payment WHERE source = 'online') p
             ON p.id = o.payment_id
        WHERE (o.received_fen, o.purchase_order_id, o.method, o.intent_id) IS DISTINCT FROM
              (p.amount_fen, p.purchase_order_id, p.method, p.bank_reference)
        """,
    ),
    sql(
        "online_fees",
        "支付手续费 = 服务商账单",
        "Payment fees = what the provider's statement shows",
        """
        SELECT 'provider_entry ' || coalesce(e.id, f.id) AS subject, coalesce(e.fen, 0)::text AS expected, coalesce(f.fen, 0)::text AS found
        FROM (SELECT id, fee_fen - CASE WHEN type IN ('stripe_fee', 'stripe_fx_fee', 'network_cost') THEN amount_fen ELSE 0 END AS fen
              FROM provider_entry) e
        FULL JOIN (SELECT t.origin_id AS id, sum(p.amount_fen) AS fen FROM money_transaction t JOIN money_posting p ON p.transaction_id = t.id
                   WHERE t.kind = 'fee' AND p.account = 'fees' GROUP BY 1) f USING (id)
        WHERE coalesce(e.fen, 0) <> coalesce(f.fen, 0)
        """,
    ),
    sql(
        "online_statement",
        "在线付款、退款、转账、拒付 = 服务商账单",
        "Online payments, refunds, transfers and charge disputes = the provider's statement",
        # lines may come late: what is younger than a day of the statement is not yet compared
        """
        SELECT what.subject, what.fen::text AS expected, coalesce(e.fen, 0)::text AS found
        FROM (SELECT 'online_payment ' || id AS subject, charge_id AS source, received_fen AS fen, ended_at AS since
              FROM online_payment WHERE status = 'succeeded'
              UNION ALL
              SELECT 'refund ' || id, reference, CASE status WHEN 'paid' THEN -amount_fen ELSE 0 END, ended_at
              FROM refund WHERE method = 'online' AND status IN ('paid', 'failed') AND reference IS NOT NULL
              UNION ALL
              -- what comes back of it has a line of its own, with another source
              SELECT 'online_transfer ' || id, transfer_id, -amount_fen, ended_at FROM online_transfer
              WHERE status IN ('paid', 'reversed') AND transfer_id IS NOT NULL
              UNION ALL
              SELECT 'charge_dispute ' || id, dispute_id, CASE status WHEN 'open' THEN -amount_fen WHEN 'lost' THEN -amount_fen ELSE 0 END,
                     coalesce(ended_at, opened_at)
              FROM charge_dispute) what
        LEFT JOIN (SELECT source_id AS source, sum(amount_fen) AS fen FROM provider_entry GROUP BY 1) e USING (source)
        WHERE what.fen <> coalesce(e.fen, 0) AND what.since < (SELECT max(created_at) - interval '1 day' FROM provider_entry)
        """,
    ),
    sql(
        "online_lines_taken_over",
        "服务商账单逐行入账",
        "Every line of the provider's statement is taken over",
        """
        SELECT 'provider_entry ' || id AS subject, 'taken over' AS expected, format('%s of %s, %s fen', type, source_id, net_fen) AS found
        FROM provider_entry WHERE failed
        """,
    ),
    sql(
        "online_lines",
        "服务商账单各行：净额 = 金额 − 手续费，账单独有的款项各入账一次",
        "Lines of the provider's statement: net = amount less fee, and what they alone tell is booked once",
        """
        SELECT 'provider_entry ' || e.id AS subject, (e.amount_fen - e.fee_fen)::text AS expected, e.net_fen::text AS found
        FROM provider_entry e WHERE e.net_fen <> e.amount_fen - e.fee_fen
        UNION ALL
        SELECT 'provider_entry ' || coalesce(e.id, b.id), coalesce(e.fen, 0)::text, coalesce(b.fen, 0)::text
        FROM (SELECT id, amount_fen AS fen FROM provider_entry WHERE unexplained OR type IN ('payout', 'payout_cancel', 'payout_failure')) e
        FULL JOIN (SELECT t.origin_id AS id, sum(p.amount_fen) AS fen FROM money_transaction t JOIN money_posting p ON p.transaction_id = t.id
                   WHERE t.kind IN ('online_found', 'online_payout') AND p.account = 'online' GROUP BY 1) b USING (id)
        WHERE coalesce(e.fen, 0) <> coalesce(b.fen, 0)
        """,
    ),
    sql(
        "online_transfers",
        "线上划转 = 付款",
        "Transfers by the provider = the payouts that they carry out",
        """
        SELECT 'online_transfer ' || o.id AS subject, format('%s fen, supplier %s, %s fen back', p.amount_fen, p.supplier_id, p.back) AS expected,
               format('%s fen, supplier %s, %s fen back', o.amount_fen, o.supplier_id, o.reversed_fen) AS found
        FROM online_transfer o
        CROSS JOIN LATERAL (
            SELECT amount_fen, supplier_id, CASE o.status WHEN 'reversed' THEN amount_fen WHEN 'paid' THEN returned_fen ELSE 0 END AS back
            FROM payout WHERE id = o.payout_id) p
        WHERE (p.amount_fen, p.supplier_id, p.back) IS DISTINCT FROM (o.amount_fen, o.supplier_id, o.reversed_fen)
          AND NOT EXISTS (SELECT FROM money_transaction t WHERE t.kind = 'online_transfer' AND t.origin_id = o.id)
        """,
    ),
    sql(
        "charge_disputes",
        "拒付争议及其结果 = 凭证",
        "What payers' banks took back, and what became of it = its postings",
        against_ledger(
            """
            SELECT side.kind, d.id, side.account, side.fen, o.purchase_order_id, CAST(NULL AS bigint), CAST(NULL AS bigint)
            FROM charge_dispute d JOIN online_payment o ON o.id = d.online_payment_id CROSS JOIN LATERAL (VALUES
                 ('chargeback', 'chargebacks', d.amount_fen), ('chargeback', 'online', -d.amount_fen),
                 ('chargeback_closed', CASE WHEN d.lost_at IS NULL THEN 'online' ELSE 'receivable' END,
                  CASE WHEN d.status IN ('won', 'lost') THEN d.amount_fen ELSE 0 END),
                 ('chargeback_closed', 'chargebacks', CASE WHEN d.status IN ('won', 'lost') THEN -d.amount_fen ELSE 0 END),
                 ('chargeback_reinstated', 'online', CASE WHEN d.status = 'won' AND d.lost_at IS NOT NULL THEN d.amount_fen ELSE 0 END),
                 ('chargeback_reinstated', 'receivable', CASE WHEN d.status = 'won' AND d.lost_at IS NOT NULL THEN -d.amount_fen ELSE 0 END))
                 AS side (kind, account, fen)
            WHERE d.status IN ('open', 'won', 'lost')
            """,
            "chargeback",
            "chargeback_closed",
            "chargeback_reinstated",
        ),
    ),
    sql(
        "online_dead_calls",
        "发往服务商的请求无遗留",
        "No call to the provider is left for a person to look at",
        """
        SELECT 'provider_call ' || id AS subject, 'done' AS expected, format('%s, %s tries: %s', status, tries, last_error) AS found
        FROM provider_call WHERE status = 'parked'
        """,
    ),
]
