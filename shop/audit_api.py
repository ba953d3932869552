"""The audit trail over HTTP."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel
from sqlalchemy import text
from sqlmodel import col, select

from shop.core import audit
from shop.core.models import AuditEvent
from shop.core.paging import After, Limit, Page, page, position
from shop.core.quantities import Id
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("audit", "/v1/audit")

#: Who quotes and who asks is told to nobody before the quotations are opened; of a request that was cancelled before, never.
_NOT_SEALED = text(
    """
    NOT EXISTS (SELECT FROM quotation_request r WHERE r.opened_at IS NULL AND r.id = CASE
        WHEN audit_event.subject_type = 'quotation'
            THEN (SELECT t.quotation_request_id FROM quotation t WHERE t.id = audit_event.subject_id)
        WHEN audit_event.action = 'quotation_request.asked' THEN audit_event.subject_id END)
    """
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
    statement = select(AuditEvent).where(_NOT_SEALED).order_by(col(AuditEvent.id).desc()).limit(limit + 1)
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
