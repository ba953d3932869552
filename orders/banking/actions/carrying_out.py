"""What was sent to a bank account is paid, or has failed, or did not fail after all, because a line of the bank shows it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.banking.actions import failing
from orders.banking.errors import PayoutUnfit, RefundUnfit, Remedy
from orders.banking.queries.facts import NOT_SHOWN, OUTSTANDING, SHOWN
from orders.money.rules import Kind
from orders.refunds import actions as refunds
from orders.settlement.actions import paying
from orders.settlement.states import PayoutStatus
from shop.core.audit import Who

_REFUND = text(
    f"""
    SELECT r.id, r.number, r.method, r.status, r.status = 'failed' AND r.requested_by IS NULL AS taken_back,
           {NOT_SHOWN.format(kind="refund_paid", origin="r.id")} AS left_unshown,
           {SHOWN.format(kind="refund_paid", origin="r.id")} AS left_shown, {SHOWN.format(kind="refund_failed", origin="r.id")} AS back_shown
    FROM refund r WHERE r.id = :id
    """  # noqa: S608
)
_PAYOUT = text("SELECT p.status, p.method, s.number FROM payout p JOIN settlement s ON s.id = p.settlement_id WHERE p.id = :id")
#: The releases by bank of a payout, or one of them; the live one first.
_RELEASES = text(
    f"""
    SELECT a.id, a.outcome, {NOT_SHOWN.format(kind="payout_paid", origin="a.id")} AS left_unshown,
           {NOT_SHOWN.format(kind="payout_failed", origin="a.id")} AS back_unshown,
           {SHOWN.format(kind="payout_paid", origin="a.id")} AS left_shown, {SHOWN.format(kind="payout_failed", origin="a.id")} AS back_shown,
           a.id = (SELECT max(l.id) FROM payout_attempt l WHERE l.payout_id = a.payout_id) AS is_last
    FROM payout_attempt a WHERE a.payout_id = :id AND a.method = 'bank' AND (CAST(:attempt_id AS bigint) IS NULL OR a.id = :attempt_id)
    ORDER BY a.outcome IS NOT DISTINCT FROM 'failed', a.id DESC
    """  # noqa: S608
)
_BANK_MOVE = text(f"SELECT * FROM ({OUTSTANDING}) o WHERE o.kind = :kind AND o.origin_id = :origin_id")  # noqa: S608
#: What a line may show although it was said to have failed: as long as nobody said again that it is to be paid.
_NOT_AGAIN = (PayoutStatus.FAILED, PayoutStatus.DRAFT)


def refund(session: Session, who: Who, line: Any, refund_id: int, signed_fen: int) -> int:
    """Have a refund be paid, or fail where the line came in, unless the books say so already; one that was said to have failed is paid again by the
    line that shows that it left. Returns the transaction that moved the bank account, which the line shows. ``signed_fen``: as much of the line,
    below zero where it went out.

    Raises:
        RefundUnfit: it does not go by the bank, or its state or amount does not fit (409). RefundsRest: see
        :func:`orders.refunds.actions.reinstate` (409).
    """
    row = session.execute(_REFUND, {"id": refund_id}).one()
    returned = signed_fen > 0
    unfit = RefundUnfit(number=row.number, state=row.status, remedy=_remedy_of_refund(row, returned=returned))
    if row.method != "bank_transfer":
        raise unfit
    if not returned and row.status in ("approved", "sent"):
        refunds.pay(session, who, refund_id, line.serial or None)
    elif not returned and row.status == "failed" and not (row.taken_back or row.back_shown or row.left_shown):
        refunds.reinstate(session, who, refund_id, line.serial or None, _why_out(line))
    if returned and row.status == "paid":
        refunds.fail(session, who, refund_id, _why_back(line))
        failing.supersede(session, who, refund_id=refund_id)
    moved = _moved(session, Kind.REFUND_FAILED if returned else Kind.REFUND_PAID, refund_id, signed_fen)
    if moved is None:
        raise unfit
    return moved


def payout(session: Session, who: Who, line: Any, payout_id: int, attempt_id: int | None, signed_fen: int) -> int:
    """The same for a payout: of the one of its releases that is meant, or that fits. One that was said to have failed is paid again as long as nobody
    approved it once more; where it was released once more, the line pays by the release that stands, as it is one debt.

    Raises:
        PayoutUnfit: it does not go by the bank, or its state or amount does not fit (409).
    """
    returned = signed_fen > 0
    row = session.execute(_PAYOUT, {"id": payout_id}).one()
    releases = session.execute(_RELEASES, {"id": payout_id, "attempt_id": attempt_id}).all()
    if attempt_id is not None and not returned and row.status not in _NOT_AGAIN and all(map(_said_failed, releases)):
        releases = session.execute(_RELEASES, {"id": payout_id, "attempt_id": None}).all()
    for release in releases:
        if not returned and release.outcome is None:
            paying.paid(session, who, payout_id, line.serial or None)
        elif returned and release.outcome == "paid":
            paying.failed(session, who, payout_id, _why_back(line))
            failing.supersede(session, who, attempt_id=release.id)
        elif not returned and _stands(row, release):
            paying.reinstated(session, who, payout_id, line.serial or None, _why_out(line))
        elif not (release.back_unshown if returned else release.left_unshown):
            continue
        moved = _moved(session, Kind.PAYOUT_FAILED if returned else Kind.PAYOUT_PAID, release.id, signed_fen)
        if moved is not None:
            return moved
    raise PayoutUnfit(number=row.number, state=row.status, remedy=_remedy_of_payout(row, releases, returned=returned))


def _stands(payout: Any, release: Any) -> bool:
    """Whether a release that was said to have failed is paid by a line that shows it."""
    return _said_failed(release) and release.is_last and payout.status in _NOT_AGAIN


def _said_failed(release: Any) -> bool:
    """Whether people said so, and no line shows that it left, or came back."""
    return release.outcome == "failed" and not release.back_shown and not release.left_shown


def _remedy_of_refund(row: Any, *, returned: bool) -> Remedy:
    if row.method != "bank_transfer":
        return Remedy.PROVIDER
    if (row.left_shown and not returned) or (row.back_shown and returned):
        return Remedy.SHOWN
    if row.status == "requested":
        return Remedy.RELEASE
    if row.status in ("refused", "cancelled") or row.taken_back:
        return Remedy.ENDED
    return Remedy.NOT_LEFT if returned else Remedy.CAME_BACK


def _remedy_of_payout(row: Any, releases: Sequence[Any], *, returned: bool) -> Remedy:
    if row.method != "bank" and not releases:
        return Remedy.PROVIDER
    if row.status == PayoutStatus.APPROVED and releases:
        return Remedy.WITHDRAW
    if not releases:
        return Remedy.RELEASE
    if any(release.back_shown if returned else release.left_shown for release in releases):
        return Remedy.SHOWN
    return Remedy.NOT_LEFT if returned else Remedy.LIVE


def _why_back(line: Any) -> str:
    return line.text[:200] or ("红字冲正" if line.reversal else "退汇")


def _why_out(line: Any) -> str:
    return f"银行流水 {line.id} 显示已付出"


def _moved(session: Session, kind: Kind, origin_id: int, signed_fen: int) -> int | None:
    """The transaction of this cause that moved the bank account by as much, unless a line shows it."""
    moved = session.execute(_BANK_MOVE, {"kind": kind, "origin_id": origin_id}).first()
    return moved.id if moved and moved.amount_fen == signed_fen else None
