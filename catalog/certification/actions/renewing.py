"""A certificate is renewed by a case of its own, from some days before its end on."""

from datetime import timedelta

from sqlalchemy import text
from sqlmodel import Session

from catalog.certificates import queries as certificates
from catalog.certificates.states import CertificateState
from catalog.certification.actions.applying import require_eligible
from catalog.certification.actions.changing import draw_up
from catalog.certification.errors import NoCertificateInForce, RenewalNotOpen, RenewedAlready
from catalog.certification.states import CaseKind
from catalog.products.models import Product
from shop.core import audit, clock
from shop.core.errors import Forbidden
from shop.identity.actor import Actor

_RENEWED = text("SELECT EXISTS (SELECT FROM certificate WHERE renews_id = :id)")
#: Papers that still hold come along; the supplier brings newer ones of the others.
_COPY_PAPERS = text(
    """
    INSERT INTO certification_document (case_id, side, kind, file_id, number, issuer, issued_on, valid_until)
    SELECT :new_id, side, kind, file_id, number, issuer, issued_on, valid_until FROM certification_document
    WHERE side = 'supplier' AND (valid_until IS NULL OR valid_until >= :today) AND case_id IN (
        SELECT id FROM certification_case WHERE id = :case_id OR (certificate_id = :certificate_id AND kind = 'change' AND status = 'approved'))
    ORDER BY id
    """
)
#: The latest list that was passed with the certificate: its own case's, or that of a change since.
_COPY_HOUSEHOLDS = text(
    """
    INSERT INTO household_member (case_id, person_hash, household_hash, sealed, mode, created_at)
    SELECT :new_id, person_hash, household_hash, sealed, mode, :now FROM household_member WHERE case_id = (
        SELECT k.id FROM certification_case k
        WHERE (k.id = :case_id OR (k.certificate_id = :certificate_id AND k.kind = 'change' AND k.status = 'approved'))
          AND EXISTS (SELECT FROM household_member m WHERE m.case_id = k.id)
        ORDER BY k.id DESC LIMIT 1)
    ORDER BY id
    """
)
_COUNT_HOUSEHOLDS = text("SELECT count(DISTINCT household_hash), count(*) FROM household_member WHERE case_id = :new_id")


def renew(session: Session, actor: Actor, certificate_id: int, statement: str) -> int:
    """Draw up the renewal of an own certificate, with what the latest case stated, its list of households and its papers that still hold;
    returns the case's id.

    Raises:
        NotFound: there is none within reach (404). Forbidden: another supplier's (403).
        NoCertificateInForce: it was revoked or has ended (409). RenewedAlready, RenewalNotOpen, CaseOpen: see there (409).
        And everything that stands against an application.
    """
    row = certificates.certificate_row(session, actor, certificate_id)
    if row.supplier_id != actor.organisation_id:
        raise Forbidden
    if certificates.state_of(row) in (CertificateState.REVOKED, CertificateState.EXPIRED):
        raise NoCertificateInForce
    if session.execute(_RENEWED, {"id": certificate_id}).scalar_one():
        raise RenewedAlready
    config = require_eligible(session, session.get_one(Product, row.product_id))
    opens = row.valid_until - timedelta(days=config.certification.renewal_opens_days)
    if clock.today() < opens:
        raise RenewalNotOpen(opens_on=opens.isoformat())
    case = draw_up(session, row, CaseKind.RENEWAL, None, statement)
    values = {
        "new_id": case.id,
        "case_id": row.case_id,
        "certificate_id": certificate_id,
        "today": clock.today(),
        "now": clock.now(),
    }
    session.execute(_COPY_PAPERS, values)
    session.execute(_COPY_HOUSEHOLDS, values)
    case.households, case.persons = session.execute(_COUNT_HOUSEHOLDS, values).one()
    session.add(case)
    session.flush()
    audit.record(session, actor, "certification.renewal_drawn_up", "certification_case", case.id, certificate_id=certificate_id)
    return case.id
