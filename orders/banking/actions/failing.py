"""Payouts and refunds that failed, as people say it. Of what has not left one person says so; of what was paid, or stands on a list for the bank and
may leave by it, one says it and another confirms it, unless a line of the bank shows the return. What a line shows to have left nobody says to
have failed.
"""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.banking.errors import FailureSuperseded, FailureWaiting, OwnFailureReport
from orders.banking.models import FailureReport
from orders.banking.states import FAILURE_REPORT, FailureMove, FailureStatus
from orders.refunds import actions as refunds
from orders.settlement.actions import paying
from orders.settlement.states import PayoutStatus
from shop.core import audit, clock, outbox
from shop.core.audit import Who
from shop.core.errors import IfMatch, NotFound, any_version
from shop.identity.actor import Actor

#: That it is on a list which may be at the bank, whether or not anybody has said yet that it was handed over.
_LISTED = text("SELECT 1 FROM payout_file_line WHERE attempt_id = :id AND NOT void")
_WAITING = text("SELECT 1 FROM failure_report WHERE status = 'requested' AND (attempt_id = :attempt_id OR refund_id = :refund_id)")
_REPORT = text("SELECT f.*, a.payout_id FROM failure_report f LEFT JOIN payout_attempt a ON a.id = f.attempt_id WHERE f.id = :id")
_DECIDE = text(
    "UPDATE failure_report SET status = :status, decided_by = :user_id, decided_at = :now, decision_reason = :reason, version = version + 1"
    " WHERE id = :id"
)
_SUPERSEDE = text(
    "UPDATE failure_report SET status = :status, decided_at = :now, version = version + 1"
    " WHERE status = 'requested' AND (attempt_id = :attempt_id OR refund_id = :refund_id) RETURNING id"
)


def payout(session: Session, actor: Actor, payout_id: int, reason: str, if_match: IfMatch = any_version) -> None:
    """Say that a payout failed: at once, or once another person confirms it. Raises as
    :func:`orders.settlement.actions.paying.report_failure`, and besides:

    Raises:
        FailureWaiting: somebody said so already (409).
    """
    row = paying.require_may_fail(session, actor, payout_id)
    if_match(row.version)
    if row.status != PayoutStatus.PAID and session.execute(_LISTED, {"id": row.attempt_id}).first() is None:
        paying.failed(session, actor, payout_id, reason)
        return
    _request(session, actor, reason, attempt_id=row.attempt_id)


def refund(session: Session, actor: Actor, refund_id: int, reason: str, if_match: IfMatch = any_version) -> None:
    """The same of a refund. Raises as :func:`orders.refunds.actions.report_failure`, and FailureWaiting."""
    row = refunds.require_may_fail(session, actor, refund_id)
    if_match(row.version)
    if row.status != "paid":
        refunds.fail(session, actor, refund_id, reason)
        return
    _request(session, actor, reason, refund_id=refund_id)


def approve(session: Session, actor: Actor, report_id: int, reason: str | None, if_match: IfMatch = any_version) -> None:
    """Confirm what somebody else said: it failed.

    Raises:
        NotFound: none of those whose money the caller keeps (404). IllegalMove: it was decided, or failed meanwhile (409).
        OwnFailureReport: the caller said it (403). ShownByBank: a line of the bank shows by now that it left (409).
        FailureSuperseded: that release has ended, and another stands (409).
    """
    row, attempt_id = _locked(session, actor, report_id)
    if_match(row.version)
    FAILURE_REPORT.after(row.status, FailureMove.APPROVE)
    if row.requested_by == actor.user_id:
        raise OwnFailureReport
    if row.attempt_id != attempt_id:
        raise FailureSuperseded
    if row.payout_id:
        paying.report_failure(session, actor, row.payout_id, row.reason)
    else:
        refunds.report_failure(session, actor, row.refund_id, row.reason)
    _decide(session, actor, row, FailureMove.APPROVE, reason)


def refuse(session: Session, actor: Actor, report_id: int, reason: str | None, if_match: IfMatch = any_version) -> None:
    """Say no to it. Raises as :func:`approve`, but of lines of the bank."""
    row, _ = _locked(session, actor, report_id)
    if_match(row.version)
    FAILURE_REPORT.after(row.status, FailureMove.REFUSE)
    if row.requested_by == actor.user_id:
        raise OwnFailureReport
    _decide(session, actor, row, FailureMove.REFUSE, reason)


def withdraw(session: Session, actor: Actor, report_id: int, reason: str | None, if_match: IfMatch = any_version) -> None:
    """Take it back before it is decided. Raises as :func:`approve`, but of persons and lines of the bank."""
    row, _ = _locked(session, actor, report_id)
    if_match(row.version)
    _decide(session, actor, row, FailureMove.WITHDRAW, reason)


def supersede(session: Session, who: Who, *, attempt_id: int | None = None, refund_id: int | None = None) -> None:
    """A line of the bank shows that a release of a payout, or a refund, failed: what somebody said of it waits for nobody any more. The payout or
    refund is locked."""
    values = {"attempt_id": attempt_id, "refund_id": refund_id, "status": FailureStatus.SUPERSEDED, "now": clock.now()}
    for report_id in session.execute(_SUPERSEDE, values).scalars():
        audit.record(session, who, "failure_report.supersede", "failure_report", report_id, to_status=str(FailureStatus.SUPERSEDED))


def _request(session: Session, actor: Actor, reason: str, *, attempt_id: int | None = None, refund_id: int | None = None) -> None:
    """The payout or refund is locked."""
    of = {"attempt_id": attempt_id, "refund_id": refund_id}
    if session.execute(_WAITING, of).first() is not None:
        raise FailureWaiting
    made = FailureReport(
        attempt_id=attempt_id, refund_id=refund_id, reason=reason, requested_by=actor.user_id or 0, requested_at=clock.now()
    )
    session.add(made)
    session.flush()
    audit.record(session, actor, "failure_report.requested", "failure_report", made.id, reason=reason, **of)
    outbox.publish(session, "failure_report.moved", failure_report_id=made.id, status=FailureStatus.REQUESTED)


def _locked(session: Session, actor: Actor, report_id: int) -> tuple[Any, int | None]:
    """The report, with its payout or refund locked, as everybody locks it first; and the release of the payout that stands now."""
    row = session.execute(_REPORT, {"id": report_id}).first()
    if row is None:
        raise NotFound
    attempt_id = None
    if row.payout_id:
        attempt_id = paying.kept(session, actor, row.payout_id).attempt_id
    else:
        refunds.kept(session, actor, row.refund_id)
    return session.execute(_REPORT, {"id": report_id}).one(), attempt_id


def _decide(session: Session, actor: Actor, row: Any, move: FailureMove, reason: str | None) -> None:
    status = FAILURE_REPORT.after(row.status, move)
    values = {"id": row.id, "status": status, "user_id": actor.user_id, "now": clock.now(), "reason": reason}
    session.execute(_DECIDE, values)
    audit.record(session, actor, f"failure_report.{move}", "failure_report", row.id, reason=reason, to_status=str(status))
    outbox.publish(session, "failure_report.moved", failure_report_id=row.id, status=status)
