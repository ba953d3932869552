"""Reading the money ledger."""

from sqlalchemy import text
from sqlmodel import Session

from orders.money.rules import CASH

#: SQL: the kinds of transactions that change how much a buyer has paid.
CASH_KINDS = ", ".join(f"'{kind}'" for kind in sorted(CASH))
#: SQL: what was paid for order ``{order}`` by now, in fen; refunds that were promised are taken off.
PAID = f"""
    (SELECT -coalesce(sum(mp.amount_fen), 0)::bigint FROM money_posting mp JOIN money_transaction mt ON mt.id = mp.transaction_id
     WHERE mp.purchase_order_id = {{order}} AND mp.account = 'receivable' AND mt.kind IN ({CASH_KINDS}))
"""  # noqa: S608
#: SQL: what was paid for order ``{order}`` and is not there: only announced, or taken back by the buyer's bank, which still argues.
NOT_ARRIVED = """
    (SELECT greatest(coalesce(sum(a.amount_fen), 0), 0)::bigint FROM money_posting a
     WHERE a.purchase_order_id = {order} AND a.account IN ('announced', 'chargebacks'))
"""
_ALLOWED = """
    (SELECT -coalesce(sum(mp.amount_fen), 0)::bigint FROM money_posting mp JOIN money_transaction mt ON mt.id = mp.transaction_id
     WHERE mp.{of} = {{id}} AND mp.account = 'receivable' AND mt.kind = 'allowance')
"""
#: SQL: what disputes gave back without goods, in fen: of part ``{id}``, and of order ``{id}``.
ALLOWED_OF_PART = _ALLOWED.format(of="supplier_order_id")
ALLOWED_OF_ORDER = _ALLOWED.format(of="purchase_order_id")


def balance(session: Session, account: str, party_id: int | None = None) -> int:
    """What an account holds, in fen; of one party, or of all."""
    statement = text(
        "SELECT coalesce(sum(amount_fen), 0)::bigint FROM money_posting"
        " WHERE account = :account AND (CAST(:party AS bigint) IS NULL OR party_id = :party)"
    )
    return int(session.execute(statement, {"account": account, "party": party_id}).scalar_one())
