"""What counts towards pledges, said once in SQL.

An order counts that was placed within the pledge's period and before the pledge was closed, by the pledging organisation or a unit below it, and
that was added to it, or was called off from an agreement that was added, unless it stands for a pledge by itself. Of its lines those count whose goods come from the pledged regions: by the certificate that the line was
ordered under, and by the ledger's entry once accepted. Parts that were cancelled or rejected do not count as ordered; what was returned or
corrected is an entry of the opposite sign in the ledger.
"""

# ruff: noqa: S608  statements are put together from constants only; every value that a caller gives is bound

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

_IDS = "p.id = ANY (CAST(:ids AS bigint[]))"


def _counted(which: str) -> str:
    return f"""
wanted AS (
    SELECT p.id, p.valid_from, p.valid_until, p.closed_at, o.path FROM pledge p JOIN organisation o ON o.id = p.organisation_id
    WHERE {which}
), added AS (
    SELECT w.id AS pledge_id, k.purchase_order_id AS order_id, CAST(NULL AS bigint) AS agreement_id, k.recipient_id
    FROM wanted w JOIN pledge_order k ON k.pledge_id = w.id
    UNION ALL
    SELECT w.id, po.id, g.agreement_id, NULL
    FROM wanted w JOIN pledge_agreement g ON g.pledge_id = w.id
    JOIN purchase_order po ON po.source_kind = 'agreement' AND po.source_id = g.agreement_id
    WHERE NOT EXISTS (SELECT FROM pledge_order k WHERE k.purchase_order_id = po.id)
), counted AS MATERIALIZED (
    SELECT a.*, po.number, po.placed_at, po.fund_source
    FROM added a JOIN wanted w ON w.id = a.pledge_id JOIN purchase_order po ON po.id = a.order_id
    JOIN organisation b ON b.id = po.buyer_id AND starts_with(b.path, w.path)
    WHERE (po.placed_at AT TIME ZONE 'Asia/Shanghai')::date BETWEEN w.valid_from AND w.valid_until
      AND (w.closed_at IS NULL OR po.placed_at <= w.closed_at)
), line AS (
    SELECT c.pledge_id, c.order_id, c.fund_source, c.number AS order_number, f.district_code, f.township_code, p.category, l.amount_fen,
           EXISTS (SELECT FROM pledge_region r WHERE r.pledge_id = c.pledge_id
                   AND starts_with(coalesce(f.township_code, f.district_code), r.region_code)) AS within
    FROM counted c
    JOIN supplier_order so ON so.purchase_order_id = c.order_id AND so.status NOT IN ('cancelled', 'rejected')
    JOIN order_line l ON l.supplier_order_id = so.id
    JOIN certificate f ON f.id = l.certificate_id
    JOIN product p ON p.id = l.product_id
), sale AS (
    SELECT c.pledge_id, c.order_id, c.fund_source, c.number AS order_number, e.id, e.district_code, e.township_code, e.village, e.category,
           e.product_id, e.sku_id, e.certificate_id, e.quantity, e.grams, e.amount_fen, e.sold_on, e.recorded_at, e.reverses_id,
           EXISTS (SELECT FROM pledge_region r WHERE r.pledge_id = c.pledge_id
                   AND starts_with(coalesce(e.township_code, e.district_code), r.region_code)) AS within
    FROM counted c JOIN sale_entry e ON e.order_id = c.order_id
)
"""


#: Of pledges ``:ids``: ``counted`` has their orders, ``line`` what was ordered and ``sale`` what was accepted, each with whether it lies within
#: the regions.
COUNTED = _counted(_IDS)


def _totals(which: str) -> str:
    return f"""
{_counted(which)}, total AS (
    SELECT pledge_id, sum(ordered)::bigint AS ordered_fen, sum(accepted)::bigint AS accepted_fen, sum(grams)::bigint AS grams
    FROM (SELECT pledge_id, amount_fen AS ordered, 0 AS accepted, 0 AS grams FROM line WHERE within
          UNION ALL SELECT pledge_id, 0, amount_fen, grams FROM sale WHERE within) AS both_books GROUP BY pledge_id
)
"""


#: SQL: what counts towards pledges ``:ids`` as of now: ordered and accepted from their regions, in fen, and the grams accepted. Follows ``WITH``.
TOTALS = _totals(_IDS)


def totals_of(pledges: str) -> str:
    """:data:`TOTALS` of other pledges: those that ``pledges``, SQL, selects the ids of."""
    return _totals(f"p.id IN ({pledges})")


_FIGURES = text(
    f"""
    WITH {COUNTED}, both_books AS (
        SELECT pledge_id, order_id, order_number, fund_source, district_code, township_code, category, within, amount_fen AS ordered,
               0::bigint AS accepted, 0::bigint AS grams FROM line
        UNION ALL
        SELECT pledge_id, order_id, order_number, fund_source, district_code, township_code, category, within, 0, amount_fen, grams FROM sale
    ), busy AS (
        SELECT pledge_id, count(DISTINCT order_id) AS orders FROM both_books WHERE within GROUP BY pledge_id
    )
    SELECT pledge_id, CASE WHEN grouping(district_code) = 0 THEN 'district' WHEN grouping(township_code) = 0 THEN 'township'
                           WHEN grouping(category) = 0 THEN 'category' WHEN grouping(fund_source) = 0 THEN 'fund'
                           WHEN grouping(order_number) = 0 THEN 'order' ELSE 'total' END AS part,
           coalesce(district_code, township_code, category, fund_source, order_number, '') AS code,
           coalesce(sum(ordered) FILTER (WHERE within), 0)::bigint AS ordered,
           coalesce(sum(accepted) FILTER (WHERE within), 0)::bigint AS accepted,
           coalesce(sum(ordered) FILTER (WHERE NOT within), 0)::bigint AS outside_ordered,
           coalesce(sum(accepted) FILTER (WHERE NOT within), 0)::bigint AS outside_accepted,
           coalesce(sum(grams) FILTER (WHERE within), 0)::bigint AS grams,
           coalesce(max(orders), 0) AS orders
    FROM both_books LEFT JOIN busy USING (pledge_id)
    GROUP BY GROUPING SETS ((pledge_id), (pledge_id, district_code), (pledge_id, township_code), (pledge_id, category),
                            (pledge_id, fund_source), (pledge_id, order_number))
    HAVING :by_order OR grouping(order_number) = 1
    ORDER BY 1, 2, 3
    """
)


@dataclass(slots=True)
class Sums:
    """The figures of one pledge, in fen and grams."""

    ordered: int = 0
    accepted: int = 0
    outside_ordered: int = 0
    outside_accepted: int = 0
    grams: int = 0
    #: Those of which something was ordered or accepted from the pledged regions.
    orders: int = 0
    #: For each kind of part: its codes with what was ordered and accepted.
    parts: dict[str, list[Row[Any]]] = field(default_factory=dict)


def sums(session: Session, pledge_ids: Sequence[int], *, by_order: bool = False) -> dict[int, Sums]:
    """The figures of pledges, live; one statement for all of them. ``by_order``: with a part for each order, named by its number."""
    found = {pledge_id: Sums() for pledge_id in pledge_ids}
    for row in session.execute(_FIGURES, {"ids": list(pledge_ids), "by_order": by_order}):
        of = found[row.pledge_id]
        if row.part == "total":
            for name in ("ordered", "accepted", "outside_ordered", "outside_accepted", "grams", "orders"):
                setattr(of, name, getattr(row, name))
        elif row.code and (row.ordered or row.accepted):
            of.parts.setdefault(row.part, []).append(row)
    return found
