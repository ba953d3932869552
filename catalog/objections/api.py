"""Public notices and objections over HTTP."""

from typing import Annotated

from fastapi import File, Path, Query, UploadFile
from fastapi.responses import Response

from catalog.objections import actions, queries
from catalog.objections.queries import Filters, NoticeFilters
from catalog.objections.schemas import (
    CaseObjectionOut,
    FileOut,
    FindingsIn,
    NoticeOut,
    NoticeRow,
    ObjectionIn,
    ObjectionOut,
    ObjectionRow,
    ObjectionWithContactOut,
    PublicObjectionOut,
    ReceiptOut,
)
from catalog.objections.states import ObjectionMove, ObjectionState
from catalog.products.rules import Category
from catalog.products.schemas import DistrictCode
from shop.core import uploads
from shop.core.paging import After, Limit, Page
from shop.core.quantities import Id, ShortText
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("objections", "/v1")

District = Annotated[DistrictCode | None, Query()]
Receipt = Annotated[str, Path(max_length=100, examples=["YY-2026-500236-23456789ABCDEFGH"])]
Evidence = Annotated[UploadFile, File(description="PDF, PNG, JPEG, DOCX or XLSX")]


@routes.get("/public/notices", public=True)
def list_notices(
    call: Call,
    district: District = None,
    category: Category | None = None,
    q: Annotated[ShortText | None, Query(description="part of the name of the product or the supplier")] = None,
    running: Annotated[bool, Query(description="false: those that ended within the last 90 days")] = True,
    limit: Limit = 50,
    after: After = None,
) -> Page[NoticeRow]:
    """The public notices that run today, the newest first."""
    filters = NoticeFilters(district, category, q)
    return queries.notices(call.session, filters, call.language, running=running, limit=limit, after=after)


@routes.get("/public/notices/{case_id}", public=True)
def read_notice(call: Call, case_id: Id) -> NoticeOut:
    """What is to be certified or changed, and how to object."""
    return queries.notice(call.session, case_id, call.language)


@routes.post("/public/notices/{case_id}/objections", public=True)
def object_to_notice(call: Call, case_id: Id, body: ObjectionIn) -> ReceiptOut:
    """Object to a notice while it runs. The contact is kept encrypted, for those who look into it; the receipt follows the objection up."""
    objection = actions.receive(call.session, case_id, body)
    return ReceiptOut(
        receipt=objection.receipt,
        state=ObjectionState(objection.status),
        received_at=objection.received_at,
        due_on=objection.due_on,
    )


@routes.get("/public/objections/{receipt}", public=True)
def follow_objection(call: Call, receipt: Receipt) -> PublicObjectionOut:
    """What became of an objection, by its receipt."""
    return queries.by_receipt(call.session, receipt)


@routes.post("/public/objections/{receipt}/files", public=True)
def add_evidence(call: Call, receipt: Receipt, file: Evidence) -> FileOut:
    """Add evidence to an objection that is not yet decided."""
    kept = actions.add_evidence(call.session, receipt, file.filename, file.file.read())
    return FileOut.model_validate(kept, from_attributes=True)


@routes.get("/certification-cases/{case_id}/objections", Permission.CERTIFICATIONS_READ)
def objections_to_case(call: Call, case_id: Id) -> list[CaseObjectionOut]:
    """What was objected to an application and how that was decided, the oldest first; not who objected."""
    return queries.of_case(call.session, call.actor, case_id)


@routes.get("/objections", Permission.OBJECTIONS_DECIDE)
def list_objections(
    call: Call,
    status: ObjectionState | None = None,
    case_id: Annotated[Id | None, Query()] = None,
    district: District = None,
    q: Annotated[ShortText | None, Query(description="part of the name of the product or the supplier, or a receipt")] = None,
    overdue: bool | None = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[ObjectionRow]:
    """The objections of the own region, the newest first."""
    return queries.objections(call.session, call.actor, Filters(status, case_id, district, q, overdue), limit=limit, after=after)


@routes.get("/objections/{objection_id}", Permission.OBJECTIONS_DECIDE)
def read_objection(call: Call, objection_id: Id) -> ObjectionWithContactOut:
    """One objection with its evidence and with who raised it. That the contact was seen is put on record."""
    contact = actions.see_contact(call.session, call.actor, objection_id)
    shown = queries.objection(call.session, call.actor, objection_id)
    return ObjectionWithContactOut(**dict(shown), contact=contact)


@routes.get("/objections/{objection_id}/files/{file_id}", Permission.OBJECTIONS_DECIDE, responses=uploads.FILE_ANSWER)
def read_evidence(call: Call, objection_id: Id, file_id: Id) -> Response:
    """The content of a piece of evidence."""
    return uploads.served(queries.evidence(call.session, call.actor, objection_id, file_id))


@routes.post("/objections/{objection_id}/investigate", Permission.OBJECTIONS_DECIDE, status=200)
def investigate(call: Call, objection_id: Id) -> ObjectionOut:
    """Take an objection up."""
    actions.investigate(call.session, call.actor, objection_id, call.if_match)
    return queries.objection(call.session, call.actor, objection_id)


@routes.post("/objections/{objection_id}/uphold", Permission.OBJECTIONS_DECIDE, status=200)
def uphold(call: Call, objection_id: Id, body: FindingsIn) -> ObjectionOut:
    """The objection is right: its case can only be returned or rejected."""
    actions.decide(call.session, call.actor, objection_id, ObjectionMove.UPHOLD, body.findings, body.answer, call.if_match)
    return queries.objection(call.session, call.actor, objection_id)


@routes.post("/objections/{objection_id}/dismiss", Permission.OBJECTIONS_DECIDE, status=200)
def dismiss(call: Call, objection_id: Id, body: FindingsIn) -> ObjectionOut:
    """The objection is not right: it no longer stands against its case."""
    actions.decide(call.session, call.actor, objection_id, ObjectionMove.DISMISS, body.findings, body.answer, call.if_match)
    return queries.objection(call.session, call.actor, objection_id)
