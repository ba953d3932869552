"""Reads of complaints: the supplier those about itself, a buyer its own, officers those of their region; and by receipt."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from catalog.certificates.reach import IN_REGION, OWN, reach
from catalog.supervision.schemas.complaints import (
    ComplaintFileOut,
    ComplaintKind,
    ComplaintOut,
    ComplaintRow,
    PublicComplaintOut,
)
from catalog.supervision.states import COMPLAINT, OPEN_COMPLAINTS, ComplaintMove, ComplaintState
from shop.core import clock, paging
from shop.core.errors import NotFound
from shop.core.paging import Page
from shop.identity.actor import Actor
from shop.identity.permissions import Permission
from shop.identity.public import is_receipt

REACH = f"({OWN} OR coalesce(f.path LIKE CAST(:branch AS text), false) OR {IN_REGION})"

_COMPLAINT = """
    SELECT m.*, c.number AS certificate_number, c.product_name, c.supplier_name, c.district_code, r.name_zh AS district_name,
           o.path AS supplier_path, f.name AS organisation_name, f.path AS organisation_path
    FROM complaint m
    JOIN certificate c ON c.id = m.certificate_id
    JOIN organisation o ON o.id = m.supplier_id
    JOIN region r ON r.code = c.district_code
    LEFT JOIN organisation f ON f.id = m.organisation_id
"""
_ONE = text(f"{_COMPLAINT} WHERE m.id = :id AND {REACH}")
_BY_RECEIPT = text(
    "SELECT m.*, m.status AS state, m.decision_due_on AS due_on, c.number AS certificate_number, c.product_name"
    " FROM complaint m JOIN certificate c ON c.id = m.certificate_id WHERE m.receipt = :receipt"
)
_FILES = text(
    "SELECT s.id, s.name, s.content_type, s.size, s.sha256, s.uploaded_at, s.storage_key,"
    " CASE WHEN u.organisation_id = m.supplier_id THEN 'supplier' ELSE 'buyer' END AS side"
    " FROM complaint_file f JOIN complaint m ON m.id = f.complaint_id JOIN stored_file s ON s.id = f.file_id"
    " LEFT JOIN app_user u ON u.id = s.uploaded_by WHERE f.complaint_id = :id ORDER BY s.id"
)


def by_receipt(session: Session, receipt: str) -> PublicComplaintOut:
    """What became of a complaint, for who has its receipt; nothing of it tells who that is.

    Raises:
        NotFound: there is no such receipt (404).
    """
    row = session.execute(_BY_RECEIPT, {"receipt": receipt}).first() if is_receipt(receipt) else None
    if row is None:
        raise NotFound
    return PublicComplaintOut.model_validate(row, from_attributes=True)


def complaint_row(session: Session, actor: Actor, complaint_id: int) -> Row[Any]:
    """One complaint as it stands.

    Raises:
        NotFound: there is none within the caller's reach (404).
    """
    row = session.execute(_ONE, {"id": complaint_id, **reach(actor, Permission.COMPLAINTS_READ)}).first()
    if row is None:
        raise NotFound
    return row


def is_impartial(actor: Actor, row: Row[Any]) -> bool:
    """Whether the actor has nothing to do with either side."""
    return not any(actor.is_related(path) for path in (row.supplier_path, row.organisation_path) if path)


def may_decide(actor: Actor, row: Row[Any]) -> bool:
    """Whether deciding a complaint is this actor's office."""
    decides = actor.may(Permission.COMPLAINTS_DECIDE) and actor.covers_region(Permission.COMPLAINTS_DECIDE, row.district_code)
    return decides and is_impartial(actor, row)


def complaint(session: Session, actor: Actor, complaint_id: int) -> ComplaintOut:
    """One complaint with its files, without who of the public it was. Raises as :func:`complaint_row`."""
    row = complaint_row(session, actor, complaint_id)
    files = session.execute(_FILES, {"id": row.id}).all()
    return ComplaintOut(
        **_row(row),
        statement=row.statement,
        answer=row.answer,
        decided_by=row.decided_by,
        files=[ComplaintFileOut.model_validate(each, from_attributes=True) for each in files],
        possible_actions=_possible(actor, row),
    )


def file(session: Session, actor: Actor, complaint_id: int, file_id: int) -> Row[Any]:
    """Where the content of a file of a complaint lies. Raises as :func:`complaint_row`."""
    row = complaint_row(session, actor, complaint_id)
    for each in session.execute(_FILES, {"id": row.id}):
        if each.id == file_id:
            return each
    raise NotFound


def _possible(actor: Actor, row: Row[Any]) -> list[ComplaintMove]:
    may = {
        ComplaintMove.STATE: actor.may(Permission.COMPLAINTS_STATE) and row.supplier_id == actor.organisation_id,
        ComplaintMove.WITHDRAW: actor.may(Permission.COMPLAINTS_FILE)
        and row.organisation_id is not None
        and row.organisation_id == actor.organisation_id,
    }
    pending = row.status == ComplaintState.RECEIVED and clock.today() <= row.statement_due_on
    decides = may_decide(actor, row) and not pending
    return [move for move in COMPLAINT.possible(row.status) if may.get(move, decides)]


@dataclass(frozen=True)
class Filters:
    status: ComplaintState | None = None
    kind: ComplaintKind | None = None
    certificate_id: int | None = None
    district: str | None = None
    q: str | None = None
    overdue: bool | None = None


_OVERDUE = "(m.status IN ('received', 'stated') AND m.decision_due_on < :today)"
_CONDITIONS = {
    "status": "m.status = :status",
    "kind": "m.kind = :kind",
    "certificate_id": "m.certificate_id = :certificate_id",
    "district": "c.district_code = :district",
    "q": "(strpos(c.product_name, :q) > 0 OR strpos(c.supplier_name, :q) > 0 OR c.number = :q OR m.receipt = :q)",
}


def complaints(
    session: Session, actor: Actor, filters: Filters, *, limit: int = 50, after: str | None = None
) -> Page[ComplaintRow]:
    """The complaints within reach, the newest first."""
    values = {name: value for name in _CONDITIONS if (value := getattr(filters, name)) is not None}
    conditions = [REACH, *(_CONDITIONS[name] for name in values)]
    if filters.overdue is not None:
        conditions.append(_OVERDUE if filters.overdue else f"NOT {_OVERDUE}")
    if start := paging.position(after, int):
        conditions.append("m.id < :start")
        values["start"] = start[0]
    values |= {**reach(actor, Permission.COMPLAINTS_READ), "today": clock.today()}
    statement = text(f"{_COMPLAINT} WHERE {' AND '.join(conditions)} ORDER BY m.id DESC LIMIT :rows")
    rows = session.execute(statement, {**values, "rows": limit + 1}).all()
    return paging.page(rows, limit, lambda row: ComplaintRow(**_row(row)), lambda row: [row.id])


def _row(row: Row[Any]) -> dict[str, Any]:
    today = clock.today()
    shown = {name: getattr(row, name) for name in ComplaintRow.model_fields if hasattr(row, name)}
    open_ = row.status in OPEN_COMPLAINTS
    late = clock.shanghai_date(row.stated_at) > row.statement_due_on if row.stated_at else open_ and today > row.statement_due_on
    return shown | {"statement_overdue": late, "overdue": open_ and today > row.decision_due_on}
