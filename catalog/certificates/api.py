"""Certificates over HTTP: to officers and suppliers, and to everybody who holds a number."""

from typing import Annotated, Any

from fastapi import Path, Query
from fastapi.responses import HTMLResponse, Response
from pydantic import AfterValidator

from catalog.certificates import queries
from catalog.certificates.actions import measures, revoking
from catalog.certificates.page import UNKNOWN, page
from catalog.certificates.pdf import certificate_pdf
from catalog.certificates.queries import Filters, Sort
from catalog.certificates.schemas import (
    CertificateOut,
    EventOut,
    MeasureIn,
    PublicCertificateOut,
    ReasonIn,
    RevocationOut,
    StatementIn,
    SuspensionIn,
)
from catalog.certificates.states import CertificateState
from catalog.products.rules import Category
from catalog.products.schemas import DistrictCode
from shop.core import check_page
from shop.core.errors import NotFound
from shop.core.paging import After, Limit, Page
from shop.core.quantities import AnyDay, Id, ShortText
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("certificates", "/v1")

OptionalId = Annotated[Id | None, Query()]
Number = Annotated[str, AfterValidator(str.upper), Path(pattern=r"^[A-Za-z0-9\-]{1,40}$", examples=["CQ-2026-500236-000123"])]
_PDF: dict[int | str, Any] = {200: {"content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}}}


def _certificate(call: Call, certificate_id: int) -> CertificateOut:
    return queries.certificate(call.session, call.actor, certificate_id)


@routes.get("/certificates", Permission.CERTIFICATIONS_READ)
def list_certificates(
    call: Call,
    state: CertificateState | None = None,
    district: Annotated[DistrictCode | None, Query()] = None,
    category: Category | None = None,
    batch_id: OptionalId = None,
    supplier_id: OptionalId = None,
    product_id: OptionalId = None,
    q: Annotated[ShortText | None, Query(description="part of the name of the product or the supplier, or a number")] = None,
    ends_before: Annotated[AnyDay | None, Query(description="it, or the papers behind it, end before this day")] = None,
    sort: Sort = Sort.NEWEST,
    limit: Limit = 50,
    after: After = None,
) -> Page[CertificateOut]:
    """The certificates of an officer's region, or a supplier's own."""
    filters = Filters(state, district, category, batch_id, supplier_id, product_id, q, ends_before)
    return queries.certificates(call.session, call.actor, filters, sort=sort, limit=limit, after=after)


@routes.get("/certificates/{certificate_id}", Permission.CERTIFICATIONS_READ)
def read_certificate(call: Call, certificate_id: Id) -> CertificateOut:
    """One certificate, and whether it is in force now."""
    return _certificate(call, certificate_id)


@routes.get("/certificates/{certificate_id}/history", Permission.CERTIFICATIONS_READ)
def history(call: Call, certificate_id: Id) -> list[EventOut]:
    """Everything that happened to a certificate, the oldest first."""
    return queries.history(call.session, call.actor, certificate_id, call.language)


@routes.get("/certificates/{certificate_id}/pdf", Permission.CERTIFICATIONS_READ, responses=_PDF)
def print_certificate(call: Call, certificate_id: Id) -> Response:
    """The certificate in the caller's language, with a QR code that leads to its public check. One that does not hold now says so."""
    certificate = _certificate(call, certificate_id)
    shown = queries.public_certificate(call.session, certificate.number, call.language)
    headers = {"Content-Disposition": f'attachment; filename="{certificate.number}.pdf"'}
    return Response(certificate_pdf(certificate, shown, call.language), media_type="application/pdf", headers=headers)


@routes.post("/certificates/{certificate_id}/warn", Permission.CERTIFICATES_SUSPEND, status=200)
def warn(call: Call, certificate_id: Id, body: MeasureIn) -> CertificateOut:
    """Warn the supplier; the certificate stays in force."""
    measures.warn(call.session, call.actor, certificate_id, body.reason_code, body.reason)
    return _certificate(call, certificate_id)


@routes.post("/certificates/{certificate_id}/suspend", Permission.CERTIFICATES_SUSPEND, status=200)
def suspend(call: Call, certificate_id: Id, body: SuspensionIn) -> CertificateOut:
    """Put a certificate out of force for the time being: from now on no order takes the product."""
    measures.suspend(call.session, call.actor, certificate_id, body.reason_code, body.reason, body.until)
    return _certificate(call, certificate_id)


@routes.post("/certificates/{certificate_id}/reinstate", Permission.CERTIFICATES_SUSPEND, status=200)
def reinstate(call: Call, certificate_id: Id, body: ReasonIn) -> CertificateOut:
    """Put a suspended certificate in force again: end the own level's suspension, or the county's where the city has none. It stays suspended while
    another stands (`suspended_by`)."""
    measures.reinstate(call.session, call.actor, certificate_id, body.reason)
    return _certificate(call, certificate_id)


@routes.post("/certificates/{certificate_id}/release", Permission.CERTIFICATES_SUSPEND, status=200)
def release(call: Call, certificate_id: Id, body: ReasonIn) -> CertificateOut:
    """Let a certificate go on that was held because more was sold than it was given for."""
    measures.release(call.session, call.actor, certificate_id, body.reason)
    return _certificate(call, certificate_id)


@routes.get("/certificates/{certificate_id}/revocations", Permission.CERTIFICATIONS_READ)
def revocations(call: Call, certificate_id: Id) -> list[RevocationOut]:
    """The revocations of a certificate that were opened, the latest first."""
    return queries.revocations(call.session, call.actor, certificate_id)


@routes.post("/certificates/{certificate_id}/revocation", Permission.CERTIFICATES_SUSPEND)
def open_revocation(call: Call, certificate_id: Id, body: MeasureIn) -> CertificateOut:
    """Open the revocation of a certificate: its supplier may make a statement before another officer decides."""
    revoking.open_revocation(call.session, call.actor, certificate_id, body.reason_code, body.reason)
    return _certificate(call, certificate_id)


@routes.post("/certificates/{certificate_id}/revocation/statement", Permission.CERTIFICATIONS_APPLY, status=200)
def make_statement(call: Call, certificate_id: Id, body: StatementIn) -> CertificateOut:
    """What the supplier says to the revocation of its certificate; a later statement within the time takes the place of an earlier one."""
    revoking.make_statement(call.session, call.actor, certificate_id, body.statement)
    return _certificate(call, certificate_id)


@routes.post("/certificates/{certificate_id}/revocation/drop", Permission.CERTIFICATES_SUSPEND, status=200)
def drop_revocation(call: Call, certificate_id: Id, body: ReasonIn) -> CertificateOut:
    """End a revocation without revoking."""
    revoking.drop(call.session, call.actor, certificate_id, body.reason)
    return _certificate(call, certificate_id)


@routes.post("/certificates/{certificate_id}/revoke", Permission.CERTIFICATES_REVOKE, status=200)
def revoke(call: Call, certificate_id: Id, body: ReasonIn) -> CertificateOut:
    """Put a certificate out of force for good, after its revocation was opened and the supplier heard."""
    revoking.revoke(call.session, call.actor, certificate_id, body.reason)
    return _certificate(call, certificate_id)


@routes.get("/public/certificates/{number}", public=True)
def check_certificate(call: Call, number: Number) -> PublicCertificateOut:
    """What the number on a certificate stands for, whether it is in force now, and how that came."""
    return queries.public_certificate(call.session, number, call.language)


@routes.get("/public/certificates/{number}/page", public=True, responses=check_page.RESPONSES)
def check_as_page(call: Call, number: Number) -> HTMLResponse:
    """The same as a page for people, who are told on a page too when there is no such certificate."""
    try:
        zh, en = (queries.public_certificate(call.session, number, language) for language in ("zh", "en"))
    except NotFound:
        return check_page.answer(UNKNOWN, 404)
    return check_page.answer(page(zh, en))
