"""SQL: what an order costs by now, what was paid for it, and what of that may go back."""

from sqlalchemy import text

from orders.ledger.queries import FREIGHT_LOST
from orders.money.queries import ALLOWED_OF_ORDER, NOT_ARRIVED, PAID

#: SQL: what order ``{order}`` costs by now, in fen.
PAYABLE_OF_ORDER = f"""
    ((SELECT coalesce(sum(so.freight_fen), 0)::bigint FROM supplier_order so
      WHERE so.purchase_order_id = {{order}} AND so.status NOT IN ('rejected', 'cancelled') AND NOT {FREIGHT_LOST})
   + (SELECT coalesce(sum(round((l.quantity - l.rejected_quantity - l.difference_quantity - l.closed_quantity) * l.unit_price_fen)), 0)::bigint
      FROM order_line l JOIN supplier_order so ON so.id = l.supplier_order_id
      WHERE l.purchase_order_id = {{order}} AND so.status NOT IN ('rejected', 'cancelled'))
   + (SELECT coalesce(sum(amount_fen), 0)::bigint FROM sale_entry WHERE order_id = {{order}} AND origin_kind <> 'acceptance_line')
   - {ALLOWED_OF_ORDER.format(id="{order}")})
"""  # noqa: S608
#: SQL: what the whole order ``{order}`` costs by now, and what was paid for it.
PAYABLE_AND_PAID_OF = f"SELECT {PAYABLE_OF_ORDER} AS payable, {PAID} AS paid"
PAYABLE_AND_PAID = text(PAYABLE_AND_PAID_OF.format(order=":id"))
#: SQL: what arrived for order ``{order}`` above what it costs by now, in fen; below zero: so much less.
CREDIT = f"({PAID} - {NOT_ARRIVED} - {PAYABLE_OF_ORDER})"
#: SQL: what is asked back of order ``{order}`` and waits to be released, in fen.
ASKED_BACK = "(SELECT coalesce(sum(amount_fen), 0)::bigint FROM refund WHERE purchase_order_id = {order} AND status = 'requested')"
