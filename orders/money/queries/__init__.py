"""Reading the money ledger."""

from datetime import date

from sqlalchemy import text
from sqlmodel import Session

from orders.money.errors import DayAhead
from orders.money.rules import CASH
from shop.core import clock
from shop.core.errors import Fault

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


#: What the bank's accounts held before their first statements, in fen; what moved since then is in the books.
_BANK_BEFORE = text(
    "SELECT coalesce(sum(opening_fen), 0)::bigint FROM (SELECT DISTINCT ON (account) opening_fen FROM bank_statement ORDER BY account, id) s"
)
#: SQL: whether posting ``p`` was in the books at the end of day ``:as_of``. Nothing is booked ahead, so of today nobody has to look.
THEN = "EXISTS (SELECT FROM money_transaction t WHERE t.id = p.transaction_id AND t.booked_on <= :as_of)"


def day_of(as_of: date | None, field: str = "as_of") -> date | None:
    """A day of the past that somebody asks for by ``field``; None: as of now.

    Raises:
        DayAhead: it lies ahead (422).
    """
    if as_of is not None and as_of > clock.today():
        raise DayAhead(faults=[Fault(field, DayAhead.code, DayAhead.zh, DayAhead.en)])
    return None if as_of == clock.today() else as_of


def balance(session: Session, account: str, party_id: int | None = None, *, as_of: date | None = None) -> int:
    """What an account holds, in fen; of one party, or of all; now, or at the end of a day."""
    statement = text(
        "SELECT coalesce(sum(amount_fen), 0)::bigint FROM money_posting p"  # noqa: S608
        " WHERE account = :account AND (CAST(:party AS bigint) IS NULL OR party_id = :party)"
        f" AND (CAST(:as_of AS date) IS NULL OR {THEN})"
    )
    asked = {"account": account, "party": party_id, "as_of": None if as_of == clock.today() else as_of}
    return int(session.execute(statement, asked).scalar_one())


def bank_before(session: Session) -> int:
    """What the bank held before the books begin, in fen: no posting holds it."""
    return int(session.execute(_BANK_BEFORE).scalar_one())
