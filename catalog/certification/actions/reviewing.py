"""What officers decide about a case."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session, col, select

from catalog.certificates.actions import issuing
from catalog.certification import steps
from catalog.certification.actions import changing
from catalog.certification.actions.cases import (
    Outcomes,
    Read,
    Several,
    alone,
    any_read,
    begin_each,
    finish_each,
    refuse_moves,
    refuse_unknown,
    tell_offices,
)
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
from catalog.certification.queries.bars import barred
from catalog.certification.states import CaseKind, CaseMove, CaseStatus
from catalog.certification.steps import Correction, Decision, Verdict
from shop.core import clock, outbox, workdays
from shop.core.errors import Fault, IfMatch, Problem, any_version
from shop.identity import queries as organisations
from shop.identity.actor import Actor
from shop.identity.errors import OrganisationNotApproved
from shop.programmes import queries as programmes
from shop.regions import queries as regions

# Every function here raises NotFound (404) for a case out of reach, IllegalMove (409) for a state that has no such move, ClaimedByOther
# (409), and Forbidden (403) in its kinds NotYourRegion, OwnCase and SamePerson.

_FILED = select(CertificationCase).where(col(CertificationCase.status) == CaseStatus.FILING.value)
_OBJECTIONS = text(
    "SELECT o.case_id, count(*) FILTER (WHERE o.status IN ('received', 'investigating')) AS open,"
    " count(*) FILTER (WHERE o.status = 'upheld') AS upheld"
    " FROM objection o JOIN certification_case c ON c.id = o.case_id AND c.notice_from = o.notice_from"
    " WHERE c.id = ANY (:ids) GROUP BY o.case_id"
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
    alone(_approve_each(session, actor, [case_id], reason, documents, lambda _: if_match))


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
    alone(_decide_against(session, actor, [case_id], CaseMove.RETURN, reason, corrections, documents, lambda _: if_match))


def reject(
    session: Session, actor: Actor, case_id: int, reason: str, documents: Sequence[int] = (), if_match: IfMatch = any_version
) -> None:
    """Decide against the application; the supplier may appeal once."""
    alone(_decide_against(session, actor, [case_id], CaseMove.REJECT, reason, (), documents, lambda _: if_match))


def decide_many(
    session: Session,
    actor: Actor,
    case_ids: Sequence[int],
    decision: Decision,
    reason: str | None,
    corrections: Sequence[Correction],
    read: Read = any_read,
) -> Outcomes:
    """Decide many cases alike, each by itself: what cannot be decided is told with its problem and hinders no other. But for what takes effect as a
    change of a certificate, it takes the same number of statements for one and for many.

    Raises:
        ReasonNeeded: a return or a rejection without a reason (422).
    """
    if decision is not Decision.APPROVE and not reason:
        raise ReasonNeeded(faults=[Fault("reason", ReasonNeeded.code, ReasonNeeded.zh, ReasonNeeded.en)])
    if decision is Decision.APPROVE:
        return _approve_each(session, actor, case_ids, reason, (), read)
    if decision is Decision.RETURN:
        return _decide_against(session, actor, case_ids, CaseMove.RETURN, reason or "", corrections, (), read)
    return _decide_against(session, actor, case_ids, CaseMove.REJECT, reason or "", (), (), read)


def publish(session: Session, actor: Actor, batch_id: int) -> int:
    """Certify every filed case of a batch; returns how many. The caller holds the batch and has checked that the actor may publish it.

    Raises:
        OrganisationNotApproved, SupplierBlacklisted, DistrictNotEligible: a case can no longer be certified; take it out of the batch (409).
        OwnCase, SamePerson, NotYourRegion: a case that this person may not decide (403).
    """
    cases = session.exec(_FILED.where(CertificationCase.batch_id == batch_id).order_by(col(CertificationCase.id)).with_for_update())
    gathered = list(cases)  # locked already, and all of them within the city's reach
    several = Several({case.id: case for case in gathered}, queries.case_rows(session, actor, [case.id for case in gathered]))
    refuse_moves(session, actor, several, CaseMove.PUBLISH)
    _refuse_ineligible(session, several)
    if several.refused:
        raise several.refused[min(several.refused)]
    for case in gathered:
        case.decided_at = clock.now()
    finish_each(session, actor, gathered, CaseMove.PUBLISH, batch_id=batch_id)
    issuing.issue(session, actor, [case.id for case in gathered], batch_id)
    return len(gathered)


def _approve_each(
    session: Session, actor: Actor, case_ids: Sequence[int], reason: str | None, documents: Sequence[int], read: Read
) -> Outcomes:
    several = begin_each(session, actor, case_ids, CaseMove.APPROVE, read)
    _refuse_ineligible(session, several)
    _refuse_unheard(session, actor, several, reason)
    _refuse_noticed(session, several)
    several.sift(lambda case: refuse_unknown(session, case, documents))
    alike = [case for case in several.cases.values() if not _is_change(case)]
    _pass_on(session, actor, alike, reason, documents)
    for case_id in sorted(several.cases.keys() - {case.id for case in alike}):
        try:
            with session.begin_nested():  # what it changes may refuse it
                _pass_on(session, actor, [several.cases[case_id]], reason, documents)
        except Problem as problem:
            several.refuse(case_id, problem)
    return several.outcomes()


def _is_change(case: CertificationCase) -> bool:
    """Whether passing a case on changes what there is already."""
    following = queries.course_of(case).after(case.status, CaseMove.APPROVE)
    return following is CaseStatus.APPROVED and case.kind not in (CaseKind.INITIAL, CaseKind.RENEWAL)


def _pass_on(
    session: Session, actor: Actor, cases: Sequence[CertificationCase], reason: str | None, documents: Sequence[int]
) -> None:
    following = {case.id: queries.course_of(case).after(case.status, CaseMove.APPROVE) for case in cases}
    noticed = [case for case in cases if following[case.id] is CaseStatus.PUBLIC_NOTICE]
    approved = [case for case in cases if following[case.id] is CaseStatus.APPROVED]
    _publish_notices(session, noticed)
    for case in approved:
        case.decided_at = clock.now()
    finish_each(session, actor, cases, CaseMove.APPROVE, reason, documents=documents)
    outbox.publish_all(session, "certification.noticed", [{"case_id": case.id, "version": case.version} for case in noticed])
    changes = [case for case in approved if case.kind not in (CaseKind.INITIAL, CaseKind.RENEWAL)]
    if issued := [case.id for case in approved if case not in changes]:
        issuing.issue(session, actor, issued, None)
    for case in changes:
        changing.take_effect(session, actor, case)
    _tell(session, cases)


def _decide_against(
    session: Session,
    actor: Actor,
    case_ids: Sequence[int],
    move: CaseMove,
    reason: str,
    corrections: Sequence[Correction],
    documents: Sequence[int],
    read: Read,
) -> Outcomes:
    several = begin_each(session, actor, case_ids, move, read)
    several.sift(lambda case: refuse_unknown(session, case, documents))
    cases = list(several.cases.values())
    for case in cases:
        case.decision_reason = reason
        case.corrections = [correction.stored() for correction in corrections]
        if move is CaseMove.REJECT:
            case.decided_at = clock.now()
    finish_each(session, actor, cases, move, reason, documents=documents)
    _tell(session, cases, reason)
    return several.outcomes()


def _refuse_ineligible(session: Session, several: Several) -> None:
    """Put aside what was so when it was handed in and is so no more: an approved supplier that is not barred, of a district that the programme names."""
    approved = organisations.approved(session, {case.supplier_id for case in several.cases.values()})
    several.sift(lambda case: _refuse(OrganisationNotApproved() if case.supplier_id not in approved else None))
    bars = barred(session, {case.supplier_id for case in several.cases.values()})
    several.sift(lambda case: _refuse(bars.get(case.supplier_id)))
    today = clock.today()
    designation = programmes.config_of(session, today).certification.eligible_designation
    districts = {case.district_code for case in several.cases.values()}
    named = {code for code in districts if regions.is_designated(session, code, designation, today)}
    others = {
        code: DistrictNotEligible(district=code, **names) for code, names in regions.both_names(session, districts - named).items()
    }
    several.sift(lambda case: _refuse(others.get(case.district_code)))


def _refuse(problem: Problem | None) -> None:
    if problem is not None:
        raise problem


def _refuse_unheard(session: Session, actor: Actor, several: Several, reason: str | None) -> None:
    """Enough departments spoke through others than the person who decides; whoever is against it counts, whoever wrote that down."""
    cases = list(several.cases.values())
    everything = queries.latest_opinions(session, cases)
    spoken = queries.latest_opinions(session, cases, but_of=actor.user_id)
    named = programmes.words(session, clock.today(), "zh")("department")
    several.sift(lambda case: _require_opinions(case, everything[case.id], spoken[case.id], reason, named))


def _require_opinions(
    case: CertificationCase,
    everything: Mapping[str, Row[Any]],
    spoken: Mapping[str, Row[Any]],
    reason: str | None,
    named: Mapping[str, str],
) -> None:
    step = steps.step_of(case.steps, case.status) or {}
    missing = step.get("min_opinions", 0) - len(spoken)
    if missing > 0:
        refused = OpinionsMissing(count=missing, departments=[name for name in step["departments"] if name not in spoken])
        refused.words = {"departments": named}
        raise refused
    if not reason and any(each.verdict == Verdict.OPPOSE for each in [*everything.values(), *spoken.values()]):
        zh, en = "有部门持反对意见，通过时须说明理由", "A department opposes this case; passing it needs a reason"
        raise ReasonNeeded(faults=[Fault("reason", ReasonNeeded.code, zh, en)])


def _refuse_noticed(session: Session, several: Several) -> None:
    """Where there is a notice it has run its days, and nobody's objection is open or upheld."""
    noticed = [case.id for case in several.cases.values() if case.status == CaseStatus.PUBLIC_NOTICE]
    if noticed:
        raised = {row.case_id: row for row in session.execute(_OBJECTIONS, {"ids": noticed})}
        several.sift(lambda case: _require_silence(case, raised.get(case.id)))


def _require_silence(case: CertificationCase, raised: Row[Any] | None) -> None:
    if case.status != CaseStatus.PUBLIC_NOTICE:
        return
    if case.notice_until is None or clock.today() < case.notice_until:
        raise NoticeRunning(until=case.notice_until.isoformat() if case.notice_until else None)
    if raised is not None and raised.open:
        raise ObjectionOpen(count=raised.open)
    if raised is not None and raised.upheld:
        raise ObjectionUpheld


def _publish_notices(session: Session, cases: Sequence[CertificationCase]) -> None:
    if not cases:
        return
    today = clock.today()
    working_days = programmes.config_of(session, today).certification.public_notice_working_days
    until = steps.notice_end(today, working_days, workdays.calendar(session, today))
    for case in cases:
        case.notice_from, case.notice_until = today, until


def _tell(session: Session, cases: Sequence[CertificationCase], reason: str | None = None) -> None:
    told = [{"case_id": case.id, "version": case.version, "status": case.status, "reason": reason} for case in cases]
    outbox.publish_all(session, "certification.decided", told)
    tell_offices(session, cases)
