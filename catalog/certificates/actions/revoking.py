"""A certificate is revoked in two steps: one officer opens it, the supplier may make a statement, and another officer decides."""

from sqlmodel import Session, col, select

from catalog.certificates import queries
from catalog.certificates.actions.measures import begin, locked, note, refuse_unknown_reason
from catalog.certificates.errors import NoRevocationOpen, RevocationOpen, SameOfficer, StatementPending, StatementTooLate
from catalog.certificates.models import Certificate, Revocation
from catalog.certificates.states import CertificateMove
from shop.core import audit, clock, outbox, workdays
from shop.core.audit import Who
from shop.core.errors import Forbidden
from shop.identity.actor import Actor
from shop.programmes import queries as programmes

# Every function here raises NotFound (404) for a certificate out of reach, IllegalMove (409) for a state that has no such move, and
# Forbidden (403) in its kinds OwnCase and NotYourRegion.


def open_revocation(session: Session, actor: Actor, certificate_id: int, reason_code: str, reason: str) -> int:
    """Tell the supplier that its certificate is to be revoked, and why; returns the revocation's id. The certificate holds until it is decided;
    one that must not be sold meanwhile is suspended besides.

    Raises:
        RevocationOpen: there is one already (409), with ``already`` where it is for the same reason code. UnknownReason: see there (422).
    """
    refuse_unknown_reason(session, reason_code)
    certificate = begin(session, actor, certificate_id, CertificateMove.OPEN_REVOCATION)
    if standing := _under_way(session, certificate.id):
        raise RevocationOpen(as_asked=standing.reason_code == reason_code)
    today = clock.today()
    days = programmes.config_of(session, today).certification.revocation_statement_working_days
    revocation = Revocation(
        certificate_id=certificate.id,
        reason_code=reason_code,
        reason=reason,
        opened_by=actor.user_id,
        opened_at=clock.now(),
        statement_due_on=workdays.calendar(session, today).add(today, days),
    )
    session.add(revocation)
    session.flush()
    note(session, actor, certificate.id, "revocation_opened", reason_code, reason)
    audit.record(session, actor, "certificate.revocation_opened", "certificate", certificate.id, reason=reason)
    outbox.publish(session, "certificate.revocation_opened", revocation_id=revocation.id, reason=reason)
    return revocation.id


def make_statement(session: Session, actor: Actor, certificate_id: int, statement: str) -> None:
    """What the supplier says to the revocation of its certificate.

    Raises:
        Forbidden: another supplier's certificate (403).
        NoRevocationOpen, StatementTooLate: there is nothing to say something to, or no more (409).
    """
    row = queries.certificate_row(session, actor, certificate_id)
    if row.supplier_id != actor.organisation_id:
        raise Forbidden
    revocation = _open(session, certificate_id)
    if clock.today() > revocation.statement_due_on:
        raise StatementTooLate(until=revocation.statement_due_on.isoformat())
    revocation.statement, revocation.stated_at = statement, clock.now()
    session.add(revocation)
    session.flush()
    note(session, actor, certificate_id, "revocation_stated")
    audit.record(session, actor, "certificate.revocation_stated", "certificate", certificate_id)
    outbox.publish(session, "certificate.revocation_stated", revocation_id=revocation.id, at=clock.now().isoformat())


def drop(session: Session, actor: Actor, certificate_id: int, reason: str) -> None:
    """End a revocation without revoking.

    Raises:
        NoRevocationOpen: there is none (409).
    """
    certificate = begin(session, actor, certificate_id, CertificateMove.OPEN_REVOCATION)
    revocation = _open(session, certificate.id)
    _decide(session, actor, revocation, "dropped", reason)
    note(session, actor, certificate.id, "revocation_dropped", reason=reason)
    audit.record(session, actor, "certificate.revocation_dropped", "certificate", certificate.id, reason=reason)
    outbox.publish(session, "certificate.revocation_dropped", revocation_id=revocation.id, reason=reason)


def revoke(session: Session, actor: Actor, certificate_id: int, reason: str) -> None:
    """Put a certificate out of force for good, after the supplier's statement or the time for it.

    Raises:
        NoRevocationOpen: it was not opened (409). StatementPending: the supplier's time still runs (409).
        SameOfficer: the one who opened it does not decide it (403).
    """
    certificate = begin(session, actor, certificate_id, CertificateMove.REVOKE)
    revocation = _open(session, certificate.id)
    if revocation.opened_by is not None and revocation.opened_by == actor.user_id:
        raise SameOfficer
    if revocation.stated_at is None and clock.today() <= revocation.statement_due_on:
        raise StatementPending(until=revocation.statement_due_on.isoformat())
    _decide(session, actor, revocation, "revoked", reason)
    end_for_good(session, actor, certificate, revocation.reason_code, reason)


def end_for_good(session: Session, actor: Who, certificate: Certificate, reason_code: str, reason: str) -> None:
    """Revoke a certificate that the caller has locked, and may revoke."""
    certificate.revoked_at = clock.now()
    certificate.reason_code, certificate.reason = reason_code, reason
    session.add(certificate)
    session.flush()
    note(session, actor, certificate.id, "revoked", reason_code, reason)
    audit.record(session, actor, "certificate.revoked", "certificate", certificate.id, reason=reason, reason_code=reason_code)
    outbox.publish(session, "certificate.revoked", certificate_id=certificate.id, at=clock.now().isoformat(), reason=reason)


def _decide(session: Session, actor: Actor, revocation: Revocation, status: str, reason: str) -> None:
    revocation.status, revocation.decision_reason = status, reason
    revocation.decided_by, revocation.decided_at = actor.user_id, clock.now()
    session.add(revocation)
    session.flush()


def _open(session: Session, certificate_id: int) -> Revocation:
    """The revocation that is under way; its certificate's lock is the one that counts, so that a statement and a decision wait for each other."""
    locked(session, certificate_id)
    if (found := _under_way(session, certificate_id)) is None:
        raise NoRevocationOpen
    return found


def _under_way(session: Session, certificate_id: int) -> Revocation | None:
    """The revocation that is open; the caller has locked the certificate."""
    statement = select(Revocation).where(col(Revocation.certificate_id) == certificate_id, col(Revocation.status) == "open")
    return session.exec(statement.execution_options(populate_existing=True)).first()
