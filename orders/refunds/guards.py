"""What stands against a move of a refund: the order's credit, a file that will pay it, money that is gone. Orders are locked by the caller."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.payments.actions import credit_fen
from orders.purchasing.queries.costs import CREDIT
from orders.refunds.errors import AboveCredit, HeldByRefunds, InRefundFile, MoneyGone, RefundsRest
from orders.refunds.states import RefundStatus
from shop.core.db import array
from shop.core.money import yuan_from_fen

#: Those whose money is not there any more.
_GONE = text(
    f"""
    SELECT * FROM (SELECT r.id, r.number, {CREDIT.format(order="r.purchase_order_id")} AS credit_fen FROM refund r
                   WHERE r.id = ANY (CAST(:ids AS bigint[]))) r WHERE credit_fen < 0 ORDER BY id
    """  # noqa: S608
)
#: The file that waits to be uploaded with it.
_FILE = text(
    "SELECT f.number FROM refund_file_line l JOIN refund_file f ON f.id = l.refund_file_id"
    " WHERE l.refund_id = :id AND NOT l.void AND f.status = 'made'"
)
#: Refunds of an order that hold its credit, or have taken it, the latest first.
_HOLDERS = text(
    """
    SELECT number FROM refund WHERE purchase_order_id = :id AND (status IN ('approved', 'sent', 'paid') OR :asked AND status = 'requested')
    ORDER BY id DESC LIMIT 5
    """
)
_ON_ITS_WAY = text("SELECT EXISTS (SELECT FROM refund WHERE purchase_order_id = :id AND status IN ('approved', 'sent'))")


def require_credit(session: Session, order_id: int, amount_fen: int, *, asked: bool) -> None:
    """Refuse more (fen) than the order's credit holds; ``asked``: what was only asked back holds it too. Raises HeldByRefunds, AboveCredit."""
    credit = credit_fen(session, order_id, asked=asked)
    if amount_fen > credit:
        holders = session.execute(_HOLDERS, {"id": order_id, "asked": asked}).scalars().all()
        left = yuan_from_fen(max(credit, 0))
        raise HeldByRefunds(credit=left, refunds="、".join(holders)) if holders else AboveCredit(credit=left)


def require_in_no_file(session: Session, row: Any) -> None:
    """Refuse what is said of a single released refund that a file would pay all the same. The order is locked. Raises InRefundFile."""
    if row.status == RefundStatus.APPROVED and (file := session.execute(_FILE, {"id": row.id}).scalar()):
        raise InRefundFile(number=row.number, file=file)


def gone(session: Session, refund_ids: Sequence[int], despite: str | None) -> set[int]:
    """The released refunds that go, for the reason that ``despite`` tells, although the money behind them is not there any more. Their orders are
    locked. Raises MoneyGone."""
    rows = session.execute(_GONE, {"ids": array(refund_ids)}).all()
    if rows and despite is None:
        raise MoneyGone(number=rows[0].number, missing=yuan_from_fen(-rows[0].credit_fen))
    return {row.id for row in rows}


def require_none_rest(session: Session, purchase_order_id: int) -> None:
    """After money of an order, which the caller has locked, was found to be for something else.

    Raises:
        RefundsRest: refunds of it are released, have not left, and are not covered any more (409).
    """
    if (
        credit_fen(session, purchase_order_id, asked=False) < 0
        and session.execute(_ON_ITS_WAY, {"id": purchase_order_id}).scalar_one()
    ):
        raise RefundsRest
