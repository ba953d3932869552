"""All units of a department or region with their rank, page by page or as a table."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.reserved_share import rules
from orders.reserved_share.queries import progress
from orders.reserved_share.queries.progress import BEFORE, FUNDS, REACH, Year, listed
from orders.reserved_share.schemas import Lack, ShareRow, SharesOut, TotalsOut, ViewStatus
from shop.core import paging
from shop.identity.actor import Actor

_PAGE = """
    WITH {listed}, chosen AS (SELECT * FROM listed WHERE {chosen}),
    totals AS (
        SELECT count(*) AS all_units, count(*) FILTER (WHERE status = 'filed') AS all_filed,
               count(*) FILTER (WHERE in_force) AS all_accepted,
               count(*) FILTER (WHERE in_force AND exemption IS NOT NULL) AS all_exempt, coalesce(sum(share), 0)::bigint AS all_reserved,
               coalesce(sum(done), 0)::bigint AS all_done, coalesce(sum(done) FILTER (WHERE share > 0), 0)::bigint AS all_done_of_reserved,
               {funds}
        FROM chosen
    ), page AS MATERIALIZED (SELECT * FROM chosen WHERE {beyond} ORDER BY place DESC, id LIMIT :rows), {before}
    SELECT totals.*, page.*, before.last_year, before.last_year_to_date
    FROM totals LEFT JOIN page ON true LEFT JOIN before ON before.unit_id = page.id
    ORDER BY page.place DESC, page.id
"""
_FUNDS = ", ".join(f"coalesce(sum(by_{fund}), 0)::bigint AS all_by_{fund}" for fund in FUNDS)
_NARROWED = {
    "status": "status = :status",
    "lack": "CAST(:lack AS text) = ANY (lacks)",
}
_ROW_FIELDS = ("uscc", "region_code", "parent_id", "status", "filed_at", "in_force", "exemption", "shared_with_id", "rank", "lacks")


@dataclass(frozen=True)
class Filters:
    """``lacking``: only units that are to be reminded."""

    status: ViewStatus | None = None
    lack: Lack | None = None
    district: str | None = None
    lacking: bool = False


def shares(
    session: Session, actor: Actor, year_number: int, filters: Filters, *, limit: int | None, after: str | None
) -> SharesOut:
    """The units in reach, those furthest on first, units without a share last; totals are over all that the filters leave.

    Without ``limit`` all of them.

    Raises:
        NoProgramme: no programme in force in that year (404).
    """
    year = progress.year_of(session, year_number)
    rows = _rows(session, actor, year, filters, limit, after)
    found = [row for row in rows if row.id is not None]
    page = paging.page(found, len(found) if limit is None else limit, lambda row: _row(row, year), lambda row: [row.place, row.id])
    return SharesOut(year=year.year, due_on=year.due_on, totals=_totals(rows[0], year), items=page.items, next=page.next)


def _rows(session: Session, actor: Actor, year: Year, filters: Filters, limit: int | None, after: str | None) -> Sequence[Row[Any]]:
    asked = {name: str(value) for name in _NARROWED if (value := getattr(filters, name)) is not None}
    chosen = [_NARROWED[name] for name in asked]
    if filters.lacking:
        chosen.append("cardinality(lacks) > 0")
    where = [REACH]
    if filters.district is not None:
        where.append("left(o.region_code, 6) = :district")
        asked["district"] = filters.district
    start = paging.position(after, int, int)
    beyond = "(place < :place OR (place = :place AND id > :start))" if start else "true"
    statement = text(
        _PAGE.format(
            listed=listed(" AND ".join(where)),
            before=BEFORE,
            chosen=" AND ".join(chosen) or "true",
            funds=_FUNDS,
            beyond=beyond,
        )
    )
    position = {"place": start[0], "start": start[1]} if start else {}
    values = {**year.values(), **progress.seen_from(actor), **asked, **position, "rows": None if limit is None else limit + 1}
    return session.execute(statement, values).all()


def _row(row: Row[Any], year: Year) -> ShareRow:
    return ShareRow(
        unit_id=row.id,
        unit_name=row.name,
        **{name: getattr(row, name) for name in _ROW_FIELDS},
        base=row.base_fen,
        percent=row.percent_bp,
        progress=progress.progress(row, year),
    )


def _totals(row: Row[Any], year: Year) -> TotalsOut:
    return TotalsOut(
        units=row.all_units,
        filed=row.all_filed,
        accepted=row.all_accepted,
        exempt=row.all_exempt,
        reserved=row.all_reserved,
        done=row.all_done,
        done_of_reserved=row.all_done_of_reserved,
        rate=rules.rate_bp(row.all_done_of_reserved, row.all_reserved),
        by_fund=progress.by_fund(row, year.config, "all_by_"),
    )
