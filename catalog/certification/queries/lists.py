"""Lists and queues of cases, each within the reach of who asks."""

# ruff: noqa: S608  statements are put together from constants only; every value that a caller gives is bound

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from catalog.certificates.reach import reach
from catalog.certification.queries.cases import CASE, REACH, is_overdue
from catalog.certification.schemas.cases import CaseRow, QueueRow
from catalog.certification.states import CaseKind, CaseStatus, Level
from shop.core import clock, paging
from shop.core.paging import Page
from shop.identity.actor import Actor


class Claimed(StrEnum):
    ME = "me"
    NOBODY = "nobody"


class Sort(StrEnum):
    NEWEST = "newest"
    #: What is due first stands first; what has no date stands last.
    DUE = "due"


@dataclass(frozen=True)
class Filters:
    status: CaseStatus | None = None
    kind: CaseKind | None = None
    district: str | None = None
    category: str | None = None
    supplier_id: int | None = None
    product_id: int | None = None
    batch_id: int | None = None
    q: str | None = None
    due_before: date | None = None
    overdue: bool | None = None
    claimed: Claimed | None = None
    #: Only what waits for the caller's decision.
    mine: bool | None = None


#: As catalog.certification.queries.cases.is_overdue.
_OVERDUE = (
    "(c.status IN ('township_review','county_review','public_notice','city_review','filing','returned','appealed')"
    " AND c.due_on < :today)"
)
#: The level that has the case before it; appeals go to the city.
_LEVEL = "coalesce(c.level, 'city')"
_MINE = f"""((c.level = ANY (CAST(:levels AS text[])) OR (c.status = 'appealed' AND 'city' = ANY (CAST(:levels AS text[]))))
    AND NOT coalesce(starts_with(:own_path, o.path) OR o.path LIKE CAST(:branch AS text), false)
    AND NOT EXISTS (SELECT FROM certification_step s WHERE s.case_id = c.id AND s.actor_id = :user_id
                    AND (s.level <> {_LEVEL} OR (c.status = 'appealed' AND s.action = 'reject')))
    AND NOT EXISTS (SELECT FROM certification_opinion n, jsonb_to_recordset(c.steps) AS s (step text, level text)
                    WHERE n.case_id = c.id AND n.author_id = :user_id AND s.step = n.step AND s.level <> {_LEVEL}))"""

_CONDITIONS = {
    "status": "c.status = :status",
    "kind": "c.kind = :kind",
    "district": "c.district_code = :district",
    "category": "p.category = :category",
    "supplier_id": "c.supplier_id = :supplier_id",
    "product_id": "c.product_id = :product_id",
    "batch_id": "c.batch_id = :batch_id",
    "q": "(strpos(p.name, :q) > 0 OR strpos(o.name, :q) > 0)",
    "due_before": "c.due_on < :due_before",
}
_ORDERS = {Sort.NEWEST: "c.id DESC", Sort.DUE: "c.due_on, c.id"}


def _beyond(sort: Sort, after: str | None) -> tuple[str, dict[str, Any]] | None:
    """The condition for what stands behind a cursor. What has no date stands last, as PostgreSQL sorts it."""
    if sort is Sort.NEWEST:
        start = paging.position(after, int)
        return ("c.id < :after_id", {"after_id": start[0]}) if start else None
    if not (start := paging.position(after, str, int)):
        return None
    values = {"after_day": paging.day(start[0]) if start[0] else None, "after_id": start[1]}
    if not start[0]:
        return "(c.due_on IS NULL AND c.id > :after_id)", values
    return "(c.due_on > :after_day OR c.due_on IS NULL OR (c.due_on = :after_day AND c.id > :after_id))", values


def _where(actor: Actor, filters: Filters) -> tuple[list[str], dict[str, Any]]:
    """The conditions that were asked for and no others, so that PostgreSQL plans for this list and not for any."""
    values = {name: value for name in _CONDITIONS if (value := getattr(filters, name)) is not None}
    conditions = [REACH, *(_CONDITIONS[name] for name in values)]
    if filters.overdue is not None:
        conditions.append(_OVERDUE if filters.overdue else f"NOT {_OVERDUE}")
    if filters.claimed is not None:
        conditions.append("c.claimed_by = :user_id" if filters.claimed is Claimed.ME else "c.claimed_by IS NULL")
    if filters.mine is not None:
        conditions.append(_MINE if filters.mine else f"NOT coalesce({_MINE}, false)")
        values["levels"] = [level.value for level in Level if level is not Level.SUPPLIER and actor.may(level.permission)]
        values["own_path"] = actor.organisation_path
    return conditions, {**values, **reach(actor), "user_id": actor.user_id, "today": clock.today()}


def cases(
    session: Session, actor: Actor, filters: Filters, *, sort: Sort = Sort.NEWEST, limit: int = 50, after: str | None = None
) -> Page[CaseRow]:
    """An officer's queue, or a supplier's own applications."""
    conditions, values = _where(actor, filters)
    if beyond := _beyond(sort, after):
        conditions.append(beyond[0])
        values |= beyond[1]
    statement = text(f"{CASE} WHERE {' AND '.join(conditions)} ORDER BY {_ORDERS[sort]} LIMIT :rows")
    rows = session.execute(statement, {**values, "rows": limit + 1}).all()
    today = clock.today()

    def told(row: Row[Any]) -> CaseRow:
        shown = {name: getattr(row, name) for name in CaseRow.model_fields if hasattr(row, name)}
        return CaseRow(**shown, overdue=is_overdue(row, today))

    def place(row: Row[Any]) -> list[Any]:
        return [row.id] if sort is Sort.NEWEST else [row.due_on.isoformat() if row.due_on else "", row.id]

    return paging.page(rows, limit, told, place)


def queue(session: Session, actor: Actor, filters: Filters) -> list[QueueRow]:
    """How many cases wait at each state, how many of them are overdue, and since when the oldest waits. What is closed waits for nobody."""
    conditions, values = _where(actor, filters)
    if filters.status is None:
        conditions.append("c.status NOT IN ('approved', 'rejected', 'withdrawn')")
    rows = session.execute(
        text(
            f"""SELECT c.status, count(*) AS cases, count(*) FILTER (WHERE {_OVERDUE}) AS overdue,
                count(*) FILTER (WHERE c.claimed_by IS NULL) AS unclaimed, min(c.entered_on) AS oldest_since
            FROM certification_case c JOIN product p ON p.id = c.product_id JOIN organisation o ON o.id = c.supplier_id
            WHERE {" AND ".join(conditions)} GROUP BY c.status ORDER BY c.status"""
        ),
        values,
    )
    return [QueueRow.model_validate(row, from_attributes=True) for row in rows]
