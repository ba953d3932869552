"""Applying over HTTP: applications, their papers, renewals."""

from typing import Annotated

from fastapi import Depends, File, Form, UploadFile
from fastapi.responses import Response

from catalog.certification.actions import applying, papers, renewing
from catalog.certification.actions.papers import Printed
from catalog.certification.queries import cases as queries
from catalog.certification.rules import DocumentKind
from catalog.certification.schemas.applying import CaseIn, CasePatch, RemarkIn, RenewalIn
from catalog.certification.schemas.cases import CaseOut
from shop.core import uploads
from shop.core.quantities import Day, Id, OneLine
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("certification", "/v1")

Paper = Annotated[UploadFile, File(description="PDF, PNG, JPEG, DOCX or XLSX")]


def _case(call: Call, case_id: int) -> CaseOut:
    return queries.case(call.session, call.actor, case_id, call.language)


@routes.post("/certification-cases", Permission.CERTIFICATIONS_APPLY)
def apply(call: Call, body: CaseIn) -> CaseOut:
    """Start an application for an own product. What is still missing is told with it."""
    return _case(call, applying.apply(call.session, call.actor, body))


@routes.patch("/certification-cases/{case_id}", Permission.CERTIFICATIONS_APPLY)
def edit_case(call: Call, case_id: Id, body: CasePatch) -> CaseOut:
    """Change what the own application states, before it is handed in or after it was returned."""
    applying.edit(call.session, call.actor, case_id, body.model_dump(exclude_unset=True), call.if_match)
    return _case(call, case_id)


def _printed(
    number: Annotated[OneLine | None, Form(description="as printed on it")] = None,
    issuer: Annotated[OneLine | None, Form()] = None,
    issued_on: Annotated[Day | None, Form()] = None,
    valid_until: Annotated[Day | None, Form(description="its last day; a certificate does not hold beyond it")] = None,
) -> Printed:
    return Printed(number, issuer, issued_on, valid_until)


#: What is printed on a paper, as fields of a form.
PrintedForm = Annotated[Printed, Depends(_printed)]


@routes.post("/certification-cases/{case_id}/documents", Permission.CERTIFICATIONS_APPLY)
def add_document(call: Call, case_id: Id, kind: Annotated[DocumentKind, Form()], file: Paper, printed: PrintedForm) -> CaseOut:
    """Add a paper to the own application. The newest of its kind counts."""
    papers.bring(call.session, call.actor, case_id, kind, printed, file.filename, file.file.read())
    return _case(call, case_id)


@routes.post("/certification-cases/{case_id}/attachments", Permission.CERTIFICATIONS_OPINE)
def attach(call: Call, case_id: Id, kind: Annotated[DocumentKind, Form()], file: Paper) -> CaseOut:
    """Attach a paper as an officer; an opinion or a decision names it by its id."""
    papers.attach(call.session, call.actor, case_id, kind, file.filename, file.file.read())
    return _case(call, case_id)


@routes.get("/certification-documents/{document_id}", Permission.CERTIFICATIONS_READ, responses=uploads.FILE_ANSWER)
def read_document(call: Call, document_id: Id) -> Response:
    """The content of a paper, for those who may see it."""
    return uploads.served(queries.document(call.session, call.actor, document_id))


@routes.delete("/certification-documents/{document_id}", Permission.CERTIFICATIONS_APPLY, status=200)
def remove_document(call: Call, document_id: Id) -> CaseOut:
    """Take back a paper of the own application that no reviewer has seen."""
    return _case(call, papers.remove(call.session, call.actor, document_id))


@routes.post("/certification-cases/{case_id}/submit", Permission.CERTIFICATIONS_APPLY, status=200)
def submit(call: Call, case_id: Id) -> CaseOut:
    """Hand the own application in; everything that is missing is named at once."""
    applying.submit(call.session, call.actor, case_id, call.if_match)
    return _case(call, case_id)


@routes.post("/certification-cases/{case_id}/withdraw", Permission.CERTIFICATIONS_APPLY, status=200)
def withdraw(call: Call, case_id: Id, body: RemarkIn) -> CaseOut:
    """Take the own application back."""
    applying.withdraw(call.session, call.actor, case_id, body.reason, call.if_match)
    return _case(call, case_id)


@routes.post("/certificates/{certificate_id}/renewal", Permission.CERTIFICATIONS_APPLY)
def renew(call: Call, certificate_id: Id, body: RenewalIn) -> CaseOut:
    """Draw up the renewal of an own certificate: what was stated, the households and the papers that still hold come along."""
    return _case(call, renewing.renew(call.session, call.actor, certificate_id, body.statement))
