"""What was promised and what came of it: reserved shares, pledges, agreements. Totals by county, open to every officer."""

# ruff: noqa: S608  statements are put together from constants only; every value that a caller gives is bound

from collections import defaultdict
from datetime import date
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.panels import tables
from orders.pledges.queries.counting import sums
from orders.pledges.queries.proofs import KINDS
from orders.reserved_share.queries import progress
from orders.reserved_share.queries.progress import LISTED
from orders.statistics.tables import Filled
from shop.core import clock
from shop.core.errors import Language
from shop.regions import queries as regions

_RESERVED = text(
    f"""
    WITH {LISTED.format(where="true")}
    SELECT coalesce(left(region_code, 6), '') AS county, count(*) AS units, count(*) FILTER (WHERE status = 'filed' OR in_force) AS filed,
           count(*) FILTER (WHERE in_force) AS accepted, count(*) FILTER (WHERE in_force AND exemption IS NOT NULL) AS exempt,
           coalesce(sum(base_fen) FILTER (WHERE in_force AND exemption IS NULL), 0)::bigint AS base,
           coalesce(sum(share), 0)::bigint AS reserved, coalesce(sum(done), 0)::bigint AS done,
           coalesce(sum(done) FILTER (WHERE share > 0), 0)::bigint AS done_of_reserved
    FROM listed GROUP BY 1 ORDER BY 1
    """
)


def reserved_share(session: Session, language: Language, year_number: int) -> Filled:
    """What budget units reserve in a year and how much of it is done, by county.

    Raises:
        NotFound, NoProgramme: no year that anybody could mean, or none with a programme (404).
    """
    exact_to = clock.now()
    year = progress.year_of(session, year_number)
    found = [dict(row._mapping) for row in session.execute(_RESERVED, year.values())]
    values = year.values()
    return Filled(
        tables.RESERVED_SHARE,
        _by_county(session, found, language, values["last"]),
        exact_to,
        first=values["first"],
        last=values["last"],
    )


def _by_county(session: Session, rows: list[dict[str, Any]], language: Language, on: date, key: str = "") -> list[dict[str, Any]]:
    """Rows by county with its name; those of districts that were merged by a day are added up. ``key``: a second column that rows are by."""
    successors = regions.successors(session, min(on, clock.today()))
    added: dict[tuple[str, str], dict[str, Any]] = defaultdict(lambda: defaultdict(int))
    for row in rows:
        county = successors.get(row["county"], row["county"])
        into = added[county, row.get(key, "")]
        for name, value in row.items():
            if name not in ("county", key):
                into[name] += value
    named = regions.names(session, {county for county, _ in added}, language)
    return [
        {"county": county, "county_name": named(county), **({key: second} if key else {}), **row}
        for (county, second), row in sorted(added.items())
    ]


_PLEDGES = text(
    """
    SELECT p.id, p.kind, p.amount_fen, coalesce(left(o.region_code, 6), '') AS county
    FROM pledge p JOIN organisation o ON o.id = p.organisation_id
    WHERE p.status IN ('open', 'closed') AND p.valid_from <= :last AND p.valid_until >= :first ORDER BY p.id
    """
)


def pledges(session: Session, language: Language, first: date, last: date) -> Filled:
    """What was pledged and what was accepted of it, by county and kind. The orders of each pledge lead to their sales."""
    exact_to = clock.now()
    found = session.execute(_PLEDGES, {"first": first, "last": last}).all()
    done = sums(session, [row.id for row in found])
    rows = [
        {
            "county": row.county,
            "kind": row.kind,
            "pledges": 1,
            "pledged": row.amount_fen,
            "ordered": done[row.id].ordered,
            "done": done[row.id].accepted,
            "weight": done[row.id].grams,
        }
        for row in found
    ]
    by = _by_county(session, rows, language, last, "kind")
    shown = [{**row, "kind_name": KINDS[row["kind"]][language]} for row in by]
    return Filled(tables.PLEDGES, shown, exact_to, first=first, last=last)


# The price of an instalment, as rules.unit_price says it; a price off the list is that of the list now.
_PRICE = """
    CASE l.price_kind WHEN 'fixed' THEN l.unit_price_fen
    WHEN 'list_minus' THEN greatest(round((SELECT t.unit_price_fen FROM price_tier t WHERE t.sku_id = l.sku_id AND t.min_quantity <= i.quantity
        ORDER BY t.min_quantity DESC LIMIT 1) * (100 - l.percent_off) / 100), 1)
    ELSE (SELECT t.unit_price_fen FROM agreement_price_tier t WHERE t.agreement_line_id = l.id AND t.min_quantity <= i.quantity
        ORDER BY t.min_quantity DESC LIMIT 1) END
"""
_AGREEMENTS = text(
    f"""
    WITH promised AS (
        SELECT p.district_code AS county, a.id AS agreement_id, round(i.quantity * coalesce({_PRICE}, 0)) AS fen,
               round(i.quantity * coalesce(s.net_grams, 0)) AS grams
        FROM instalment i JOIN agreement_line l ON l.id = i.agreement_line_id JOIN agreement a ON a.id = l.agreement_id
        JOIN sku s ON s.id = l.sku_id JOIN product p ON p.id = s.product_id
        WHERE i.due_on BETWEEN :first AND :last AND i.status <> 'skipped' AND a.status = 'active'
          AND i.due_on <= coalesce(a.terminated_on, a.valid_until)
    ), delivered AS (
        SELECT e.district_code AS county, po.source_id AS agreement_id, e.amount_fen, e.grams
        FROM agreement a JOIN purchase_order po ON po.source_kind = 'agreement' AND po.source_id = a.id
        JOIN sale_entry e ON e.order_id = po.id
        WHERE a.valid_from <= :last AND e.sold_on BETWEEN :first AND :last
    ), both_books AS (
        SELECT county, agreement_id, fen AS promised, grams AS promised_weight, 0 AS delivered, 0 AS delivered_weight FROM promised
        UNION ALL SELECT county, agreement_id, 0, 0, amount_fen, grams FROM delivered
    )
    SELECT coalesce(m.code, b.county) AS county, count(DISTINCT agreement_id) AS agreements, sum(promised)::bigint AS promised, sum(promised_weight)::bigint AS promised_weight,
           sum(delivered)::bigint AS delivered, sum(delivered_weight)::bigint AS delivered_weight
    FROM both_books b LEFT JOIN unnest(CAST(:ended AS text[]), CAST(:codes AS text[])) AS m (ended, code) ON m.ended = b.county
    GROUP BY GROUPING SETS ((coalesce(m.code, b.county)), ()) ORDER BY county NULLS LAST
    """
)


def agreements(session: Session, language: Language, first: date, last: date) -> Filled:
    """What was due under agreements in a period and what was delivered, in money and weight, by county of origin."""
    exact_to = clock.now()
    # an agreement with goods of two districts that were merged is one there
    successors = regions.successors(session, min(last, clock.today()))
    asked = {"first": first, "last": last, "ended": list(successors), "codes": list(successors.values())}
    *rows, total = [dict(row._mapping) for row in session.execute(_AGREEMENTS, asked)]
    named = regions.names(session, [row["county"] for row in rows], language)
    by = [{**row, "county_name": named(row["county"])} for row in rows]
    totals = {name: value or 0 for name, value in total.items() if name != "county"}
    return Filled(tables.AGREEMENTS, by, exact_to, totals, first=first, last=last)
