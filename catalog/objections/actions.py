"""What the public and the officers do with objections."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session, col, select

from catalog.certification.models import CertificationCase
from catalog.certification.states import CaseStatus
from catalog.objections import queries, rules
from catalog.objections.errors import NoticeNotRunning, ObjectionDecided, TooManyFiles, TooManyObjections
from catalog.objections.models import Objection, ObjectionFile
from catalog.objections.schemas import ObjectionIn
from catalog.objections.states import OBJECTION, OPEN, ObjectionMove
from shop.core import audit, clock, outbox, uploads, workdays
from shop.core.errors import IfMatch, NotFound, any_version
from shop.core.models import StoredFile
from shop.identity.actor import Actor
from shop.identity.public import PUBLIC, ContactOut, is_receipt, new_receipt, opened
from shop.programmes import queries as programmes

_OPEN = text("SELECT count(*) FROM objection WHERE case_id = :id AND status IN ('received', 'investigating')")
_FILES = text("SELECT count(*) FROM objection_file WHERE objection_id = :id")


def receive(session: Session, case_id: int, body: ObjectionIn) -> Objection:
    """Take an objection against a notice that runs. Who raised it is sealed before it reaches a statement.

    The case is locked before the clock is read: the county's approval waits for it, and finds it open; or it was first, and the objection
    comes too late.

    Raises:
        NotFound: there was never a notice of this case (404).
        NoticeNotRunning: it has ended, or was broken off (409). TooManyObjections: so many wait already (409).
    """
    case = noticed(session, case_id)
    today = clock.today()
    running = case.notice_from is not None and case.notice_until is not None and case.notice_from <= today < case.notice_until
    if case.notice_from is None or not running or case.status != CaseStatus.PUBLIC_NOTICE:
        raise NoticeNotRunning
    if session.execute(_OPEN, {"id": case.id}).scalar_one() >= rules.MOST_OPEN:
        raise TooManyObjections(most=rules.MOST_OPEN)
    days = programmes.config_of(session, today).certification.objection_working_days
    objection = Objection(
        receipt=new_receipt("YY", case.district_code, today),
        case_id=case.id,
        notice_from=case.notice_from,
        text=body.text,
        sealed_contact=body.sealed(),
        received_at=clock.now(),
        due_on=workdays.calendar(session, today).add(today, days),
    )
    session.add(objection)
    session.flush()
    audit.record(session, PUBLIC, "objection.received", "objection", objection.id)
    outbox.publish(session, "objection.received", objection_id=objection.id)
    return objection


def noticed(session: Session, case_id: int) -> CertificationCase:
    """A case of which there was a notice, as it stands now, held against whoever decides it until the transaction ends.

    Raises:
        NotFound: there was never a notice of it (404).
    """
    statement = select(CertificationCase).where(
        col(CertificationCase.id) == case_id, col(CertificationCase.notice_from).is_not(None)
    )
    case = session.exec(statement.with_for_update(key_share=True).execution_options(populate_existing=True)).first()
    if case is None:
        raise NotFound
    return case


def add_evidence(session: Session, receipt: str, name: str | None, content: bytes) -> StoredFile:
    """Add a file to an objection that is not decided; whoever has the receipt may.

    Raises:
        NotFound: there is no such receipt (404). ObjectionDecided, TooManyFiles: see there (409).
        TooLarge (413), UnreadableFile (422): as for every upload.
    """
    objection = _locked(session, col(Objection.receipt) == receipt) if is_receipt(receipt) else None
    if objection is None:
        raise NotFound
    if objection.status not in OPEN:
        raise ObjectionDecided
    if session.execute(_FILES, {"id": objection.id}).scalar_one() >= rules.MOST_FILES:
        raise TooManyFiles(most=rules.MOST_FILES)
    file = uploads.keep(session, None, name, content)
    session.add(ObjectionFile(objection_id=objection.id, file_id=file.id))
    session.flush()
    audit.record(session, PUBLIC, "objection.evidence_added", "objection", objection.id, sha256=file.sha256)
    return file


def see_contact(session: Session, actor: Actor, objection_id: int) -> ContactOut:
    """Who raised an objection, for who looks into it; that somebody looked is on record.

    Raises:
        NotFound: there is none within reach (404). OwnCase: against the own organisation (403).
    """
    row = queries.of_others(session, actor, objection_id)
    audit.record(session, actor, "objection.contact_seen", "objection", row.id)
    return opened(row.sealed_contact)


def investigate(session: Session, actor: Actor, objection_id: int, if_match: IfMatch = any_version) -> None:
    """Take an objection up. Raises as :func:`decide`."""
    objection = _begin(session, actor, objection_id, if_match)
    objection.status = OBJECTION.after(objection.status, ObjectionMove.INVESTIGATE).value
    objection.investigator_id = actor.user_id
    _keep(session, objection)
    audit.record(session, actor, "objection.investigated", "objection", objection.id)


def decide(
    session: Session,
    actor: Actor,
    objection_id: int,
    move: ObjectionMove,
    findings: str,
    answer: str,
    if_match: IfMatch = any_version,
) -> None:
    """Uphold an objection, after which the case can only be returned or rejected, or dismiss it. Of two who decide at once the second finds
    it decided.

    Raises:
        NotFound: there is none within reach (404). OwnCase: against the own organisation (403).
        IllegalMove: it was decided already (409).
    """
    objection = _begin(session, actor, objection_id, if_match)
    status = OBJECTION.after(objection.status, move)
    objection.status, objection.findings, objection.answer = status.value, findings, answer
    objection.decided_by, objection.decided_at = actor.user_id, clock.now()
    objection.investigator_id = objection.investigator_id or actor.user_id
    _keep(session, objection)
    audit.record(session, actor, f"objection.{status}", "objection", objection.id)
    outbox.publish(session, "objection.decided", objection_id=objection.id, status=status)


def _begin(session: Session, actor: Actor, objection_id: int, if_match: IfMatch = any_version) -> Objection:
    queries.of_others(session, actor, objection_id)
    objection = _locked(session, col(Objection.id) == objection_id)
    if objection is None:
        raise NotFound
    if_match(objection.version)
    return objection


def _locked(session: Session, condition: Any) -> Objection | None:
    """An objection as it stands now, locked until the transaction ends."""
    return session.exec(select(Objection).where(condition).with_for_update().execution_options(populate_existing=True)).first()


def _keep(session: Session, objection: Objection) -> None:
    objection.version += 1
    session.add(objection)
    session.flush()
