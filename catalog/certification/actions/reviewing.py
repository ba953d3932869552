"""What officers decide about a case."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlmodel import Session, col, select

from catalog.certificates.actions import issuing
from catalog.certification import steps
from catalog.certification.actions import changing
from catalog.certification.actions.cases import Outcomes, Read, any_read, authorise, begin, finish, refuse_claimed
from catalog.certification.errors import (
    DistrictNotEligible,
    NoticeRunning,
    ObjectionOpen,
    ObjectionUpheld,
    OpinionsMissing,
    ReasonNeeded,
)
from catalog.certification.models import CertificationCase
from catalog.certification.queries import cases as queries
from catalog.certification.queries.bars import refuse_for_barred
from catalog.certification.states import CaseKind, CaseMove, CaseStatus
from catalog.certification.steps import Correction, Decision, Verdict
from shop.core import clock, outbox, workdays
from shop.core.errors import Fault, IfMatch, Problem, any_version
from shop.identity import queries as organisations
from shop.identity.actor import Actor
from shop.programmes import queries as programmes
from shop.regions import queries as regions

# Every function here raises NotFound (404) for a case out of reach, IllegalMove (409) for a state that has no such move, ClaimedByOther
# (409), and Forbidden (403) in its kinds NotYourRegion, OwnCase and SamePerson.

_FILED = select(CertificationCase).where(col(CertificationCase.status) == CaseStatus.FILING.value)
_OBJECTIONS = text(
    "SELECT count(*) FILTER (WHERE status IN ('received', 'investigating')) AS open, count(*) FILTER (WHERE status = 'upheld') AS upheld"
    " FROM objection WHERE case_id = :id AND notice_from = :notice_from"
)


def approve(
    session: Session,
    actor: Actor,
    case_id: int,
    reason: str | None = None,
    documents: Sequence[int] = (),
    if_match: IfMatch = any_version,
) -> None:
    """Pass a case on to its next step; after its last one its effect follows: a certificate, a change, new prices.

    Raises:
        OpinionsMissing: departments that must be heard have not spoken; what the person who decides said for one does not count (409).
        ReasonNeeded: a department is against it, and no reason was given for passing it (422).
        NoticeRunning, ObjectionOpen, ObjectionUpheld: the public is still being asked, or was right (409).
        OrganisationNotApproved, SupplierBlacklisted, DistrictNotEligible: what was so when it was handed in is so no more (409).
    """
    case = begin(session, actor, case_id, CaseMove.APPROVE, if_match)
    _require_eligible(session, case)
    _require_opinions(session, actor, case, reason)
    if case.status == CaseStatus.PUBLIC_NOTICE:
        _require_silence(session, case)
    following = queries.course_of(case).after(case.status, CaseMove.APPROVE)
    if following is CaseStatus.PUBLIC_NOTICE:
        _publish_notice(session, case)
    if following is CaseStatus.APPROVED:
        case.decided_at = clock.now()
    finish(session, actor, case, CaseMove.APPROVE, reason, documents=documents)
    if following is CaseStatus.PUBLIC_NOTICE:
        outbox.publish(session, "certification.noticed", case_id=case.id, version=case.version)
    if following is CaseStatus.APPROVED:
        _take_effect(session, actor, case)
    _tell(session, case)


def return_(
    session: Session,
    actor: Actor,
    case_id: int,
    reason: str,
    corrections: Sequence[Correction] = (),
    documents: Sequence[int] = (),
    if_match: IfMatch = any_version,
) -> None:
    """Give the application back to the supplier, naming what is to be corrected (补正); the clock of the step stands still."""
    case = begin(session, actor, case_id, CaseMove.RETURN, if_match)
    case.decision_reason = reason
    case.corrections = [correction.stored() for correction in corrections]
    finish(session, actor, case, CaseMove.RETURN, reason, documents=documents)
    _tell(session, case, reason)


def reject(
    session: Session, actor: Actor, case_id: int, reason: str, documents: Sequence[int] = (), if_match: IfMatch = any_version
) -> None:
    """Decide against the application; the supplier may appeal once."""
    case = begin(session, actor, case_id, CaseMove.REJECT, if_match)
    case.decision_reason = reason
    case.corrections = []
    case.decided_at = clock.now()
    finish(session, actor, case, CaseMove.REJECT, reason, documents=documents)
    _tell(session, case, reason)


def decide_many(
    session: Session,
    actor: Actor,
    case_ids: Sequence[int],
    decision: Decision,
    reason: str | None,
    corrections: Sequence[Correction],
    read: Read = any_read,
) -> Outcomes:
    """Decide many cases alike, each by itself: what cannot be decided is told with its problem and hinders no other.

    Cases are taken in the order of their ids, so that two who decide overlapping lists never wait for each other in a circle.

    Raises:
        ReasonNeeded: a return or a rejection without a reason (422).
    """
    if decision is not Decision.APPROVE and not reason:
        raise ReasonNeeded(faults=[Fault("reason", ReasonNeeded.code, ReasonNeeded.zh, ReasonNeeded.en)])
    results: Outcomes = {}
    for case_id in sorted(set(case_ids)):
        try:
            with session.begin_nested():
                if decision is Decision.APPROVE:
                    approve(session, actor, case_id, reason, if_match=read(case_id))
                elif decision is Decision.RETURN:
                    return_(session, actor, case_id, reason or "", corrections, if_match=read(case_id))
                else:
                    reject(session, actor, case_id, reason or "", if_match=read(case_id))
            results[case_id] = None
        except Problem as problem:
            results[case_id] = problem
    return results


def publish(session: Session, actor: Actor, batch_id: int) -> int:
    """Certify every filed case of a batch; returns how many. The caller holds the batch and has checked that the actor may publish it.

    Raises:
        OrganisationNotApproved, SupplierBlacklisted, DistrictNotEligible: a case can no longer be certified; take it out of the batch (409).
        OwnCase, SamePerson, NotYourRegion: a case that this person may not decide (403).
    """
    cases = session.exec(_FILED.where(CertificationCase.batch_id == batch_id).order_by(col(CertificationCase.id)).with_for_update())
    gathered = list(cases)
    eligible: set[tuple[int, str]] = set()
    for case in gathered:  # locked already, and all of them within the city's reach
        queries.course_of(case).after(case.status, CaseMove.PUBLISH)
        authorise(session, actor, case, queries.level_of(case, CaseMove.PUBLISH), CaseMove.PUBLISH)
        refuse_claimed(session, actor, case)
        if (origin := (case.supplier_id, case.district_code)) not in eligible:
            _require_eligible(session, case)
            eligible.add(origin)
        case.decided_at = clock.now()
        finish(session, actor, case, CaseMove.PUBLISH, batch_id=batch_id)
    issuing.issue(session, actor, [case.id for case in gathered], batch_id)
    return len(gathered)


def _require_eligible(session: Session, case: CertificationCase) -> None:
    organisations.require_approved(session, case.supplier_id)
    refuse_for_barred(session, case.supplier_id)
    today = clock.today()
    designation = programmes.config_of(session, today).certification.eligible_designation
    if not regions.is_designated(session, case.district_code, designation, today):
        raise DistrictNotEligible(district=case.district_code)


def _require_opinions(session: Session, actor: Actor, case: CertificationCase, reason: str | None) -> None:
    """Enough departments spoke through others than the person who decides; whoever is against it counts, whoever wrote that down."""
    step = steps.step_of(case.steps, case.status) or {}
    everything = queries.latest_opinions(session, [case])[case.id]
    spoken = queries.latest_opinions(session, [case], but_of=actor.user_id)[case.id]
    missing = step.get("min_opinions", 0) - len(spoken)
    if missing > 0:
        refused = OpinionsMissing(count=missing, departments=[name for name in step["departments"] if name not in spoken])
        refused.words = {"departments": programmes.words(session, clock.today(), "zh")("department")}
        raise refused
    if not reason and any(each.verdict == Verdict.OPPOSE for each in [*everything.values(), *spoken.values()]):
        zh, en = "有部门持反对意见，通过时须说明理由", "A department opposes this case; passing it needs a reason"
        raise ReasonNeeded(faults=[Fault("reason", ReasonNeeded.code, zh, en)])


def _require_silence(session: Session, case: CertificationCase) -> None:
    """The notice has run its days, and nobody's objection is open or upheld."""
    if case.notice_until is None or clock.today() < case.notice_until:
        raise NoticeRunning(until=case.notice_until.isoformat() if case.notice_until else None)
    raised = session.execute(_OBJECTIONS, {"id": case.id, "notice_from": case.notice_from}).one()
    if raised.open:
        raise ObjectionOpen(count=raised.open)
    if raised.upheld:
        raise ObjectionUpheld


def _publish_notice(session: Session, case: CertificationCase) -> None:
    today = clock.today()
    working_days = programmes.config_of(session, today).certification.public_notice_working_days
    case.notice_from = today
    case.notice_until = steps.notice_end(today, working_days, workdays.calendar(session, today))


def _take_effect(session: Session, actor: Actor, case: CertificationCase) -> None:
    if case.kind in (CaseKind.INITIAL, CaseKind.RENEWAL):
        issuing.issue(session, actor, [case.id], None)
    else:
        changing.take_effect(session, actor, case)


def _tell(session: Session, case: CertificationCase, reason: str | None = None) -> None:
    outbox.publish(session, "certification.decided", case_id=case.id, version=case.version, status=case.status, reason=reason)
