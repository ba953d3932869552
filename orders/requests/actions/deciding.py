"""Deciding on a request step by step, and placing it after the last one."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.approvals.queries import deciders, require_somebody
from orders.budgets import actions as budgets
from orders.budgets.rules import Holder
from orders.purchasing.actions import placing, pricing
from orders.purchasing.actions.placing import Approved
from orders.purchasing.rules import AgreedLine, Source, SourceKind, WantedLine
from orders.purchasing.schemas import OrderHeadIn
from orders.requests import queries
from orders.requests.errors import NotYourRequest, NotYoursToDecide, ReasonNeeded
from orders.requests.states import PURCHASE_REQUEST, RequestMove, RequestStatus
from shop.core import audit, clock, outbox
from shop.core.errors import IfMatch, NotFound, Problem, any_version
from shop.core.states import IllegalMove
from shop.identity import tokens
from shop.identity.actor import Actor
from shop.identity.permissions import Permission

_LOCK = text(
    """
    SELECT r.*, buyer.path AS buyer_path, unit.path AS unit_path
    FROM purchase_request r JOIN organisation buyer ON buyer.id = r.buyer_id JOIN organisation unit ON unit.id = r.ordering_unit_id
    WHERE r.id = :id FOR UPDATE OF r
    """
)
_STEPS = text("SELECT * FROM purchase_request_step WHERE purchase_request_id = :id AND round = :round ORDER BY position")
_DECIDE = text(
    "UPDATE purchase_request_step SET status = :status, decided_by = :user_id, decided_for = :in_place_of, decided_at = :now, reason = :reason"
    " WHERE id = :id"
)
_MOVE = text(
    "UPDATE purchase_request SET status = :status, decided_at = CASE WHEN :decided THEN CAST(:now AS timestamptz) ELSE decided_at END,"
    " faults = NULL, version = version + 1 WHERE id = :id"
)
_LINES = text("SELECT * FROM purchase_request_line WHERE purchase_request_id = :id ORDER BY line_no")

_ANSWERS = {RequestMove.APPROVE: "approved", RequestMove.REJECT: "rejected", RequestMove.RETURN: "returned"}


def locked(session: Session, actor: Actor, request_id: int) -> Any:
    """A request of the caller's branch, or of one below which the caller approves; locked until the transaction ends.

    Raises:
        NotFound: no such request within reach.
    """
    row = session.execute(_LOCK, {"id": request_id}).first()
    if row is None or not (actor.within_branch(row.buyer_path) or actor.within_branch(row.unit_path)):
        raise NotFound
    return row


def decide(
    session: Session, actor: Actor, request_id: int, move: RequestMove, reason: str | None, if_match: IfMatch = any_version
) -> None:
    """Take the step that waits: approve, reject, or return it to be changed. After the last approval the order is placed; where that is not
    possible by now, the request stays approved and says why.

    Raises:
        NotFound: no such request within reach (404). IllegalMove: it does not wait (409), with ``already`` where it was approved before.
        NotYoursToDecide: the step names others, it is the own request, or another step of it was the caller's (403), with ``already`` where the caller
            approved that one, as who sends an approval twice.
        NobodyToApprove: with this approval nobody would be left for a later step (409).
        ReasonNeeded: to approve prices above those of comparable goods needs one (422).
    """
    request = locked(session, actor, request_id)
    if_match(request.version)
    _require_waiting(request.status, move)
    steps = session.execute(_STEPS, {"id": request_id, "round": request.round}).all()
    waiting = [step for step in steps if step.status == "waiting"]
    step = waiting[0]
    decided = queries.took_part(steps)
    who = deciders(session, queries.step_of(step), request.requested_by, decided)
    if actor.user_id not in who:
        if move is RequestMove.APPROVE and any((step.decided_by, step.status) == (actor.user_id, "approved") for step in steps):
            raise NotYoursToDecide(already=True)
        raise NotYoursToDecide
    in_place_of = who[actor.user_id]
    if move is RequestMove.APPROVE:
        # as whoever awards a dearer offer, or passes a case that a department is against
        if not reason and (dear := queries.dear_lines(session, request_id)):
            raise ReasonNeeded.at("reason", lines=", ".join(map(str, dear)))
        gone = decided | {request.requested_by, actor.user_id, in_place_of}
        require_somebody(session, [queries.step_of(each) for each in waiting[1:]], gone)
    session.execute(
        _DECIDE,
        {
            "id": step.id,
            "status": _ANSWERS[move],
            "user_id": actor.user_id,
            "in_place_of": in_place_of if in_place_of != actor.user_id else None,
            "now": clock.now(),
            "reason": reason,
        },
    )
    last = len(waiting) == 1
    taken = RequestMove.APPROVE_STEP if move is RequestMove.APPROVE and not last else move
    status = move_to(session, actor, request, taken, reason=reason, step=step.name, in_place_of=in_place_of)
    if taken is RequestMove.APPROVE_STEP:
        outbox.publish(
            session,
            "purchase_request.waiting",
            purchase_request_id=request_id,
            round=request.round,
            position=step.position + 1,
        )
    elif status is RequestStatus.APPROVED:
        order(session, actor, request_id)
    else:
        budgets.release(session, Holder.PURCHASE_REQUEST, request_id)
        if status is RequestStatus.REJECTED:
            outbox.publish(session, "purchase_request.rejected", purchase_request_id=request_id, round=request.round)
        else:
            outbox.publish(session, "purchase_request.returned", purchase_request_id=request_id, round=request.round)


def _require_waiting(status: str, move: RequestMove) -> None:
    """Raises IllegalMove: nobody decides on it now (409). What was ordered was approved before."""
    try:
        PURCHASE_REQUEST.after(status, move)
    except IllegalMove as refused:
        if move is RequestMove.APPROVE and status == RequestStatus.ORDERED:
            refused.data["already"] = True
        raise


def move_to(
    session: Session, actor: Actor, request: Any, move: RequestMove, *, reason: str | None = None, **detail: Any
) -> RequestStatus:
    """Write the state that a move leads to, with its record; the request is locked."""
    status = PURCHASE_REQUEST.after(request.status, move)
    session.execute(
        _MOVE,
        {
            "id": request.id,
            "status": status,
            "now": clock.now(),
            "decided": status in (RequestStatus.APPROVED, RequestStatus.REJECTED),
        },
    )
    audit.record(session, actor, f"purchase_request.{move}", "purchase_request", request.id, reason=reason, **detail)
    return status


def order(session: Session, actor: Actor, request_id: int, if_match: IfMatch = any_version) -> bool:
    """Place what was approved, for who asked for it; a request that cannot be placed says why and stays approved, for a later try. Returns
    whether it was placed.

    Raises:
        NotFound: no such request within reach (404). IllegalMove: it is not approved (409).
    """
    request = locked(session, actor, request_id)
    if_match(request.version)
    PURCHASE_REQUEST.after(request.status, RequestMove.ORDER)
    requester = tokens.actor_of_user(session, request.requested_by)
    try:
        with session.begin_nested():
            head = OrderHeadIn(**{name: getattr(request, name) for name in queries.HEAD_FIELDS}, buyer_id=request.buyer_id)
            prepared = pricing.prepare(session, requester, head, _wanted(session, request_id))
            placed = placing.carry_out(
                session,
                requester,
                prepared,
                Source(SourceKind(request.source_kind), request.source_id),
                Approved(request_id, request.total_fen),
            )
            move_to(session, actor, request, RequestMove.ORDER, purchase_order_id=placed.id)
    except Problem as problem:
        queries.keep_faults(session, request_id, problem)
        outbox.publish(
            session, "purchase_request.stuck", purchase_request_id=request_id, version=request.version, code=problem.code
        )
        return False
    outbox.publish(session, "purchase_request.ordered", purchase_request_id=request_id, number=placed.number)
    return True


def _wanted(session: Session, request_id: int) -> list[pricing.Wanted]:
    return [
        AgreedLine(row.sku_id, row.quantity, row.unit_price_fen, row.agreement_line_id)
        if row.agreed
        else WantedLine(row.sku_id, row.quantity)
        for row in session.execute(_LINES, {"id": request_id})
    ]


def own(session: Session, actor: Actor, request_id: int, *, or_admin: bool = False) -> Any:
    """The caller's own request, locked; ``or_admin``: administrators of the unit act for who left.

    Raises:
        NotFound (404), NotYourRequest (403).
    """
    request = locked(session, actor, request_id)
    if request.requested_by != actor.user_id and not (or_admin and actor.may(Permission.UNITS_MANAGE)):
        raise NotYourRequest
    return request


def withdraw(session: Session, actor: Actor, request_id: int, reason: str | None, if_match: IfMatch = any_version) -> None:
    """Take a request back; its budget is free again.

    Raises:
        NotFound (404), NotYourRequest (403), IllegalMove: it was decided (409).
    """
    request = own(session, actor, request_id, or_admin=True)
    if_match(request.version)
    move_to(session, actor, request, RequestMove.WITHDRAW, reason=reason)
    budgets.release(session, Holder.PURCHASE_REQUEST, request_id)
    outbox.publish(session, "purchase_request.withdrawn", purchase_request_id=request_id)
