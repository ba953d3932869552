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
]
