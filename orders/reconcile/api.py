"""Reconciliation over HTTP."""

from orders.reconcile import queries, report
from orders.reconcile.report import Finding
from orders.reconcile.schemas import DifferenceOut, FindingOut, ReconciliationOut, RunOut
from shop.core.paging import After, Limit, Page
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

#: How long a caller waits at most, within the time that a request has; on large data the hourly run tells the rest.
SECONDS = 20

routes = Routes("reconcile", "/v1/reconcile")


@routes.get("", Permission.RECONCILE_RUN)
def reconcile(call: Call) -> ReconciliationOut:
    """Prove that orders, deliveries, stock, ledger, money and figures agree; names what does not. Checks that do not end within twenty seconds
    in all are `unfinished`, so that nothing is proved of them: the hourly run (`/runs`) and `shop reconcile` take the time that they need."""
    return _told(call, report.findings_within(call.session, SECONDS))


def _told(call: Call, found: list[Finding]) -> ReconciliationOut:
    checks = [
        FindingOut(
            name=finding.name,
            label=finding.zh if call.language == "zh" else finding.en,
            count=finding.count if finding.finished else None,
            differences=[DifferenceOut.model_validate(difference, from_attributes=True) for difference in finding.first],
        )
        for finding in found
    ]
    return ReconciliationOut(
        differences=sum(check.count or 0 for check in checks),
        unfinished=sum(check.count is None for check in checks),
        checks=checks,
    )


@routes.post("/runs", Permission.RECONCILE_RUN)
def run(call: Call) -> ReconciliationOut:
    """Compare the books now and keep the result: from then on it is the last one, by which a month's close goes. On large data, where that takes
    longer than twenty seconds, the hourly run and `shop reconcile` do the same."""
    return _told(call, report.keep_within(call.session, SECONDS))


@routes.get("/runs", Permission.RECONCILE_RUN)
def runs(call: Call, limit: Limit = 50, after: After = None) -> Page[RunOut]:
    """What was found by the hourly job, and by whoever had the books compared in between, newest first; kept for 90 days."""
    return queries.runs(call.session, limit=limit, after=after)
