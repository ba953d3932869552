"""What of refunds may have left the bank, as far as lines of its statements show."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.money.errors import LeftBefore
from orders.money.queries.shown import Transfer, latest_of, of_line
from orders.money.rules import Kind
from shop.core import clock

_FAILED = text("SELECT * FROM refund WHERE purchase_order_id = :id AND status = 'failed' AND method = 'bank_transfer' ORDER BY id")


def transfer_of(refund: Any) -> Transfer:
    """A released refund by bank transfer, as lines may show it."""
    released_on = clock.shanghai_date(refund.approved_at)
    return Transfer(
        Kind.REFUND_PAID, refund.id, (refund.number,), refund.amount_fen, refund.payee_name, refund.payee_account, released_on
    )


def require_failed_not_shown(session: Session, refund: Any, despite: str | None) -> int | None:
    """Refuse to pay back once more what a line shows to have left by another refund of the order, which was said to have failed. Returns the line
    that is passed over, for the reason that ``despite`` tells; none: there is none, or none that came since one was passed over.

    Raises:
        LeftBefore: there is one, and ``despite`` says nothing (409).
    """
    failed = {row.id: row for row in session.execute(_FAILED, {"id": refund.purchase_order_id})}
    for row in failed.values():
        line = latest_of(session, [transfer_of(row)], refund.passed_line_id or 0)
        if line is not None and despite is None:
            raise LeftBefore(number=row.number, refund_id=row.id, **of_line(line))
    line = latest_of(session, [transfer_of(row) for row in failed.values()], refund.passed_line_id or 0)
    return None if line is None else int(line.id)
