"""Notices for everybody; objections for who has the receipt, and for the officers who answer them."""

# ruff: noqa: S608  statements are put together from constants only; every value that a caller gives is bound

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from catalog.certificates.errors import OwnCase
from catalog.certificates.reach import counts, reach
from catalog.certification.queries import cases
from catalog.certification.schemas.cases import PricedPackOut
from catalog.objections import rules
from catalog.objections.schemas import (
    CaseObjectionOut,
    FileOut,
    NoticeOut,
    NoticeRow,
    ObjectionOut,
    ObjectionRow,
    PublicObjectionOut,
)
from catalog.objections.states import OBJECTION, OPEN, ObjectionState
from catalog.products.rules import per_kg
from shop.core import clock, paging
from shop.core.errors import Language, NotFound
from shop.core.paging import Page
from shop.core.settings import settings
from shop.identity.actor import Actor
from shop.identity.permissions import Permission
from shop.identity.public import is_receipt
from shop.programmes import queries as programmes

# --- notices --------------------------------------------------------------------------------------------------------

#: It runs. And: it has ended and the case still is what the public saw; once a case was returned its supplier may write something else.
_RUNNING = "(c.status = 'public_notice' AND c.notice_from <= :today AND c.notice_until > :today)"
_ENDED = (
    "(c.status IN ('public_notice', 'city_review', 'filing', 'approved') AND c.notice_until <= :today AND c.notice_until > :oldest)"
)
_NOTICE = f"""
    SELECT c.*, c.id AS case_id, p.name AS product_name, p.kind AS product_kind, p.category, p.village, p.specification, p.grade, p.producer,
           o.name AS supplier_name, o.uscc AS supplier_uscc, d.name_zh AS district_zh, d.name_en AS district_en,
           t.name_zh AS township_zh, t.name_en AS township_en, {_RUNNING} AS running,
           (SELECT count(*) FROM objection j WHERE j.case_id = c.id AND j.notice_from = c.notice_from) AS objections
    FROM certification_case c
    JOIN product p ON p.id = c.product_id
    JOIN organisation o ON o.id = c.supplier_id
    JOIN region d ON d.code = c.district_code
    LEFT JOIN region t ON t.code = c.township_code
"""
_ONE_NOTICE = text(f"{_NOTICE} WHERE c.id = :id AND ({_RUNNING} OR {_ENDED})")


@dataclass(frozen=True)
class NoticeFilters:
    district: str | None = None
    category: str | None = None
    q: str | None = None


_NOTICE_CONDITIONS = {
    "district": "c.district_code = :district",
    "category": "p.category = :category",
    "q": "(strpos(p.name, :q) > 0 OR strpos(o.name, :q) > 0)",
}


def notices(
    session: Session, filters: NoticeFilters, language: Language, *, running: bool = True, limit: int = 50, after: str | None = None
) -> Page[NoticeRow]:
    """The notices that run today, or those that ended within the last ``ENDED_DAYS`` days; the newest first."""
    values = {name: value for name in _NOTICE_CONDITIONS if (value := getattr(filters, name)) is not None}
    conditions = [_RUNNING if running else _ENDED, *(_NOTICE_CONDITIONS[name] for name in values)]
    if start := paging.position(after, int):
        conditions.append("c.id < :start")
        values["start"] = start[0]
    statement = text(f"{_NOTICE} WHERE {' AND '.join(conditions)} ORDER BY c.id DESC LIMIT :rows")
    rows = session.execute(statement, {**values, **_days(), "rows": limit + 1}).all()
    packs = _packs(session, rows)
    return paging.page(rows, limit, lambda row: NoticeRow(**_told(row, packs[row.id], language)), lambda row: [row.id])


def notice(session: Session, case_id: int, language: Language) -> NoticeOut:
    """One notice, and how to object to it.

    Raises:
        NotFound: there is none that everybody may read now (404).
    """
    row = session.execute(_ONE_NOTICE, {"id": case_id, **_days()}).first()
    if row is None:
        raise NotFound
    how = rules.over(language)
    if row.running:
        days = programmes.config_of(session, clock.today()).certification.objection_working_days
        address = f"{settings().public_url.rstrip('/')}/v1/public/notices/{case_id}/objections"
        how = rules.how_to_object(address, _last_day(row), days, language)
    return NoticeOut(
        **_told(row, _packs(session, [row])[row.id], language),
        statement=row.statement,
        monthly_capacity_kg=row.monthly_capacity_kg,
        proposed=rules.proposed(row.proposed),
        how_to_object=how,
    )


def _days() -> dict[str, date]:
    today = clock.today()
    return {"today": today, "oldest": today - timedelta(days=rules.ENDED_DAYS)}


def _last_day(row: Row[Any]) -> date:
    return row.notice_until - timedelta(days=1)  # type: ignore[no-any-return]


def _packs(session: Session, rows: Sequence[Row[Any]]) -> dict[int, list[PricedPackOut]]:
    """What the products of notices are sold in, without our own numbers."""
    found = cases.packs(session, rows, programmes.config_of(session, clock.today()))
    return {
        case: [PricedPackOut(**{field: getattr(pack, field) for field in PricedPackOut.model_fields}) for pack in packs]
        for case, packs in found.items()
    }


def _told(row: Row[Any], packs: Sequence[PricedPackOut], language: Language) -> dict[str, Any]:
    shown = {name: getattr(row, name) for name in NoticeRow.model_fields if hasattr(row, name)}
    return shown | {
        **counts(row, exact=False),
        "district_name": getattr(row, f"district_{language}"),
        "township_name": getattr(row, f"township_{language}"),
        "comparable_price": row.comparable_price_fen,
        "comparable_price_per_kg": per_kg(row.comparable_price_fen, row.comparable_pack_grams),
        "packs": packs,
        "notice_last_day": _last_day(row),
    }


# --- objections -----------------------------------------------------------------------------------------------------

_OBJECTION = """
    SELECT j.*, c.kind AS case_kind, c.supplier_id, c.district_code, p.name AS product_name, o.name AS supplier_name,
           o.path AS supplier_path, r.name_zh AS district_name, u.name AS investigator_name
    FROM objection j
    JOIN certification_case c ON c.id = j.case_id
    JOIN product p ON p.id = c.product_id
    JOIN organisation o ON o.id = c.supplier_id
    JOIN region r ON r.code = c.district_code
    LEFT JOIN app_user u ON u.id = j.investigator_id
"""
_IN_REGION = "c.district_code LIKE ANY (CAST(:regions AS text[]))"
#: What is against the own organisation is for others to read: it might tell who objected.
_OF_OTHERS = "NOT coalesce(starts_with(:own_path, o.path) OR o.path LIKE CAST(:branch AS text), false)"
_ONE = text(f"{_OBJECTION} WHERE j.id = :id AND {_IN_REGION}")
_BY_RECEIPT = text(
    "SELECT j.*, j.status AS state, p.name AS product_name, o.name AS supplier_name,"
    " (SELECT count(*) FROM objection_file f WHERE f.objection_id = j.id) AS files"
    " FROM objection j JOIN certification_case c ON c.id = j.case_id JOIN product p ON p.id = c.product_id"
    " JOIN organisation o ON o.id = c.supplier_id WHERE j.receipt = :receipt"
)
_OF_CASE = text(
    "SELECT id, status, notice_from, text, received_at, due_on, answer, decided_at FROM objection WHERE case_id = :case_id ORDER BY id"
)
_FILES = text(
    "SELECT s.id, s.name, s.content_type, s.size, s.sha256, s.uploaded_at, s.storage_key"
    " FROM objection_file f JOIN stored_file s ON s.id = f.file_id WHERE f.objection_id = :id ORDER BY s.id"
)
_OVERDUE = "(j.status IN ('received', 'investigating') AND j.due_on < :today)"


def by_receipt(session: Session, receipt: str) -> PublicObjectionOut:
    """What became of an objection, for who has its receipt; nothing of it tells who that is.

    Raises:
        NotFound: there is no such receipt (404).
    """
    row = session.execute(_BY_RECEIPT, {"receipt": receipt}).first() if is_receipt(receipt) else None
    if row is None:
        raise NotFound
    return PublicObjectionOut.model_validate(row, from_attributes=True)


def of_case(session: Session, actor: Actor, case_id: int) -> list[CaseObjectionOut]:
    """What was objected to a case, the oldest first: for its applicant and everybody else who sees the case; nothing of it tells who objected.

    Raises:
        NotFound: there is no such case within reach (404).
    """
    cases.case_row(session, actor, case_id)
    rows = session.execute(_OF_CASE, {"case_id": case_id})
    return [CaseObjectionOut.model_validate(row, from_attributes=True) for row in rows]


def of_others(session: Session, actor: Actor, objection_id: int) -> Row[Any]:
    """One objection as it stands, for who may look into it.

    Raises:
        NotFound: there is none in a region where the actor decides objections (404).
        OwnCase: it is against the own organisation (403).
    """
    row = session.execute(_ONE, {"id": objection_id, **reach(actor, Permission.OBJECTIONS_DECIDE)}).first()
    if row is None:
        raise NotFound
    if actor.is_related(row.supplier_path):
        raise OwnCase
    return row


def objection(session: Session, actor: Actor, objection_id: int) -> ObjectionOut:
    """One objection with its evidence, without who raised it. Raises as :func:`of_others`."""
    row = of_others(session, actor, objection_id)
    files = session.execute(_FILES, {"id": row.id}).all()
    return ObjectionOut(
        **_row(row),
        findings=row.findings,
        answer=row.answer,
        decided_by=row.decided_by,
        files=[FileOut.model_validate(each, from_attributes=True) for each in files],
        possible_actions=OBJECTION.possible(row.status),
    )


def evidence(session: Session, actor: Actor, objection_id: int, file_id: int) -> Row[Any]:
    """Where the content of a piece of evidence lies. Raises as :func:`of_others`."""
    row = of_others(session, actor, objection_id)
    for file in session.execute(_FILES, {"id": row.id}):
        if file.id == file_id:
            return file
    raise NotFound


@dataclass(frozen=True)
class Filters:
    status: ObjectionState | None = None
    case_id: int | None = None
    district: str | None = None
    q: str | None = None
    overdue: bool | None = None


_CONDITIONS = {
    "status": "j.status = :status",
    "case_id": "j.case_id = :case_id",
    "district": "c.district_code = :district",
    "q": "(strpos(p.name, :q) > 0 OR strpos(o.name, :q) > 0 OR j.receipt = :q)",
}


def objections(
    session: Session, actor: Actor, filters: Filters, *, limit: int = 50, after: str | None = None
) -> Page[ObjectionRow]:
    """The objections that an officer may look into, the newest first."""
    values = {name: value for name in _CONDITIONS if (value := getattr(filters, name)) is not None}
    conditions = [_IN_REGION, _OF_OTHERS, *(_CONDITIONS[name] for name in values)]
    if filters.overdue is not None:
        conditions.append(_OVERDUE if filters.overdue else f"NOT {_OVERDUE}")
    if start := paging.position(after, int):
        conditions.append("j.id < :start")
        values["start"] = start[0]
    values |= {**reach(actor, Permission.OBJECTIONS_DECIDE), "own_path": actor.organisation_path, "today": clock.today()}
    statement = text(f"{_OBJECTION} WHERE {' AND '.join(conditions)} ORDER BY j.id DESC LIMIT :rows")
    rows = session.execute(statement, {**values, "rows": limit + 1}).all()
    return paging.page(rows, limit, lambda row: ObjectionRow(**_row(row)), lambda row: [row.id])


def _row(row: Row[Any]) -> dict[str, Any]:
    shown = {name: getattr(row, name) for name in ObjectionRow.model_fields if hasattr(row, name)}
    return shown | {"overdue": row.status in OPEN and row.due_on < clock.today()}
