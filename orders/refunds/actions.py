"""Refunds: asked for by one person, released by another, sent, paid, or failed."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.money import actions as money
from orders.money.queries.shown import require_not_shown
from orders.money.rules import Account, Kind, Place, carry
from orders.payments.actions import locked, may_settle
from orders.refunds import guards
from orders.refunds.errors import (
    NotByHand,
    OwnRequest,
)
from orders.refunds.models import Refund
from orders.refunds.queries.left import require_not_left, transfers_of
from orders.refunds.queries.ways import require_way
from orders.refunds.schemas import RefundIn
from orders.refunds.states import REFUND, RefundMove, RefundStatus
from orders.terms import actions as terms
from shop.core import audit, clock, numbers, outbox
from shop.core.audit import Who
from shop.core.db import array
from shop.core.errors import IfMatch, Invalid, NotFound, any_version
from shop.identity.actor import Actor
from shop.identity.permissions import Permission

_LOCK = text("SELECT * FROM refund WHERE id = :id FOR UPDATE")
_LOCK_MANY = text("SELECT * FROM refund WHERE id = ANY (CAST(:ids AS bigint[])) ORDER BY id FOR UPDATE")
#: The transaction that booked that a refund failed, and whether it moved the bank account.
_FAILURE = text(
    """
    SELECT t.id, EXISTS (SELECT FROM money_posting WHERE transaction_id = t.id AND account = 'bank') AS was_paid
    FROM money_transaction t WHERE t.kind = 'refund_failed' AND t.origin_id = :id ORDER BY t.id DESC LIMIT 1
    """
)
_SEND = text(
    "UPDATE refund SET status = :status, reference = :reference, sent_at = :now, version = version + 1 WHERE id = ANY (CAST(:ids AS bigint[]))"
)
_PASS = text(
    "UPDATE refund r SET passed_line_id = u.line_id FROM unnest(CAST(:ids AS bigint[]), CAST(:line_ids AS bigint[])) AS u (id, line_id)"
    " WHERE r.id = u.id"
)
_OWNER = text("SELECT buyer_id FROM purchase_order WHERE id = :id")
_ORDER_OF = text("SELECT purchase_order_id FROM refund WHERE id = :id")


def lock(session: Session, refund_ids: Iterable[int]) -> None:
    """Lock refunds by id until the transaction ends. The caller has their orders locked."""
    session.execute(_LOCK_MANY, {"ids": array(refund_ids)})


def request(session: Session, actor: Actor, purchase_order_id: int, body: RefundIn) -> int:
    """Ask for what was paid too much for an order; returns the refund's id.

    Raises:
        NotFound: not an order of the caller's branch, or of those whose money it keeps (404).
        AboveCredit: more than arrived too much and is not asked back yet (409). AbovePayment: more than is left of the online payment (409).
        GoesBackOnline: what was paid online goes back by the same way (409).
        NotOnline: not an online payment of the order (422). Invalid: neither payee nor payment, or both (422).
    """
    order = _order(session, actor, purchase_order_id)
    if (body.payee is None) == (body.payment_id is None):
        raise Invalid.one(
            "payee", "payee_or_payment", "请填写收款账户或原在线付款，二者选一", "Say either the payee or the online payment"
        )
    guards.require_credit(session, order.id, body.amount, asked=True)
    require_way(session, order.id, body.payment_id, body.amount, asked=True)
    made = _enter(
        session,
        purchase_order_id=order.id,
        buyer_id=order.buyer_id,
        method="online" if body.payment_id else "bank_transfer",
        payment_id=body.payment_id,
        payee_name=body.payee.name if body.payee else None,
        payee_account=body.payee.account.replace(" ", "").replace("-", "") if body.payee else None,
        payee_bank=body.payee.bank if body.payee else None,
        amount_fen=body.amount,
        reason=body.reason,
        requested_by=actor.user_id or 0,
    )
    audit.record(session, actor, "refund.requested", "refund", made.id, reason=body.reason, amount_fen=body.amount)
    outbox.publish(session, "refund.moved", refund_id=made.id, status=RefundStatus.REQUESTED)
    return made.id


def approve(session: Session, actor: Actor, refund_id: int, despite: str | None = None, if_match: IfMatch = any_version) -> None:
    """Release a refund that somebody else asked for. From now on the buyer's credit is smaller by it. ``despite``: why it goes although a line of
    the bank shows that another one of the order, which was said to have failed, may have left.

    Raises:
        NotFound: none of those whose money the caller keeps (404). OwnRequest: the caller asked for it (403). IllegalMove: it was decided (409).
        AboveCredit, AbovePayment, GoesBackOnline: there is less by now (409). LeftBefore: see there (409).
    """
    order, row = kept(session, actor, refund_id)
    if_match(row.version)
    REFUND.after(row.status, RefundMove.APPROVE)
    if row.requested_by == actor.user_id:
        raise OwnRequest
    # others that only wait do not stand in the way of this one
    guards.require_credit(session, order.id, row.amount_fen, asked=False)
    require_way(session, order.id, row.payment_id, row.amount_fen, asked=False)
    reason = despite if _passed(session, [row.id], despite) else None
    people = {"approved_by": actor.user_id, "approved_at": clock.now(), "buyer_id": order.buyer_id}
    _step(session, actor, row, RefundMove.APPROVE, reason=reason, **people)
    _promise(session, row.id, order.buyer_id, order.id, row.amount_fen)


def refuse(session: Session, actor: Actor, refund_id: int, reason: str, if_match: IfMatch = any_version) -> None:
    """Say no to a refund. Raises as :func:`approve`, but of the amounts."""
    _, row = kept(session, actor, refund_id)
    if_match(row.version)
    _step(session, actor, row, RefundMove.REFUSE, end_reason=reason, ended_at=clock.now())


def cancel(session: Session, actor: Actor, refund_id: int, reason: str, if_match: IfMatch = any_version) -> None:
    """Take a refund back that was not released yet; whoever sees the order may.

    Raises:
        NotFound: not within the caller's reach (404). IllegalMove: it was decided (409).
    """
    order_id = session.execute(_ORDER_OF, {"id": refund_id}).scalar()
    if order_id is None:
        raise NotFound
    _order(session, actor, order_id)
    row = session.execute(_LOCK, {"id": refund_id}).one()
    if_match(row.version)
    _step(session, actor, row, RefundMove.CANCEL, end_reason=reason, ended_at=clock.now())


def send(
    session: Session, actor: Actor, refund_id: int, reference: str, despite: str | None = None, if_match: IfMatch = any_version
) -> None:
    """Say that a refund was handed to the bank, with its reference. ``despite``: why it goes although the money behind it is not there any more, or
    a line that came since it was released shows that another one of the order may have left.

    Raises:
        NotFound: none of those whose money the caller keeps (404). IllegalMove: it is not released, or was sent (409).
        NotByHand: an online refund is asked for at its provider, which tells what becomes of it (409). InRefundFile: a file would pay it, too (409).
        MoneyGone, LeftBefore: see there (409).
    """
    row = _by_hand(session, actor, refund_id)
    if_match(row.version)
    guards.require_in_no_file(session, row)
    send_each(session, actor, [refund_id], reference, despite)


def send_each(session: Session, who: Who, refund_ids: Sequence[int], reference: str, despite: str | None = None) -> None:
    """The same of many refunds that were handed over together, as by a file. The caller has their orders locked.

    Raises:
        IllegalMove: one is not released, or was sent (409). MoneyGone, LeftBefore: see there (409).
    """
    rows = session.execute(_LOCK_MANY, {"ids": array(refund_ids)}).all()
    moves = {
        row.id: {"from_status": row.status, "to_status": str(REFUND.after(row.status, RefundMove.SEND))}
        for row in sorted(rows, key=lambda row: row.id)
    }
    told = guards.gone(session, refund_ids, despite) | _passed(session, refund_ids, despite)
    values = {"ids": array(moves), "status": RefundStatus.SENT, "reference": reference, "now": clock.now()}
    session.execute(_SEND, values)
    audit.record_each(session, who, "refund.send", "refund", [(each, move) for each, move in moves.items() if each not in told])
    audit.record_each(session, who, "refund.send", "refund", [(each, moves[each]) for each in sorted(told)], reason=despite)
    outbox.publish_each(session, "refund.moved", "refund_id", list(moves), status=RefundStatus.SENT)


def hand_over(session: Session, who: Who, refund_id: int, reference: str) -> None:
    """The provider took an online refund on, and has not said yet that it left. The caller has the order locked.

    Raises:
        IllegalMove: it is not released, or was sent (409).
    """
    row = session.execute(_LOCK, {"id": refund_id}).one()
    _step(session, who, row, RefundMove.SEND, reference=reference, sent_at=clock.now())


def recover(session: Session, who: Who, payment_id: int, amount_fen: int, reason: str, refund_id: int | None = None) -> int:
    """Enter an online refund that the provider shows and nobody released here, as after the database was restored; returns its id. The money
    has left, whoever asked for it, so it counts as released. ``refund_id`` is the request that it was made for, if that is still here. The
    caller has the order locked.

    Raises:
        IllegalMove: the request was decided on (409).
    """
    payment = session.execute(
        text(
            "SELECT p.purchase_order_id, po.buyer_id FROM payment p JOIN purchase_order po ON po.id = p.purchase_order_id WHERE p.id = :id"
        ),
        {"id": payment_id},
    ).one()
    if refund_id is None:
        made = _enter(
            session,
            purchase_order_id=payment.purchase_order_id,
            buyer_id=payment.buyer_id,
            method="online",
            payment_id=payment_id,
            amount_fen=amount_fen,
            reason=reason,
            requested_by=None,
        )
        refund_id = made.id
    _has_left(session, who, refund_id, payment.buyer_id, amount_fen)
    return refund_id


def enter_paid_again(session: Session, who: Who, refund_id: int, amount_fen: int, reason: str, reference: str | None) -> int:
    """Enter that the bank paid a refund once more, which nobody released: another refund to the same payee, paid, that the buyer owes; returns its id. Two
    persons found it, so it counts as released. The caller has order and refund locked, and matches it with the line that shows it.

    Raises:
        RefundsRest: other refunds rest on this credit that are released and have not left (409).
    """
    was = session.execute(_LOCK, {"id": refund_id}).one()
    owner = session.execute(_OWNER, {"id": was.purchase_order_id}).scalar_one()
    same = {name: getattr(was, name) for name in ("purchase_order_id", "method", "payee_name", "payee_account", "payee_bank")}
    made = _enter(session, **same, buyer_id=owner, amount_fen=amount_fen, reason=f"{was.number} {reason}", requested_by=None)
    _has_left(session, who, made.id, owner, amount_fen, reason)
    pay(session, who, made.id, reference)
    guards.require_none_rest(session, was.purchase_order_id)
    return made.id


def pay(session: Session, who: Who, refund_id: int, reference: str | None = None, reason: str | None = None) -> None:
    """The bank or the provider shows that the refund left. The caller has the order locked (:func:`orders.payments.actions.locked`).

    Raises:
        IllegalMove: it is not released, or was paid (409).
    """
    row = session.execute(_LOCK, {"id": refund_id}).one()
    _step(session, who, row, RefundMove.PAY, reason=reason, ended_at=clock.now(), reference=reference or row.reference)
    promised = Place(Account.REFUNDS, row.buyer_id, row.purchase_order_id)
    money.book(session, Kind.REFUND_PAID, row.id, carry(row.amount_fen, to=promised, out_of=_till(row)))


def fail(session: Session, who: Who, refund_id: int, reason: str) -> None:
    """A refund did not arrive: the buyer has its credit back, and the money, if it had left, is where it was. The caller has the order locked.

    Raises:
        IllegalMove: it is not released, or failed before (409).
    """
    row = session.execute(_LOCK, {"id": refund_id}).one()
    back = _till(row) if row.status == RefundStatus.PAID else Place(Account.REFUNDS, row.buyer_id, row.purchase_order_id)
    _step(session, who, row, RefundMove.FAIL, ended_at=clock.now(), end_reason=reason)
    owner = session.execute(_OWNER, {"id": row.purchase_order_id}).scalar_one()
    owed = Place(Account.RECEIVABLE, owner, row.purchase_order_id)
    money.book_failure(session, Kind.REFUND_FAILED, row.id, carry(row.amount_fen, to=back, out_of=owed))
    terms.settle(session, [row.purchase_order_id])


def confirm(
    session: Session, actor: Actor, refund_id: int, reference: str, despite: str | None = None, if_match: IfMatch = any_version
) -> None:
    """Say that the bank carried a refund out, where no statement is imported. ``despite``: why it went although the money behind it is not there any
    more, or a line that came since it was released shows that another one of the order may have left. Raises as :func:`send`."""
    row = _by_hand(session, actor, refund_id)
    if_match(row.version)
    REFUND.after(row.status, RefundMove.PAY)
    guards.require_in_no_file(session, row)
    told = guards.gone(session, [row.id], despite) | _passed(session, [row.id], despite)
    pay(session, actor, refund_id, reference, despite if told else None)


def report_failure(session: Session, actor: Actor, refund_id: int, reason: str) -> None:
    """Say that the bank gave a refund back, or never got it. Of one that was paid two persons say so (:mod:`orders.banking.actions.failing`). Raises as
    :func:`send`, but of the money and of lines, and besides:

    Raises:
        ShownByBank: a line of the bank shows that it left, so only a line can show that it came back (409).
    """
    require_may_fail(session, actor, refund_id)
    fail(session, actor, refund_id, reason)


def require_may_fail(session: Session, actor: Actor, refund_id: int) -> Any:
    """A refund of which somebody may say that it failed, locked with its order. Raises as :func:`report_failure`."""
    row = _by_hand(session, actor, refund_id)
    REFUND.after(row.status, RefundMove.FAIL)
    guards.require_in_no_file(session, row)
    for transfer in transfers_of(session, [refund_id]):
        require_not_shown(session, transfer)
    return row


def reinstate(session: Session, who: Who, refund_id: int, reference: str | None, reason: str) -> None:
    """A line of the bank shows that a refund left which was said to have failed: it is paid, and the buyer has its credit no more; what of it was used
    meanwhile the buyer owes. The caller has the order locked, and saw that no line shows its return.

    Raises:
        IllegalMove: it did not fail (409). RefundsRest: other refunds rest on this credit that are released and have not left (409).
    """
    row = session.execute(_LOCK, {"id": refund_id}).one()
    values = {"ended_at": clock.now(), "end_reason": None, "reference": reference or row.reference}
    _step(session, who, row, RefundMove.REINSTATE, reason=reason, **values)
    failure = session.execute(_FAILURE, {"id": refund_id}).one()
    promised = Place(Account.REFUNDS, row.buyer_id, row.purchase_order_id)
    owner = session.execute(_OWNER, {"id": row.purchase_order_id}).scalar_one()
    owed = Place(Account.RECEIVABLE, owner, row.purchase_order_id)
    back = _till(row) if failure.was_paid else promised
    money.book(session, Kind.REFUND_REINSTATED, failure.id, carry(row.amount_fen, to=owed, out_of=back))
    if not failure.was_paid:
        money.book(session, Kind.REFUND_PAID, row.id, carry(row.amount_fen, to=promised, out_of=_till(row)))
    terms.settle(session, [row.purchase_order_id])
    guards.require_none_rest(session, row.purchase_order_id)


def _enter(session: Session, **values: Any) -> Refund:
    """A refund that is asked for, with its number."""
    now = clock.now()
    year = clock.shanghai_date(now).year
    number = f"TK{year}-{numbers.next_number(session, f'refund:{year}'):06}"
    made = Refund(number=number, requested_at=now, **values)
    session.add(made)
    session.flush()
    return made


def _has_left(session: Session, who: Who, refund_id: int, buyer_id: int, amount_fen: int, reason: str | None = None) -> None:
    """Have a refund count as released that nobody released here: its money has left."""
    row = session.execute(_LOCK, {"id": refund_id}).one()
    _step(session, who, row, RefundMove.APPROVE, reason=reason, approved_at=clock.now(), buyer_id=buyer_id)
    _promise(session, refund_id, buyer_id, row.purchase_order_id, amount_fen)


def _promise(session: Session, refund_id: int, buyer_id: int, order_id: int, amount_fen: int) -> None:
    owed, promised = (Place(account, buyer_id, order_id) for account in (Account.RECEIVABLE, Account.REFUNDS))
    money.book(session, Kind.REFUND, refund_id, carry(amount_fen, to=owed, out_of=promised))
    terms.settle(session, [order_id])


def _till(row: Any) -> Place:
    return Place(Account.ONLINE if row.method == "online" else Account.BANK, None, row.purchase_order_id)


def _order(session: Session, actor: Actor, purchase_order_id: int, *, keeper: bool = False) -> Any:
    """The order, locked; of the caller's branch unless only who keeps its money will do."""
    rows = locked(session, [purchase_order_id])
    if not rows:
        raise NotFound
    [order] = rows
    if not (actor.covers_region(Permission.MONEY_MANAGE, order.region_code) if keeper else may_settle(actor, order)):
        raise NotFound
    return order


def kept(session: Session, actor: Actor, refund_id: int) -> tuple[Any, Any]:
    """The order and the refund, locked.

    Raises:
        NotFound: none of those whose money the caller keeps (404).
    """
    order_id = session.execute(_ORDER_OF, {"id": refund_id}).scalar()
    if order_id is None:
        raise NotFound
    order = _order(session, actor, order_id, keeper=True)
    return order, session.execute(_LOCK, {"id": refund_id}).one()


def _by_hand(session: Session, actor: Actor, refund_id: int) -> Any:
    _, row = kept(session, actor, refund_id)
    if row.method == "online":
        raise NotByHand
    return row


def _step(session: Session, who: Who, row: Any, move: RefundMove, *, reason: str | None = None, **values: Any) -> None:
    status = REFUND.after(row.status, move)
    written = "".join(f", {name} = :{name}" for name in values)
    session.execute(
        text(f"UPDATE refund SET status = :status, version = version + 1{written} WHERE id = :id"),  # noqa: S608
        {"id": row.id, "status": status, **values},
    )
    reason = values.get("end_reason") or reason
    audit.record(session, who, f"refund.{move}", "refund", row.id, reason=reason, from_status=row.status, to_status=str(status))
    told = {"refund_id": row.id, "status": status, "version": row.version + 1}
    outbox.publish(session, "refund.moved", **told, **({"reinstated": True} if move is RefundMove.REINSTATE else {}))


def _passed(session: Session, refund_ids: Sequence[int], despite: str | None) -> set[int]:
    """The refunds that go, for the reason that ``despite`` tells, although a line that came since they were looked at shows that the order's money may
    have left. Their orders are locked. Raises LeftBefore."""
    passed = require_not_left(session, refund_ids, despite)
    if passed:
        session.execute(_PASS, {"ids": array(passed), "line_ids": array(passed.values())})
    return set(passed)
