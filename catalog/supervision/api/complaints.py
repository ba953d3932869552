"""Complaints about certified products over HTTP."""

from typing import Annotated

from fastapi import File, Path, Query, UploadFile
from fastapi.responses import Response

from catalog.products.schemas import DistrictCode
from catalog.supervision.actions import complaints as actions
from catalog.supervision.queries import complaints as queries
from catalog.supervision.queries.complaints import Filters
from catalog.supervision.schemas.complaints import (
    ComplaintIn,
    ComplaintKind,
    ComplaintOut,
    ComplaintReceiptOut,
    ComplaintRow,
    ComplaintWithContactOut,
    DecisionIn,
    PublicComplaintIn,
    PublicComplaintOut,
    StatementIn,
)
from catalog.supervision.states import ComplaintState
from shop.core import uploads
from shop.core.paging import After, Limit, Page
from shop.core.quantities import Id, ShortText
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("complaints", "/v1")

Receipt = Annotated[str, Path(max_length=100, examples=["TS-2026-500236-23456789ABCDEFGH"])]
Upload = Annotated[UploadFile, File(description="PDF, PNG, JPEG, DOCX or XLSX")]


def _complaint(call: Call, complaint_id: int) -> ComplaintOut:
    return queries.complaint(call.session, call.actor, complaint_id)


@routes.post("/public/complaints", public=True)
def complain(call: Call, body: PublicComplaintIn) -> ComplaintReceiptOut:
    """Complain about a certified product. The contact is kept encrypted, for those who decide; the receipt follows the complaint up."""
    complaint = actions.receive(call.session, body)
    return ComplaintReceiptOut(
        receipt=complaint.receipt,
        state=ComplaintState(complaint.status),
        received_at=complaint.received_at,
        due_on=complaint.decision_due_on,
    )


@routes.get("/public/complaints/{receipt}", public=True)
def follow_complaint(call: Call, receipt: Receipt) -> PublicComplaintOut:
    """What became of a complaint, by its receipt."""
    return queries.by_receipt(call.session, receipt)


@routes.post("/complaints", Permission.COMPLAINTS_FILE)
def file_complaint(call: Call, body: ComplaintIn) -> ComplaintOut:
    """Complain about a certified product in the name of the own organisation."""
    return _complaint(call, actions.file(call.session, call.actor, body))


@routes.get("/complaints", Permission.COMPLAINTS_READ)
def list_complaints(
    call: Call,
    status: ComplaintState | None = None,
    kind: ComplaintKind | None = None,
    certificate_id: Annotated[Id | None, Query()] = None,
    district: Annotated[DistrictCode | None, Query()] = None,
    q: Annotated[
        ShortText | None, Query(description="part of the name of the product or the supplier; a certificate's number; a receipt")
    ] = None,
    overdue: bool | None = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[ComplaintRow]:
    """A supplier's own complaints to answer, those that a buyer filed, or those of an officer's region; the newest first."""
    filters = Filters(status, kind, certificate_id, district, q, overdue)
    return queries.complaints(call.session, call.actor, filters, limit=limit, after=after)


@routes.get("/complaints/{complaint_id}", Permission.COMPLAINTS_READ)
def read_complaint(call: Call, complaint_id: Id) -> ComplaintWithContactOut:
    """One complaint with its files. Officers who decide it see the contact of somebody of the public too, which is put on record."""
    contact = actions.see_contact(call.session, call.actor, complaint_id)
    return ComplaintWithContactOut(**dict(_complaint(call, complaint_id)), contact=contact)


@routes.post("/complaints/{complaint_id}/files", Permission.COMPLAINTS_FILE)
def add_evidence(call: Call, complaint_id: Id, file: Upload) -> ComplaintOut:
    """Add evidence to the own complaint while it is open."""
    actions.add_file(call.session, call.actor, complaint_id, file.filename, file.file.read())
    return _complaint(call, complaint_id)


@routes.get("/complaints/{complaint_id}/files/{file_id}", Permission.COMPLAINTS_READ, responses=uploads.FILE_ANSWER)
def read_file(call: Call, complaint_id: Id, file_id: Id) -> Response:
    """The content of a file of a complaint, for both sides and the officers."""
    return uploads.served(queries.file(call.session, call.actor, complaint_id, file_id))


@routes.post("/complaints/{complaint_id}/statement", Permission.COMPLAINTS_STATE, status=200)
def make_statement(call: Call, complaint_id: Id, body: StatementIn) -> ComplaintOut:
    """What the supplier says to a complaint about its product; until the decision, marked when it comes late."""
    actions.state(call.session, call.actor, complaint_id, body.text, call.if_match)
    return _complaint(call, complaint_id)


@routes.post("/complaints/{complaint_id}/statement/files", Permission.COMPLAINTS_STATE)
def add_to_statement(call: Call, complaint_id: Id, file: Upload) -> ComplaintOut:
    """Add a paper to the supplier's statement while the complaint is open."""
    actions.add_file(call.session, call.actor, complaint_id, file.filename, file.file.read())
    return _complaint(call, complaint_id)


@routes.post("/complaints/{complaint_id}/decide", Permission.COMPLAINTS_DECIDE, status=200)
def decide_complaint(call: Call, complaint_id: Id, body: DecisionIn) -> ComplaintOut:
    """Uphold or dismiss a complaint, after the supplier's statement or the time for it; and what becomes of the certificate."""
    actions.decide(call.session, call.actor, complaint_id, body, call.if_match)
    return _complaint(call, complaint_id)


@routes.post("/complaints/{complaint_id}/withdraw", Permission.COMPLAINTS_FILE, status=200)
def withdraw_complaint(call: Call, complaint_id: Id) -> ComplaintOut:
    """Take the own complaint back."""
    actions.withdraw(call.session, call.actor, complaint_id, call.if_match)
    return _complaint(call, complaint_id)
