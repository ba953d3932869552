"""What an operator sells on that it bought here, where that purchase counts already: by the rule of the day on which it was made."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.outlet_sales.rules import split_resale
from shop.core import locks
from shop.core.db import array

_OPERATORS = text("SELECT id, operator_id FROM outlet WHERE id = ANY (CAST(:ids AS bigint[]))")
_BOUGHT = text(
    """
    SELECT buyer_id AS operator_id, product_id, sum(grams)::numeric AS grams, sum(quantity) AS quantity FROM sale_entry
    WHERE buyer_id = ANY (CAST(:operators AS bigint[])) AND source = 'platform' AND counted AND product_id = ANY (CAST(:products AS bigint[]))
    GROUP BY buyer_id, product_id HAVING sum(quantity) > 0
    """
)
_RESOLD = text(
    """
    SELECT o.operator_id, l.product_id, sum(l.grams * s.sign)::numeric AS grams, sum(l.quantity * s.sign) AS quantity
    FROM sales_batch_line l JOIN outlet o ON o.id = l.outlet_id
    CROSS JOIN LATERAL (SELECT CASE WHEN l.refunds_line_id IS NULL THEN 1 ELSE -1 END AS sign) s
    WHERE l.status = 'resale' AND l.product_id = ANY (CAST(:products AS bigint[])) AND o.operator_id = ANY (CAST(:operators AS bigint[]))
    GROUP BY o.operator_id, l.product_id
    """
)
_MARK = text("UPDATE sales_batch_line SET status = 'resale' WHERE id = ANY (CAST(:ids AS bigint[]))")


def mark(session: Session, lines: Sequence[Row[Any]]) -> set[int]:
    """Mark the sales of goods that their operator bought here by purchases that count; returns their ids. Sales of one operator are looked at one after the other,
    at all its outlets; nobody waits whose operator has bought nothing."""
    if not lines:
        return set()
    operator_of = {
        row.id: row.operator_id for row in session.execute(_OPERATORS, {"ids": array({line.outlet_id for line in lines})})
    }
    values = {"operators": array(set(operator_of.values())), "products": array({line.product_id for line in lines})}
    bought = {(row.operator_id, row.product_id): row for row in session.execute(_BOUGHT, values)}
    if not bought:
        return set()
    for operator_id in sorted({operator_id for operator_id, _ in bought}):
        locks.hold(session, f"outlet_resale:{operator_id}")
    resold = {(row.operator_id, row.product_id): row for row in session.execute(_RESOLD, values)}
    found: set[int] = set()
    for key, row in sorted(bought.items()):
        sold = [line for line in lines if (operator_of[line.outlet_id], line.product_id) == key]
        sold.sort(key=lambda line: (line.sold_at, line.id))
        measure = "grams" if row.grams > 0 else "quantity"
        before = getattr(resold[key], measure) if key in resold else Decimal(0)
        marks = split_resale(getattr(row, measure), before, [Decimal(getattr(line, measure)) for line in sold])
        found |= {line.id for line, is_resale in zip(sold, marks, strict=True) if is_resale}
    if found:
        session.execute(_MARK, {"ids": array(found)})
    return found
