"""The audit trail over HTTP."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel
from sqlalchemy import not_, text
from sqlmodel import col, select

from shop.core import audit
from shop.core.models import AuditEvent
from shop.core.paging import After, Limit, Page, page, position
from shop.core.quantities import Id
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("audit", "/v1/audit")

#: Who quotes is told to nobody before the quotations are opened.
_SEALED = text(
    "audit_event.subject_type = 'quotation' AND EXISTS (SELECT FROM quotation t JOIN quotation_request r ON r.id = t.quotation_request_id"
    " WHERE t.id = audit_event.subject_id AND r.status = 'open' AND r.opened_at IS NULL)"
)


class AuditEventOut(BaseModel):
    id: int
    at: datetime
    actor_id: int | None
    actor_role: str
    action: str
    subject_type: str
    subject_id: int
    reason: str | None
    detail: dict[str, Any]


class AuditCheckOut(BaseModel):
    sealed: int
    head: str
    faults: list[str]


@routes.get("/events", Permission.AUDIT_READ)
def events(
    call: Call,
    subject_type: Annotated[str | None, Query(max_length=50)] = None,
    subject_id: Annotated[Id | None, Query()] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[AuditEventOut]:
    """Acts on record, newest first."""
    statement = select(AuditEvent).where(not_(_SEALED)).order_by(col(AuditEvent.id).desc()).limit(limit + 1)
    if subject_type:
        statement = statement.where(AuditEvent.subject_type == subject_type)
    if subject_id:
        statement = statement.where(AuditEvent.subject_id == subject_id)
    if start := position(after, int):
        statement = statement.where(col(AuditEvent.id) < start[0])
    rows = call.session.exec(statement).all()
    return page(rows, limit, lambda row: AuditEventOut.model_validate(row, from_attributes=True), lambda row: [row.id])


@routes.get("/check", Permission.AUDIT_READ)
def check(call: Call) -> AuditCheckOut:
    """Recompute the hash chain over all sealed events and name what does not fit."""
    sealed, head = audit.head(call.session)
    return AuditCheckOut(sealed=sealed, head=head, faults=audit.verify(call.session))
