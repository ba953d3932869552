"""Budgets, and the requests that wait for approval."""

from orders.budgets.actions import STANDS
from orders.reconcile.checks.check import sql

BUDGETED = [
    sql(
        "budgets",
        "预算占用和已使用 = 各订单、申请之和",
        "Budgets = what orders and requests draw on them",
        """
        SELECT 'budget ' || b.id AS subject, format('reserved %s, consumed %s', coalesce(d.reserved, 0), coalesce(d.consumed, 0)) AS expected,
               format('reserved %s, consumed %s', b.reserved_fen, b.consumed_fen) AS found
        FROM budget b
        LEFT JOIN (SELECT budget_id AS id, sum(reserved_fen) AS reserved, sum(consumed_fen) AS consumed FROM budget_draw GROUP BY 1) d USING (id)
        WHERE (b.reserved_fen, b.consumed_fen) IS DISTINCT FROM (coalesce(d.reserved, 0), coalesce(d.consumed, 0))
        """,
    ),
    sql(
        "budget_draws",
        "订单占用的预算与订单一致",
        "What an order draws = what it costs by now",
        f"""
        SELECT 'purchase_order ' || d.holder_id AS subject, format('reserved %s, consumed %s', s.reserved, s.consumed) AS expected,
               format('reserved %s, consumed %s', d.reserved_fen, d.consumed_fen) AS found
        FROM budget_draw d CROSS JOIN LATERAL ({STANDS.format(order="d.holder_id")}) s
        WHERE d.holder_kind = 'purchase_order' AND (d.reserved_fen, d.consumed_fen) IS DISTINCT FROM (s.reserved, s.consumed)
        """,  # noqa: S608
    ),
    sql(
        "requests",
        "采购申请合计 = 各行之和，占用的预算与状态一致",
        "Requests = their lines, and hold their budget while they may become orders",
        """
        SELECT 'purchase_request ' || r.id AS subject, format('%s fen, %s lines, holds %s', l.fen, l.lines, h.fen) AS expected,
               format('%s fen, %s lines, holds %s', r.total_fen, r.line_count, coalesce(d.reserved_fen, h.fen)) AS found
        FROM purchase_request r
        LEFT JOIN (SELECT purchase_request_id AS id, sum(amount_fen) AS fen, count(*) AS lines FROM purchase_request_line GROUP BY 1) l USING (id)
        LEFT JOIN budget_draw d ON d.holder_kind = 'purchase_request' AND d.holder_id = r.id
        CROSS JOIN LATERAL (SELECT CASE WHEN r.status IN ('waiting', 'approved') THEN l.fen ELSE 0 END AS fen) h
        WHERE (r.total_fen, r.line_count) IS DISTINCT FROM (l.fen, l.lines) OR d.reserved_fen <> h.fen
        """,
    ),
    sql(
        "budget_places",
        "订单、申请占用的是本单位或上级单位、同一资金来源的预算",
        "Orders and requests draw on a budget of their fund, of their unit or of one above it",
        """
        SELECT d.holder_kind || ' ' || d.holder_id AS subject, format('%s, unit %s', h.fund_source, h.buyer_id) AS expected,
               format('%s, unit %s', b.fund_source, b.organisation_id) AS found
        FROM budget_draw d JOIN budget b ON b.id = d.budget_id JOIN organisation o ON o.id = b.organisation_id
        LEFT JOIN LATERAL (
            SELECT fund_source, buyer_id FROM purchase_order WHERE d.holder_kind = 'purchase_order' AND id = d.holder_id
            UNION ALL
            SELECT fund_source, buyer_id FROM purchase_request WHERE d.holder_kind = 'purchase_request' AND id = d.holder_id
        ) h ON true
        LEFT JOIN organisation buyer ON buyer.id = h.buyer_id
        WHERE b.fund_source IS DISTINCT FROM h.fund_source OR starts_with(buyer.path, o.path) IS NOT TRUE
        """,
    ),
    sql(
        "approvals",
        "申请按环节审批完毕，且无人审批本人的申请",
        "Requests went through every step, and none was decided on by who made it",
        """
        SELECT 'purchase_request ' || r.id AS subject, 'every step approved, by others' AS expected,
               format('%s of %s approved, %s by who asked', s.approved, s.steps, s.own) AS found
        FROM purchase_request r JOIN (
            SELECT r.id, count(s.id) AS steps, count(*) FILTER (WHERE s.status = 'approved') AS approved,
                   count(*) FILTER (WHERE r.requested_by IN (s.decided_by, s.decided_for)) AS own
            FROM purchase_request r LEFT JOIN purchase_request_step s ON s.purchase_request_id = r.id AND s.round = r.round GROUP BY r.id
        ) s USING (id)
        WHERE s.own > 0 OR r.status IN ('approved', 'ordered') AND s.approved < s.steps
        """,
    ),
]
