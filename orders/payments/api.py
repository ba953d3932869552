"""Payments over HTTP."""

from orders.payments import actions, queries
from orders.payments.schemas import CreditMoveIn, CreditMoveOut, PaymentIn, PaymentOut, UndoIn
from shop.core.quantities import Id
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("payments", "/v1/purchase-orders")


@routes.post("/{purchase_order_id}/payments", Permission.PAYMENTS_RECORD)
def record(call: Call, purchase_order_id: Id, body: PaymentIn) -> PaymentOut:
    """Say that the order was paid by a bank transfer; the bank's statement will show it."""
    payment_id = actions.record(call.session, call.actor, purchase_order_id, body)
    payments = queries.payments(call.session, call.actor, purchase_order_id)
    return next(payment for payment in payments if payment.id == payment_id)


@routes.post("/{purchase_order_id}/payments/{payment_id}/undo", Permission.PAYMENTS_RECORD)
def withdraw(call: Call, purchase_order_id: Id, payment_id: Id, body: UndoIn) -> list[PaymentOut]:
    """Take back the announcement of a transfer that was not made, or not so."""
    queries.require_of(call.session, purchase_order_id, payment_id)
    actions.withdraw(call.session, call.actor, payment_id, body.reason)
    return queries.payments(call.session, call.actor, purchase_order_id)


@routes.post("/{purchase_order_id}/credit-moves", Permission.PAYMENTS_RECORD)
def move_credit(call: Call, purchase_order_id: Id, body: CreditMoveIn) -> CreditMoveOut:
    """Have what was paid too much for this order count for another one of the same buyer."""
    move_id = actions.move_credit(call.session, call.actor, purchase_order_id, body)
    return queries.credit_move(call.session, move_id)


@routes.get("/{purchase_order_id}/payments", Permission.ORDERS_READ)
def payments(call: Call, purchase_order_id: Id) -> list[PaymentOut]:
    return queries.payments(call.session, call.actor, purchase_order_id)
