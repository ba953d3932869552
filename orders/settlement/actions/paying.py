"""Payouts: approved by one person, released by another, sent, paid; or failed, and then approved and released again.

``paid``, ``failed``, ``reinstated`` and ``returned`` are for what knows it: the bank's statement, or the provider of online payments. Everybody locks settlement
and payout first, so that two at once release, pay or fail it once.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.money import actions as money
from orders.money.queries.shown import require_not_shown
from orders.money.rules import Account, Kind, Place, carry
from orders.settlement.actions.accounts import IN_USE
from orders.settlement.errors import (
    CertificateStopped,
    MoneyMissing,
    NoAccount,
    NoOnlineAccount,
    NotByHand,
    ObjectionPeriodRunning,
    OnWaitingList,
    SamePerson,
    SettlementObjected,
    SupplierBarred,
)
from orders.settlement.models import Payout, PayoutAttempt
from orders.settlement.queries.left import require_not_left, transfers_of
from orders.settlement.queries.owed import is_barred, is_stopped
from orders.settlement.queries.uncovered import missing_of
from orders.settlement.schemas.payouts import Method
from orders.settlement.states import PAYOUT, PayoutMove, PayoutStatus, SettlementStatus, may_object
from shop.core import audit, clock, outbox
from shop.core.audit import Who
from shop.core.db import array
from shop.core.errors import IfMatch, NotFound, any_version
from shop.core.money import yuan_from_fen
from shop.core.states import IllegalMove
from shop.identity.actor import Actor
from shop.identity.permissions import Permission
from shop.programmes.queries import config_of

# the settlement too: an objection and a release at once must see one another
_LOCK = text(
    "SELECT 1 FROM settlement s JOIN payout p ON p.settlement_id = s.id WHERE p.id = ANY (CAST(:ids AS bigint[]))"
    " ORDER BY s.id, p.id FOR UPDATE OF s, p"
)
_PAYOUT = text(
    """
    SELECT p.*, o.region_code, s.number AS settlement_number, s.status AS settlement_status, s.objections_until, a.id AS attempt_id,
           a.method AS way, a.passed_line_id
    FROM payout p JOIN settlement s ON s.id = p.settlement_id JOIN organisation o ON o.id = p.supplier_id
    LEFT JOIN payout_attempt a ON a.payout_id = p.id AND a.outcome IS DISTINCT FROM 'failed'
    WHERE p.id = :id
    """
)
#: The last release, which failed; and the transaction that booked its failure, and whether it moved the bank account.
_FAILED = text(
    """
    SELECT a.*, t.id AS failure_id, EXISTS (SELECT FROM money_posting WHERE transaction_id = t.id AND account = 'bank') AS was_paid
    FROM payout_attempt a JOIN money_transaction t ON t.kind = 'payout_failed' AND t.origin_id = a.id
    WHERE a.payout_id = :id AND a.outcome = 'failed' ORDER BY a.id DESC, t.id DESC LIMIT 1
    """
)
_STANDS = text(
    "UPDATE payout_attempt SET outcome = 'paid', ended_at = :now, reference = coalesce(:reference, reference), reason = NULL WHERE id = :id"
)
_ONLINE_ACCOUNT = text("SELECT 1 FROM connected_account WHERE supplier_id = :id AND enabled")
#: The list that waits to be handed to the bank with it.
_WAITING_LIST = text(
    "SELECT f.number FROM payout_file_line l JOIN payout_file f ON f.id = l.payout_file_id"
    " WHERE l.attempt_id = :attempt_id AND NOT l.void AND f.status = 'made'"
)
#: On the release that goes all the same; one that failed before keeps what was passed over then.
_PASS = text(
    "UPDATE payout_attempt a SET passed_line_id = u.line_id FROM unnest(CAST(:ids AS bigint[]), CAST(:line_ids AS bigint[])) AS u (id, line_id)"
    " WHERE a.payout_id = u.id AND a.outcome IS NULL"
)
_RETURNED = text("UPDATE payout SET returned_fen = returned_fen + :more, version = version + 1 WHERE id = :id")
_ATTEMPT_SENT = text("UPDATE payout_attempt SET sent_at = :now, reference = :reference WHERE id = :id")
_ATTEMPT_ENDED = text(
    "UPDATE payout_attempt SET outcome = :outcome, ended_at = :now, reference = coalesce(:reference, reference), reason = :reason WHERE id = :id"
)


def approve(
    session: Session, actor: Actor, payout_id: int, method: Method, despite: str | None = None, if_match: IfMatch = any_version
) -> None:
    """Say that a payout is right, and by what way it goes: the first time, or again after it failed. ``despite``: why it is paid again although a
    line of the bank shows that it may have left.

    Raises:
        NotFound: not of a supplier whose money the caller keeps (404). SettlementObjected: the supplier waits for an answer (409).
        IllegalMove: it was approved (409). NoOnlineAccount: it is to go online, where there is none to pay to (409). LeftBefore: see there (409).
    """
    row = kept(session, actor, payout_id, if_match)
    PAYOUT.after(row.status, PayoutMove.APPROVE)
    if row.settlement_status == SettlementStatus.OBJECTED:
        raise SettlementObjected
    _require_online_account(session, row.supplier_id, method)
    passed = _passed(session, row, despite)
    reason = despite if passed else None
    _step(session, actor, row, PayoutMove.APPROVE, reason=reason, approved_by=actor.user_id, approved_at=clock.now(), method=method)
    outbox.publish(session, "payout.approved", payout_id=row.id)


def withdraw(session: Session, actor: Actor, payout_id: int, reason: str, if_match: IfMatch = any_version) -> None:
    """Take the approval of a payout back that was not released.

    Raises:
        NotFound: not of a supplier whose money the caller keeps (404). IllegalMove: it is not approved, or was released (409).
    """
    row = kept(session, actor, payout_id, if_match)
    _step(session, actor, row, PayoutMove.WITHDRAW, reason=reason, approved_by=None, approved_at=None)


def release(session: Session, actor: Actor, payout_id: int, despite: str | None = None, if_match: IfMatch = any_version) -> None:
    """Let a payout go. From now on the money is on its way. ``despite``: why it goes although the supplier
    is barred or a certificate stopped by now, money of the orders that it is for is not there any more, or a line of the bank shows that an
    earlier release of it, which was said to have failed, may have left.

    Raises:
        NotFound: not of a supplier whose money the caller keeps (404). IllegalMove: it is not approved, or was released (409).
        SamePerson: the caller drafted or approved it (403). SettlementObjected: the supplier waits for an answer (409).
        ObjectionPeriodRunning: the supplier may still object and has not confirmed (409). SupplierBarred,
        CertificateStopped, MoneyMissing, LeftBefore: see there (409). NoAccount, NoOnlineAccount: there is none to pay to (409).
    """
    row = kept(session, actor, payout_id, if_match)
    PAYOUT.after(row.status, PayoutMove.RELEASE)
    if actor.user_id in (row.approved_by, row.drafted_by):
        raise SamePerson
    if row.settlement_status == SettlementStatus.OBJECTED:
        raise SettlementObjected
    if may_object(row.settlement_status, row.objections_until, clock.today()):
        raise ObjectionPeriodRunning(until=str(row.objections_until))
    missing = missing_of(session, row.settlement_id) if config_of(session, clock.today()).settlement.when_paid else 0
    barred = is_barred(session, row.supplier_id)
    stopped = is_stopped(session, row.settlement_id)
    if barred and despite is None:
        raise SupplierBarred
    if stopped and despite is None:
        raise CertificateStopped
    if missing and despite is None:
        raise MoneyMissing(missing=yuan_from_fen(missing))
    passed = _passed(session, row, despite)
    _require_online_account(session, row.supplier_id, row.method)
    account = None
    if row.method == "bank":
        account = session.execute(IN_USE, {"id": row.supplier_id, "today": clock.today()}).first()
        if account is None:
            raise NoAccount
    reason = despite if missing or barred or stopped or passed else None
    _step(session, actor, row, PayoutMove.RELEASE, reason=reason, released_by=actor.user_id, reference=None)
    attempt = PayoutAttempt(
        payout_id=row.id,
        method=row.method,
        account_id=account.id if account else None,
        approved_by=row.approved_by,
        approved_at=row.approved_at,
        passed_line_id=passed,
        released_by=actor.user_id or 0,
        released_at=clock.now(),
    )
    session.add(attempt)
    session.flush()
    settled, on_its_way = _places(row)
    money.book(session, Kind.PAYOUT, attempt.id, carry(row.amount_fen, to=settled, out_of=on_its_way))
    outbox.publish(
        session,
        "payout.released",
        payout_id=row.id,
        attempt_id=attempt.id,
        method=row.method,
        supplier_id=row.supplier_id,
        amount_fen=row.amount_fen,
        released_at=attempt.released_at.isoformat(),
    )


def send(
    session: Session, actor: Actor, payout_id: int, reference: str, despite: str | None = None, if_match: IfMatch = any_version
) -> None:
    """Say that a single payout was handed to the bank, with its reference. ``despite``: as when it is released, of lines that came since then.

    Raises:
        NotFound: not of a supplier whose money the caller keeps (404). NotByHand: it goes online (409). IllegalMove: it is not released (409).
        LeftBefore: see there (409).
    """
    row = _by_hand(session, actor, payout_id, if_match)
    PAYOUT.after(row.status, PayoutMove.SEND)
    passed = _passed(session, row, despite)
    _step(session, actor, row, PayoutMove.SEND, reason=despite if passed else None, reference=reference)
    session.execute(_ATTEMPT_SENT, {"id": row.attempt_id, "now": clock.now(), "reference": reference})


def confirm(
    session: Session, actor: Actor, payout_id: int, reference: str, despite: str | None = None, if_match: IfMatch = any_version
) -> None:
    """Say that the bank carried a payout out, where no statement is imported. ``despite``: why that is so although a line of the bank, new since its
    release, may show an earlier one, which would pay the same debt. Raises as :func:`send`, and besides:

    Raises:
        OnWaitingList: a list that was not handed to the bank yet would pay it, too (409).
    """
    row = _by_hand(session, actor, payout_id, if_match)
    PAYOUT.after(row.status, PayoutMove.PAY)
    if file := session.execute(_WAITING_LIST, {"attempt_id": row.attempt_id}).scalar():
        raise OnWaitingList(number=row.settlement_number, file=file)
    passed = _passed(session, row, despite)
    paid(session, actor, payout_id, reference, despite if passed else None)


def report_failure(session: Session, actor: Actor, payout_id: int, reason: str) -> None:
    """Say that the bank gave a payout back, or never got it. Of one that was paid two persons say so (:mod:`orders.banking.actions.failing`).

    Raises:
        NotFound: not of a supplier whose money the caller keeps (404). NotByHand: it goes online (409). IllegalMove: it is not released, or failed
        before (409). ShownByBank: a line of the bank shows that it left, so only a line can show that it came back (409).
    """
    require_may_fail(session, actor, payout_id)
    failed(session, actor, payout_id, reason)


def require_may_fail(session: Session, actor: Actor, payout_id: int) -> Any:
    """A payout of which somebody may say that it failed, locked. Raises as :func:`report_failure`."""
    row = _by_hand(session, actor, payout_id)
    PAYOUT.after(row.status, PayoutMove.FAIL)
    for transfer in transfers_of(session, [row.attempt_id]):
        require_not_shown(session, transfer)
    return row


def paid(session: Session, who: Who, payout_id: int, reference: str | None = None, reason: str | None = None) -> None:
    """The bank or the provider shows that a payout left.

    Raises:
        NotFound: there is none (404). IllegalMove: it is not released, or was paid (409).
    """
    row = _locked(session, payout_id)
    _step(session, who, row, PayoutMove.PAY, reason=reason, reference=reference or row.reference)
    _end(session, row, "paid", reference=reference)
    _, on_its_way = _places(row)
    money.book(session, Kind.PAYOUT_PAID, row.attempt_id, carry(row.amount_fen, to=on_its_way, out_of=_till(row)))
    _publish_end(session, row, row.attempt_id, "paid")


def failed(session: Session, who: Who, payout_id: int, reason: str) -> None:
    """A payout did not arrive, or came back: the supplier is owed it again, and it is approved and released again.

    Raises:
        NotFound: there is none (404). IllegalMove: it is not released, or failed before (409).
    """
    row = _locked(session, payout_id)
    if row.returned_fen:  # a part of it is owed again already
        returned(session, who, payout_id, row.amount_fen)
        return
    _step(session, who, row, PayoutMove.FAIL, reason=reason, approved_by=None, approved_at=None, released_by=None)
    _end(session, row, "failed", reason=reason)
    settled, on_its_way = _places(row)
    back = _till(row) if row.status == PayoutStatus.PAID else on_its_way
    money.book_failure(session, Kind.PAYOUT_FAILED, row.attempt_id, carry(row.amount_fen, to=back, out_of=settled))
    _publish_end(session, row, row.attempt_id, "failed")


def reinstated(session: Session, who: Who, payout_id: int, reference: str | None, reason: str) -> None:
    """A line of the bank shows that a payout left which was said to have failed: it is paid, by the release that failed, and the supplier is not owed
    it any more. The caller saw that no line shows its return.

    Raises:
        NotFound: there is none (404). IllegalMove: it did not fail, or was approved again (409).
    """
    row = _locked(session, payout_id)
    last = session.execute(_FAILED, {"id": payout_id}).first()
    if last is None:
        raise IllegalMove(state=row.status, action=str(PayoutMove.REINSTATE), allowed=[])
    people = {name: getattr(last, name) for name in ("approved_by", "approved_at", "released_by", "method")}
    _step(session, who, row, PayoutMove.REINSTATE, reason=reason, reference=reference or last.reference, **people)
    session.execute(_STANDS, {"id": last.id, "now": clock.now(), "reference": reference})
    settled, on_its_way = _places(row)
    bank = Place(Account.BANK)
    back = bank if last.was_paid else on_its_way
    money.book(session, Kind.PAYOUT_REINSTATED, last.failure_id, carry(row.amount_fen, to=settled, out_of=back))
    if not last.was_paid:
        money.book(session, Kind.PAYOUT_PAID, last.id, carry(row.amount_fen, to=on_its_way, out_of=bank))
    _publish_end(session, row, last.id, "paid", reinstated=True)


def returned(session: Session, who: Who, payout_id: int, returned_fen: int) -> None:
    """Of a payout that was paid so much came back in all, as when the provider takes back a part of a transfer. The supplier is owed it again, by a
    payout of its own that is approved and released like any other. Told again, or of less, it is known already.

    Raises:
        NotFound: there is none (404). IllegalMove: it was not paid (409).
    """
    row = _locked(session, payout_id)
    more = min(returned_fen, row.amount_fen) - row.returned_fen
    if more <= 0:
        return
    if row.status != PayoutStatus.PAID:
        raise IllegalMove(state=row.status, action="return", allowed=[str(move) for move in PAYOUT.possible(row.status)])
    session.execute(_RETURNED, {"id": payout_id, "more": more})
    again = Payout(
        settlement_id=row.settlement_id, supplier_id=row.supplier_id, amount_fen=more, again_for_id=row.id, drafted_at=clock.now()
    )
    session.add(again)
    session.flush()
    settled, _ = _places(row)
    money.book(session, Kind.PAYOUT_RETURNED, again.id, carry(more, to=_till(row), out_of=settled))
    audit.record(session, who, "payout.returned", "payout", row.id, amount_fen=more, again_id=again.id)


def pass_over(session: Session, payouts: Mapping[int, Any], despite: str | None) -> dict[int, int]:
    """The payouts that go, for the reason that ``despite`` tells, although a line that came since they were looked at shows that the debt may be paid,
    each with that line; on a release that waits it is kept, so that nobody is asked about it again. ``payouts``: as :func:`require_not_left` takes them,
    locked.

    Raises:
        LeftBefore: see there (409).
    """
    passed = require_not_left(session, payouts, despite)
    if passed:
        session.execute(_PASS, {"ids": array(passed), "line_ids": array(passed.values())})
    return passed


def lock(session: Session, payout_ids: Iterable[int]) -> None:
    """Lock payouts with their settlements until the transaction ends, in the order in which everybody does."""
    session.execute(_LOCK, {"ids": array(payout_ids)})


def _require_online_account(session: Session, supplier_id: int, method: str) -> None:
    if method == "stripe" and session.execute(_ONLINE_ACCOUNT, {"id": supplier_id}).first() is None:
        raise NoOnlineAccount


def _places(row: Any) -> tuple[Place, Place]:
    return Place(Account.SETTLED, row.supplier_id), Place(Account.PAYOUTS, row.supplier_id)


def _till(row: Any) -> Place:
    return Place(Account.ONLINE if row.way == "stripe" else Account.BANK)


def _locked(session: Session, payout_id: int) -> Any:
    # first the locks, then what is there after waiting for them
    lock(session, [payout_id])
    row = session.execute(_PAYOUT, {"id": payout_id}).first()
    if row is None:
        raise NotFound
    return row


def kept(session: Session, actor: Actor, payout_id: int, if_match: IfMatch = any_version) -> Any:
    """A payout with its settlement, locked.

    Raises:
        NotFound: not of a supplier whose money the caller keeps (404). Changed: it is not what the caller read (412).
    """
    row = _locked(session, payout_id)
    if not actor.covers_region(Permission.MONEY_MANAGE, row.region_code):
        raise NotFound
    if_match(row.version)
    return row


def _passed(session: Session, row: Any, despite: str | None) -> int | None:
    """The line that is passed over although it shows that the payout may have left; none: no such line came since its release. Raises LeftBefore."""
    return pass_over(session, {row.id: row}, despite).get(row.id)


def _by_hand(session: Session, actor: Actor, payout_id: int, if_match: IfMatch = any_version) -> Any:
    row = kept(session, actor, payout_id, if_match)
    if row.method != "bank":
        raise NotByHand
    return row


def _end(session: Session, row: Any, outcome: str, *, reference: str | None = None, reason: str | None = None) -> None:
    values = {"id": row.attempt_id, "outcome": outcome, "now": clock.now(), "reference": reference, "reason": reason}
    session.execute(_ATTEMPT_ENDED, values)


def _publish_end(session: Session, row: Any, attempt_id: int, outcome: str, **more: Any) -> None:
    """``row``: as it was before its version went up, by which the ends of one release are told apart."""
    told = {"payout_id": row.id, "attempt_id": attempt_id, "outcome": outcome, "version": row.version + 1, **more}
    outbox.publish(session, "payout.ended", **told)


def _step(session: Session, who: Who, row: Any, move: PayoutMove, *, reason: str | None = None, **values: Any) -> None:
    status = PAYOUT.after(row.status, move)
    written = "".join(f", {name} = :{name}" for name in values)
    session.execute(
        text(f"UPDATE payout SET status = :status, version = version + 1{written} WHERE id = :id"),  # noqa: S608
        {"id": row.id, "status": status, **values},
    )
    audit.record(session, who, f"payout.{move}", "payout", row.id, reason=reason, from_status=row.status, to_status=str(status))
