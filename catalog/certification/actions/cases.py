"""Finding a case for somebody who acts on it, and moving it with everything that a move leaves behind."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session, col, select

from catalog.certificates.errors import NotYourRegion, OwnCase
from catalog.certification import steps
from catalog.certification.errors import ClaimedByOther, RejectedByYou, SamePerson, UnknownAttachment
from catalog.certification.models import CertificationCase, CertificationStep
from catalog.certification.queries import cases as queries
from catalog.certification.rules import is_dearer
from catalog.certification.states import SUPPLIER_MOVES, CaseKind, CaseMove, CaseStatus, Level
from shop.core import audit, clock, outbox, workdays
from shop.core.errors import Fault, Forbidden, IfMatch, NotFound, Problem, any_version, version_read
from shop.core.states import IllegalMove
from shop.core.workdays import Calendar
from shop.identity.actor import Actor
from shop.programmes import queries as programmes
from shop.programmes.schemas import CertificationRules

#: What an act comes to for each of several cases: None, or why it was refused.
Outcomes = dict[int, Problem | None]
#: The version of each of several cases that the caller read.
Read = Callable[[int], IfMatch]

#: How a move is put on record.
_DONE = {
    CaseMove.SUBMIT: "certification.submitted",
    CaseMove.RESUBMIT: "certification.resubmitted",
    CaseMove.APPROVE: "certification.approved",
    CaseMove.PUBLISH: "certification.published",
    CaseMove.RETURN: "certification.returned",
    CaseMove.REJECT: "certification.rejected",
    CaseMove.APPEAL: "certification.appealed",
    CaseMove.GRANT_APPEAL: "certification.appeal_granted",
    CaseMove.DISMISS_APPEAL: "certification.appeal_dismissed",
    CaseMove.WITHDRAW: "certification.withdrawn",
}

_ATTACHMENTS = text("SELECT id FROM certification_document WHERE case_id = :case_id AND side = 'officer' AND id = ANY (:ids)")
_CLAIMANTS = text("SELECT id, name FROM app_user WHERE id = ANY (:ids)")


def locked(session: Session, actor: Actor, case_id: int, if_match: IfMatch = any_version) -> CertificationCase:
    """A case within the actor's reach, locked until the transaction ends: of two who decide at once the second finds it decided.

    Raises:
        NotFound: there is none within reach (404). Changed: it is no more what the caller read (412).
    """
    queries.case_row(session, actor, case_id)
    statement = select(CertificationCase).where(col(CertificationCase.id) == case_id).with_for_update()
    case = session.exec(statement.execution_options(populate_existing=True)).one()
    if_match(case.version)
    return case


@dataclass
class Several:
    """Cases that one request acts on, each by itself: those that nothing stands against so far, as they stand, and the refusals of the others."""

    cases: dict[int, CertificationCase]
    rows: dict[int, Row[Any]]
    refused: dict[int, Problem] = field(default_factory=dict)

    def sift(self, check: Callable[[CertificationCase], object]) -> None:
        """Put aside every case that a check refuses. A check changes nothing, so there is nothing to be undone."""
        for case_id, case in list(self.cases.items()):
            try:
                check(case)
            except Problem as problem:
                self.refuse(case_id, problem)

    def refuse(self, case_id: int, problem: Problem) -> None:
        self.refused[case_id] = problem
        del self.cases[case_id]

    def refuse_moved(self, case: CertificationCase) -> None:
        """Raises Changed: the case is not what it was before it was waited for (412). Of two that meet, the later one would hit a step that nobody meant."""
        version_read(self.rows[case.id].version)(case.version)

    def outcomes(self) -> Outcomes:
        return {**dict.fromkeys(self.cases), **self.refused}


def any_read(_: int) -> IfMatch:
    """The :data:`Read` of somebody who names no versions."""
    return any_version


def read_of(session: Session, case_ids: Sequence[int], named: Mapping[int, int]) -> Read:
    """The :data:`Read` of a request about several cases, which names the versions of some. Each of the others must still be the one that stands as
    the request begins, before it waits for a lock: of two that meet the later one would hit a step that nobody meant."""
    stand = queries.versions(session, case_ids) | dict(named)
    return lambda case_id: version_read(stand.get(case_id))


def locked_each(session: Session, actor: Actor, case_ids: Sequence[int], read: Read = any_read) -> Several:
    """Several cases, locked as :func:`locked` does, in the order of their ids: two with overlapping lists never wait for each other in a circle.
    Those out of reach are refused as NotFound (404), those that are no more what the caller read as Changed (412)."""
    rows = queries.case_rows(session, actor, case_ids)
    statement = select(CertificationCase).where(col(CertificationCase.id).in_(rows)).order_by(col(CertificationCase.id))
    found = session.exec(statement.with_for_update().execution_options(populate_existing=True)) if rows else ()
    several = Several({case.id: case for case in found}, rows, {each: NotFound() for each in case_ids if each not in rows})
    several.sift(lambda case: read(case.id)(case.version))
    return several


def alone(outcomes: Mapping[int, Problem | None]) -> None:
    """Raise what an act on one case alone was refused for."""
    for problem in outcomes.values():
        if problem is not None:
            raise problem


def begin(session: Session, actor: Actor, case_id: int, move: CaseMove, if_match: IfMatch = any_version) -> CertificationCase:
    """Lock a case that the actor may move now.

    Raises:
        NotFound: there is none within reach (404). Changed: it is no more what the caller read, or what stood before it was waited for (412).
        IllegalMove: the case is not in a state for this, or at another step than the actor's (409).
        ClaimedByOther: a colleague has it on the desk (409).
        Forbidden and its kinds: somebody else's to do (403).
    """
    several = begin_each(session, actor, [case_id], move, lambda _: if_match)
    alone(several.refused)
    return several.cases[case_id]


def begin_each(session: Session, actor: Actor, case_ids: Sequence[int], move: CaseMove, read: Read = any_read) -> Several:
    """The same of several cases, each by itself: locked in the order of their ids, those refused that the actor may not move now."""
    several = locked_each(session, actor, case_ids, read)
    refuse_moves(session, actor, several, move)
    several.sift(several.refuse_moved)  # last: who does the same as the one before is told that it is done
    return several


def refuse_moves(session: Session, actor: Actor, several: Several, move: CaseMove) -> None:
    """Put locked cases aside that the actor may not move now. Refusals as of :func:`begin`."""
    several.sift(lambda case: _refuse_move(case, move))
    authorise(session, actor, several, move, move)
    if move not in SUPPLIER_MOVES:
        refuse_claimed(session, actor, several)


def _refuse_move(case: CertificationCase, move: CaseMove) -> None:
    try:
        queries.course_of(case).after(case.status, move)
    except IllegalMove as refused:
        if move is CaseMove.APPEAL and case.appealed:  # once made it is no move of the case any more
            refused.data["already"] = True
        raise


def show_prices(case: CertificationCase, prices: Mapping[int, Mapping[str, int]]) -> bool:
    """Note what the packs cost that a first application now shows to its offices; returns whether one is new, or dearer than what was shown.
    ``prices``: as ``queries.highest_prices`` tells them."""
    before = case.prices_shown
    case.prices_shown = dict(prices[case.product_id]) if case.kind == CaseKind.INITIAL else {}
    return is_dearer(before, case.prices_shown)


def refuse_claimed(session: Session, actor: Actor, several: Several) -> None:
    """Put aside, as :class:`ClaimedByOther`, what a colleague has on the desk."""
    others = {case.claimed_by for case in several.cases.values()} - {None, actor.user_id}
    names = {row.id: row.name for row in session.execute(_CLAIMANTS, {"ids": list(others)})} if others else {}

    def check(case: CertificationCase) -> None:
        if case.claimed_by in names:
            raise ClaimedByOther(name=names[case.claimed_by], since=case.claimed_at.isoformat() if case.claimed_at else None)

    several.sift(check)


def finish(
    session: Session,
    actor: Actor,
    case: CertificationCase,
    move: CaseMove,
    reason: str | None = None,
    *,
    documents: Sequence[int] = (),
    **detail: Any,
) -> None:
    """Move a case that :func:`begin` gave, set its clock, and put the step on record.

    Raises:
        UnknownAttachment: a document that no officer attached to this case (422).
    """
    refuse_unknown(session, case, documents)
    finish_each(session, actor, [case], move, reason, documents=documents, **detail)


def finish_each(
    session: Session,
    actor: Actor,
    cases: Sequence[CertificationCase],
    move: CaseMove,
    reason: str | None = None,
    *,
    documents: Sequence[int] = (),
    **detail: Any,
) -> None:
    """The same for several cases that are locked and may be moved."""
    if not cases:
        return
    today = clock.today()
    with session.no_autoflush:  # each case is written once
        days = workdays.calendar(session, today)
        config = programmes.config_of(session, today).certification
    for case in cases:
        before, level = case.status, queries.level_of(case, move)
        after = queries.course_of(case).after(before, move)
        step = CertificationStep(
            case_id=case.id,
            action=move.value,
            from_status=before,
            to_status=after.value,
            level=level.value,
            actor_id=actor.user_id,
            actor_role=actor.role_name,
            reason=reason,
            documents=list(documents),
            working_days=days.between(case.entered_on, today) if level is not Level.SUPPLIER and case.entered_on else None,
            late=(level is not Level.SUPPLIER or move is CaseMove.RESUBMIT) and case.due_on is not None and today > case.due_on,
            at=clock.now(),
        )
        _set_clock(case, CaseStatus(before), after, today, days, config)
        case.status = after.value
        case.claimed_by = case.claimed_at = None
        case.version += 1
        session.add_all([case, step])
    session.flush()
    audit.record_each(session, actor, _DONE[move], "certification_case", [(case.id, detail) for case in cases], reason=reason)


def hand_in(session: Session, actor: Actor, cases: Sequence[CertificationCase]) -> None:
    """Move cases to their offices, for the first time or after they were returned; whoever calls has seen to it that they may go there."""
    now = clock.now()
    for case in cases:
        case.submitted_at = now
        case.decision_reason = None
        case.corrections = []
        case.notice_from = case.notice_until = None
    again = [case for case in cases if case.status == CaseStatus.RETURNED]
    first = [case for case in cases if case.status != CaseStatus.RETURNED]
    finish_each(session, actor, first, CaseMove.SUBMIT)
    finish_each(session, actor, again, CaseMove.RESUBMIT)
    told = [{"case_id": case.id, "version": case.version, "status": case.status} for case in cases]
    outbox.publish_all(session, "certification.submitted", told)
    tell_offices(session, cases)


def tell_offices(session: Session, cases: Sequence[CertificationCase]) -> None:
    """Let the officers know of what came before them, together. While the public is asked there is nothing to do."""
    told = [
        {"case_id": case.id, "version": case.version, "status": case.status}
        for case in cases
        if steps.step_of(case.steps, case.status) and case.status != CaseStatus.PUBLIC_NOTICE
    ]
    if told:
        outbox.publish(session, "certification.awaiting", cases=told)


def keep(session: Session, *cases: CertificationCase) -> None:
    """Write cases that were changed, as a new version of each."""
    for case in cases:
        case.version += 1
        session.add(case)
    session.flush()


def refuse_unknown(session: Session, case: CertificationCase, documents: Sequence[int]) -> None:
    """Raises :class:`UnknownAttachment` for documents that no officer attached to this case."""
    known = set(session.execute(_ATTACHMENTS, {"case_id": case.id, "ids": list(documents)}).scalars()) if documents else set()
    if unknown := [at for at, document in enumerate(documents) if document not in known]:
        told = UnknownAttachment.zh, UnknownAttachment.en
        raise UnknownAttachment(faults=[Fault(f"attachment_ids[{at}]", UnknownAttachment.code, *told) for at in unknown])


def _set_clock(
    case: CertificationCase, before: CaseStatus, after: CaseStatus, today: date, days: Calendar, config: CertificationRules
) -> None:
    """When the case came to its new state and until when it should leave it. While it lies with the supplier the clock of the step stands
    still, and the date is the supplier's."""
    if after is CaseStatus.RETURNED:
        case.remaining_days = days.between(today, case.due_on) if case.due_on else None
    if after in (CaseStatus.RETURNED, CaseStatus.REJECTED) and before is not CaseStatus.APPEALED:
        case.sent_back_from = before.value
    case.entered_on = today
    case.due_on = None
    if step := steps.step_of(case.steps, after):
        resumed = before is CaseStatus.RETURNED and after == case.sent_back_from and case.remaining_days is not None
        start = steps.notice_last_day(case.notice_until) if after is CaseStatus.PUBLIC_NOTICE else today
        case.due_on = days.add(start, max(case.remaining_days or 0, 1) if resumed else step["working_days"])
        case.remaining_days = None
    elif after is CaseStatus.RETURNED:
        case.due_on = days.add(today, config.correction_working_days)
    elif after is CaseStatus.APPEALED or (after is CaseStatus.REJECTED and not case.appealed):
        case.due_on = days.add(today, config.appeal_working_days)


def authorise(session: Session, actor: Actor, several: Several, move: CaseMove, action: str) -> None:
    """Put cases aside that are not the actor's to decide at the level of a move: as Forbidden, OwnCase, NotYourRegion or SamePerson (RejectedByYou is
    one of them) (403), and as IllegalMove what is the actor's at another step than the present one (409), with ``already`` where that step was passed, as
    after an approval that is sent twice."""
    acted = queries.acted_levels(session, list(several.cases), actor.user_id)
    several.sift(lambda case: _refuse_other(actor, case, several.rows[case.id].supplier_path, acted[case.id], move, action))
    appealed = [case.id for case in several.cases.values() if case.status == CaseStatus.APPEALED and move not in SUPPLIER_MOVES]
    if appealed:
        own = queries.rejected(session, appealed, actor.user_id)
        several.sift(lambda case: _refuse_rejected(case, own))


def _refuse_other(
    actor: Actor, case: CertificationCase, supplier_path: str, acted: set[Level], move: CaseMove, action: str
) -> None:
    level = queries.level_of(case, move)
    if queries.may_act(actor, case, supplier_path, level, acted):
        return
    if level is Level.SUPPLIER:
        raise Forbidden
    if actor.is_related(supplier_path):
        raise OwnCase
    if not queries.is_before(actor, case, level):
        own = [step for step in case.steps if queries.is_before(actor, case, Level(step["level"]))]
        if own:
            refused = IllegalMove(state=case.status, action=action, allowed=[])
            if move is CaseMove.APPROVE and any(step in own for step in steps.passed(case.steps, case.status)):
                refused.data["already"] = True
            raise refused
        raise NotYourRegion
    raise SamePerson


def _refuse_rejected(case: CertificationCase, own: Collection[int]) -> None:
    if case.id in own:
        raise RejectedByYou
