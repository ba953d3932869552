"""Reading the money ledger."""

from sqlalchemy import text
from sqlmodel import Session

from orders.money.rules import CASH

#: SQL: the kinds that change how much a buyer has paid, as a list.
CASH_KINDS = ", ".join(f"'{kind}'" for kind in sorted(CASH))

#: SQL: what was paid for order ``{order}`` by now, in fen; refunds that were promised are taken off.
PAID = f"""
    (SELECT -coalesce(sum(mp.amount_fen), 0)::bigint FROM money_posting mp JOIN money_transaction mt ON mt.id = mp.transaction_id
     WHERE mp.purchase_order_id = {{order}} AND mp.account = 'receivable' AND mt.kind IN ({CASH_KINDS}))
"""  # noqa: S608
_ALLOWED = """
    (SELECT -coalesce(sum(mp.amount_fen), 0)::bigint FROM money_posting mp JOIN money_transaction mt ON mt.id = mp.transaction_id
     WHERE mp.{of} = {{id}} AND mp.account = 'receivable' AND mt.kind = 'allowance')
"""
#: SQL: what disputes gave back without goods, in fen: of part ``{id}``, and of order ``{id}``.
ALLOWED_OF_PART = _ALLOWED.format(of="supplier_order_id")
ALLOWED_OF_ORDER = _ALLOWED.format(of="purchase_order_id")
#: SQL: what supplier order ``so`` costs by now, in fen: its freight, and its goods less what was rejected, lost or will not come. What the ledger
#: took back or booked anew since the acceptance (returns, corrections) counts as it says, and so does what a dispute gave back. Rejected and
#: cancelled parts cost nothing, not even freight.
COST_OF_PART = f"""-{ALLOWED_OF_PART.format(id="so.id")}
  + CASE WHEN so.status IN ('rejected', 'cancelled') THEN 0 ELSE so.freight_fen
    + (SELECT coalesce(sum(round((l.quantity - l.rejected_quantity - l.difference_quantity - l.closed_quantity) * l.unit_price_fen)), 0)::bigint
       FROM order_line l WHERE l.supplier_order_id = so.id)
    + (SELECT coalesce(sum(e.amount_fen), 0)::bigint FROM sale_entry e
       WHERE e.order_id = so.purchase_order_id AND e.supplier_order_id = so.id AND e.origin_kind <> 'acceptance_line') END"""  # noqa: S608
#: SQL: what is to be paid for order ``{order}`` and is not paid yet, whether it is due or not; below zero: paid too much.
UNPAID = f"""
    ((SELECT coalesce(sum({COST_OF_PART}), 0)::bigint FROM supplier_order so WHERE so.purchase_order_id = {{order}}) - {PAID})
"""  # noqa: S608


def balance(session: Session, account: str, party_id: int | None = None) -> int:
    """What an account holds, in fen; of one party, or of all."""
    statement = text(
        "SELECT coalesce(sum(amount_fen), 0)::bigint FROM money_posting"
        " WHERE account = :account AND (CAST(:party AS bigint) IS NULL OR party_id = :party)"
    )
    return int(session.execute(statement, {"account": account, "party": party_id}).scalar_one())
