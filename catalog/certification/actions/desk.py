"""What officers do with a case before they decide: take it on the desk, ask departments, hear an appeal."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session

from catalog.certificates.errors import NotYourRegion, OwnCase
from catalog.certification import steps
from catalog.certification.actions.cases import (
    Outcomes,
    Read,
    alone,
    any_read,
    authorise,
    begin,
    begin_each,
    finish,
    finish_each,
    keep,
    locked,
    locked_each,
    refuse_claimed,
    refuse_unknown,
    show_prices,
    tell_offices,
)
from catalog.certification.errors import AppealTooLate, NoDepartment, NotClaimed, OpinionGiven, SamePerson
from catalog.certification.models import CertificationCase, CertificationOpinion
from catalog.certification.queries import cases as queries
from catalog.certification.states import CaseMove, CaseStatus, Level
from catalog.certification.steps import Verdict
from shop.core import audit, clock, outbox
from shop.core.errors import Fault, IfMatch, any_version
from shop.core.states import IllegalMove
from shop.identity.actor import Actor


def claim(session: Session, actor: Actor, case_id: int, *, take_over: bool, if_match: IfMatch = any_version) -> None:
    """Take a case on the own desk, so that no colleague decides it meanwhile; ``take_over`` takes it from a colleague's.

    Raises:
        NotFound, NotYourRegion, OwnCase, SamePerson: as for every decision.
        IllegalMove: it is not at a step of review, or not at the actor's (409). ClaimedByOther: a colleague has it (409).
    """
    several = locked_each(session, actor, [case_id], lambda _: if_match)
    several.sift(_refuse_undecided)
    authorise(session, actor, several, CaseMove.REJECT, "claim")
    if not take_over:
        refuse_claimed(session, actor, several)
    alone(several.refused)
    case = several.cases[case_id]
    case.claimed_by, case.claimed_at = actor.user_id, clock.now()
    keep(session, case)
    audit.record(session, actor, "certification.claimed", "certification_case", case.id)


def release(session: Session, actor: Actor, case_id: int, if_match: IfMatch = any_version) -> None:
    """Put a case back from the own desk into the queue.

    Raises:
        NotFound: there is none within reach (404). NotClaimed: it is not on the own desk (409).
    """
    case = locked(session, actor, case_id, if_match)
    if case.claimed_by is None or case.claimed_by != actor.user_id:
        raise NotClaimed
    case.claimed_by = case.claimed_at = None
    keep(session, case)
    audit.record(session, actor, "certification.released", "certification_case", case.id)


def opine(
    session: Session,
    actor: Actor,
    case_id: int,
    department: str,
    verdict: Verdict,
    opinion: str,
    documents: Sequence[int],
    if_match: IfMatch = any_version,
) -> None:
    """Record the opinion of a department on a case at its present step; a later one of the same department counts instead.

    A department's own officer gives it, or an officer of the level that reviews enters what came on paper, with the paper attached; then a colleague
    decides. It is an act at the level of the step, as a decision is.

    Raises:
        NotFound (404), OwnCase, NotYourRegion, SamePerson (403): as for every decision.
        IllegalMove: the case is not at a step of review, or at another one than the actor's (409). NoDepartment: this step does not ask it (422).
        UnknownAttachment: a document that no officer attached to this case (422).
        OpinionGiven: the department's latest opinion at the step is this very one, by the same person (409).
    """
    alone(opine_many(session, actor, [case_id], department, verdict, opinion, lambda _: if_match, documents))


def opine_many(
    session: Session,
    actor: Actor,
    case_ids: Sequence[int],
    department: str,
    verdict: Verdict,
    opinion: str,
    read: Read = any_read,
    documents: Sequence[int] = (),
) -> Outcomes:
    """Record the same opinion of a department on many cases as :func:`opine` does on one, each by itself. An attachment belongs to one case, so
    ``documents`` are of one."""
    several = locked_each(session, actor, case_ids, read)
    acted = queries.acted_levels(session, list(several.cases), actor.user_id)
    several.sift(lambda case: _refuse_opinion(actor, case, several.rows[case.id].supplier_path, acted[case.id], department))
    several.sift(lambda case: refuse_unknown(session, case, documents))
    latest = queries.latest_opinions(session, list(several.cases.values()))
    said = (verdict.value, opinion, list(documents), actor.user_id)
    several.sift(lambda case: _refuse_said(latest[case.id].get(department), said))
    cases = list(several.cases.values())
    session.add_all(
        CertificationOpinion(
            case_id=case.id,
            step=case.status,
            department=department,
            verdict=verdict.value,
            opinion=opinion,
            documents=list(documents),
            author_id=actor.user_id,
            author_role=actor.role_name,
            at=clock.now(),
        )
        for case in cases
    )
    keep(session, *cases)
    detail = {"department": department, "verdict": verdict}
    audit.record_each(session, actor, "certification.opinion_given", "certification_case", [(case.id, detail) for case in cases])
    return several.outcomes()


def _refuse_opinion(actor: Actor, case: CertificationCase, supplier_path: str, acted: set[Level], department: str) -> None:
    step = steps.step_of(case.steps, case.status)
    if step is None:
        raise IllegalMove(state=case.status, action="opine", allowed=[])
    if actor.is_related(supplier_path):
        raise OwnCase
    level = Level(step["level"])
    if not queries.is_heard(actor, case, level):
        if any(queries.is_heard(actor, case, Level(each["level"])) for each in case.steps):
            raise IllegalMove(state=case.status, action="opine", allowed=[])
        raise NotYourRegion
    if not acted <= {level}:
        raise SamePerson
    if department not in step["departments"]:
        raise NoDepartment(faults=[Fault("department", NoDepartment.code, NoDepartment.zh, NoDepartment.en)])


def _refuse_said(latest: Row[Any] | None, said: tuple[str, str, list[int], int | None]) -> None:
    if latest is not None and (latest.verdict, latest.opinion, latest.documents, latest.author_id) == said:
        raise OpinionGiven


def appeal(session: Session, actor: Actor, case_id: int, reason: str, if_match: IfMatch = any_version) -> None:
    """Ask the city to look again at the own application that was rejected; once.

    Raises:
        NotFound (404), Forbidden (403), IllegalMove (409): as for every move; an appeal that was made cannot be made again.
        AppealTooLate: its time is over (409).
    """
    alone(appeal_many(session, actor, [case_id], reason, lambda _: if_match))


def appeal_many(session: Session, actor: Actor, case_ids: Sequence[int], reason: str, read: Read = any_read) -> Outcomes:
    """Appeal for many own applications as :func:`appeal` does for one, each by itself."""
    several = begin_each(session, actor, case_ids, CaseMove.APPEAL, read)
    several.sift(_refuse_late)
    cases = list(several.cases.values())
    finish_each(session, actor, cases, CaseMove.APPEAL, reason)
    for case in cases:
        case.appealed = True
    keep(session, *cases)
    outbox.publish_all(session, "certification.appealed", [{"case_id": case.id, "version": case.version} for case in cases])
    return several.outcomes()


def _refuse_late(case: CertificationCase) -> None:
    if case.due_on is not None and clock.today() > case.due_on:
        raise AppealTooLate(until=case.due_on.isoformat())


def decide_appeal(
    session: Session,
    actor: Actor,
    case_id: int,
    *,
    granted: bool,
    reason: str,
    documents: Sequence[int] = (),
    if_match: IfMatch = any_version,
) -> None:
    """The city grants an appeal: the case goes on where it was rejected, with dearer packs than before at its first step; or dismisses it: the
    rejection stands. Raises as every decision."""
    move = CaseMove.GRANT_APPEAL if granted else CaseMove.DISMISS_APPEAL
    case = begin(session, actor, case_id, move, if_match)
    if granted and show_prices(case, queries.highest_prices(session, [case.product_id])):
        case.sent_back_from = case.steps[0]["step"]
    case.decision_reason = None if granted else reason
    case.decided_at = None if granted else clock.now()
    finish(session, actor, case, move, reason, documents=documents)
    outbox.publish(session, "certification.decided", case_id=case.id, version=case.version, status=case.status, reason=reason)
    tell_offices(session, [case])


def _refuse_undecided(case: CertificationCase) -> None:
    if steps.step_of(case.steps, case.status) is None and case.status != CaseStatus.APPEALED:
        raise IllegalMove(state=case.status, action="claim", allowed=[])
