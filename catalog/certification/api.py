"""Certification over HTTP: applications, papers, reviews, certificates; notices and certificate checks for everybody."""

from typing import Annotated
from urllib.parse import quote

from fastapi import File, Form, Path, Query, UploadFile
from fastapi.responses import Response

from catalog.certification import queries
from catalog.certification.actions import applying, certificates, reviewing
from catalog.certification.errors import FileMissing
from catalog.certification.rules import DocumentKind
from catalog.certification.schemas import (
    CaseIn,
    CaseOut,
    CasePatch,
    CaseRow,
    CertificateOut,
    NoticeOut,
    PublicCertificateOut,
    ReasonIn,
    RemarkIn,
)
from catalog.certification.states import CaseStatus
from catalog.products.schemas import DistrictCode
from shop.core import storage
from shop.core.paging import After, Limit, Page
from shop.core.quantities import Id
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("certification", "/v1")

District = Annotated[DistrictCode | None, Query()]
OptionalId = Annotated[Id | None, Query()]


def _case(call: Call, case_id: int) -> CaseOut:
    return queries.case(call.session, call.actor, case_id, call.language)


def _certificate(call: Call, certificate_id: int) -> CertificateOut:
    return queries.certificate(call.session, call.actor, certificate_id)


# --- applying ------------------------------------------------------------------------------------------------------


@routes.post("/certification-cases", Permission.CERTIFICATIONS_APPLY)
def apply(call: Call, body: CaseIn) -> CaseOut:
    """Start an application for an own product. What is still missing is told with it."""
    return _case(call, applying.apply(call.session, call.actor, body))


@routes.get("/certification-cases", Permission.CERTIFICATIONS_READ)
def list_cases(
    call: Call,
    status: CaseStatus | None = None,
    district: District = None,
    supplier_id: OptionalId = None,
    product_id: OptionalId = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[CaseRow]:
    """An officer's queue, or a supplier's own applications; the newest first."""
    return queries.cases(
        call.session,
        call.actor,
        status=status,
        district=district,
        supplier_id=supplier_id,
        product_id=product_id,
        limit=limit,
        after=after,
    )


@routes.get("/certification-cases/{case_id}", Permission.CERTIFICATIONS_READ)
def read_case(call: Call, case_id: Id) -> CaseOut:
    """One application with its steps, papers, what is missing and what the caller may do with it now."""
    return _case(call, case_id)


@routes.patch("/certification-cases/{case_id}", Permission.CERTIFICATIONS_APPLY)
def edit_case(call: Call, case_id: Id, body: CasePatch) -> CaseOut:
    """Change what the own application states, before it is submitted or after it was returned."""
    applying.edit(call.session, call.actor, case_id, body.model_dump(exclude_unset=True), call.if_match)
    return _case(call, case_id)


@routes.post("/certification-cases/{case_id}/documents", Permission.CERTIFICATIONS_APPLY)
def add_document(
    call: Call,
    case_id: Id,
    kind: Annotated[DocumentKind, Form()],
    file: Annotated[UploadFile, File(description="PDF, PNG, JPEG, DOCX or XLSX")],
) -> CaseOut:
    """Add a paper to the own application."""
    applying.add_document(call.session, call.actor, case_id, kind, file.filename, file.file.read())
    return _case(call, case_id)


@routes.get(
    "/certification-documents/{document_id}",
    Permission.CERTIFICATIONS_READ,
    responses={200: {"description": "The paper as it was uploaded", "content": {"application/octet-stream": {}}}},
)
def read_document(call: Call, document_id: Id) -> Response:
    """The content of a paper, for those who may see its application."""
    document = queries.document(call.session, call.actor, document_id)
    try:
        content = storage.get(document.storage_key)
    except FileNotFoundError:
        raise FileMissing from None
    disposition = f"attachment; filename*=UTF-8''{quote(document.name)}"
    return Response(content, media_type=document.content_type, headers={"Content-Disposition": disposition})


@routes.post("/certification-cases/{case_id}/submit", Permission.CERTIFICATIONS_APPLY, status=200)
def submit(call: Call, case_id: Id) -> CaseOut:
    """Hand the own application in; everything that is missing is named at once."""
    applying.submit(call.session, call.actor, case_id)
    return _case(call, case_id)


@routes.post("/certification-cases/{case_id}/withdraw", Permission.CERTIFICATIONS_APPLY, status=200)
def withdraw(call: Call, case_id: Id, body: RemarkIn) -> CaseOut:
    """Take the own application back."""
    applying.withdraw(call.session, call.actor, case_id, body.reason)
    return _case(call, case_id)


# --- reviewing -----------------------------------------------------------------------------------------------------


@routes.post("/certification-cases/{case_id}/take-up", Permission.CERTIFICATIONS_COUNTY_REVIEW, status=200)
def take_up(call: Call, case_id: Id) -> CaseOut:
    """The county begins its review."""
    reviewing.take_up(call.session, call.actor, case_id)
    return _case(call, case_id)


@routes.post("/certification-cases/{case_id}/publish-notice", Permission.CERTIFICATIONS_COUNTY_REVIEW, status=200)
def publish_notice(call: Call, case_id: Id) -> CaseOut:
    """The county publishes the product for as many working days as the programme says."""
    reviewing.publish_notice(call.session, call.actor, case_id)
    return _case(call, case_id)


@routes.post("/certification-cases/{case_id}/close-notice", Permission.CERTIFICATIONS_COUNTY_REVIEW, status=200)
def close_notice(call: Call, case_id: Id, body: RemarkIn) -> CaseOut:
    """After the last day of the notice the county decides for the product and passes it on to the city."""
    reviewing.close_notice(call.session, call.actor, case_id, body.reason)
    return _case(call, case_id)


@routes.post("/certification-cases/{case_id}/certify", Permission.CERTIFICATIONS_CITY_REVIEW, status=200)
def certify(call: Call, case_id: Id, body: RemarkIn) -> CaseOut:
    """The city certifies the product; the answer holds the certificate."""
    reviewing.certify(call.session, call.actor, case_id, body.reason)
    return _case(call, case_id)


# Whoever has the case before them may do these two, so the permission that counts is that of the case's level, and the action asks for it.
@routes.post("/certification-cases/{case_id}/return", Permission.CERTIFICATIONS_READ, status=200)
def return_case(call: Call, case_id: Id, body: ReasonIn) -> CaseOut:
    """Give the application back to the supplier for correction; by the level that has it before it."""
    reviewing.return_(call.session, call.actor, case_id, body.reason)
    return _case(call, case_id)


@routes.post("/certification-cases/{case_id}/reject", Permission.CERTIFICATIONS_READ, status=200)
def reject(call: Call, case_id: Id, body: ReasonIn) -> CaseOut:
    """Decide against the application for good; by the level that has it before it."""
    reviewing.reject(call.session, call.actor, case_id, body.reason)
    return _case(call, case_id)


# --- certificates --------------------------------------------------------------------------------------------------


@routes.get("/certificates", Permission.CERTIFICATIONS_READ)
def list_certificates(
    call: Call,
    district: District = None,
    supplier_id: OptionalId = None,
    product_id: OptionalId = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[CertificateOut]:
    """The certificates of an officer's region, or a supplier's own; the newest first."""
    return queries.certificates(
        call.session, call.actor, district=district, supplier_id=supplier_id, product_id=product_id, limit=limit, after=after
    )


@routes.get("/certificates/{certificate_id}", Permission.CERTIFICATIONS_READ)
def read_certificate(call: Call, certificate_id: Id) -> CertificateOut:
    """One certificate and whether it is in force today."""
    return _certificate(call, certificate_id)


@routes.post("/certificates/{certificate_id}/suspend", Permission.CERTIFICATIONS_CITY_REVIEW, status=200)
def suspend(call: Call, certificate_id: Id, body: ReasonIn) -> CertificateOut:
    """Put a certificate out of force for the time being: the product cannot be ordered."""
    certificates.suspend(call.session, call.actor, certificate_id, body.reason)
    return _certificate(call, certificate_id)


@routes.post("/certificates/{certificate_id}/reinstate", Permission.CERTIFICATIONS_CITY_REVIEW, status=200)
def reinstate(call: Call, certificate_id: Id, body: ReasonIn) -> CertificateOut:
    """Put a suspended certificate in force again."""
    certificates.reinstate(call.session, call.actor, certificate_id, body.reason)
    return _certificate(call, certificate_id)


@routes.post("/certificates/{certificate_id}/revoke", Permission.CERTIFICATIONS_CITY_REVIEW, status=200)
def revoke(call: Call, certificate_id: Id, body: ReasonIn) -> CertificateOut:
    """Put a certificate out of force for good."""
    certificates.revoke(call.session, call.actor, certificate_id, body.reason)
    return _certificate(call, certificate_id)


# --- for everybody -------------------------------------------------------------------------------------------------


@routes.get("/public/notices", public=True)
def notices(call: Call, district: District = None, limit: Limit = 50, after: After = None) -> Page[NoticeOut]:
    """The public notices that run today."""
    return queries.notices(call.session, district=district, limit=limit, after=after)


@routes.get("/public/certificates/{number}", public=True)
def check_certificate(
    call: Call, number: Annotated[str, Path(pattern=r"^[A-Za-z0-9\-]{1,40}$", examples=["CQ-2026-500236-000123"])]
) -> PublicCertificateOut:
    """What the number on a certificate stands for, and whether it is in force today."""
    return queries.public_certificate(call.session, number)
