"""Reconciliation over HTTP."""

from orders.reconcile import queries, report
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
    checks = [
        FindingOut(
            name=finding.name,
            label=finding.zh if call.language == "zh" else finding.en,
            count=finding.count if finding.finished else None,
            differences=[DifferenceOut.model_validate(difference, from_attributes=True) for difference in finding.first],
        )
        for finding in report.findings_within(call.session, SECONDS)
    ]
    return ReconciliationOut(
        differences=sum(check.count or 0 for check in checks),
        unfinished=sum(check.count is None for check in checks),
        checks=checks,
    )


@routes.get("/runs", Permission.RECONCILE_RUN)
def runs(call: Call, limit: Limit = 50, after: After = None) -> Page[RunOut]:
    """What the hourly job found, newest first; kept for 90 days."""
    return queries.runs(call.session, limit=limit, after=after)
