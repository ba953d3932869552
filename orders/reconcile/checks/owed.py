"""What is due of orders, and how much buyers owe."""

from orders.money.queries import NOT_ARRIVED, PAID
from orders.reconcile.checks.check import sql
from orders.terms.queries import COST_OF_ORDER, OUTSTANDING

OWED = [
    sql(
        "dues",
        "订单各期应付款之和 = 订单应付金额，已付、已到账部分 = 已付款、已到账款",
        "What is due of an order = what it costs by now; what is paid of it, and has arrived = what was paid, and has arrived",
        f"""
        SELECT 'purchase_order ' || po.id AS subject, format('due %s, paid %s, arrived %s', w.fen, w.paid, w.arrived) AS expected,
               format('due %s, paid %s, arrived %s', coalesce(d.fen, 0), coalesce(d.paid, 0), coalesce(d.arrived, 0)) AS found
        FROM purchase_order po LEFT JOIN payment_plan p ON p.purchase_order_id = po.id
        CROSS JOIN LATERAL (
            SELECT {COST_OF_ORDER.format(order="po.id")} AS fen,
                   {PAID.format(order="po.id")} AS paid, {NOT_ARRIVED.format(order="po.id")} AS not_arrived
        ) c
        CROSS JOIN LATERAL (
            SELECT greatest(c.fen, 0) AS fen, greatest(least(c.fen, c.paid), 0) AS paid, greatest(least(c.fen, c.paid - c.not_arrived), 0) AS arrived
        ) w
        LEFT JOIN LATERAL (
            SELECT sum(amount_fen)::bigint AS fen, sum(paid_fen)::bigint AS paid, sum(arrived_fen)::bigint AS arrived FROM payment_due WHERE purchase_order_id = po.id
        ) d ON true
        WHERE p.purchase_order_id IS NULL OR p.counted_at IS NOT NULL
          AND (coalesce(d.fen, 0), coalesce(d.paid, 0), coalesce(d.arrived, 0)) IS DISTINCT FROM (w.fen, w.paid, w.arrived)
        """,  # noqa: S608
    ),
    sql(
        "credit_limits",
        "赊销占用 = 各订单占用之和",
        "Credit that is used = what orders draw of it",
        """
        SELECT 'credit_limit ' || l.id AS subject, coalesce(d.fen, 0)::text AS expected, (l.used_fen + l.over_fen)::text AS found
        FROM credit_limit l LEFT JOIN (SELECT credit_limit_id AS id, sum(amount_fen) AS fen FROM credit_draw GROUP BY 1) d USING (id)
        WHERE l.used_fen + l.over_fen IS DISTINCT FROM coalesce(d.fen, 0)
        """,
    ),
    sql(
        "credit_draws",
        "订单占用的赊销额度 = 未到账金额；先款后货的订单不占用",
        "What an order draws of its buyer's credit = what of it has not arrived; nothing where it is paid ahead",
        f"""
        SELECT 'purchase_order ' || po.id AS subject, o.fen::text AS expected, coalesce(d.amount_fen, 0)::text AS found
        FROM purchase_order po JOIN payment_plan p ON p.purchase_order_id = po.id
        LEFT JOIN credit_limit l ON l.organisation_id = po.buyer_id
        LEFT JOIN credit_draw d ON d.purchase_order_id = po.id
        CROSS JOIN LATERAL (
            SELECT CASE WHEN l.id IS NULL OR p.kind = 'prepayment' THEN 0 ELSE greatest({OUTSTANDING.format(order="po.id")}, 0) END AS fen
        ) o
        WHERE coalesce(d.amount_fen, 0) <> o.fen OR d.credit_limit_id <> l.id
        """,  # noqa: S608
    ),
]
