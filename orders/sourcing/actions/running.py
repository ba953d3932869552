"""Publishing a request, moving its end, answering questions, cancelling and ending it."""

from sqlalchemy import text
from sqlmodel import Session

from orders.sourcing.actions.moving import keep, locked
from orders.sourcing.errors import NobodyToAsk, OnlyLater, QuestionAnswered, TimeIsPast
from orders.sourcing.queries.reach import MATCHING
from orders.sourcing.rules import Kind
from orders.sourcing.schemas.requests import ExtensionIn
from orders.sourcing.states import RequestAction
from shop.core import audit, clock, outbox
from shop.core.errors import IfMatch, NotFound, any_version
from shop.identity import queries as identity
from shop.identity.actor import Actor

_PUBLISH = text("UPDATE quotation_request SET published_at = :now, status = 'open' WHERE id = :id")
# Those named in the draft stay if they are still approved; all that match come in by one statement.
_DROP = text(
    """
    DELETE FROM quotation_invitation i USING organisation o
    WHERE i.quotation_request_id = :id AND o.id = i.supplier_id AND o.status <> 'approved'
    """
)
_INVITE_MATCHING = text(
    f"""
    INSERT INTO quotation_invitation (quotation_request_id, supplier_id, matched)
    SELECT q.id, o.id, true FROM quotation_request q JOIN organisation buyer ON buyer.id = q.buyer_id
    JOIN organisation o ON {MATCHING}
    WHERE q.id = :id AND q.matching AND q.kind = 'invited'
    ON CONFLICT DO NOTHING
    """  # noqa: S608
)
_INVITED = text("SELECT count(*) FROM quotation_invitation WHERE quotation_request_id = :id")
_EXTEND = text("UPDATE quotation_request SET closes_at = :closes_at, questions_until = :questions_until WHERE id = :id")
_ANSWER = text(
    """
    UPDATE quotation_question SET answer = :answer, answered_by = :user_id, answered_at = :now
    WHERE id = :question_id AND quotation_request_id = :id AND answer IS NULL RETURNING id
    """
)
_QUESTION = text("SELECT 1 FROM quotation_question WHERE id = :question_id AND quotation_request_id = :id")


def publish(session: Session, actor: Actor, request_id: int, if_match: IfMatch = any_version) -> None:
    """Send a request out. All matching suppliers are invited now, where the buyer wants it.

    Raises:
        NotFound: no such request of the caller's branch (404).
        IllegalMove: it is published already (409).
        OrganisationNotApproved, TimeIsPast, NobodyToAsk: see there (409).
    """
    row = locked(session, actor, request_id, RequestAction.PUBLISH)
    if_match(row.version)
    identity.require_approved(session, row.buyer_id)
    now = clock.now()
    if row.closes_at <= now:
        raise TimeIsPast
    session.execute(_PUBLISH, {"id": row.id, "now": now})
    session.execute(_DROP, {"id": row.id})
    session.execute(_INVITE_MATCHING, {"id": row.id, **clock.present()})
    invited = session.execute(_INVITED, {"id": row.id}).scalar_one()
    if row.kind == Kind.INVITED and not invited:
        raise NobodyToAsk
    keep(session, actor, row, RequestAction.PUBLISH, invited=invited, closes_at=row.closes_at.isoformat())
    outbox.publish(session, "quotation_request.published", quotation_request_id=row.id)


def extend(session: Session, actor: Actor, request_id: int, body: ExtensionIn, if_match: IfMatch = any_version) -> None:
    """Give suppliers more time. Only to a later end, and only before the present one.

    Raises:
        NotFound: as above (404).
        IllegalMove, OnlyLater: it is closed, or the new end is not later, or that for questions earlier (409).
    """
    row = locked(session, actor, request_id, RequestAction.EXTEND)
    if_match(row.version)
    to_the_end = row.questions_until == row.closes_at
    questions_until = body.questions_until or (body.closes_at if to_the_end else row.questions_until)
    if body.closes_at <= row.closes_at or questions_until < row.questions_until:
        raise OnlyLater
    was, becomes = row.closes_at.isoformat(), body.closes_at.isoformat()
    keep(session, actor, row, RequestAction.EXTEND, reason=body.reason, was=was, closes_at=becomes)
    session.execute(_EXTEND, {"id": row.id, "closes_at": body.closes_at, "questions_until": questions_until})
    outbox.publish(session, "quotation_request.extended", quotation_request_id=row.id, closes_at=becomes, reason=body.reason)


def answer(session: Session, actor: Actor, request_id: int, question_id: int, words: str) -> None:
    """Answer a question; all suppliers read it.

    Raises:
        NotFound: no such question of a request of the caller's branch (404).
        IllegalMove, QuestionAnswered: it is closed, or was answered (409).
    """
    row = locked(session, actor, request_id, RequestAction.ANSWER)
    values = {"id": row.id, "question_id": question_id, "answer": words, "user_id": actor.user_id, "now": clock.now()}
    if session.execute(_ANSWER, values).first() is None:
        known = session.execute(_QUESTION, {"id": row.id, "question_id": question_id}).first()
        raise QuestionAnswered if known else NotFound
    audit.record(session, actor, "quotation_request.answered", "quotation_request", row.id, question_id=question_id)
    outbox.publish(session, "quotation_request.answered", quotation_request_id=row.id, question_id=question_id)


def cancel(session: Session, actor: Actor, request_id: int, reason: str, if_match: IfMatch = any_version) -> None:
    """Call a request off, before its end or after it as long as nothing is awarded. What was sealed stays sealed.

    Raises:
        NotFound: as above (404). IllegalMove: something is awarded, or it was cancelled (409).
    """
    row = locked(session, actor, request_id, RequestAction.CANCEL)
    if_match(row.version)
    keep(session, actor, row, RequestAction.CANCEL, reason=reason)
    if row.published_at is not None:
        outbox.publish(session, "quotation_request.cancelled", quotation_request_id=row.id, reason=reason)


def finish(session: Session, actor: Actor, request_id: int, reason: str, if_match: IfMatch = any_version) -> None:
    """Leave the rest unawarded, with the reason; who got nothing is told.

    Raises:
        NotFound: as above (404). IllegalMove: nothing is awarded yet, or everything is (409).
    """
    row = locked(session, actor, request_id, RequestAction.FINISH)
    if_match(row.version)
    keep(session, actor, row, RequestAction.FINISH, reason=reason)
    outbox.publish(session, "quotation_request.decided", quotation_request_id=row.id)
