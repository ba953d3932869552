"""Payments over HTTP."""

from orders.payments import actions, queries
from orders.payments.schemas import PaymentIn, PaymentOut
from shop.core.quantities import Id
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("payments", "/v1/purchase-orders")


@routes.post("/{purchase_order_id}/payments", Permission.PAYMENTS_RECORD)
def record(call: Call, purchase_order_id: Id, body: PaymentIn) -> PaymentOut:
    """Record a bank transfer that the order was paid with."""
    payment_id = actions.record(call.session, call.actor, purchase_order_id, body)
    payments = queries.payments(call.session, call.actor, purchase_order_id)
    return next(payment for payment in payments if payment.id == payment_id)


@routes.get("/{purchase_order_id}/payments", Permission.ORDERS_READ)
def payments(call: Call, purchase_order_id: Id) -> list[PaymentOut]:
    return queries.payments(call.session, call.actor, purchase_order_id)
