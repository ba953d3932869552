"""What the city does with a certificate that was issued."""

from sqlalchemy import text
from sqlmodel import Session, col, select

from catalog.certification import queries
from catalog.certification.errors import NotYourRegion, OwnCase
from catalog.certification.models import Certificate
from catalog.certification.states import CERTIFICATE, CertificateMove, Level
from shop.core import audit, clock, outbox
from shop.identity.actor import Actor

# Every function here raises NotFound (404) for a certificate out of reach, IllegalMove (409) for a state that has no such move, and
# Forbidden (403) for the own organisation's certificate. What was ordered before stays ordered.


def suspend(session: Session, actor: Actor, certificate_id: int, reason: str) -> None:
    """Put a certificate out of force until it is reinstated."""
    certificate = _begin(session, actor, certificate_id, CertificateMove.SUSPEND)
    certificate.suspended_at = clock.now()
    certificate.reason = reason
    _keep(session, certificate)
    audit.record(session, actor, "certificate.suspended", "certificate", certificate.id, reason=reason)
    outbox.publish(session, "certificate.suspended", certificate_id=certificate.id, at=clock.now().isoformat())


def reinstate(session: Session, actor: Actor, certificate_id: int, reason: str) -> None:
    """Put a suspended certificate in force again, for what is left of its time."""
    certificate = _begin(session, actor, certificate_id, CertificateMove.REINSTATE)
    certificate.suspended_at = None
    certificate.reason = None
    _keep(session, certificate)
    audit.record(session, actor, "certificate.reinstated", "certificate", certificate.id, reason=reason)
    outbox.publish(session, "certificate.reinstated", certificate_id=certificate.id, at=clock.now().isoformat())


def revoke(session: Session, actor: Actor, certificate_id: int, reason: str) -> None:
    """Put a certificate out of force for good."""
    certificate = _begin(session, actor, certificate_id, CertificateMove.REVOKE)
    certificate.revoked_at = clock.now()
    certificate.reason = reason
    _keep(session, certificate)
    audit.record(session, actor, "certificate.revoked", "certificate", certificate.id, reason=reason)
    outbox.publish(session, "certificate.revoked", certificate_id=certificate.id)


def _begin(session: Session, actor: Actor, certificate_id: int, move: CertificateMove) -> Certificate:
    queries.certificate(session, actor, certificate_id)
    statement = select(Certificate).where(col(Certificate.id) == certificate_id).with_for_update()
    certificate = session.exec(statement.execution_options(populate_existing=True)).one()
    CERTIFICATE.after(queries.state_of(certificate, clock.today()), move)
    path = session.execute(text("SELECT path FROM organisation WHERE id = :id"), {"id": certificate.supplier_id}).scalar_one()
    if queries.is_related(actor, path):
        raise OwnCase
    if not actor.covers_region(Level.CITY.permission, certificate.district_code):
        raise NotYourRegion
    return certificate


def _keep(session: Session, certificate: Certificate) -> None:
    session.add(certificate)
    session.flush()
