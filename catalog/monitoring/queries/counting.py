"""Counting certificates, and the households and persons behind them, from the lists."""

# ruff: noqa: S608  statements are put together from constants only; every value that a caller gives is bound

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from catalog.certificates.reach import IN_REGION
from catalog.monitoring.schemas import StockKey
from shop.core import clock
from shop.core.small_cells import BAND

#: Patterns of codes: all of them.
EVERYWHERE = ["%"]

_LEAST = f"CASE WHEN {{0}} > 0 THEN greatest(1, {{0}} / {BAND} * {BAND}) ELSE 0 END"
_MOST = f"CASE WHEN {{0}} > 0 THEN {{0}} / {BAND} * {BAND} + {BAND - 1} ELSE 0 END"
#: SQL: what everybody knows of the households and persons of a certificate, from the bands (:func:`shop.core.small_cells.within`): the least and the
#: most that they may be.
BANDS = {
    f"{who}_{name}": bound.format(who) for who in ("households", "persons") for name, bound in (("least", _LEAST), ("most", _MOST))
}
_BANDED = ", ".join(f"coalesce(sum({value}), 0)::bigint AS {name}" for name, value in BANDS.items())
#: What adds up over counties, in each of which everybody stands once, and over categories, of which a product has one.
SUMS = ("certificates", "products", "households_stated", "persons_stated", "households_listed", "persons_listed", *BANDS)
# A certificate on a day: its dates, what is on record of measures until the end of it, and the papers as they are known now.
_STATE_ON = """
    CASE WHEN c.revoked_at < :end THEN 'revoked' WHEN c.valid_until < :on THEN 'expired'
         WHEN latest.stop IN ('suspended', 'suspension_changed') AND (latest.until IS NULL OR latest.until >= :end) THEN 'suspended'
         WHEN held.kind = 'held' THEN 'held' WHEN c.papers_valid_until < :on THEN 'papers_expired'
         WHEN c.valid_from > :on THEN 'not_yet' ELSE 'in_force' END
"""
_DATED = f"""
    SELECT c.id, c.case_id, c.product_id, c.supplier_id, c.district_code, c.households, c.persons, b.number AS batch, p.category, p.kind,
           {_STATE_ON} AS state
    FROM here c
    JOIN product p ON p.id = c.product_id
    LEFT JOIN catalogue_batch b ON b.id = c.batch_id
    LEFT JOIN LATERAL (
        SELECT e.kind AS stop, e.until FROM certificate_event e
        WHERE e.certificate_id = c.id AND e.kind IN ('suspended', 'suspension_changed', 'reinstated') AND e.at < :end ORDER BY e.id DESC LIMIT 1
    ) latest ON true
    LEFT JOIN LATERAL (
        SELECT e.kind FROM certificate_event e
        WHERE e.certificate_id = c.id AND e.kind IN ('held', 'released') AND e.at < :end ORDER BY e.id DESC LIMIT 1
    ) held ON true
"""
_HERE_ISSUED = f"""
    SELECT * FROM certificate c
    WHERE c.issued_at < :end AND {IN_REGION} AND (CAST(:district AS text) IS NULL OR c.district_code = :district)
"""
# People are told apart within a county, so the same person in two counties counts twice. They are made distinct by hashing before they are
# counted: to count distinct pairs would sort them all.
_STOCK = """
    WITH here AS MATERIALIZED ({here}),
    dated AS MATERIALIZED ({dated}),
    kept AS MATERIALIZED (
        SELECT dated.*, EXISTS (SELECT FROM household_member m WHERE m.case_id = dated.case_id) AS listed FROM dated {which}
    ),
    base AS (
        SELECT {keys} count(*) AS certificates, count(DISTINCT product_id) AS products, {bands}, coalesce(array_agg(DISTINCT supplier_id), '{{}}') AS supplier_ids,
               coalesce(sum(households) FILTER (WHERE NOT listed), 0)::bigint AS households_stated,
               coalesce(sum(persons) FILTER (WHERE NOT listed), 0)::bigint AS persons_stated
        FROM kept {grouping}
    ),
    member AS MATERIALIZED (
        SELECT {keys} kept.district_code AS place, m.household_hash, m.person_hash FROM kept JOIN household_member m ON m.case_id = kept.case_id
    ),
    homes AS (SELECT {names} count(*) AS households_listed FROM (SELECT DISTINCT {names} place, household_hash FROM member) h {grouped}),
    people AS (SELECT {names} count(*) AS persons_listed FROM (SELECT DISTINCT {names} place, person_hash FROM member) p {grouped})
    SELECT base.*, coalesce(homes.households_listed, 0) AS households_listed, coalesce(people.persons_listed, 0) AS persons_listed
    FROM base LEFT JOIN homes ON {same_home} LEFT JOIN people ON {same_person} {order}
"""
_STOCK_COLUMNS = {StockKey.COUNTY: "district_code", StockKey.BATCH: "batch"}


def counted(
    session: Session,
    within: Sequence[str],
    by: Sequence[StockKey],
    on: date,
    district: str | None = None,
    *,
    any_state: bool = False,
) -> list[dict[str, Any]]:
    """The stock of a day in some regions, as :func:`catalog.monitoring.queries.stock.stock_rows`; with ``supplier_ids``, and households and persons by how they became known only."""
    names = [key.value for key in by]
    columns = [f"kept.{_STOCK_COLUMNS.get(key, key.value)}" for key in by]

    def joined(other: str) -> str:
        return " AND ".join([f"{other}.{name} IS NOT DISTINCT FROM base.{name}" for name in names]) or "true"

    statement = text(
        _STOCK.format(
            here=_HERE_ISSUED,
            dated=_DATED,
            which="" if any_state or StockKey.STATE in by else "WHERE dated.state = 'in_force'",
            keys="".join(f"{column} AS {name}, " for name, column in zip(names, columns, strict=True)),
            names="".join(f"{name}, " for name in names),
            grouping=f"GROUP BY {', '.join(columns)}" if by else "",
            grouped=f"GROUP BY {', '.join(names)}" if by else "",
            same_home=joined("homes"),
            same_person=joined("people"),
            order=f"ORDER BY {', '.join(f'base.{name}' for name in names)}" if by else "",
            bands=_BANDED,
        )
    )
    # the stock of today is that of now: what is suspended until this evening does not hold
    end = min(clock.end_of_day(on), clock.now())
    found = session.execute(statement, {"on": on, "end": end, "district": district, "regions": list(within)})
    return [dict(row._mapping) for row in found]


#: What is grouped by nothing but the county, of what holds and of certificates in whatever state.
IN_FORCE, ANY_STATE = "", "any_state"
# Every certificate stands in a cell of each kind of groups; a batch that there is none of is empty.
_BY_EACH = f"""
    WITH here AS MATERIALIZED (SELECT * FROM certificate WHERE issued_at < :end AND district_code = :county),
    dated AS MATERIALIZED (
        SELECT d.*, EXISTS (SELECT FROM household_member m WHERE m.case_id = d.case_id) AS listed FROM ({_DATED}) AS d
    ),
    kept AS MATERIALIZED (
        SELECT c.*, g.grouped_by, g.value, dense_rank() OVER (ORDER BY g.grouped_by, g.value) AS cell
        FROM dated c CROSS JOIN LATERAL (VALUES
            ('{IN_FORCE}', ''), ('category', c.category), ('batch', coalesce(c.batch, '')), ('kind', c.kind), ('state', c.state), ('{ANY_STATE}', '')
        ) AS g (grouped_by, value)
        WHERE c.state = 'in_force' OR g.grouped_by IN ('state', '{ANY_STATE}')
    ),
    base AS (
        SELECT cell, grouped_by, value, count(*) AS certificates, count(DISTINCT product_id) AS products, {_BANDED},
               array_agg(DISTINCT supplier_id) AS supplier_ids,
               coalesce(sum(households) FILTER (WHERE NOT listed), 0)::bigint AS households_stated,
               coalesce(sum(persons) FILTER (WHERE NOT listed), 0)::bigint AS persons_stated
        FROM kept GROUP BY cell, grouped_by, value
    ),
    homes AS (
        SELECT cell, count(*) AS households_listed
        FROM (SELECT DISTINCT k.cell, m.household_hash FROM kept k JOIN household_member m USING (case_id)) h GROUP BY cell
    ),
    people AS (
        SELECT cell, count(*) AS persons_listed
        FROM (SELECT DISTINCT k.cell, m.person_hash FROM kept k JOIN household_member m USING (case_id)) p GROUP BY cell
    )
    SELECT grouped_by, value, supplier_ids, {", ".join(f"coalesce({name}, 0) AS {name}" for name in SUMS)}
    FROM base LEFT JOIN homes USING (cell) LEFT JOIN people USING (cell)
"""


def by_each(session: Session, county: str) -> list[dict[str, Any]]:
    """The stock of a county now: what holds, in all and by each key alone, and what does not by its state and in all; as
    :class:`catalog.monitoring.models.CertifiedStock` has it."""
    asked = {"on": clock.today(), "end": clock.now(), "county": county}
    return [{"county": county, **row._mapping} for row in session.execute(text(_BY_EACH), asked)]


def _day(moment: str) -> str:
    return f"({moment} AT TIME ZONE 'Asia/Shanghai')::date"


# The days at whose end a certificate holds, as in _STATE_ON: a measure lasts until the next one of its kind, or until the moment that it names. What is
# not known to happen does not, so they tell of days to come what holds unless somebody changes it.
_HELD = f"""
    WITH here AS MATERIALIZED (SELECT *, {_day("issued_at")} AS issued_on, {_day("revoked_at")} AS revoked_on FROM certificate WHERE district_code = :county),
    measure AS (
        SELECT e.certificate_id, e.kind, {_day("e.at")} AS since, {_day("e.until")} AS until,
               {_day("lead(e.at) OVER (PARTITION BY e.certificate_id, e.kind IN ('held', 'released') ORDER BY e.id)")} AS next
        FROM certificate_event e JOIN here ON here.id = e.certificate_id
        WHERE e.kind IN ('suspended', 'suspension_changed', 'reinstated', 'held', 'released')
    ),
    stopped AS (
        SELECT certificate_id, range_agg(daterange(since, least(until, next))) AS days FROM measure
        WHERE kind NOT IN ('reinstated', 'released') AND since < coalesce(least(until, next), 'infinity') GROUP BY certificate_id
    ),
    kept AS MATERIALIZED (
        SELECT c.case_id, c.product_id, c.supplier_id, p.category, c.households, c.persons,
               EXISTS (SELECT FROM household_member m WHERE m.case_id = c.case_id) AS listed,
               datemultirange(daterange(greatest(c.valid_from, c.issued_on), d.over)) - coalesce(s.days, '{{}}') AS days
        FROM here c JOIN product p ON p.id = c.product_id LEFT JOIN stopped s ON s.certificate_id = c.id
        CROSS JOIN LATERAL (SELECT least(c.valid_until + 1, c.papers_valid_until + 1, c.revoked_on) AS over) d
        WHERE greatest(c.valid_from, c.issued_on) < d.over
    )
"""
_SPANS = "unnest(days) AS span CROSS JOIN LATERAL (VALUES (lower(span), 1), (upper(span), -1)) AS turn (day, change)"


def _met(name: str, who: str, source: str) -> str:
    """SQL: on which days how many more of something there are that counts once however many certificates it stands behind."""
    once = f"SELECT category, range_agg(days) AS days FROM {source} GROUP BY GROUPING SETS ((category, {who}), ({who}))"
    return (
        f"SELECT category, day, {', '.join('change' if each == name else '0' for each in SUMS)} FROM ({once}) o CROSS JOIN {_SPANS}"
    )


_PEOPLE = "kept JOIN household_member USING (case_id)"
_SUMMED = {
    "certificates": "1",
    "households_stated": "CASE WHEN listed THEN 0 ELSE households END",
    "persons_stated": "CASE WHEN listed THEN 0 ELSE persons END",
    **BANDS,
}
_BY_DAY = text(
    f"""
    {_HELD}, turns AS (
        SELECT g.category, day, {", ".join(f"change * {_SUMMED.get(name, '0')} AS {name}" for name in SUMS)}
        FROM kept CROSS JOIN {_SPANS} CROSS JOIN LATERAL (VALUES (kept.category), ('')) AS g (category)
        UNION ALL {_met("products", "product_id", "kept")}
        UNION ALL {_met("households_listed", "household_hash", _PEOPLE)}
        UNION ALL {_met("persons_listed", "person_hash", _PEOPLE)}
    ), changed AS (
        SELECT coalesce(category, '') AS category, day, {", ".join(f"sum({name})::bigint AS {name}" for name in SUMS)} FROM turns GROUP BY 1, 2
    )
    SELECT category, day, {", ".join(f"(sum({name}) OVER past)::bigint AS {name}" for name in SUMS)} FROM changed
    WINDOW past AS (PARTITION BY category ORDER BY day) ORDER BY category, day
    """
)
_SUPPLIERS_BY_DAY = text(
    f"""
    {_HELD}
    SELECT category, supplier_id, lower(span) AS since, upper(span) AS until
    FROM (SELECT coalesce(category, '') AS category, supplier_id, range_agg(days) AS days FROM kept
          GROUP BY GROUPING SETS ((category, supplier_id), (supplier_id))) s CROSS JOIN unnest(days) AS span
    """
)


def by_day(session: Session, county: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What holds in a county by the end of each day from which on it is another number than before, by category and in all (with an empty category);
    and from which day until before which one who has some of it. As :class:`catalog.monitoring.models.CertifiedStockDay` and
    :class:`catalog.monitoring.models.CertifiedSupplierDays` have it."""
    days, suppliers = (session.execute(statement, {"county": county}).all() for statement in (_BY_DAY, _SUPPLIERS_BY_DAY))
    return [{"county": county, **row._mapping} for row in days], [{"county": county, **row._mapping} for row in suppliers]
