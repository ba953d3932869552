"""Which other sales a claim of a sale made elsewhere may be: all of those that nobody has found to be another one."""

from sqlmodel import Session

from orders.counting.rules import Reason
from shop.core import clock
from shop.programmes import queries as programmes

# Rests on one document with it. Of a buyer's claim and a seller's that is as it should be.
_SEEN = """
    SELECT u.subject_id AS id, o.subject_kind AS other_kind, o.subject_id AS other_id,
           jsonb_build_object('documents', jsonb_build_array(jsonb_build_object('kind', u.kind, 'number', u.number, 'amount_fen',
               greatest(u.amount_fen, o.amount_fen)))) AS evidence
    FROM document_use u JOIN document_use o ON o.kind = u.kind AND o.number = u.number AND o.released_at IS NULL
         AND (o.subject_kind, o.subject_id) <> (u.subject_kind, u.subject_id) AND coalesce(o.side = u.side, u.side = 'seller')
    WHERE u.subject_kind = 'external_sale' AND u.subject_id = ANY (CAST(:ids AS bigint[])) AND u.released_at IS NULL
      AND NOT EXISTS (SELECT FROM counting_hold h WHERE h.subject_kind = 'external_sale' AND h.subject_id = u.subject_id
                      AND h.other_kind = o.subject_kind AND h.other_id = o.subject_id AND h.reason_code = 'document_seen'
                      AND h.status = 'counted' AND h.decided_by IS NOT NULL)
"""
# Sold the same product for the same amount, within the programme's days. What is held against it already, for whatever reason, is none of them.
_SUSPECTED = """
    SELECT x.id, c.other_kind, c.other_id,
           jsonb_build_object('product_id', l.product_id, 'amount_fen', l.amount_fen, 'sold_on', x.sold_on, 'other_on', c.sold_on) AS evidence
    FROM external_sale x JOIN external_sale_line l ON l.sale_id = x.id
    CROSS JOIN LATERAL (
        SELECT 'external_sale' AS other_kind, y.id AS other_id, y.sold_on
        FROM external_sale_line m JOIN external_sale y ON y.id = m.sale_id
        WHERE m.product_id = l.product_id AND m.amount_fen = l.amount_fen AND y.id <> x.id AND y.side = x.side
          AND y.status IN ('submitted', 'held', 'accepted') AND y.sold_on BETWEEN x.sold_on - CAST(:days AS int) AND x.sold_on + CAST(:days AS int)
        UNION ALL
        SELECT 'sales_batch_line', m.id, m.sold_on FROM sales_batch_line m
        WHERE x.side = 'seller' AND m.product_id = l.product_id AND m.amount_fen = l.amount_fen AND m.refunds_line_id IS NULL
          AND m.status IN ('counted', 'held') AND m.sold_on BETWEEN x.sold_on - CAST(:days AS int) AND x.sold_on + CAST(:days AS int)
        UNION ALL
        SELECT 'purchase_order', e.order_id, e.sold_on FROM sale_entry e
        WHERE e.supplier_id = x.supplier_id AND e.sold_on BETWEEN x.sold_on - CAST(:days AS int) AND x.sold_on + CAST(:days AS int)
          AND e.product_id = l.product_id AND e.amount_fen = l.amount_fen AND e.source = 'platform' AND e.reverses_id IS NULL
          AND e.order_id IS NOT NULL AND x.side = 'seller'
    ) c
    WHERE x.id = ANY (CAST(:ids AS bigint[]))
      AND NOT EXISTS (SELECT FROM counting_hold h WHERE h.subject_kind = 'external_sale' AND h.subject_id = x.id
                      AND h.other_kind = c.other_kind AND h.other_id = c.other_id
                      AND (h.status = 'open' OR h.status = 'counted' AND h.decided_by IS NOT NULL))
"""
#: SQL: the pairs by the reason for which the claims (``:ids``) are held against the others, with what was found of each pair; ``:days`` are the
#: programme's. A pair may come more than once.
COLLIDING = {Reason.DOCUMENT_SEEN: _SEEN, Reason.SUSPECTED_DUPLICATE: _SUSPECTED}


def days(session: Session) -> int:
    """Within so many days two sales of one product and amount may be one."""
    return programmes.config_of(session, clock.today()).counting.duplicate_days
