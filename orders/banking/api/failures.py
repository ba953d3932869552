"""Failures of payouts and refunds, as people say them, over HTTP."""

from orders.banking.actions import failing
from orders.banking.queries import failures as queries
from orders.banking.schemas.failures import FailIn, FailureReportOut
from orders.banking.schemas.payers import DecisionIn
from orders.banking.states import FailureStatus
from orders.refunds.queries import refunds
from orders.refunds.schemas import RefundOut
from orders.settlement.queries import payouts
from orders.settlement.schemas.payouts import PayoutOut
from shop.core.paging import After, Limit, Page
from shop.core.quantities import Id
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("failures", "/v1")


@routes.post("/payouts/{payout_id}/fail", Permission.MONEY_MANAGE, status=200)
def fail_payout(call: Call, payout_id: Id, body: FailIn) -> PayoutOut:
    """Say that the bank gave it back, or never got it: it has to be approved and released again. One that was paid, or
    stands on a list for the bank, stays so until another person confirms it (`failure_report_id`). Where a line of the bank shows that it left, only
    a line shows that it came back (`shown_by_bank`)."""
    failing.payout(call.session, call.actor, payout_id, body.reason, if_match=call.if_match)
    return payouts.payout(call.session, call.actor, payout_id)


@routes.post("/refunds/{refund_id}/fail", Permission.MONEY_MANAGE, status=200)
def fail_refund(call: Call, refund_id: Id, body: FailIn) -> RefundOut:
    """Say that the bank gave it back, or never got it: the buyer has its credit again. One that was paid stays so until another person confirms it
    (`failure_report_id`). Where a line of the bank shows that it left, only a line shows that it came back (`shown_by_bank`)."""
    failing.refund(call.session, call.actor, refund_id, body.reason, if_match=call.if_match)
    return refunds.refund(call.session, call.actor, refund_id)


@routes.get("/failure-reports", Permission.MONEY_MANAGE)
def reports(call: Call, status: FailureStatus | None = None, limit: Limit = 50, after: After = None) -> Page[FailureReportOut]:
    """What people say to have failed after it was paid, newest first."""
    return queries.reports(call.session, call.actor, status=status, limit=limit, after=after)


@routes.get("/failure-reports/{failure_report_id}", Permission.MONEY_MANAGE)
def report(call: Call, failure_report_id: Id) -> FailureReportOut:
    return queries.report(call.session, call.actor, failure_report_id)


@routes.post("/failure-reports/{failure_report_id}/approve", Permission.MONEY_MANAGE, status=200)
def approve_failure(call: Call, failure_report_id: Id, body: DecisionIn) -> FailureReportOut:
    """Confirm what somebody else said: it failed."""
    failing.approve(call.session, call.actor, failure_report_id, body.reason, if_match=call.if_match)
    return queries.report(call.session, call.actor, failure_report_id)


@routes.post("/failure-reports/{failure_report_id}/refuse", Permission.MONEY_MANAGE, status=200)
def refuse_failure(call: Call, failure_report_id: Id, body: DecisionIn) -> FailureReportOut:
    failing.refuse(call.session, call.actor, failure_report_id, body.reason, if_match=call.if_match)
    return queries.report(call.session, call.actor, failure_report_id)


@routes.post("/failure-reports/{failure_report_id}/withdraw", Permission.MONEY_MANAGE, status=200)
def withdraw_failure(call: Call, failure_report_id: Id, body: DecisionIn) -> FailureReportOut:
    """Take it back before it is decided."""
    failing.withdraw(call.session, call.actor, failure_report_id, body.reason, if_match=call.if_match)
    return queries.report(call.session, call.actor, failure_report_id)
