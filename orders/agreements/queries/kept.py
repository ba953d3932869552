"""What was due under agreements and what was delivered, by day and district of origin: said once in SQL, and read over a period."""

# ruff: noqa: S608  statements are put together from constants only; every value that a caller gives is bound

from datetime import date
from typing import Any

from orders.ledger.selection import Binds
from orders.statistics import cover

#: The figures of a day or month of an agreement: fen, grams, and how many instalments and entries they are the sum of.
SUMS = ("promised_fen", "promised_grams", "delivered_fen", "delivered_grams", "entries")
_ADDED = ", ".join(f"sum({name})::bigint AS {name}" for name in SUMS)
#: SQL: the price of instalment ``i`` of line ``l``, as rules.unit_price says it; a price off the list is that of the list now.
PRICE = """
    CASE l.price_kind WHEN 'fixed' THEN l.unit_price_fen
    WHEN 'list_minus' THEN greatest(round((SELECT t.unit_price_fen FROM price_tier t WHERE t.sku_id = l.sku_id AND t.min_quantity <= i.quantity
        ORDER BY t.min_quantity DESC LIMIT 1) * (100 - l.percent_off) / 100), 1)
    ELSE (SELECT t.unit_price_fen FROM agreement_price_tier t WHERE t.agreement_line_id = l.id AND t.min_quantity <= i.quantity
        ORDER BY t.min_quantity DESC LIMIT 1) END
"""


def counted(agreements: str) -> str:
    """SQL: the days of agreements as instalments and the ledger say them now; ``agreements`` is SQL that selects ids."""
    return f"""
    SELECT agreement_id, district_code, day, {_ADDED} FROM (
        SELECT a.id AS agreement_id, p.district_code, i.due_on AS day, round(i.quantity * coalesce({PRICE}, 0)) AS promised_fen,
               round(i.quantity * coalesce(s.net_grams, 0)) AS promised_grams, 0 AS delivered_fen, 0 AS delivered_grams, 1 AS entries
        FROM agreement a JOIN agreement_line l ON l.agreement_id = a.id JOIN instalment i ON i.agreement_line_id = l.id
        JOIN sku s ON s.id = l.sku_id JOIN product p ON p.id = s.product_id
        WHERE a.id IN ({agreements}) AND i.status <> 'skipped' AND a.status = 'active' AND i.due_on <= coalesce(a.terminated_on, a.valid_until)
        UNION ALL
        SELECT po.source_id, e.district_code, e.sold_on, 0, 0, e.amount_fen, e.grams, 1
        FROM purchase_order po JOIN sale_entry e ON e.order_id = po.id
        WHERE po.source_kind = 'agreement' AND po.source_id IN ({agreements})
    ) AS both_books GROUP BY agreement_id, district_code, day
    """


_TOUCHED = "SELECT agreement_id FROM agreement_touched"


def over(first: date, last: date) -> tuple[str, dict[str, Any]]:
    """SQL and its values: the figures of agreements over a period, by agreement and district, as they are kept, and counted now of those that were
    touched since."""
    bind = Binds()
    kept = cover.rows_over(cover.cover(first, last, [cover.Unit.MONTH]), "agreement", ("agreement_id", "district_code"), SUMS, bind)
    sql = f"""
    SELECT agreement_id, district_code, {_ADDED} FROM ({kept}) AS kept
    WHERE agreement_id NOT IN ({_TOUCHED}) GROUP BY agreement_id, district_code
    UNION ALL
    SELECT agreement_id, district_code, {_ADDED} FROM ({counted(_TOUCHED)}) AS live
    WHERE day BETWEEN CAST(:first AS date) AND CAST(:last AS date) GROUP BY agreement_id, district_code
    """
    return sql, {**bind.values, "first": first, "last": last}
