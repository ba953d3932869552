"""What the public, buyers, suppliers and officers do with complaints about certified products."""

from contextlib import suppress
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session, col, select

from catalog.certificates.actions import measures
from catalog.certificates.errors import NotYourRegion, OwnCase, SuspensionStands
from catalog.supervision.errors import (
    ComplaintClosed,
    ComplaintStatementPending,
    MeasureReasonNeeded,
    MeasureWithoutFault,
    TooManyComplaintFiles,
    TooManyComplaints,
    UnknownCertificate,
    UnknownOrder,
)
from catalog.supervision.models import Complaint, ComplaintFile
from catalog.supervision.queries import complaints as queries
from catalog.supervision.schemas.complaints import ComplaintIn, ComplaintKind, DecisionIn, Measure, PublicComplaintIn
from catalog.supervision.states import COMPLAINT, OPEN_COMPLAINTS, ComplaintMove, ComplaintState
from shop.core import audit, clock, locks, outbox, uploads, workdays
from shop.core.audit import Who
from shop.core.errors import Fault, Forbidden, IfMatch, NotFound, any_version
from shop.identity.actor import Actor
from shop.identity.permissions import Permission
from shop.identity.public import PUBLIC, ContactOut, new_receipt, opened
from shop.programmes import queries as programmes

#: As many complaints of the public may wait about one certificate; and so many files may each side add to one.
MOST_OPEN = 200
MOST_FILES = 10
#: What a certificate vouches for. A verified complaint about it takes the product off the list at once (S4); a late delivery does not.
VOUCHED_FOR = frozenset({ComplaintKind.QUALITY, ComplaintKind.PRICE, ComplaintKind.ORIGIN, ComplaintKind.LINKAGE})
REASON_CODE = "complaint_upheld"

_CERTIFICATE = text(
    "SELECT id, supplier_id, district_code FROM certificate"
    " WHERE id = coalesce(CAST(:id AS bigint), (SELECT id FROM certificate WHERE number = CAST(:number AS text)))"
)
_OWN_ORDER = text(
    """
    SELECT EXISTS (
        SELECT FROM supplier_order so
        JOIN purchase_order po ON po.id = so.purchase_order_id
        JOIN organisation o ON o.id IN (po.buyer_id, po.ordering_unit_id) AND o.path LIKE CAST(:branch AS text)
        JOIN order_line l ON l.supplier_order_id = so.id AND l.certificate_id = :certificate_id
        WHERE so.id = :id)
    """
)
_PUBLIC_OPEN = text(
    "SELECT count(*) FROM complaint WHERE certificate_id = :id AND organisation_id IS NULL AND status IN ('received', 'stated')"
)
_FILES_OF_SIDE = text(
    "SELECT count(*) FROM complaint_file f JOIN stored_file s ON s.id = f.file_id JOIN app_user u ON u.id = s.uploaded_by"
    " WHERE f.complaint_id = :id AND u.organisation_id = :organisation_id"
)


def receive(session: Session, body: PublicComplaintIn) -> Complaint:
    """Take a complaint of somebody of the public. Who it is is sealed before it reaches a statement.

    Raises:
        UnknownCertificate: no certificate has this number (422). TooManyComplaints: so many wait already (409).
    """
    certificate = _certificate(session, "certificate_number", number=body.certificate_number)
    # those about one certificate are counted one after another; its row itself is left to the orders
    locks.hold(session, f"complaints:{certificate.id}")
    if session.execute(_PUBLIC_OPEN, {"id": certificate.id}).scalar_one() >= MOST_OPEN:
        raise TooManyComplaints(most=MOST_OPEN)
    return _file(session, PUBLIC, certificate, body.kind, body.text, sealed_contact=body.sealed())


def file(session: Session, actor: Actor, body: ComplaintIn) -> int:
    """Take a buyer's complaint; returns its id.

    Raises:
        UnknownCertificate, UnknownOrder: there is no such certificate, or no such order with it (422). Forbidden: the actor belongs to no organisation (403).
    """
    by_id = body.certificate_id is not None
    certificate = _certificate(
        session, "certificate_id" if by_id else "certificate_number", id=body.certificate_id, number=body.certificate_number
    )
    who = {"organisation_id": actor.organisation, "supplier_order_id": body.supplier_order_id}
    if body.supplier_order_id is not None:
        asked = {"id": body.supplier_order_id, "certificate_id": certificate.id, "branch": f"{actor.organisation_path}%"}
        if not session.execute(_OWN_ORDER, asked).scalar_one():
            raise UnknownOrder(faults=[Fault("supplier_order_id", UnknownOrder.code, UnknownOrder.zh, UnknownOrder.en)])
    return _file(session, actor, certificate, body.kind, body.text, **who).id


def _certificate(session: Session, field: str, *, id: int | None = None, number: str | None = None) -> Row[Any]:
    found = session.execute(_CERTIFICATE, {"id": id, "number": number}).first()
    if found is None:
        raise UnknownCertificate(faults=[Fault(field, UnknownCertificate.code, UnknownCertificate.zh, UnknownCertificate.en)])
    return found


def _file(session: Session, actor: Who, certificate: Row[Any], kind: ComplaintKind, words: str, **who: Any) -> Complaint:
    today = clock.today()
    config = programmes.config_of(session, today).certification
    days = workdays.calendar(session, today)
    complaint = Complaint(
        receipt=new_receipt("TS", certificate.district_code, today),
        certificate_id=certificate.id,
        supplier_id=certificate.supplier_id,
        kind=kind.value,
        text=words,
        received_at=clock.now(),
        statement_due_on=days.add(today, config.complaint_statement_working_days),
        decision_due_on=days.add(today, config.complaint_decision_working_days),
        **who,
    )
    session.add(complaint)
    session.flush()
    audit.record(session, actor, "complaint.filed", "complaint", complaint.id, kind=kind)
    outbox.publish(session, "complaint.filed", complaint_id=complaint.id)
    return complaint


def add_file(session: Session, actor: Actor, complaint_id: int, name: str | None, content: bytes) -> None:
    """Add a file to a complaint that is open: the buyer who filed it its evidence, the supplier what belongs to its statement.

    Raises:
        NotFound: there is none within reach (404). Forbidden: somebody else's (403).
        ComplaintClosed, TooManyComplaintFiles: see there (409). TooLarge (413), UnreadableFile (422): as for every upload.
    """
    complaint = _locked(session, actor, complaint_id)
    if actor.organisation not in (complaint.organisation_id, complaint.supplier_id):
        raise Forbidden
    if complaint.status not in OPEN_COMPLAINTS:
        raise ComplaintClosed
    if session.execute(_FILES_OF_SIDE, {"id": complaint.id, "organisation_id": actor.organisation}).scalar_one() >= MOST_FILES:
        raise TooManyComplaintFiles(most=MOST_FILES)
    kept = uploads.keep(session, actor.user_id, name, content)
    session.add(ComplaintFile(complaint_id=complaint.id, file_id=kept.id))
    session.flush()
    audit.record(session, actor, "complaint.file_added", "complaint", complaint.id, sha256=kept.sha256)


def state(session: Session, actor: Actor, complaint_id: int, statement: str, if_match: IfMatch = any_version) -> None:
    """What the supplier says to a complaint about its product. It is heard until the decision, and marked when it came late.

    Raises:
        NotFound: there is none within reach (404). Forbidden: about another supplier (403).
        IllegalMove: it has made its statement, or the complaint is closed (409).
    """
    complaint = _locked(session, actor, complaint_id, if_match)
    if complaint.supplier_id != actor.organisation:
        raise Forbidden
    complaint.status = COMPLAINT.after(complaint.status, ComplaintMove.STATE).value
    complaint.statement, complaint.stated_at = statement, clock.now()
    _keep(session, complaint)
    audit.record(session, actor, "complaint.stated", "complaint", complaint.id)
    outbox.publish(session, "complaint.stated", complaint_id=complaint.id)


def withdraw(session: Session, actor: Actor, complaint_id: int, if_match: IfMatch = any_version) -> None:
    """Take the own complaint back.

    Raises:
        NotFound: there is none within reach (404). Forbidden: somebody else filed it (403). IllegalMove: it is closed (409).
    """
    complaint = _locked(session, actor, complaint_id, if_match)
    if complaint.organisation_id != actor.organisation:
        raise Forbidden
    complaint.status = COMPLAINT.after(complaint.status, ComplaintMove.WITHDRAW).value
    _keep(session, complaint)
    audit.record(session, actor, "complaint.withdrawn", "complaint", complaint.id)
    outbox.publish(session, "complaint.withdrawn", complaint_id=complaint.id)


def decide(session: Session, actor: Actor, complaint_id: int, body: DecisionIn, if_match: IfMatch = any_version) -> None:
    """Uphold or dismiss a complaint after the supplier's statement or the time for it. What is upheld may warn the supplier or suspend the
    certificate, in the same transaction. Of two who decide at once the second finds it decided.

    Raises:
        NotFound: there is none within reach (404). OwnCase, NotYourRegion, Forbidden: somebody else's to do (403).
        ComplaintStatementPending: the supplier's time still runs (409).
        IllegalMove: it is closed, or nothing can be done to its certificate any more (409).
        MeasureWithoutFault, MeasureReasonNeeded: see there (422).
    """
    row = queries.complaint_row(session, actor, complaint_id)
    if not queries.is_impartial(actor, row):
        raise OwnCase
    if not actor.covers_region(Permission.COMPLAINTS_DECIDE, row.district_code):
        raise NotYourRegion
    complaint = _locked(session, actor, complaint_id, if_match)
    status = COMPLAINT.after(complaint.status, ComplaintMove.UPHOLD if body.upheld else ComplaintMove.DISMISS)
    measure = measure_of(ComplaintKind(complaint.kind), body)
    if complaint.status == ComplaintState.RECEIVED and clock.today() <= complaint.statement_due_on:
        raise ComplaintStatementPending(until=complaint.statement_due_on.isoformat())
    complaint.status, complaint.answer = status.value, body.answer
    complaint.decided_by, complaint.decided_at = actor.user_id, clock.now()
    _keep(session, complaint)
    audit.record(session, actor, f"complaint.{status}", "complaint", complaint.id, reason=body.reason, measure=measure)
    outbox.publish(session, "complaint.decided", complaint_id=complaint.id, status=status)
    if measure is not Measure.NONE:
        _take_measure(session, actor, complaint.certificate_id, measure, body.reason or body.answer)


def measure_of(kind: ComplaintKind, body: DecisionIn) -> Measure:
    """What becomes of the certificate: an upheld complaint about what it vouches for suspends it, unless there is a reason to leave it."""
    grave = body.upheld and kind in VOUCHED_FOR
    measure = body.measure or (Measure.SUSPEND if grave else Measure.NONE)
    if not body.upheld and measure is not Measure.NONE:
        told = MeasureWithoutFault.code, MeasureWithoutFault.zh, MeasureWithoutFault.en
        raise MeasureWithoutFault(faults=[Fault("measure", *told)])
    if grave and measure is not Measure.SUSPEND and not body.reason:
        told = MeasureReasonNeeded.code, MeasureReasonNeeded.zh, MeasureReasonNeeded.en
        raise MeasureReasonNeeded(faults=[Fault("reason", *told)])
    return measure


def _take_measure(session: Session, actor: Actor, certificate_id: int, measure: Measure, reason: str) -> None:
    if not actor.may(Permission.CERTIFICATES_SUSPEND):
        raise Forbidden(permission=Permission.CERTIFICATES_SUSPEND)
    take = measures.warn if measure is Measure.WARN else measures.suspend
    with suppress(SuspensionStands):  # said for the same reason before, it holds
        take(session, actor, certificate_id, REASON_CODE, reason)


def see_contact(session: Session, actor: Actor, complaint_id: int) -> ContactOut | None:
    """Who of the public complained, for the officers who decide; that somebody looked is on record. None for everybody else, and where a
    buyer complained. Raises NotFound (404) for what is out of reach."""
    row = queries.complaint_row(session, actor, complaint_id)
    if row.sealed_contact is None or not queries.may_decide(actor, row):
        return None
    audit.record(session, actor, "complaint.contact_seen", "complaint", row.id)
    return opened(row.sealed_contact)


def _locked(session: Session, actor: Actor, complaint_id: int, if_match: IfMatch = any_version) -> Complaint:
    """A complaint within the actor's reach as it stands now, locked until the transaction ends."""
    queries.complaint_row(session, actor, complaint_id)
    statement = select(Complaint).where(col(Complaint.id) == complaint_id).with_for_update()
    found = session.exec(statement.execution_options(populate_existing=True)).first()
    if found is None:
        raise NotFound
    if_match(found.version)
    return found


def _keep(session: Session, complaint: Complaint) -> None:
    complaint.version += 1
    session.add(complaint)
    session.flush()
