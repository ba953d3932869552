"""Lines of the bank that nothing in the books explains, such as its fees: written off by two persons, one who asks and one who approves."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.banking.actions.making import Wanted, make
from orders.banking.actions.matching import locked
from orders.banking.errors import LineTaken, OwnWriteOff, PayoutUnfit, Remedy, WriteOffWaiting, WrongDirection
from orders.banking.models import BankWriteOff
from orders.banking.rules import BankEntryKind, MatchKind
from orders.banking.schemas.lines import WriteOffIn
from orders.banking.states import WRITE_OFF, WriteOffMove, WriteOffStatus
from orders.settlement.actions import paying
from shop.core import audit, clock, outbox
from shop.core.errors import IfMatch, Invalid, NotFound
from shop.core.money import yuan_from_fen
from shop.identity.actor import Actor

#: A payout with a release that left; and its supplier.
_PAYOUT = text(
    """
    SELECT p.supplier_id, p.status, s.number, EXISTS (SELECT FROM payout_attempt a WHERE a.payout_id = p.id AND a.method = 'bank' AND a.outcome = 'paid') AS has_left
    FROM payout p JOIN settlement s ON s.id = p.settlement_id WHERE p.id = :id
    """
)
_WAITING = text("SELECT 1 FROM bank_write_off WHERE line_id = :id AND status = 'requested'")
_LINE_OF = text("SELECT line_id FROM bank_write_off WHERE id = :id")
_LOCK = text("SELECT * FROM bank_write_off WHERE id = :id FOR UPDATE")
_DECIDE = text(
    "UPDATE bank_write_off SET status = :status, decided_by = :user_id, decided_at = :now, decision_reason = :reason, match_id = :match_id,"
    " version = version + 1 WHERE id = :id"
)


def request(session: Session, actor: Actor, line_id: int, body: WriteOffIn, if_match: IfMatch) -> int:
    """Say that a line, or a part of it, is the bank's own, or a payout that left once more; returns the request's id. Until it is approved the line is
    as open as before.

    Raises:
        NotFound: no such line or payout, or the caller keeps the money of a district only (404). Changed: the line changed meanwhile (412).
        LineTaken: less than that is left of it (409). WriteOffWaiting: something of it waits already (409).
        Invalid: a payout that left once more is not named, or another entry names one (422). WrongDirection, PayoutUnfit: the line came in, or the
        payout has not left (422, 409).
    """
    line = locked(session, actor, line_id)
    if_match(line.version)
    if session.execute(_WAITING, {"id": line_id}).first() is not None:
        raise WriteOffWaiting
    _require_left(line, body.amount)
    if (body.entry is BankEntryKind.PAID_TWICE) != (body.payout_id is not None):
        raise Invalid.one(
            "payout_id",
            "payout_of_entry",
            "重复付款（paid_twice）须注明付款，其他类别不注明",
            "Name the payout that left once more (`paid_twice`), and none otherwise",
        )
    _supplier_of(session, line, body.payout_id)
    made = BankWriteOff(
        line_id=line_id,
        entry=body.entry,
        payout_id=body.payout_id,
        amount_fen=body.amount,
        reason=body.reason,
        requested_by=actor.user_id or 0,
        requested_at=clock.now(),
    )
    session.add(made)
    session.flush()
    audit.record(session, actor, "bank_write_off.requested", "bank_write_off", made.id, reason=body.reason, amount_fen=body.amount)
    outbox.publish(session, "bank_write_off.moved", bank_write_off_id=made.id, status=WriteOffStatus.REQUESTED)
    return made.id


def approve(session: Session, actor: Actor, write_off_id: int, reason: str | None) -> None:
    """Approve what somebody else asked for: the line is matched by it.

    Raises:
        NotFound: there is none, or the caller keeps the money of a district only (404). IllegalMove: it was decided (409).
        OwnWriteOff: the caller asked for it (403). LineTaken: less than that is left of the line by now (409).
        PayoutUnfit: the payout that left once more has failed meanwhile (409).
    """
    line, row = _locked(session, actor, write_off_id)
    WRITE_OFF.after(row.status, WriteOffMove.APPROVE)
    if row.requested_by == actor.user_id:
        raise OwnWriteOff
    _require_left(line, row.amount_fen)
    supplier_id = _supplier_of(session, line, row.payout_id)
    entry = BankEntryKind(row.entry)
    wanted = Wanted(line, MatchKind.BANK_ENTRY, row.amount_fen, entry=entry, supplier_id=supplier_id, note=row.reason)
    [match_id] = make(session, actor, [wanted])
    _decide(session, actor, row, WriteOffMove.APPROVE, reason, match_id=match_id)


def refuse(session: Session, actor: Actor, write_off_id: int, reason: str | None) -> None:
    """Say no to it. Raises as :func:`approve`, but of what is left."""
    _, row = _locked(session, actor, write_off_id)
    WRITE_OFF.after(row.status, WriteOffMove.REFUSE)
    if row.requested_by == actor.user_id:
        raise OwnWriteOff
    _decide(session, actor, row, WriteOffMove.REFUSE, reason)


def withdraw(session: Session, actor: Actor, write_off_id: int, reason: str | None) -> None:
    """Take a request back that was not decided; whoever keeps the city's money may. Raises as :func:`approve`, but of persons and amounts."""
    _, row = _locked(session, actor, write_off_id)
    _decide(session, actor, row, WriteOffMove.WITHDRAW, reason)


def _locked(session: Session, actor: Actor, write_off_id: int) -> tuple[Any, Any]:
    """The line and the request, locked in this order."""
    line_id = session.execute(_LINE_OF, {"id": write_off_id}).scalar()
    if line_id is None:
        raise NotFound
    return locked(session, actor, line_id), session.execute(_LOCK, {"id": write_off_id}).one()


def _supplier_of(session: Session, line: Any, payout_id: int | None) -> int | None:
    """Who got a payout, which is locked, once more by a line. Raises NotFound, WrongDirection, PayoutUnfit."""
    if payout_id is None:
        return None
    paying.lock(session, [payout_id])
    row = session.execute(_PAYOUT, {"id": payout_id}).first()
    if row is None:
        raise NotFound
    if line.amount_fen > 0:
        raise WrongDirection
    if not row.has_left:
        raise PayoutUnfit(number=row.number, state=row.status, remedy=Remedy.NOT_LEFT)
    return int(row.supplier_id)


def _require_left(line: Any, amount_fen: int) -> None:
    left = abs(line.amount_fen) - line.matched_fen
    if amount_fen > left:
        raise LineTaken(left=yuan_from_fen(left))


def _decide(
    session: Session, actor: Actor, row: Any, move: WriteOffMove, reason: str | None, *, match_id: int | None = None
) -> None:
    status = WRITE_OFF.after(row.status, move)
    values = {"id": row.id, "status": status, "user_id": actor.user_id, "now": clock.now(), "reason": reason, "match_id": match_id}
    session.execute(_DECIDE, values)
    audit.record(session, actor, f"bank_write_off.{move}", "bank_write_off", row.id, reason=reason, to_status=str(status))
    outbox.publish(session, "bank_write_off.moved", bank_write_off_id=row.id, status=status)
