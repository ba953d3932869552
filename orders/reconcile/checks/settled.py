"""What must agree between settlements, payouts and the money ledger."""

from orders.reconcile.checks.check import against_ledger, sql

SETTLED = [
    sql(
        "settlement_lines",
        "结算行 = 应付分录",
        "Lines of settlements = what was owed",
        """
        SELECT 'settlement_line ' || l.posting_id AS subject, format('%s fen, supplier %s, part %s', -p.amount_fen, p.party_id, p.supplier_order_id) AS expected,
               format('%s fen, supplier %s, part %s', l.amount_fen, s.supplier_id, l.supplier_order_id) AS found
        FROM settlement_line l JOIN settlement s ON s.id = l.settlement_id JOIN money_posting p ON p.id = l.posting_id
        WHERE p.account <> 'payable' OR (-p.amount_fen, p.party_id, p.supplier_order_id) IS DISTINCT FROM (l.amount_fen, s.supplier_id, l.supplier_order_id)
        """,
    ),
    sql(
        "settlement_sums",
        "结算单 = 各行之和",
        "Settlements = their lines",
        """
        SELECT 'settlement ' || s.id AS subject, w.facts AS expected, f.facts AS found
        FROM settlement s
        LEFT JOIN (SELECT settlement_id AS id, format('%s lines, sales %s, returns %s, freight %s, other %s, commission %s, net %s', count(*),
                          coalesce(sum(l.amount_fen) FILTER (WHERE t.kind = 'sale' AND l.amount_fen > 0), 0),
                          coalesce(sum(l.amount_fen) FILTER (WHERE t.kind = 'sale' AND l.amount_fen < 0), 0),
                          coalesce(sum(l.amount_fen) FILTER (WHERE t.kind = 'freight'), 0),
                          coalesce(sum(l.amount_fen) FILTER (WHERE t.kind NOT IN ('sale', 'freight')), 0),
                          sum(l.commission_fen), sum(l.amount_fen - l.commission_fen)) AS facts
                   FROM settlement_line l JOIN money_posting p ON p.id = l.posting_id JOIN money_transaction t ON t.id = p.transaction_id
                   GROUP BY 1) w USING (id)
        CROSS JOIN LATERAL (SELECT format('%s lines, sales %s, returns %s, freight %s, other %s, commission %s, net %s', s.line_count, s.sales_fen,
                                   s.returns_fen, s.freight_fen, s.other_fen, s.commission_fen, s.net_fen) AS facts) f
        WHERE w.facts IS DISTINCT FROM f.facts
        """,
    ),
    sql(
        "settlements_held",
        "结算单待结金额 = 各行之和 = 应付分录",
        "What settlements leave for later = its lines = what is owed",
        """
        SELECT 'settlement ' || s.id AS subject, coalesce(h.fen, 0)::text AS expected, s.held_fen::text AS found
        FROM settlement s LEFT JOIN (SELECT settlement_id AS id, sum(amount_fen) AS fen FROM settlement_held GROUP BY 1) h USING (id)
        WHERE s.held_fen <> coalesce(h.fen, 0)
        UNION ALL
        SELECT format('posting %s of settlement %s', h.posting_id, h.settlement_id), (-p.amount_fen)::text, h.amount_fen::text
        FROM settlement_held h JOIN money_posting p ON p.id = h.posting_id
        WHERE (p.account, -p.amount_fen, p.supplier_order_id) IS DISTINCT FROM ('payable', h.amount_fen, h.supplier_order_id)
        """,
    ),
    sql(
        "commission_of_parts",
        "佣金 = 按订单分部累计额计算",
        "Commission = that of the whole of each part of an order",
        """
        SELECT format('supplier_order %s, rule %s', l.supplier_order_id, l.rule_id) AS subject, w.fen::text AS expected, sum(l.commission_fen)::text AS found
        FROM settlement_line l LEFT JOIN commission_rule r ON r.id = l.rule_id
        CROSS JOIN LATERAL (SELECT CASE r.kind WHEN 'rate' THEN round(sum(x.amount_fen) * r.rate_bp / 10000)
                                   WHEN 'fixed' THEN least(r.fixed_fen, greatest(sum(x.amount_fen), 0)) ELSE 0 END AS fen
                            FROM settlement_line x WHERE x.supplier_order_id = l.supplier_order_id AND x.rule_id IS NOT DISTINCT FROM l.rule_id) w
        GROUP BY l.supplier_order_id, l.rule_id, w.fen HAVING sum(l.commission_fen) <> w.fen
        """,
    ),
    sql(
        "settlements_booked",
        "结算单 = 账簿分录",
        "Settlements = what the money ledger says",
        """
        SELECT 'settlement ' || s.id AS subject, format('parts %s, commission %s, net %s', s.net_fen + s.commission_fen, s.commission_fen, s.net_fen) AS expected,
               format('parts %s, commission %s, net %s', coalesce(b.parts, 0), coalesce(b.commission, 0), coalesce(b.net, 0)) AS found
        FROM settlement s
        LEFT JOIN (SELECT t.origin_id AS id, sum(p.amount_fen) FILTER (WHERE p.account = 'payable') AS parts,
                          -sum(p.amount_fen) FILTER (WHERE p.account = 'commission') AS commission,
                          -sum(p.amount_fen) FILTER (WHERE p.account = 'settled') AS net
                   FROM money_transaction t JOIN money_posting p ON p.transaction_id = t.id WHERE t.kind = 'settlement' GROUP BY 1) b USING (id)
        WHERE (s.net_fen + s.commission_fen, s.commission_fen, s.net_fen)
              IS DISTINCT FROM (coalesce(b.parts, 0), coalesce(b.commission, 0), coalesce(b.net, 0))
        """,
    ),
    sql(
        "settlements_carried",
        "上期结转 = 上期净额为负部分",
        "Carried = what the settlement before left over",
        """
        SELECT 'settlement ' || id AS subject, least(carried_before + net_before, 0)::text AS expected, carried_fen::text AS found
        FROM (SELECT id, carried_fen, coalesce(lag(carried_fen) OVER of_supplier, 0) AS carried_before, coalesce(lag(net_fen) OVER of_supplier, 0) AS net_before
              FROM settlement WINDOW of_supplier AS (PARTITION BY supplier_id ORDER BY period_end)) s
        WHERE carried_fen <> least(carried_before + net_before, 0)
        """,
    ),
    sql(
        "losses_borne",
        "供应商承担及退还的拒付款 = 凭证，且不超过拒付金额",
        "What suppliers bear of lost payments, and get back = its postings; together at most what was lost",
        f"""
        {
            against_ledger(
                '''
                SELECT 'loss_borne', l.id, side.account, side.fen, so.purchase_order_id, so.id, so.supplier_id
                FROM loss_share l JOIN supplier_order so ON so.id = l.supplier_order_id
                CROSS JOIN LATERAL (VALUES ('payable', l.amount_fen), ('borne', -l.amount_fen)) AS side (account, fen)
                ''',
                "loss_borne",
                party="p.party_id",
            )
        }
        UNION ALL
        SELECT 'supplier_order ' || supplier_order_id, 'at least 0', sum(amount_fen)::text FROM loss_share GROUP BY supplier_order_id
        HAVING sum(amount_fen) < 0
        UNION ALL
        SELECT 'charge_dispute ' || d.id, 'at most ' || d.amount_fen, sum(l.amount_fen)::text
        FROM loss_share l JOIN charge_dispute d ON d.id = l.charge_dispute_id WHERE l.reason = 'lost' GROUP BY d.id HAVING sum(l.amount_fen) > d.amount_fen
        """,  # noqa: S608
    ),
    sql(
        "payouts",
        "付款 = 结算单应付",
        "Payouts = what settlements say is due",
        """
        -- what came back of one is owed again by another
        SELECT 'settlement ' || s.id AS subject, format('%s fen, supplier %s', s.due_fen, s.supplier_id) AS expected,
               format('%s fen, supplier %s', coalesce(p.fen, 0), p.supplier) AS found
        FROM settlement s
        LEFT JOIN (SELECT settlement_id AS id, sum(amount_fen - returned_fen) AS fen, string_agg(DISTINCT supplier_id::text, ' ') AS supplier
                   FROM payout GROUP BY 1) p USING (id)
        WHERE (s.due_fen, s.supplier_id::text) IS DISTINCT FROM (coalesce(p.fen, 0), coalesce(p.supplier, s.supplier_id::text))
        UNION ALL
        SELECT 'payout ' || p.id, p.returned_fen::text, coalesce(a.fen, 0)::text
        FROM payout p LEFT JOIN (SELECT again_for_id AS id, sum(amount_fen) AS fen FROM payout GROUP BY 1) a USING (id)
        WHERE p.returned_fen <> coalesce(a.fen, 0)
        """,
    ),
    sql(
        "payout_files",
        "付款文件合计 = 所列付款之和",
        "Files of payouts = the payouts on them",
        """
        SELECT 'payout_file ' || f.id AS subject, format('%s payouts, %s fen', coalesce(p.n, 0), coalesce(p.fen, 0)) AS expected,
               format('%s payouts, %s fen', f.payout_count, f.amount_fen) AS found
        FROM payout_file f
        LEFT JOIN (SELECT l.payout_file_id AS id, count(*) AS n, sum(p.amount_fen) AS fen FROM payout_file_line l
                   JOIN payout_attempt a ON a.id = l.attempt_id JOIN payout p ON p.id = a.payout_id GROUP BY 1) p USING (id)
        WHERE (f.payout_count, f.amount_fen) IS DISTINCT FROM (coalesce(p.n, 0), coalesce(p.fen, 0))
        """,
    ),
    sql(
        "advances_returned",
        "预付款退回 = 凭证",
        "What came back of advances = its postings, the last of which is what was said last",
        """
        SELECT 'advance ' || v.id AS subject, format('%s fen, at last %s', v.returned_fen, v.return_fen) AS expected,
               format('%s fen, at last %s', coalesce(b.fen, 0), b.latest) AS found
        FROM advance v LEFT JOIN (
            SELECT t.origin_id AS id, sum(p.amount_fen) AS fen, (array_agg(p.amount_fen ORDER BY t.id DESC))[1] AS latest
            FROM money_transaction t JOIN money_posting p ON p.transaction_id = t.id AND p.account = 'bank'
            WHERE t.kind = 'advance_returned' GROUP BY 1) b USING (id)
        WHERE v.returned_fen <> coalesce(b.fen, 0) OR (v.status <> 'returning' AND v.return_fen <> b.latest)
        """,
    ),
    sql(
        "suppliers_money",
        "供应商各科目余额 = 结算、付款、预付款单据",
        "Balances of suppliers = settlements, payouts and advances",
        """
        SELECT 'organisation ' || d.id AS subject, format('settled %s, on the way %s, ahead %s', d.settled, d.on_its_way, d.ahead) AS expected,
               format('settled %s, on the way %s, ahead %s', d.booked, d.booked_on_its_way, d.booked_ahead) AS found
        FROM (
            SELECT id, sum(settled) AS settled, sum(on_its_way) AS on_its_way, sum(ahead) AS ahead, sum(booked) AS booked,
                   sum(booked_on_its_way) AS booked_on_its_way, sum(booked_ahead) AS booked_ahead
            FROM (
                SELECT supplier_id AS id, net_fen - advance_used_fen AS settled, 0 AS on_its_way, -advance_used_fen AS ahead, 0 AS booked,
                       0 AS booked_on_its_way, 0 AS booked_ahead FROM settlement
                UNION ALL
                SELECT supplier_id, returned_fen - amount_fen, CASE status WHEN 'paid' THEN 0 ELSE amount_fen END, 0, 0, 0, 0 FROM payout
                WHERE status IN ('released', 'sent', 'paid')
                UNION ALL SELECT supplier_id, 0, 0, amount_fen - returned_fen, 0, 0, 0 FROM advance
                WHERE status IN ('paid', 'returning', 'returned')
                -- left once more, or came back after it had
                UNION ALL SELECT coalesce(p.supplier_id, v.supplier_id), 0, 0, CASE WHEN l.amount_fen < 0 THEN m.amount_fen ELSE -m.amount_fen END, 0, 0, 0
                FROM bank_write_off w LEFT JOIN payout p ON p.id = w.payout_id LEFT JOIN advance v ON v.id = w.advance_id
                JOIN bank_match m ON m.id = w.match_id AND m.undone_at IS NULL JOIN bank_line l ON l.id = w.line_id
                WHERE num_nonnulls(p.id, v.id) = 1
                -- found at the provider, and no payout here explains it
                UNION ALL SELECT o.supplier_id, 0, 0, o.amount_fen, 0, 0, 0 FROM online_transfer o
                JOIN money_transaction t ON t.kind = 'online_transfer' AND t.origin_id = o.id
                UNION ALL
                SELECT party_id, 0, 0, 0, CASE account WHEN 'settled' THEN -amount_fen ELSE 0 END,
                       CASE account WHEN 'payouts' THEN -amount_fen ELSE 0 END, CASE account WHEN 'advances' THEN amount_fen ELSE 0 END
                FROM money_posting WHERE account IN ('settled', 'payouts', 'advances')
            ) x GROUP BY id
        ) d WHERE (d.settled, d.on_its_way, d.ahead) IS DISTINCT FROM (d.booked, d.booked_on_its_way, d.booked_ahead)
        """,
    ),
]
