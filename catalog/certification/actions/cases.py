"""Finding a case for somebody who acts on it, and moving it with everything that a move leaves behind."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session, col, select

from catalog.certification import queries
from catalog.certification.errors import NotYourRegion, OwnCase, SamePerson
from catalog.certification.models import CertificationCase, CertificationStep
from catalog.certification.states import CASE, CaseMove, Level, level_of
from shop.core import audit, clock
from shop.core.errors import Forbidden
from shop.identity.actor import Actor

#: How a move is put on record.
_DONE = {
    CaseMove.SUBMIT: "certification.submitted",
    CaseMove.RESUBMIT: "certification.resubmitted",
    CaseMove.TAKE_UP: "certification.taken_up",
    CaseMove.PUBLISH_NOTICE: "certification.noticed",
    CaseMove.CLOSE_NOTICE: "certification.notice_closed",
    CaseMove.CERTIFY: "certification.certified",
    CaseMove.RETURN: "certification.returned",
    CaseMove.REJECT: "certification.rejected",
    CaseMove.WITHDRAW: "certification.withdrawn",
}


def locked(session: Session, actor: Actor, case_id: int) -> CertificationCase:
    """A case within the actor's reach, locked until the transaction ends: of two who decide at once the second finds it decided.

    Raises:
        NotFound: there is none within reach (404).
    """
    queries.case_row(session, actor, case_id)
    statement = select(CertificationCase).where(col(CertificationCase.id) == case_id).with_for_update()
    return session.exec(statement.execution_options(populate_existing=True)).one()


def begin(session: Session, actor: Actor, case_id: int, move: CaseMove) -> CertificationCase:
    """Lock a case that the actor may move now.

    Raises:
        NotFound: there is none within reach (404).
        IllegalMove: the case is not in a state for this (409).
        Forbidden and its kinds: somebody else's to do (403).
    """
    case = locked(session, actor, case_id)
    CASE.after(case.status, move)
    _authorise(session, actor, case, level_of(case.status, move))
    return case


def finish(
    session: Session, actor: Actor, case: CertificationCase, move: CaseMove, reason: str | None = None, **detail: Any
) -> None:
    """Move a case that :func:`begin` gave, and put the step on record."""
    before, after = case.status, CASE.after(case.status, move)
    case.status = after.value
    case.version += 1
    session.add(case)
    session.add(
        CertificationStep(
            case_id=case.id,
            action=move.value,
            from_status=before,
            to_status=after.value,
            actor_id=actor.user_id,
            actor_role=actor.role_name,
            reason=reason,
            at=clock.now(),
        )
    )
    session.flush()
    audit.record(session, actor, _DONE[move], "certification_case", case.id, reason=reason, **detail)


def _authorise(session: Session, actor: Actor, case: CertificationCase, level: Level) -> None:
    steps = session.execute(
        text("SELECT from_status, action, actor_id FROM certification_step WHERE case_id = :id"), {"id": case.id}
    )
    acted = queries.levels_of(steps, actor.user_id)
    path = session.execute(text("SELECT path FROM organisation WHERE id = :id"), {"id": case.supplier_id}).scalar_one()
    if queries.may_act(actor, case, path, level, acted):
        return
    if level is Level.SUPPLIER:
        raise Forbidden
    if queries.is_related(actor, path):
        raise OwnCase
    if not actor.may(level.permission) or not actor.covers_region(level.permission, case.district_code):
        raise NotYourRegion
    raise SamePerson
