"""Claims of sales made elsewhere, and what is held."""

from orders.external_sales.actions.judging import STAYS
from orders.ledger.booking import CHAIN
from orders.reconcile.checks.check import sql

CLAIMED = [
    sql(
        "sales_of_claims",
        "已通过的卖方申报明细与销售分录一一对应；其余申报无有效分录",
        "Accepted lines of sellers' claims and standing sale entries, one to one; no entry of any other claim stands",
        f"""
        {CHAIN.format(of="origin_kind = 'external_line'")}, standing AS (
            SELECT chain.line_id, e.product_id, sum(e.amount_fen + coalesce(r.fen, 0))::bigint AS fen, sum(e.grams + coalesce(r.grams, 0))::bigint AS grams,
                   sum(e.quantity + coalesce(r.quantity, 0)) AS quantity
            FROM chain JOIN sale_entry e ON e.id = chain.id
            LEFT JOIN LATERAL (SELECT sum(amount_fen) AS fen, sum(grams) AS grams, sum(quantity) AS quantity FROM sale_entry
                               WHERE reverses_id = e.id) r ON true
            GROUP BY 1, 2
        )
        SELECT 'external_sale_line ' || coalesce(l.id, s.line_id) AS subject, l.facts::text AS expected, s.facts::text AS found
        FROM (SELECT l.id, jsonb_build_object('fen', l.amount_fen, 'grams', l.grams, 'quantity', l.quantity, 'product', l.product_id) AS facts
              FROM external_sale_line l JOIN external_sale x ON x.id = l.sale_id WHERE x.side = 'seller' AND x.status = 'accepted') l
        FULL JOIN (SELECT line_id, jsonb_build_object('fen', fen, 'grams', grams, 'quantity', quantity, 'product', product_id) AS facts
                   FROM standing WHERE fen <> 0 OR grams <> 0 OR quantity <> 0) s ON s.line_id = l.id
        WHERE l.facts IS DISTINCT FROM s.facts
        """,  # noqa: S608
    ),
    sql(
        "held_claims",
        "挂起的申报均有待处理的疑点，有待处理疑点的申报均已挂起（已通过、仅与他人未审申报相冲突的除外）",
        "A claim is held exactly while something speaks against it, other than what others claim unreviewed against what was accepted",
        f"""
        SELECT 'external_sale ' || coalesce(x.id, h.subject_id) AS subject, CASE WHEN h.subject_id IS NULL THEN 'an open doubt' ELSE 'held' END AS expected,
               x.status AS found
        FROM (SELECT id, status FROM external_sale WHERE status = 'held') x
        FULL JOIN (SELECT DISTINCT h.subject_id FROM counting_hold h LEFT JOIN external_sale x ON x.id = h.subject_id
                   WHERE h.status = 'open' AND h.subject_kind = 'external_sale' AND NOT coalesce({STAYS}, false)) h ON h.subject_id = x.id
        WHERE x.id IS NULL OR h.subject_id IS NULL
        """,  # noqa: S608
    ),
    sql(
        "subjects_of_doubts",
        "待处理疑点的对象存在",
        "What open doubts are about is there",
        """
        SELECT 'counting_hold ' || h.id AS subject, h.subject_kind || ' ' || h.subject_id AS expected, NULL AS found
        FROM counting_hold h
        WHERE h.status = 'open' AND NOT EXISTS (
            SELECT FROM external_sale WHERE h.subject_kind = 'external_sale' AND id = h.subject_id
            UNION ALL SELECT FROM sales_batch WHERE h.subject_kind = 'sales_batch' AND id = h.subject_id
            UNION ALL SELECT FROM sales_batch_line WHERE h.subject_kind = 'sales_batch_line' AND id = h.subject_id
            UNION ALL SELECT FROM purchase_order WHERE h.subject_kind = 'purchase_order' AND id = h.subject_id)
        """,
    ),
    sql(
        "documents_of_claims",
        "有效申报的每份有号单据均已登记使用，其余申报不占用单据",
        "Claims that stand use each of their numbered documents, and no others do",
        """
        SELECT 'external_sale ' || coalesce(d.sale_id, u.subject_id) AS subject, d.documents::text AS expected, u.documents::text AS found
        FROM (SELECT d.sale_id, count(DISTINCT d.kind) AS documents FROM external_sale_document d JOIN external_sale x ON x.id = d.sale_id
              WHERE d.kind IN ('invoice', 'bank_receipt', 'waybill') AND x.status IN ('submitted', 'held', 'accepted') GROUP BY 1) d
        FULL JOIN (SELECT subject_id, count(DISTINCT kind) AS documents FROM document_use
                   WHERE subject_kind = 'external_sale' AND released_at IS NULL GROUP BY 1) u ON u.subject_id = d.sale_id
        WHERE d.documents IS DISTINCT FROM u.documents
        """,
    ),
]
