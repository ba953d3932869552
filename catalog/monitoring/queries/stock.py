"""The stock of certificates: products, suppliers, households and persons on a day. By county and category that of today is kept, see
:mod:`catalog.monitoring.models`; any other is counted from the lists."""

# ruff: noqa: S608  statements are put together from constants only; every value that a caller gives is bound

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from catalog.certificates.reach import IN_REGION, regions
from catalog.monitoring import rules
from catalog.monitoring.queries.telling import Teller
from catalog.monitoring.schemas import FiguresOut, StockKey
from shop.core import clock
from shop.core.errors import Language
from shop.core.small_cells import BAND
from shop.identity.actor import Actor
from shop.identity.permissions import Permission

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
_STOCK_KEYS = {
    StockKey.COUNTY: ["county", "county_name"],
    StockKey.CATEGORY: ["category", "category_label"],
    StockKey.BATCH: ["batch"],
    StockKey.STATE: ["state", "state_label"],
    StockKey.KIND: ["kind", "kind_label"],
}


def stock(
    session: Session,
    actor: Actor,
    language: Language,
    *,
    by: Sequence[StockKey],
    on: date,
    district: str | None = None,
    everywhere: bool = False,
) -> FiguresOut:
    """Certified products, suppliers, households and persons on a day; grouped by state also those whose certificate did not hold.

    Of the caller's regions, or with ``everywhere`` of the whole city: whoever asks for totals says so. Small numbers of households are in it as they
    are: :mod:`catalog.monitoring.showing` shows them to somebody.
    """
    within = EVERYWHERE if everywhere else regions(actor, Permission.SUPERVISION_READ)["regions"]
    teller = Teller(session, language)
    rows = [teller.named(without_bands(row)) for row in stock_rows(session, within, by, on, district)]
    total = without_bands(*stock_rows(session, within, [], on, district, any_state=StockKey.STATE in by))
    keys = [name for key in by for name in _STOCK_KEYS[key]]
    return teller.figures(rules.STOCK, keys, rows, totals=total, on=on)


#: Patterns of codes: all of them.
EVERYWHERE = ["%"]


def stock_rows(
    session: Session,
    within: Sequence[str],
    by: Sequence[StockKey],
    on: date,
    district: str | None = None,
    *,
    any_state: bool = False,
) -> list[dict[str, Any]]:
    """The stock of a day in some regions (prefixes of codes, ``%`` behind each), one row for each group; without groups one row, zeros if need be.
    ``any_state``: also what did not hold on that day, as where it is grouped by state."""
    if not any_state and on == clock.today() and of_counties(within) and {*by} <= {StockKey.COUNTY, StockKey.CATEGORY}:
        rows = _of_today(session, within, by, district)
    else:
        rows = counted(session, within, by, on, district, any_state=any_state)
    for row in rows:
        row["suppliers"] = len(row.pop("supplier_ids"))
    return [with_people(row) for row in rows]


def with_people(row: dict[str, Any]) -> dict[str, Any]:
    """A row with its households and persons, however they became known."""
    both = {who: row[f"{who}_listed"] + row[f"{who}_stated"] for who in ("households", "persons")}
    return {**row, **both}


def without_bands(row: dict[str, Any]) -> dict[str, Any]:
    """A row as it is shown."""
    return {name: value for name, value in row.items() if name not in BANDS}


def of_counties(within: Sequence[str]) -> bool:
    """Whether patterns of codes are of whole counties."""
    return all(len(pattern.removesuffix("%")) <= _COUNTY_CODE for pattern in within)


#: Length of a county's code; a township's is longer.
_COUNTY_CODE = 6
_LEAST = f"CASE WHEN {{0}} > 0 THEN greatest(1, {{0}} / {BAND} * {BAND}) ELSE 0 END"
_MOST = f"CASE WHEN {{0}} > 0 THEN {{0}} / {BAND} * {BAND} + {BAND - 1} ELSE 0 END"
#: SQL: what everybody knows of the households and persons of a certificate, from the bands (:func:`shop.core.small_cells.within`): the least and the
#: most that they may be.
BANDS = {
    f"{who}_{name}": bound.format(who) for who in ("households", "persons") for name, bound in (("least", _LEAST), ("most", _MOST))
}
#: What adds up over counties, in each of which everybody stands once, and over categories, of which a product has one.
SUMS = ("certificates", "products", "households_stated", "persons_stated", "households_listed", "persons_listed", *BANDS)
#: Counties of which what is kept does not hold at a moment.
STALE = """
    SELECT district_code FROM certified_stock_touched
    UNION SELECT district_code FROM certified_stock_county WHERE counted_at > :now OR holds_until <= :now
"""
# One statement, so one moment: what is kept, and of which counties it is not what there is.
_KEPT = text(
    f"""
    WITH stale AS ({STALE})
    SELECT ARRAY(SELECT district_code FROM stale) AS stale, s.district_code AS county, s.category, s.supplier_ids, {", ".join(f"s.{name}" for name in SUMS)}
    FROM (SELECT 1) AS one LEFT JOIN certified_stock s
      ON (s.category <> '') = :cells AND s.district_code LIKE ANY (CAST(:regions AS text[]))
     AND (CAST(:district AS text) IS NULL OR s.district_code = :district) AND s.district_code NOT IN (SELECT district_code FROM stale)
    """
)


def _of_today(session: Session, within: Sequence[str], by: Sequence[StockKey], district: str | None) -> list[dict[str, Any]]:
    cells = StockKey.CATEGORY in by
    asked = {"now": clock.now(), "cells": cells, "district": district, "regions": list(within)}
    kept = session.execute(_KEPT, asked).all()
    rows = [dict(row._mapping) for row in kept if row.county is not None]
    prefixes = tuple(pattern.removesuffix("%") for pattern in within)
    stale = [code for code in kept[0].stale if code.startswith(prefixes) and district in (None, code)]
    if stale:
        keys = [StockKey.COUNTY, StockKey.CATEGORY] if cells else [StockKey.COUNTY]
        rows += counted(session, [f"{code}%" for code in stale], keys, clock.today())
    names = [key.value for key in by]
    groups: dict[tuple[str, ...], dict[str, Any]] = {} if by else {(): _nothing()}
    for row in rows:
        group = groups.setdefault(tuple(row[name] for name in names), _nothing())
        group["supplier_ids"].update(row["supplier_ids"])
        for name in SUMS:
            group[name] += row[name]
    return [{**dict(zip(names, key, strict=True)), **groups[key]} for key in sorted(groups)]


def _nothing() -> dict[str, Any]:
    return {"supplier_ids": set(), **dict.fromkeys(SUMS, 0)}


def counted(
    session: Session,
    within: Sequence[str],
    by: Sequence[StockKey],
    on: date,
    district: str | None = None,
    *,
    any_state: bool = False,
) -> list[dict[str, Any]]:
    """The same, counted from the lists; with ``supplier_ids``, and households and persons by how they became known only."""
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
            bands=", ".join(f"coalesce(sum({value}), 0)::bigint AS {name}" for name, value in BANDS.items()),
        )
    )
    # the stock of today is that of now: what is suspended until this evening does not hold
    end = min(clock.end_of_day(on), clock.now())
    found = session.execute(statement, {"on": on, "end": end, "district": district, "regions": list(within)})
    return [dict(row._mapping) for row in found]


_HELD = text(
    f"""
    WITH stale AS ({STALE})
    SELECT y.district_code AS county, y.counted_at, s.category, s.supplier_ids, {", ".join(f"s.{name}" for name in SUMS)}
    FROM certified_stock_county y LEFT JOIN certified_stock s USING (district_code)
    WHERE y.district_code NOT IN (SELECT district_code FROM stale)
    """
)

#: What is kept or counted of a county and a category, and all of it by both.
Figures = dict[str, Any]
Cells = dict[tuple[str, str], Figures]


def kept_and_counted(session: Session) -> tuple[Cells, Cells]:
    """What is kept of the counties of which it should hold, and what the lists say of them; a county that was counted meanwhile is in neither."""
    before = session.execute(_HELD, {"now": clock.now()}).all()
    patterns = sorted({f"{row.county}%" for row in before})
    lists = [
        row
        for by in ([StockKey.COUNTY], [StockKey.COUNTY, StockKey.CATEGORY])
        for row in counted(session, patterns, by, clock.today())
    ]
    after = {(row.county, row.counted_at) for row in session.execute(_HELD, {"now": clock.now()})}
    same = {row.county for row in before if (row.county, row.counted_at) in after}
    kept = [dict(row._mapping) for row in before if row.category is not None]
    return _cells(kept, same), _cells(lists, same)


def _cells(rows: Iterable[Mapping[str, Any]], counties: Collection[str]) -> Cells:
    return {
        (row["county"], row.get("category", "")): {**{name: row[name] for name in SUMS}, "suppliers": sorted(row["supplier_ids"])}
        for row in rows
        if row["county"] in counties
    }
