"""What lines of the bank's statements show of the books."""

from sqlalchemy import text
from sqlmodel import Session

from orders.money.errors import ShownByBank
from orders.money.rules import Kind

_SHOWN = text(
    """
    SELECT EXISTS (SELECT FROM money_transaction mt JOIN bank_match m ON m.transaction_id = mt.id AND m.undone_at IS NULL
                   WHERE mt.kind = :kind AND mt.origin_id = :origin_id)
    """
)


def require_not_shown(session: Session, kind: Kind, origin_id: int) -> None:
    """Refuse what somebody says against the bank.

    Raises:
        ShownByBank: a line of the bank is matched with this movement of the books (409).
    """
    if session.execute(_SHOWN, {"kind": kind, "origin_id": origin_id}).scalar_one():
        raise ShownByBank
