"""What was promised and what came of it: reserved shares, pledges, agreements. Totals by county, open to every officer."""

# ruff: noqa: S608  statements are put together from constants only; every value that a caller gives is bound

from collections import defaultdict
from datetime import date
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.agreements.queries.kept import over
from orders.panels import tables
from orders.pledges.queries.counting import totals_of
from orders.pledges.queries.proofs import KINDS
from orders.reserved_share.queries import progress
from orders.reserved_share.queries.progress import stated
from orders.statistics.tables import Filled
from shop.core import clock
from shop.core.errors import Language
from shop.regions import queries as regions

_RESERVED = text(
    f"""
    WITH {stated()}
    SELECT coalesce(left(region_code, 6), '') AS county, count(*) AS units, count(*) FILTER (WHERE status = 'filed' OR in_force) AS filed,
           count(*) FILTER (WHERE in_force) AS accepted, count(*) FILTER (WHERE in_force AND exemption IS NOT NULL) AS exempt,
           coalesce(sum(base_fen) FILTER (WHERE in_force AND exemption IS NULL), 0)::bigint AS base,
           coalesce(sum(share), 0)::bigint AS reserved, coalesce(sum(done), 0)::bigint AS done,
           coalesce(sum(done) FILTER (WHERE share > 0), 0)::bigint AS done_of_reserved
    FROM stated GROUP BY 1 ORDER BY 1
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


# those that were touched since their sums were made are counted now
_PLEDGES = text(
    f"""
    WITH shown AS MATERIALIZED (
        SELECT p.id, p.kind, p.amount_fen, coalesce(left(o.region_code, 6), '') AS county
        FROM pledge p JOIN organisation o ON o.id = p.organisation_id
        WHERE p.status IN ('open', 'closed') AND p.valid_from <= :last AND p.valid_until >= :first
    ), touched AS MATERIALIZED (SELECT DISTINCT pledge_id AS id FROM pledge_touched JOIN shown ON shown.id = pledge_id),
    {totals_of("SELECT id FROM touched")}, figures AS (
        SELECT pledge_id, ordered_fen, accepted_fen, grams FROM pledge_sum WHERE pledge_id NOT IN (SELECT id FROM touched)
        UNION ALL SELECT pledge_id, ordered_fen, accepted_fen, grams FROM total
    )
    SELECT county, kind, count(*) AS pledges, sum(amount_fen)::bigint AS pledged, coalesce(sum(ordered_fen), 0)::bigint AS ordered,
           coalesce(sum(accepted_fen), 0)::bigint AS done, coalesce(sum(grams), 0)::bigint AS weight
    FROM shown LEFT JOIN figures ON figures.pledge_id = shown.id GROUP BY county, kind
    """
)


def pledges(session: Session, language: Language, first: date, last: date) -> Filled:
    """What was pledged and what was accepted of it, by county and kind. The orders of each pledge lead to their sales."""
    exact_to = clock.now()
    rows = [dict(row._mapping) for row in session.execute(_PLEDGES, {"first": first, "last": last})]
    by = _by_county(session, rows, language, last, "kind")
    shown = [{**row, "kind_name": KINDS[row["kind"]][language]} for row in by]
    return Filled(tables.PLEDGES, shown, exact_to, first=first, last=last)


_AGREEMENTS = """
    WITH figures AS (
        SELECT coalesce(m.code, f.district_code) AS county, f.* FROM ({over}) AS f
        LEFT JOIN unnest(CAST(:ended AS text[]), CAST(:codes AS text[])) AS m (ended, code) ON m.ended = f.district_code
        WHERE f.entries > 0
    )
    SELECT county, count(DISTINCT agreement_id) AS agreements, sum(promised_fen)::bigint AS promised, sum(promised_grams)::bigint AS promised_weight,
           sum(delivered_fen)::bigint AS delivered, sum(delivered_grams)::bigint AS delivered_weight
    FROM figures GROUP BY GROUPING SETS ((county), ()) ORDER BY county NULLS LAST
"""


def agreements(session: Session, language: Language, first: date, last: date) -> Filled:
    """What was due under agreements in a period and what was delivered, in money and weight, by county of origin."""
    exact_to = clock.now()
    # an agreement with goods of two districts that were merged is one there
    successors = regions.successors(session, min(last, clock.today()))
    sql, values = over(first, last)
    asked = {**values, "ended": list(successors), "codes": list(successors.values())}
    *rows, total = [dict(row._mapping) for row in session.execute(text(_AGREEMENTS.format(over=sql)), asked)]
    named = regions.names(session, [row["county"] for row in rows], language)
    by = [{**row, "county_name": named(row["county"])} for row in rows]
    totals = {name: value or 0 for name, value in total.items() if name != "county"}
    return Filled(tables.AGREEMENTS, by, exact_to, totals, first=first, last=last)
