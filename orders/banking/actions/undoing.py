"""Taking a match back."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.banking.actions.making import ANNOUNCED_OF, Wanted, postings_of
from orders.banking.actions.matching import locked
from orders.banking.errors import MatchUndone, PayoutHasFailed, ReturnShown, TwiceReturned, UsedUp
from orders.banking.queries.facts import SHOWN
from orders.banking.rules import BankEntryKind, MatchKind
from orders.banking.states import WRITE_OFF, WriteOffMove
from orders.money import actions as money
from orders.money.rules import Account, Kind, Place, Posting
from orders.payments import actions as payments
from orders.refunds import actions as refunds
from orders.refunds import guards
from orders.refunds.states import RefundStatus
from orders.settlement.actions import losing, paying
from orders.settlement.queries.ahead import held_ahead
from orders.settlement.queries.left import left_twice
from orders.terms import actions as terms
from shop.core import audit, clock
from shop.core.db import array
from shop.core.errors import NotFound
from shop.identity.actor import Actor

_MATCH = text(
    """
    SELECT m.*, l.amount_fen AS line_fen,
           w.id AS write_off_id, w.status AS write_off_status, w.refund_id AS refund_again_id, coalesce(p.supplier_id, v.supplier_id) AS supplier_id,
           w.payout_id AS payout_again_id, w.advance_id AS advance_again_id
    FROM bank_match m JOIN bank_line l ON l.id = m.line_id LEFT JOIN bank_write_off w ON w.match_id = m.id
    LEFT JOIN payout p ON p.id = w.payout_id LEFT JOIN advance v ON v.id = w.advance_id WHERE m.id = :id
    """
)
#: The match, and with one of a list of payouts, or a file of refunds, those of the whole list.
_UNDO = text(
    """
    UPDATE bank_match m SET undone_at = :now, undone_by = :user_id, undo_reason = :reason FROM bank_match asked
    WHERE asked.id = :id AND asked.undone_at IS NULL AND m.undone_at IS NULL
      AND (m.id = asked.id OR (m.line_id = asked.line_id
           AND (m.payout_file_id = asked.payout_file_id OR m.refund_file_id = asked.refund_file_id))) RETURNING m.id, m.amount_fen
    """
)
#: What a person has taken back is not matched by rule again.
_REOPEN = text(
    "UPDATE bank_line SET matched_fen = matched_fen - :amount, automatic = false, version = version + 1 WHERE id = :id RETURNING id"
)
_WRITE_OFF = text("UPDATE bank_write_off SET status = :status, version = version + 1 WHERE id = :id")
#: What was found to have left once more, as it stands now.
_AGAIN = text(
    f"SELECT number, status, {SHOWN.format(kind='refund_failed', origin='r.id')} AS back_shown FROM refund r WHERE id = :id"  # noqa: S608
)
#: Of a payout of which no release stands, the line that shows that it came back.
_FAILED = text(
    """
    SELECT s.number, (SELECT max(m.line_id) FROM bank_match m WHERE m.payout_id = p.id AND m.kind = 'payout_returned' AND m.undone_at IS NULL) AS line_id
    FROM payout p JOIN settlement s ON s.id = p.settlement_id WHERE p.id = :id AND p.status IN ('failed', 'draft', 'approved')
    """
)
_HIDE = text("UPDATE payment SET shown_at = NULL WHERE id = :id")


def undo(session: Session, actor: Actor, match_id: int, reason: str) -> int:
    """Take a match back, and with a payout of a list that was matched as a whole the whole list: the line is open again, and is not matched by
    rule any more. Returns the line's id.

    A payment that it made is undone, unless refunds rest on it that are released and have not left; what was found to have left once more is taken back,
    unless settlements have set it off. Another refund or payout that it made stays paid, or failed, as a movement that no line has shown: match the
    right line with it, or report its failure.

    Raises:
        NotFound: there is none, or the caller keeps the money of a district only (404). MatchUndone: it was undone before (409).
        RefundsRest: refunds of the order are released on this money (409). UsedUp: settlements have set off what left once more (409).
        ReturnShown, PayoutHasFailed, TwiceReturned: see there (409).
    """
    held = session.execute(_MATCH, {"id": match_id}).first()
    if held is None:
        raise NotFound
    if held.supplier_id and held.line_fen < 0:
        losing.alone(session)  # no settlement sets it off meanwhile
        if held_ahead(session, held.supplier_id) < held.amount_fen:
            raise UsedUp
    locked(session, actor, held.line_id)
    if held.undone_at is None and held.supplier_id and held.line_fen < 0:
        _require_takeable(session, held)
    if held.purchase_order_id:
        payments.locked(session, [held.purchase_order_id])
    asked = {"id": match_id, "user_id": actor.user_id, "now": clock.now(), "reason": reason}
    undone = {row.id: row.amount_fen for row in session.execute(_UNDO, asked)}
    if not undone:
        raise MatchUndone
    session.execute(_REOPEN, {"id": held.line_id, "amount": sum(undone.values())})
    if held.kind == MatchKind.ORDER:
        payments.undo(session, actor, held.payment_id, reason)
    else:
        announced = {}
        if held.kind == MatchKind.ANNOUNCED:
            session.execute(_HIDE, {"id": held.payment_id})
            [row] = session.execute(ANNOUNCED_OF, {"ids": array([held.payment_id])})
            announced = {held.payment_id: Place(Account.ANNOUNCED, row.party_id, row.purchase_order_id)}
        back = {}
        for undone_id, amount_fen in undone.items():
            was = Wanted(
                _Signed(held.line_fen),
                MatchKind(held.kind),
                amount_fen,
                payment_id=held.payment_id,
                entry=BankEntryKind(held.entry) if held.entry else None,
                supplier_id=held.supplier_id,
            )
            back[undone_id] = [Posting(posting.place, -posting.amount_fen) for posting in postings_of(was, announced)]
        money.book_each(session, Kind.RECEIPT_UNDONE, back)
        if held.kind == MatchKind.ANNOUNCED:
            terms.settle(session, [held.purchase_order_id])
    if held.write_off_id:
        _end(session, actor, held, reason)
    if held.kind in (MatchKind.ORDER, MatchKind.ANNOUNCED):
        guards.require_none_rest(session, held.purchase_order_id)
    told = [(held.line_id, {"match_id": undone_id}) for undone_id in undone]
    audit.record_each(session, actor, "bank_line.match_undone", "bank_line", told, reason=reason)
    return int(held.line_id)


def _require_takeable(session: Session, held: Any) -> None:
    """Refuse to take back that a payout or advance left twice where that would leave a line of which nothing can come. Raises PayoutHasFailed,
    TwiceReturned."""
    if held.payout_again_id:
        paying.lock(session, [held.payout_again_id])
        if failed := session.execute(_FAILED, {"id": held.payout_again_id}).first():
            raise PayoutHasFailed(number=failed.number, line_id=failed.line_id)
    if left_twice(session, held.payout_again_id, held.advance_again_id) < held.amount_fen:
        raise TwiceReturned


def _end(session: Session, actor: Actor, held: Any, reason: str) -> None:
    """What two persons wrote off is not, any more. Raises ReturnShown."""
    status = WRITE_OFF.after(held.write_off_status, WriteOffMove.UNDO)
    session.execute(_WRITE_OFF, {"id": held.write_off_id, "status": status})
    audit.record(session, actor, "bank_write_off.undo", "bank_write_off", held.write_off_id, reason=reason, to_status=str(status))
    if held.refund_again_id:
        again = session.execute(_AGAIN, {"id": held.refund_id}).one()
        if again.back_shown:
            raise ReturnShown(number=again.number)
        if again.status != RefundStatus.FAILED:  # it came back, as a line said whose match was undone
            refunds.fail(session, actor, held.refund_id, reason)


@dataclass(frozen=True, slots=True)
class _Signed:
    """As much of a line as its direction."""

    amount_fen: int
