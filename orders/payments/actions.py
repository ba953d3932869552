"""Payments for orders: announced by the buyer, shown by the bank, made online; undone, and moved to another order."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.money import actions as money
from orders.money.rules import Account, Kind, Place, carry
from orders.payments.errors import AboveCredit, AboveDue, Announced, NotSameBuyer, PaidBeforeOrder, PaidInFuture, Undone
from orders.payments.schemas import CreditMoveIn, PaymentIn, Taken
from orders.purchasing.queries.costs import ASKED_BACK, CREDIT, PAYABLE_AND_PAID
from orders.terms import actions as terms
from shop.core import audit, clock, outbox
from shop.core.audit import Who
from shop.core.db import array
from shop.core.errors import NotFound
from shop.core.money import yuan_from_fen
from shop.identity.actor import Actor
from shop.identity.permissions import Permission

_LOCK_ORDERS = text("SELECT id FROM purchase_order WHERE id = ANY (CAST(:ids AS bigint[])) ORDER BY id FOR UPDATE")
_ORDERS = text(
    """
    SELECT po.id, po.number, po.placed_at, po.buyer_id, buyer.path, buyer.region_code, unit.path AS unit_path
    FROM purchase_order po JOIN organisation buyer ON buyer.id = po.buyer_id JOIN organisation unit ON unit.id = po.ordering_unit_id
    WHERE po.id = ANY (CAST(:ids AS bigint[])) ORDER BY po.id
    """
)
_TAKE = text(
    """
    INSERT INTO payment (purchase_order_id, method, source, amount_fen, bank_reference, payer_name, paid_on, recorded_by, recorded_at)
    SELECT t.purchase_order_id, t.method, t.source, t.amount_fen, t.reference, t.payer_name, t.paid_on, :user_id, :now
    FROM ROWS FROM (jsonb_to_recordset(CAST(:taken AS jsonb)) AS (purchase_order_id bigint, method text, source text, amount_fen bigint,
        reference text, payer_name text, paid_on date)) WITH ORDINALITY AS t (purchase_order_id, method, source, amount_fen, reference,
        payer_name, paid_on, number)
    ORDER BY t.number RETURNING id
    """
)
# Whatever came for an order is the credit of whom the order belongs to.
_BOOK = text(
    """
    WITH paid AS (
        SELECT p.id, p.source, p.recorded_at, p.amount_fen, p.purchase_order_id, po.buyer_id
        FROM payment p JOIN purchase_order po ON po.id = p.purchase_order_id WHERE p.id = ANY (CAST(:ids AS bigint[]))
    ), booked AS (
        INSERT INTO money_transaction (kind, origin_id, booked_on, recorded_at) SELECT 'payment', id, (recorded_at AT TIME ZONE 'Asia/Shanghai')::date, recorded_at FROM paid
        RETURNING id, origin_id
    )
    INSERT INTO money_posting (transaction_id, account, amount_fen, party_id, purchase_order_id)
    SELECT b.id, side.account, side.amount_fen, side.party_id, paid.purchase_order_id
    FROM booked b JOIN paid ON paid.id = b.origin_id
    CROSS JOIN LATERAL (VALUES (paid.source, paid.amount_fen, CASE paid.source WHEN 'announced' THEN paid.buyer_id END),
                               ('receivable', -paid.amount_fen, paid.buyer_id)) AS side (account, amount_fen, party_id)
    """
)
_UNDO = text(
    "UPDATE payment SET undone_at = :now, undone_by = :user_id, undo_reason = :reason"
    " WHERE id = :id AND undone_at IS NULL AND shown_at IS NULL RETURNING id"
)
_ANNOUNCED_BY = text(
    "SELECT p.party_id FROM money_transaction t JOIN money_posting p ON p.transaction_id = t.id"
    " WHERE t.kind = 'payment' AND t.origin_id = :id AND p.amount_fen > 0"
)
_CREDIT = text(f"SELECT {CREDIT} - CASE WHEN :asked THEN {ASKED_BACK} ELSE 0 END".format(order=":id"))
_MOVE = text(
    "INSERT INTO credit_move (from_order_id, to_order_id, amount_fen, reason, moved_by, moved_at)"
    " VALUES (:from_order_id, :to_order_id, :amount, :reason, :user_id, :now) RETURNING id"
)


def record(session: Session, actor: Actor, purchase_order_id: int, body: PaymentIn) -> int:
    """Say that an order was paid by bank transfer; returns the payment's id. It counts at once, and stands on the account of announced
    transfers until the bank's statement shows it.

    The order's row is locked, so that two payments at once cannot together pass what is due. What is due leaves out cancelled parts and
    rejected goods.

    Raises:
        NotFound: no such order in the caller's branch.
        AboveDue: more than is still due (409).
        PaidInFuture, PaidBeforeOrder: the date is after today, or before the order (422).
        ReferenceTaken: the bank reference was recorded before (409).
    """
    order = _own(actor, locked(session, [purchase_order_id]))
    if body.paid_on > clock.today():
        raise PaidInFuture.at("paid_on")
    if body.paid_on < clock.shanghai_date(order.placed_at):
        raise PaidBeforeOrder.at("paid_on")
    due = due_fen(session, purchase_order_id)
    if body.amount > due:
        raise AboveDue(due=yuan_from_fen(max(due, 0)))
    return take(
        session,
        actor,
        Taken(
            purchase_order_id, body.amount, "bank_transfer", Account.ANNOUNCED, body.bank_reference, body.payer_name, body.paid_on
        ),
    )


def take(session: Session, who: Who, taken: Taken) -> int:
    """Book money that came for an order, also more than is due: that is the buyer's credit. Returns the payment's id. The caller has locked the
    order (:func:`locked`).

    Raises:
        ReferenceTaken: the same transfer was announced before (409).
    """
    return take_many(session, who, [taken])[0]


def take_many(session: Session, who: Who, taken: Sequence[Taken]) -> list[int]:
    """The same for many payments at once; returns their ids in the order given. The caller has locked the orders."""
    listed = [{**each._asdict(), "paid_on": str(each.paid_on)} for each in taken]
    values = {"taken": json.dumps(listed, ensure_ascii=False), "user_id": who.user_id, "now": clock.now()}
    # ids are given in the order of the rows
    payment_ids = sorted(session.execute(_TAKE, values).scalars())
    book(session, payment_ids)
    terms.settle(session, sorted({each.purchase_order_id for each in taken}))
    audit.record_each(
        session,
        who,
        "payment.recorded",
        "purchase_order",
        [
            (
                each.purchase_order_id,
                {"payment_id": made, "amount_fen": each.amount_fen, "method": each.method, "source": each.source},
            )
            for made, each in zip(payment_ids, taken, strict=True)
        ],
    )
    outbox.publish_each(session, "payment.recorded", "payment_id", payment_ids)
    return payment_ids


def book(session: Session, payment_ids: Sequence[int]) -> None:
    """Enter payments into the money ledger; each once."""
    session.execute(_BOOK, {"ids": array(payment_ids)})


def undo(session: Session, who: Who, payment_id: int, reason: str) -> None:
    """Take a payment back that was booked wrongly or never came: the order is owed again, the money is where it was before.

    Raises:
        NotFound: there is none (404). Undone: it was taken back before, or is an announced one that the bank's statement has shown (409).
    """
    row = session.execute(text("SELECT * FROM payment WHERE id = :id"), {"id": payment_id}).first()
    if row is None:
        raise NotFound
    [order] = locked(session, [row.purchase_order_id])
    if session.execute(_UNDO, {"id": payment_id, "user_id": who.user_id, "now": clock.now(), "reason": reason}).first() is None:
        raise Undone
    # who announced it, whoever the order belongs to by now
    announced_by = session.execute(_ANNOUNCED_BY, {"id": payment_id}).scalar_one()
    source = Place(Account(row.source), announced_by, order.id)
    owed = Place(Account.RECEIVABLE, order.buyer_id, order.id)
    money.book(session, Kind.PAYMENT_UNDONE, payment_id, carry(row.amount_fen, to=owed, out_of=source))
    terms.settle(session, [order.id])
    audit.record(
        session, who, "payment.undone", "purchase_order", order.id, reason=reason, payment_id=payment_id, amount_fen=row.amount_fen
    )
    outbox.publish(session, "payment.undone", payment_id=payment_id)


def withdraw(session: Session, actor: Actor, payment_id: int, reason: str) -> None:
    """Take back the announcement of a transfer that was not made, or not so.

    Raises:
        NotFound: not a payment of an order of the caller's branch (404). Announced: it was not announced by hand, or the bank's statement has
        shown it (409). Undone: it was taken back before (409).
    """
    statement = text("SELECT purchase_order_id, source, shown_at FROM payment WHERE id = :id")
    row = session.execute(statement, {"id": payment_id}).first()
    if row is None:
        raise NotFound
    _own(actor, locked(session, [row.purchase_order_id]))
    # read again: the bank may have shown it while this waited for the order
    if row.source != Account.ANNOUNCED or session.execute(statement, {"id": payment_id}).one().shown_at:
        raise Announced
    undo(session, actor, payment_id, reason)


def move_credit(session: Session, actor: Actor, purchase_order_id: int, body: CreditMoveIn) -> int:
    """Have what was paid too much for one order count for another of the same buyer; returns the move's id.

    Raises:
        NotFound: one is not an order of the caller's branch or region (404). NotSameBuyer: see there (409).
        AboveCredit: more than was paid too much (409). AboveDue: more than is due for the other one (409).
    """
    orders = {row.id: row for row in locked(session, [purchase_order_id, body.to_order_id])}
    for each in (purchase_order_id, body.to_order_id):
        if each not in orders or not may_settle(actor, orders[each]):
            raise NotFound
    giver, taker = orders[purchase_order_id], orders[body.to_order_id]
    if giver.id == taker.id or giver.buyer_id != taker.buyer_id:
        raise NotSameBuyer
    credit, due = credit_fen(session, giver.id), due_fen(session, taker.id)
    if body.amount > credit:
        raise AboveCredit(credit=yuan_from_fen(max(credit, 0)))
    if body.amount > due:
        raise AboveDue(due=yuan_from_fen(max(due, 0)))
    move_id: int = session.execute(
        _MOVE,
        {
            "from_order_id": giver.id,
            "to_order_id": taker.id,
            "amount": body.amount,
            "reason": body.reason,
            "user_id": actor.user_id,
            "now": clock.now(),
        },
    ).scalar_one()
    to, out_of = (Place(Account.RECEIVABLE, row.buyer_id, row.id) for row in (giver, taker))
    money.book(session, Kind.CREDIT_MOVED, move_id, carry(body.amount, to=to, out_of=out_of))
    terms.settle(session, [giver.id, taker.id])
    audit.record(
        session, actor, "credit.moved", "purchase_order", giver.id, reason=body.reason, to_order_id=taker.id, amount_fen=body.amount
    )
    outbox.publish(session, "credit.moved", purchase_order_id=taker.id)
    return move_id


def locked(session: Session, purchase_order_ids: Sequence[int]) -> Sequence[Any]:
    """Orders, locked by id until the transaction ends, so that nobody else changes what is paid for them.

    They are read after they are locked: one that was moved to another buyer meanwhile is that buyer's.
    """
    ids = {"ids": array(purchase_order_ids)}
    session.execute(_LOCK_ORDERS, ids)
    return session.execute(_ORDERS, ids).all()


def due_fen(session: Session, purchase_order_id: int) -> int:
    """What is still to be paid for an order, in fen; below zero when more was paid than it costs by now."""
    payable, paid = session.execute(PAYABLE_AND_PAID, {"id": purchase_order_id}).one()
    return int(payable) - int(paid)


def credit_fen(session: Session, purchase_order_id: int, *, asked: bool = True) -> int:
    """What was paid too much for an order and may go back or count for another, in fen: what arrived, not only announced, less what it costs by
    now and, if ``asked``, less what is asked back and waits to be released. Below zero: less arrived than it costs.
    """
    return int(session.execute(_CREDIT, {"id": purchase_order_id, "asked": asked}).scalar_one())


def may_settle(actor: Actor, order: Any) -> bool:
    """Whether an order (:func:`locked`) is the caller's to settle: of its branch, or of those whose money it keeps."""
    return _is_own(actor, order) or actor.covers_region(Permission.MONEY_MANAGE, order.region_code)


def _own(actor: Actor, rows: Sequence[Any]) -> Any:
    if not rows or not _is_own(actor, rows[0]):
        raise NotFound
    return rows[0]


def _is_own(actor: Actor, order: Any) -> bool:
    return actor.within_branch(order.path) or actor.within_branch(order.unit_path)
