"""Reading what is kept of the stock of certificates, see :mod:`catalog.monitoring.models`. Rows are of counties; those of which what is kept does not
hold are counted from their lists."""

# ruff: noqa: S608  statements are put together from constants only; every value that a caller gives is bound

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from catalog.monitoring.queries.counting import ANY_STATE, EVERYWHERE, IN_FORCE, SUMS, by_day, counted
from catalog.monitoring.schemas import StockKey
from shop.core import clock

#: Counties of which what is kept does not hold at a moment.
STALE = """
    SELECT district_code FROM certified_stock_touched
    UNION SELECT district_code FROM certified_stock_county WHERE counted_at > :now OR holds_until <= :now
"""
_SUMS = ", ".join(f"s.{name}" for name in SUMS)
_ASKED = """
    s.district_code LIKE ANY (CAST(:regions AS text[])) AND (CAST(:district AS text) IS NULL OR s.district_code = :district)
    AND s.district_code NOT IN (SELECT district_code FROM stale)
"""
# One statement, so one moment: what is kept, and of which counties it is not what there is.
_TODAY = text(
    f"""
    WITH stale AS ({STALE})
    SELECT ARRAY(SELECT district_code FROM stale) AS stale, s.district_code AS county, s.value, s.supplier_ids, {_SUMS}
    FROM (SELECT 1) AS one LEFT JOIN certified_stock s ON s.grouped_by = :grouped_by AND {_ASKED}
    """
)
_DAYS = text(
    f"""
    WITH stale AS ({STALE}),
    cell AS (SELECT DISTINCT district_code, category FROM certified_stock_day s WHERE (:cells OR category = '') AND {_ASKED})
    SELECT ARRAY(SELECT district_code FROM stale) AS stale, p.place - 1 AS place, s.district_code AS county, s.category, {_SUMS}
    FROM (SELECT 1) AS one LEFT JOIN (
        unnest(CAST(:days AS date[])) WITH ORDINALITY AS p (day, place) CROSS JOIN cell CROSS JOIN LATERAL (
            SELECT * FROM certified_stock_day
            WHERE district_code = cell.district_code AND category = cell.category AND day <= p.day ORDER BY day DESC LIMIT 1
        ) s) ON true
    """
)
_SUPPLIERS = text(
    f"""
    WITH stale AS (SELECT unnest(CAST(:stale AS text[])) AS district_code)
    SELECT s.district_code AS county, s.category, s.supplier_id, s.since, s.until FROM certified_supplier_days s
    WHERE (:cells OR category = '') AND s.since <= :last AND s.until > :first AND {_ASKED}
    """
)

#: The sums of some certificates, with ``supplier_ids``.
Figures = dict[str, Any]


def of_today(
    session: Session, within: Sequence[str], key: StockKey | None = None, *, district: str | None = None, any_state: bool = False
) -> list[Figures]:
    """What there is now in counties of some regions (patterns of codes), or in the one district of them, by the county and one key at most."""
    grouped_by = key.value if key else ANY_STATE if any_state else IN_FORCE
    asked = {"now": clock.now(), "grouped_by": grouped_by, "district": district, "regions": list(within)}
    kept = session.execute(_TODAY, asked).all()
    rows = [dict(row._mapping) for row in kept if row.county is not None]
    for row in rows:
        if key:
            row[key.value] = row["value"] or None
    if stale := _of_these(kept[0].stale, within, district):
        by = [StockKey.COUNTY, key] if key else [StockKey.COUNTY]
        rows += counted(session, [f"{code}%" for code in stale], by, clock.today(), any_state=any_state)
    return rows


def of_days(
    session: Session,
    days: Sequence[date],
    within: Sequence[str] = EVERYWHERE,
    district: str | None = None,
    *,
    cells: bool = True,
) -> list[list[Figures]]:
    """What holds by the end of each of some days in the same counties, of today what holds now: in all of a county (with an empty category), and with
    ``cells`` by county and category. There is no row for what has no certificate then."""
    if not days:
        return []
    asked = {"now": clock.now(), "district": district, "regions": list(within), "cells": cells}
    kept = session.execute(_DAYS, {**asked, "days": list(days)}).all()
    stale = kept[0].stale
    held = [dict(row._mapping) for row in kept if row.county is not None]
    spanned = session.execute(_SUPPLIERS, {**asked, "stale": stale, "first": min(days), "last": max(days)})
    suppliers = [dict(row._mapping) for row in spanned]
    for county in _of_these(stale, within, district):
        turns, spans = by_day(session, county)
        held += _at_ends(turns, days)
        suppliers += spans
    found: list[dict[tuple[str, str], Figures]] = [{} for _ in days]
    for row in held:
        if row["certificates"] and (cells or not row["category"]):
            found[row["place"]][row["county"], row["category"]] = {**row, "supplier_ids": set()}
    for span in suppliers:
        for place, day in enumerate(days):
            if span["since"] <= day < span["until"] and (cell := found[place].get((span["county"], span["category"]))):
                cell["supplier_ids"].add(span["supplier_id"])
    return [
        _of_now(session, within, district, cells) if day == clock.today() else [*rows.values()]
        for day, rows in zip(days, found, strict=True)
    ]


def _at_ends(turns: Iterable[Mapping[str, Any]], days: Sequence[date]) -> Iterator[Figures]:
    """Of numbers that hold until the next of the same category, in the order of their days: those of each of some days."""
    for _, rows in groupby(turns, key=itemgetter("category")):
        of_one = list(rows)
        for place, day in enumerate(days):
            if at := bisect_right(of_one, day, key=itemgetter("day")):
                yield {**of_one[at - 1], "place": place}


def _of_now(session: Session, within: Sequence[str], district: str | None, cells: bool) -> list[Figures]:
    rows = [{**row, "category": ""} for row in of_today(session, within, district=district)]
    return rows + (of_today(session, within, StockKey.CATEGORY, district=district) if cells else [])


def _of_these(counties: Iterable[str], within: Sequence[str], district: str | None) -> list[str]:
    prefixes = tuple(pattern.removesuffix("%") for pattern in within)
    return [code for code in counties if code.startswith(prefixes) and district in (None, code)]


_COUNTED = text(
    f"SELECT district_code, counted_at FROM certified_stock_county WHERE district_code NOT IN (SELECT district_code FROM ({STALE}) AS stale)"
)

#: What is kept or counted of a county, a kind of groups or a day, and a group.
Cells = dict[tuple[str, str, str], Figures]


def kept_and_counted(session: Session) -> tuple[Cells, Cells]:
    """What is kept of the counties of which it should hold, of now and of some days, and what the lists say of them; a county that was counted meanwhile
    is in neither."""
    before = session.execute(_COUNTED, {"now": clock.now()}).all()
    patterns = sorted({f"{row.district_code}%" for row in before})
    if not patterns:
        return {}, {}
    kept, lists = Cells(), Cells()
    today = clock.today()
    for key, any_state in ((None, False), (None, True), *((key, False) for key in StockKey if key is not StockKey.COUNTY)):
        name = key.value if key else ANY_STATE if any_state else "all"
        by = [StockKey.COUNTY, key] if key else [StockKey.COUNTY]
        kept |= _cells(of_today(session, patterns, key, any_state=any_state), name, key)
        lists |= _cells(counted(session, patterns, by, today, any_state=any_state), name, key)
    days = [today - timedelta(days=back) for back in _DAYS_BACK]
    for day, rows in zip(days, of_days(session, days, patterns), strict=True):
        for category in (None, StockKey.CATEGORY):
            by = [StockKey.COUNTY, category] if category else [StockKey.COUNTY]
            kept |= _cells([row for row in rows if bool(row["category"]) is bool(category)], day.isoformat(), category)
            lists |= _cells(counted(session, patterns, by, day), day.isoformat(), category)
    after = {(row.district_code, row.counted_at) for row in session.execute(_COUNTED, {"now": clock.now()})}
    same = {row.district_code for row in before if (row.district_code, row.counted_at) in after}
    of_same = [{cell: row for cell, row in each.items() if cell[0] in same} for each in (kept, lists)]
    return of_same[0], of_same[1]


#: The days before today that are compared.
_DAYS_BACK = (1, 30, 365)


def _cells(rows: Iterable[Mapping[str, Any]], name: str, key: StockKey | None) -> Cells:
    return {
        (row["county"], name, (key and row[key.value]) or ""): {
            **{each: row[each] for each in SUMS},
            "suppliers": sorted(row["supplier_ids"]),
        }
        for row in rows
    }
