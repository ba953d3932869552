"""What a supplier says to a statement, what platform finance answers, and holds that it lifts."""

from datetime import timedelta
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.settlement.errors import LiftedBefore, NotHeld, ObjectionTooLate, PayoutOnItsWay
from orders.settlement.models import HoldLift, SettlementObjection
from orders.settlement.queries.owed import has_hold
from orders.settlement.queries.statements import is_released
from orders.settlement.rules import Hold
from orders.settlement.schemas.settlements import LiftIn
from orders.settlement.states import SETTLEMENT, SettlementMove
from shop.core import audit, clock, outbox
from shop.core.errors import IfMatch, NotFound, any_version
from shop.identity.actor import Actor
from shop.identity.permissions import Permission
from shop.programmes.queries import config_of

_LOCK = text(
    "SELECT s.*, o.path, o.region_code FROM settlement s JOIN organisation o ON o.id = s.supplier_id WHERE s.id = :id FOR UPDATE OF s"
)
_MOVE = text("UPDATE settlement SET status = :status, version = version + 1 WHERE id = :id")
_MAY_OBJECT_UNTIL = text("UPDATE settlement SET objections_until = greatest(objections_until, :until) WHERE id = :id")
_ANSWER = text(
    "UPDATE settlement_objection SET answer = :answer, answered_by = :user_id, answered_at = :now"
    " WHERE settlement_id = :id AND answered_at IS NULL RETURNING id"
)
_PART = text(
    "SELECT o.region_code FROM supplier_order so JOIN organisation o ON o.id = so.supplier_id WHERE so.id = :id FOR KEY SHARE OF so"
)


def confirm(session: Session, actor: Actor, settlement_id: int, if_match: IfMatch = any_version) -> None:
    """The supplier agrees to a statement; it can be paid at once.

    Raises:
        NotFound: not a settlement of the caller's branch (404). IllegalMove: it was confirmed, or an objection waits for its answer (409).
    """
    row = _own(session, actor, settlement_id)
    if_match(row.version)
    _step(session, actor, row, SettlementMove.CONFIRM)


def object_(session: Session, actor: Actor, settlement_id: int, reason: str, if_match: IfMatch = any_version) -> None:
    """The supplier has something against a statement: nothing is paid of it before the answer.

    Raises:
        NotFound: not a settlement of the caller's branch (404). ObjectionTooLate: the days for it are over (409).
        PayoutOnItsWay: it is being paid (409). IllegalMove: it was confirmed, or an objection waits already (409).
    """
    row = _own(session, actor, settlement_id)
    if_match(row.version)
    SETTLEMENT.after(row.status, SettlementMove.OBJECT)
    if clock.today() > row.objections_until:
        raise ObjectionTooLate(until=str(row.objections_until))
    if is_released(session, row.id):
        raise PayoutOnItsWay
    session.add(SettlementObjection(settlement_id=row.id, reason=reason, raised_by=actor.user_id or 0, raised_at=clock.now()))
    session.flush()
    _step(session, actor, row, SettlementMove.OBJECT, reason)
    outbox.publish(session, "settlement.objected", settlement_id=row.id, version=row.version + 1)


def answer(session: Session, actor: Actor, settlement_id: int, words: str, if_match: IfMatch = any_version) -> None:
    """Answer an objection. Amounts stand: what was wrong is put right by a correction, which the next settlement takes up. The supplier has the days
    for objections anew, to agree with the answer or not.

    Raises:
        NotFound: not of a supplier whose money the caller keeps (404). IllegalMove: no objection waits (409).
    """
    row = session.execute(_LOCK, {"id": settlement_id}).first()
    if row is None or not actor.covers_region(Permission.MONEY_MANAGE, row.region_code):
        raise NotFound
    if_match(row.version)
    _step(session, actor, row, SettlementMove.ANSWER, words)
    session.execute(_ANSWER, {"id": row.id, "answer": words, "user_id": actor.user_id, "now": clock.now()})
    today = clock.today()
    days = timedelta(days=config_of(session, today).settlement.objection_days)
    session.execute(_MAY_OBJECT_UNTIL, {"id": row.id, "until": today + days})
    outbox.publish(session, "settlement.answered", settlement_id=row.id, version=row.version + 1)


def lift(session: Session, actor: Actor, supplier_order_id: int, body: LiftIn) -> int:
    """Have a part of an order settled though its supplier or certificate is stopped, or no invoice is there; returns the lift's id.

    Raises:
        NotFound: no part of a supplier whose money the caller keeps (404). LiftedBefore: see there (409).
        NotHeld: that does not stand against the part (409).
    """
    row = session.execute(_PART, {"id": supplier_order_id}).first()
    if row is None or not actor.covers_region(Permission.MONEY_MANAGE, row.region_code):
        raise NotFound
    found = text("SELECT 1 FROM hold_lift WHERE supplier_order_id = :id AND hold = :hold")
    if session.execute(found, {"id": supplier_order_id, "hold": body.hold}).first() is not None:
        raise LiftedBefore
    if not has_hold(session, supplier_order_id, Hold(body.hold), config_of(session, clock.today()).settlement):
        raise NotHeld
    made = HoldLift(
        supplier_order_id=supplier_order_id,
        hold=body.hold,
        reason=body.reason,
        lifted_by=actor.user_id or 0,
        lifted_at=clock.now(),
    )
    session.add(made)
    session.flush()
    audit.record(session, actor, "hold.lifted", "supplier_order", supplier_order_id, reason=body.reason, hold=str(body.hold))
    return made.id


def _own(session: Session, actor: Actor, settlement_id: int) -> Any:
    row = session.execute(_LOCK, {"id": settlement_id}).first()
    if row is None or not actor.within_branch(row.path):
        raise NotFound
    return row


def _step(session: Session, actor: Actor, row: Any, move: SettlementMove, reason: str | None = None) -> None:
    status = SETTLEMENT.after(row.status, move)
    session.execute(_MOVE, {"id": row.id, "status": status})
    audit.record(
        session, actor, f"settlement.{move}", "settlement", row.id, reason=reason, from_status=row.status, to_status=str(status)
    )
