"""Lines of the bank that nothing in the books explains: its fees, or what left once more. Written off by two persons, one who asks and one who approves.

Locked as everybody does: the line, then an order with a refund of it, or a payout with its settlement, or an advance.
"""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.banking.actions.making import Wanted, as_line, make
from orders.banking.actions.matching import locked
from orders.banking.errors import (
    AdvanceUnfit,
    DocumentNamed,
    EntryContradicted,
    LineTaken,
    OwnWriteOff,
    PayoutUnfit,
    RefundUnfit,
    Remedy,
    Unfit,
    UsedUp,
    WriteOffWaiting,
    WrongDirection,
)
from orders.banking.known import Line, Paid
from orders.banking.matching import is_contradicted, is_of_document, is_other_number, is_other_payee
from orders.banking.models import BankWriteOff
from orders.banking.queries import twice
from orders.banking.rules import BankEntryKind, MatchKind
from orders.banking.schemas.lines import WriteOffIn
from orders.banking.states import WRITE_OFF, WriteOffMove, WriteOffStatus
from orders.payments import actions as payments
from orders.refunds import actions as refunds
from orders.settlement.actions import advances, losing, paying
from orders.settlement.queries.ahead import held_ahead
from orders.settlement.queries.left import left_twice
from shop.core import audit, clock, outbox
from shop.core.errors import IfMatch, Invalid, NotFound, any_version
from shop.core.money import yuan_from_fen
from shop.identity.actor import Actor

_ORDER_OF = text("SELECT purchase_order_id FROM refund WHERE id = :id")
#: What of a line is written off as the same thing once more already.
_TWICE = text(
    """
    SELECT coalesce(sum(amount_fen), 0)::bigint FROM bank_write_off
    WHERE line_id = :line_id AND status = 'approved'
      AND (payout_id = :payout_id OR refund_id = :refund_id OR advance_id = :advance_id)
    """
)
_OF = ("payout_id", "refund_id", "advance_id")
_WAITING = text("SELECT 1 FROM bank_write_off WHERE line_id = :id AND status = 'requested'")
_LINE_OF = text("SELECT line_id FROM bank_write_off WHERE id = :id")
_COMES_BACK = text(
    "SELECT 1 FROM bank_write_off w JOIN bank_line l ON l.id = w.line_id WHERE w.id = :id AND w.entry = 'paid_twice' AND l.amount_fen > 0"
)
_LOCK = text("SELECT * FROM bank_write_off WHERE id = :id FOR UPDATE")
_DECIDE = text(
    "UPDATE bank_write_off SET status = :status, decided_by = :user_id, decided_at = :now, decision_reason = :reason, match_id = :match_id,"
    " version = version + 1 WHERE id = :id"
)


def request(session: Session, actor: Actor, line_id: int, body: WriteOffIn, if_match: IfMatch) -> int:
    """Say that a line, or a part of it, is the bank's own, or a payout, refund or advance that left once more; or, of a line that came in, that a payout
    or advance which had left once more came back, so that its supplier holds it ahead no longer. Returns the request's id. Until it is approved the line
    is as open as before.

    Raises:
        NotFound: no such line, payout, refund or advance, or the caller keeps the money of a district only (404). Changed: the line changed
        meanwhile (412). LineTaken: less than that is left of it (409). WriteOffWaiting: something of it waits already (409).
        Invalid: what left once more is not named, or another entry names it, or has a ``despite`` (422). EntryContradicted: see there (422). DocumentNamed: see there (409).
        WrongDirection: the line came in, and nothing of it was found to have left once more, or it is a refund, of which the one that left once more is
        matched as returned (422). UsedUp: settlements have set off what comes back (409). PayoutUnfit, RefundUnfit, AdvanceUnfit: it has not left, or came to less, or the line names another
        payee or number and ``despite`` says nothing (409).
    """
    line = locked(session, actor, line_id)
    if_match(line.version)
    if session.execute(_WAITING, {"id": line_id}).first() is not None:
        raise WriteOffWaiting
    _require_left(line, body.amount)
    if sum(getattr(body, of) is not None for of in _OF) != (body.entry is BankEntryKind.PAID_TWICE):
        raise Invalid.one(
            "payout_id",
            "payout_of_entry",
            "重复付款（paid_twice）须注明付款、退款、预付款之一，其他类别不注明",
            "Name the one payout, refund or advance that left once more (`paid_twice`), and none otherwise",
        )
    of_document = is_of_document(as_line(line), body.entry)
    if body.despite is not None and body.entry is not BankEntryKind.PAID_TWICE and not of_document:
        raise Invalid.one(
            "despite",
            "despite_of_entry",
            "仅重复付款（paid_twice），或附言中有款项编号的流水，可填写 despite",
            "Only of what left once more (`paid_twice`), or of a line that has the number of a document, there is anything to say it in spite of",
        )
    if is_contradicted(as_line(line), body.entry):
        raise EntryContradicted(entry=body.entry)
    if of_document and body.despite is None:
        raise DocumentNamed
    asked = {**{of: getattr(body, of) for of in _OF}, "despite": body.despite}
    paid = _paid_before(session, line, body.amount, **asked)
    made = BankWriteOff(
        line_id=line_id,
        entry=body.entry,
        **{**asked, "despite": body.despite if of_document or (paid and _doubt(as_line(line), paid)) else None},
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


def approve(session: Session, actor: Actor, write_off_id: int, reason: str | None, if_match: IfMatch = any_version) -> None:
    """Approve what somebody else asked for: the line is matched by it.

    Raises:
        NotFound: there is none, or the caller keeps the money of a district only (404). IllegalMove: it was decided (409).
        OwnWriteOff: the caller asked for it (403). LineTaken: less than that is left of the line by now (409).
        PayoutUnfit, RefundUnfit, AdvanceUnfit: what left once more has failed meanwhile (409). UsedUp: as :func:`request` (409). RefundsRest: other refunds of the order that are
        released and have not left rest on what left once more (409).
    """
    if session.execute(_COMES_BACK, {"id": write_off_id}).first():
        losing.alone(session)  # no settlement sets it off meanwhile
    line, row = _locked(session, actor, write_off_id)
    if_match(row.version)
    WRITE_OFF.after(row.status, WriteOffMove.APPROVE)
    if row.requested_by == actor.user_id:
        raise OwnWriteOff
    _require_left(line, row.amount_fen)
    paid = _paid_before(session, line, row.amount_fen, **{of: getattr(row, of) for of in (*_OF, "despite")})
    if row.refund_id:  # the buyer has it once more: a refund that nobody released
        again_id = refunds.enter_paid_again(session, actor, row.refund_id, row.amount_fen, row.reason, line.serial or None)
        order_id = paid.order_id if paid else None
        wanted = Wanted(line, MatchKind.REFUND, row.amount_fen, order_id, refund_id=again_id, note=row.reason)
    else:
        supplier_id = paid.party_id if paid else None
        entry = BankEntryKind(row.entry)
        wanted = Wanted(line, MatchKind.BANK_ENTRY, row.amount_fen, entry=entry, supplier_id=supplier_id, note=row.reason)
    [match_id] = make(session, actor, [wanted])
    _decide(session, actor, row, WriteOffMove.APPROVE, reason, match_id=match_id)


def refuse(session: Session, actor: Actor, write_off_id: int, reason: str | None, if_match: IfMatch = any_version) -> None:
    """Say no to it. Raises as :func:`approve`, but of what is left."""
    _, row = _locked(session, actor, write_off_id)
    if_match(row.version)
    WRITE_OFF.after(row.status, WriteOffMove.REFUSE)
    if row.requested_by == actor.user_id:
        raise OwnWriteOff
    _decide(session, actor, row, WriteOffMove.REFUSE, reason)


def withdraw(session: Session, actor: Actor, write_off_id: int, reason: str | None, if_match: IfMatch = any_version) -> None:
    """Take a request back that was not decided; whoever keeps the city's money may. Raises as :func:`approve`, but of persons and amounts."""
    _, row = _locked(session, actor, write_off_id)
    if_match(row.version)
    _decide(session, actor, row, WriteOffMove.WITHDRAW, reason)


def _locked(session: Session, actor: Actor, write_off_id: int) -> tuple[Any, Any]:
    """The line and the request, locked in this order."""
    line_id = session.execute(_LINE_OF, {"id": write_off_id}).scalar()
    if line_id is None:
        raise NotFound
    return locked(session, actor, line_id), session.execute(_LOCK, {"id": write_off_id}).one()


def _paid_before(
    session: Session,
    line: Any,
    amount_fen: int,
    *,
    payout_id: int | None,
    refund_id: int | None,
    advance_id: int | None,
    despite: str | None,
) -> Paid | None:
    """What left once more by a line, or came back by it, locked; none: the line is the bank's own. Raises NotFound, WrongDirection, UsedUp, PayoutUnfit,
    RefundUnfit, AdvanceUnfit."""
    if payout_id is not None:
        unfit: type[Unfit] = PayoutUnfit
        paying.lock(session, [payout_id])
        paid = twice.payout(session, payout_id)
    elif refund_id is not None:
        unfit = RefundUnfit
        payments.locked(session, session.execute(_ORDER_OF, {"id": refund_id}).scalars().all())
        refunds.lock(session, [refund_id])
        paid = twice.refund(session, refund_id)
    elif advance_id is not None:
        unfit = AdvanceUnfit
        advances.lock(session, advance_id)
        paid = twice.advance(session, advance_id)
    else:
        return None
    if paid is None:
        raise NotFound
    of = {"payout_id": payout_id, "refund_id": refund_id, "advance_id": advance_id}
    if line.amount_fen > 0:
        held_fen = left_twice(session, payout_id, advance_id) if refund_id is None else 0
        if held_fen <= 0:
            raise WrongDirection
        if held_ahead(session, paid.party_id) < amount_fen:
            raise UsedUp
        wrong = Remedy.LESS if amount_fen > held_fen else None
    else:
        before = session.execute(_TWICE, {"line_id": line.id, **of}).scalar_one()
        wrong = _unfit(paid, before + amount_fen)
    if remedy := wrong or (_doubt(as_line(line), paid) if despite is None else None):
        raise unfit(number=paid.number, state=paid.state, remedy=remedy)
    return paid


def _unfit(paid: Paid, amount_fen: int) -> Remedy | None:
    """Why so much of a line, in fen, is not said to be the same once more."""
    if not paid.left:
        return Remedy.NOT_LEFT
    return Remedy.LESS if amount_fen > paid.amount_fen else None


def _doubt(line: Line, paid: Paid) -> Remedy | None:
    """Why a line is not said to show the same once more, unless somebody says why it does."""
    if is_other_number(line, paid):
        return Remedy.OTHER_NUMBER
    return Remedy.OTHER_PAYEE if is_other_payee(line, paid) else None


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
