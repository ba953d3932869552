"""What was sent to a bank account is paid, or has failed, because a line of the bank shows it."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.banking.errors import PayoutUnfit, RefundUnfit
from orders.banking.queries.facts import NOT_SHOWN, OUTSTANDING
from orders.money.rules import Kind
from orders.refunds import actions as refunds
from orders.settlement.actions import paying
from shop.core.audit import Who

_REFUND = text("SELECT id, method, status FROM refund WHERE id = :id")
#: The releases by bank of a payout, or one of them; the live one first.
_RELEASES = text(
    f"""
    SELECT a.id, a.outcome, {NOT_SHOWN.format(kind="payout_paid", origin="a.id")} AS left_unshown,
           {NOT_SHOWN.format(kind="payout_failed", origin="a.id")} AS back_unshown
    FROM payout_attempt a WHERE a.payout_id = :id AND a.method = 'bank' AND (CAST(:attempt_id AS bigint) IS NULL OR a.id = :attempt_id)
    ORDER BY a.outcome IS NOT DISTINCT FROM 'failed', a.id DESC
    """  # noqa: S608
)
_BANK_MOVE = text(f"SELECT * FROM ({OUTSTANDING}) o WHERE o.kind = :kind AND o.origin_id = :origin_id")  # noqa: S608


def refund(session: Session, who: Who, line: Any, refund_id: int, signed_fen: int) -> int:
    """Have a refund be paid, or fail where the line came in, unless the books say so already. Returns the transaction that moved the bank
    account, which the line shows. ``signed_fen``: as much of the line, below zero where it went out.

    Raises:
        RefundUnfit: it does not go by the bank, or its state or amount does not fit (409).
    """
    row = session.execute(_REFUND, {"id": refund_id}).one()
    if row.method != "bank_transfer":
        raise RefundUnfit
    returned = signed_fen > 0
    if not returned and row.status in ("approved", "sent"):
        refunds.pay(session, who, refund_id, line.serial or None)
    if returned and row.status == "paid":
        refunds.fail(session, who, refund_id, _why_back(line))
    moved = _moved(session, Kind.REFUND_FAILED if returned else Kind.REFUND_PAID, refund_id, signed_fen)
    if moved is None:
        raise RefundUnfit
    return moved


def payout(session: Session, who: Who, line: Any, payout_id: int, attempt_id: int | None, signed_fen: int) -> int:
    """The same for a payout: of the one of its releases that is meant, or that fits.

    Raises:
        PayoutUnfit: it does not go by the bank, or its state or amount does not fit (409).
    """
    returned = signed_fen > 0
    for release in session.execute(_RELEASES, {"id": payout_id, "attempt_id": attempt_id}).all():
        if not returned and release.outcome is None:
            paying.paid(session, who, payout_id, line.serial or None)
        elif returned and release.outcome == "paid":
            paying.failed(session, who, payout_id, _why_back(line))
        elif not (release.back_unshown if returned else release.left_unshown):
            continue
        moved = _moved(session, Kind.PAYOUT_FAILED if returned else Kind.PAYOUT_PAID, release.id, signed_fen)
        if moved is not None:
            return moved
    raise PayoutUnfit


def _why_back(line: Any) -> str:
    return line.text[:200] or "退汇"


def _moved(session: Session, kind: Kind, origin_id: int, signed_fen: int) -> int | None:
    """The transaction of this cause that moved the bank account by as much, unless a line shows it."""
    moved = session.execute(_BANK_MOVE, {"kind": kind, "origin_id": origin_id}).first()
    return moved.id if moved and moved.amount_fen == signed_fen else None
