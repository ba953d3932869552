"""SQL: what an order costs by now, what was paid for it, and what of that may go back."""

from sqlalchemy import text

from orders.money.queries import NOT_ARRIVED, PAID
from orders.terms import queries as terms

#: SQL: what order ``{order}`` costs by now, in fen.
PAYABLE_OF_ORDER = terms.COST_OF_ORDER
#: SQL: what the whole order ``{order}`` costs by now, and what was paid for it.
PAYABLE_AND_PAID_OF = f"SELECT {PAYABLE_OF_ORDER} AS payable, {PAID} AS paid"
PAYABLE_AND_PAID = text(PAYABLE_AND_PAID_OF.format(order=":id"))
#: SQL: what arrived for order ``{order}`` above what it costs by now, in fen; below zero: so much less. Never more than arrived: where goods went back of
#: which a dispute had given something back before, the order costs less than nothing.
CREDIT = f"({PAID} - {NOT_ARRIVED} - greatest({PAYABLE_OF_ORDER}, 0))"
#: SQL: what is asked back of order ``{order}`` and waits to be released, in fen.
ASKED_BACK = "(SELECT coalesce(sum(amount_fen), 0)::bigint FROM refund WHERE purchase_order_id = {order} AND status = 'requested')"
