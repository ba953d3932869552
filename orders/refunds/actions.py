"""Refunds: asked for by one person, released by another, sent, paid, or failed."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.money import actions as money
from orders.money.queries import NOT_ARRIVED, PAID
from orders.money.queries.shown import require_not_shown
from orders.money.rules import Account, Kind, Place, carry
from orders.payments.actions import credit_fen, locked, may_settle
from orders.refunds.errors import (
    AboveCredit,
    AbovePayment,
    GoesBackOnline,
    MoneyGone,
    NotByHand,
    NotOnline,
    OwnRequest,
    RefundsRest,
)
from orders.refunds.models import Refund
from orders.refunds.schemas import RefundIn
from orders.refunds.states import REFUND, RefundMove, RefundStatus
from orders.terms import actions as terms
from shop.core import audit, clock, numbers, outbox
from shop.core.audit import Who
from shop.core.errors import Invalid, NotFound
from shop.core.money import yuan_from_fen
from shop.identity.actor import Actor
from shop.identity.permissions import Permission

_LOCK = text("SELECT * FROM refund WHERE id = :id FOR UPDATE")
#: SQL: what payers' banks have taken back of payment ``p``, be it argued over or lost.
TAKEN_BACK = """
    (SELECT coalesce(sum(d.amount_fen), 0) FROM charge_dispute d JOIN online_payment o ON o.id = d.online_payment_id
     WHERE o.payment_id = p.id AND d.status IN ('open', 'lost'))
"""
_ON_ITS_WAY = text("SELECT EXISTS (SELECT FROM refund WHERE purchase_order_id = :id AND status IN ('approved', 'sent'))")
_ORDER_OF = text("SELECT purchase_order_id FROM refund WHERE id = :id")
#: What is left of an online payment that stands, less what goes back of it and what the payer's bank has taken back; ``asked``: less what is
#: asked for, too.
_LEFT = text(
    f"""
    SELECT (p.amount_fen
            - (SELECT coalesce(sum(r.amount_fen), 0) FROM refund r
               WHERE r.payment_id = p.id AND (r.status IN ('approved', 'sent', 'paid') OR :asked AND r.status = 'requested'))
            - {TAKEN_BACK})::bigint
    FROM payment p WHERE p.id = :id AND p.purchase_order_id = :order_id AND p.source = 'online' AND p.undone_at IS NULL
    """  # noqa: S608
)
# All that arrived but what came online and can still go back by its own way. Of a payment of which a refund failed nothing is expected to, and what
# the payer's bank took back of one cannot.
_BY_TRANSFER = text(
    f"""
    SELECT {PAID} - {NOT_ARRIVED} - coalesce((
        SELECT sum(greatest(p.amount_fen - (SELECT coalesce(sum(r.amount_fen), 0) FROM refund r
                                            WHERE r.payment_id = p.id AND r.status IN ('approved', 'sent', 'paid'))
                            - {TAKEN_BACK}, 0))
        FROM payment p WHERE p.purchase_order_id = :id AND p.source = 'online' AND p.undone_at IS NULL
          AND NOT EXISTS (SELECT FROM refund f WHERE f.payment_id = p.id AND f.status = 'failed')), 0)::bigint
    """.format(order=":id")  # noqa: S608
)


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
    _require_credit(session, order.id, body.amount, asked=True)
    _require_way(session, order.id, body.payment_id, body.amount, asked=True)
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


def approve(session: Session, actor: Actor, refund_id: int) -> None:
    """Release a refund that somebody else asked for. From now on the buyer's credit is smaller by it.

    Raises:
        NotFound: none of those whose money the caller keeps (404). OwnRequest: the caller asked for it (403). IllegalMove: it was decided (409).
        AboveCredit, AbovePayment, GoesBackOnline: there is less by now (409).
    """
    order, row = _locked(session, actor, refund_id)
    REFUND.after(row.status, RefundMove.APPROVE)
    if row.requested_by == actor.user_id:
        raise OwnRequest
    # others that only wait do not stand in the way of this one
    _require_credit(session, order.id, row.amount_fen, asked=False)
    _require_way(session, order.id, row.payment_id, row.amount_fen, asked=False)
    _step(session, actor, row, RefundMove.APPROVE, approved_by=actor.user_id, approved_at=clock.now(), buyer_id=order.buyer_id)
    _promise(session, row.id, order.buyer_id, order.id, row.amount_fen)


def refuse(session: Session, actor: Actor, refund_id: int, reason: str) -> None:
    """Say no to a refund. Raises as :func:`approve`, but of the amounts."""
    _, row = _locked(session, actor, refund_id)
    _step(session, actor, row, RefundMove.REFUSE, end_reason=reason, ended_at=clock.now())


def cancel(session: Session, actor: Actor, refund_id: int, reason: str) -> None:
    """Take a refund back that was not released yet; whoever sees the order may.

    Raises:
        NotFound: not within the caller's reach (404). IllegalMove: it was decided (409).
    """
    order_id = session.execute(_ORDER_OF, {"id": refund_id}).scalar()
    if order_id is None:
        raise NotFound
    _order(session, actor, order_id)
    row = session.execute(_LOCK, {"id": refund_id}).one()
    _step(session, actor, row, RefundMove.CANCEL, end_reason=reason, ended_at=clock.now())


def send(session: Session, actor: Actor, refund_id: int, reference: str, despite: str | None = None) -> None:
    """Say that a refund was handed to the bank, with its reference. ``despite``: why it goes although the money behind it is not there any more.

    Raises:
        NotFound: none of those whose money the caller keeps (404). IllegalMove: it is not released, or was sent (409).
        NotByHand: an online refund is asked for at its provider, which tells what becomes of it (409). MoneyGone: see there (409).
    """
    row = _by_hand(session, actor, refund_id)
    REFUND.after(row.status, RefundMove.SEND)
    reason = _despite(session, row, despite)
    _step(session, actor, row, RefundMove.SEND, reason=reason, reference=reference, sent_at=clock.now())


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
    row = session.execute(_LOCK, {"id": refund_id}).one()
    _step(session, who, row, RefundMove.APPROVE, approved_at=clock.now(), buyer_id=payment.buyer_id)
    _promise(session, refund_id, payment.buyer_id, payment.purchase_order_id, amount_fen)
    return refund_id


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
    owner = session.execute(text("SELECT buyer_id FROM purchase_order WHERE id = :id"), {"id": row.purchase_order_id}).scalar_one()
    owed = Place(Account.RECEIVABLE, owner, row.purchase_order_id)
    money.book(session, Kind.REFUND_FAILED, row.id, carry(row.amount_fen, to=back, out_of=owed))
    terms.settle(session, [row.purchase_order_id])


def confirm(session: Session, actor: Actor, refund_id: int, reference: str, despite: str | None = None) -> None:
    """Say that the bank carried a refund out, where no statement is imported. ``despite`` and what it raises: as :func:`send`."""
    row = _by_hand(session, actor, refund_id)
    REFUND.after(row.status, RefundMove.PAY)
    pay(session, actor, refund_id, reference, _despite(session, row, despite))


def report_failure(session: Session, actor: Actor, refund_id: int, reason: str) -> None:
    """Say that the bank gave a refund back. Raises as :func:`send`, but of the money, and besides:

    Raises:
        ShownByBank: a line of the bank shows that it left, so only a line can show that it came back (409).
    """
    row = _by_hand(session, actor, refund_id)
    if row.status == RefundStatus.PAID:
        require_not_shown(session, Kind.REFUND_PAID, row.id)
    fail(session, actor, refund_id, reason)


def require_none_rest(session: Session, purchase_order_id: int) -> None:
    """After money of an order, which the caller has locked, was found to be for something else.

    Raises:
        RefundsRest: refunds of it are released, have not left, and are not covered any more (409).
    """
    if (
        credit_fen(session, purchase_order_id, asked=False) < 0
        and session.execute(_ON_ITS_WAY, {"id": purchase_order_id}).scalar_one()
    ):
        raise RefundsRest


def _enter(session: Session, **values: Any) -> Refund:
    """A refund that is asked for, with its number."""
    now = clock.now()
    year = clock.shanghai_date(now).year
    number = f"TK{year}-{numbers.next_number(session, f'refund:{year}'):06}"
    made = Refund(number=number, requested_at=now, **values)
    session.add(made)
    session.flush()
    return made


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


def _locked(session: Session, actor: Actor, refund_id: int) -> tuple[Any, Any]:
    order_id = session.execute(_ORDER_OF, {"id": refund_id}).scalar()
    if order_id is None:
        raise NotFound
    order = _order(session, actor, order_id, keeper=True)
    return order, session.execute(_LOCK, {"id": refund_id}).one()


def _by_hand(session: Session, actor: Actor, refund_id: int) -> Any:
    _, row = _locked(session, actor, refund_id)
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
    reason = values.get("end_reason", reason)
    audit.record(session, who, f"refund.{move}", "refund", row.id, reason=reason, from_status=row.status, to_status=str(status))
    outbox.publish(session, "refund.moved", refund_id=row.id, status=status)


def _require_credit(session: Session, order_id: int, amount_fen: int, *, asked: bool) -> None:
    credit = credit_fen(session, order_id, asked=asked)
    if amount_fen > credit:
        raise AboveCredit(credit=yuan_from_fen(max(credit, 0)))


def _despite(session: Session, row: Any, despite: str | None) -> str | None:
    """Why a released refund goes although the money behind it is not there any more; none: it is there. The order is locked. Raises MoneyGone."""
    credit = credit_fen(session, row.purchase_order_id, asked=False)
    if credit >= 0:
        return None
    if despite is None:
        raise MoneyGone(number=row.number, missing=yuan_from_fen(-credit))
    return despite


def _require_way(session: Session, order_id: int, payment_id: int | None, amount_fen: int, *, asked: bool) -> None:
    if payment_id is None:
        by_transfer = session.execute(_BY_TRANSFER, {"id": order_id}).scalar_one()
        if amount_fen > by_transfer:
            raise GoesBackOnline(left=yuan_from_fen(max(by_transfer, 0)))
        return
    left = session.execute(_LEFT, {"id": payment_id, "order_id": order_id, "asked": asked}).scalar()
    if left is None:
        raise NotOnline
    if amount_fen > left:
        raise AbovePayment(left=yuan_from_fen(max(left, 0)))
