"""Recording payments."""

from sqlalchemy import text
from sqlmodel import Session

from orders.payments.errors import AboveDue, PaidBeforeOrder, PaidInFuture
from orders.payments.schemas import PaymentIn
from orders.purchasing.queries import PAYABLE_AND_PAID
from shop.core import audit, clock, outbox
from shop.core.errors import NotFound
from shop.core.money import yuan_from_fen
from shop.identity.actor import Actor


def record(session: Session, actor: Actor, purchase_order_id: int, body: PaymentIn) -> int:
    """Record a bank transfer for an order; returns the payment's id.

    The order's row is locked, so that two payments at once cannot together pass what is due. What is due leaves out cancelled parts and
    rejected goods.

    Raises:
        NotFound: no such order in the caller's branch.
        AboveDue: more than is still due (409).
        PaidInFuture, PaidBeforeOrder: the date is after today, or before the order (422).
        ReferenceTaken: the bank reference was recorded before (409).
    """
    order = session.execute(
        text(
            "SELECT po.id, po.placed_at, buyer.path, unit.path AS unit_path FROM purchase_order po"
            " JOIN organisation buyer ON buyer.id = po.buyer_id JOIN organisation unit ON unit.id = po.ordering_unit_id"
            " WHERE po.id = :id FOR UPDATE OF po"
        ),
        {"id": purchase_order_id},
    ).first()
    if order is None or not (actor.within_branch(order.path) or actor.within_branch(order.unit_path)):
        raise NotFound
    if body.paid_on > clock.today():
        raise PaidInFuture
    if body.paid_on < clock.shanghai_date(order.placed_at):
        raise PaidBeforeOrder
    due = due_fen(session, purchase_order_id)
    if body.amount > due:
        raise AboveDue(due=yuan_from_fen(max(due, 0)))
    payment_id: int = session.execute(
        text(
            "INSERT INTO payment (purchase_order_id, method, amount_fen, bank_reference, payer_name, paid_on, recorded_by, recorded_at)"
            " VALUES (:order, 'bank_transfer', :amount, :reference, :payer, :paid_on, :user, :now) RETURNING id"
        ),
        {
            "order": purchase_order_id,
            "amount": body.amount,
            "reference": body.bank_reference,
            "payer": body.payer_name,
            "paid_on": body.paid_on,
            "user": actor.user_id,
            "now": clock.now(),
        },
    ).scalar_one()
    audit.record(
        session,
        actor,
        "payment.recorded",
        "purchase_order",
        purchase_order_id,
        payment_id=payment_id,
        amount_fen=body.amount,
    )
    outbox.publish(session, "payment.recorded", payment_id=payment_id)
    return payment_id


def due_fen(session: Session, purchase_order_id: int) -> int:
    """What is still to be paid for an order, in fen; below zero when more was paid than it costs by now."""
    payable, paid = session.execute(PAYABLE_AND_PAID, {"id": purchase_order_id}).one()
    return int(payable) - int(paid)
