"""Days of outlets whose lines are those of another day: how many by district for the grades, and which, for whoever has to explain them."""

# ruff: noqa: S608  statements are put together from constants only; every value that a caller gives is bound

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.bulletins.schemas.bulletins import CopiedDayOut

#: As many days of a district are named; their number stands in the grade's reasons.
MOST_DAYS = 20
#: And as many batches of a day.
MOST_BATCHES = 20

# The lines of an outlet's day as one fingerprint; a day of the month is a copy if another day of the same outlet has the same.
_COPIED = """
    day AS MATERIALIZED (
        SELECT outlet_id, sold_on, string_agg(concat_ws(':', goods_id, quantity, amount_fen), ',' ORDER BY goods_id, quantity, amount_fen) AS lines
        FROM sales_batch_line
        WHERE sold_on BETWEEN :first - CAST(:copied_days AS int) AND :last AND status = 'counted' AND refunds_line_id IS NULL
        GROUP BY 1, 2 HAVING count(*) >= :copied_lines
    ), alike AS (
        SELECT outlet_id, array_agg(sold_on ORDER BY sold_on) AS days FROM day GROUP BY outlet_id, md5(lines) HAVING count(*) > 1
    ), copied AS (
        SELECT a.outlet_id, d.sold_on, array_remove(a.days, d.sold_on) AS same_as
        FROM alike a CROSS JOIN LATERAL unnest(a.days) d(sold_on) WHERE d.sold_on BETWEEN :first AND :last
    ), found AS (
        SELECT p.district_code, c.outlet_id, c.sold_on, c.same_as, array_agg(DISTINCT l.batch_id ORDER BY l.batch_id) AS batches
        FROM copied c JOIN sales_batch_line l USING (outlet_id, sold_on) JOIN product p ON p.id = l.product_id WHERE l.status = 'counted'
        GROUP BY 1, 2, 3, 4
    )
"""
_COUNTED = text(f"WITH {_COPIED} SELECT district_code, count(*) AS days FROM found GROUP BY 1")
_NAMED = text(
    f"""
    WITH {_COPIED}
    SELECT f.district_code, f.outlet_id, o.name, f.sold_on, f.same_as, f.batches[1:{MOST_BATCHES}] AS batches
    FROM (SELECT found.*, row_number() OVER (PARTITION BY district_code ORDER BY outlet_id, sold_on) AS place FROM found) f
    JOIN outlet o ON o.id = f.outlet_id
    WHERE f.place <= {MOST_DAYS} AND f.district_code LIKE ANY (CAST(:regions AS text[])) ORDER BY f.outlet_id, f.sold_on
    """
)


def counted(session: Session, asked: Mapping[str, Any]) -> dict[str, int]:
    """How many such days there are of each district whose goods were sold on them."""
    return {row.district_code: row.days for row in session.execute(_COUNTED, asked)}


def named(
    session: Session, asked: Mapping[str, Any], successors: Mapping[str, str], regions: list[str]
) -> dict[str, list[CopiedDayOut]]:
    """The first of these days by district, of districts within the patterns ``regions``, with the days that they are like and their batches."""
    found: dict[str, list[CopiedDayOut]] = defaultdict(list)
    for row in session.execute(_NAMED, {**asked, "regions": regions}):
        of = found[successors.get(row.district_code, row.district_code)]
        if len(of) < MOST_DAYS:
            batches = [f"/v1/sales-batches/{batch_id}" for batch_id in row.batches]
            of.append(
                CopiedDayOut(outlet_id=row.outlet_id, outlet_name=row.name, day=row.sold_on, same_as=row.same_as, batches=batches)
            )
    return found
