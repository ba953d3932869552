"""Reconciliation over HTTP."""

from orders.reconcile import queries, report
from orders.reconcile.schemas import DifferenceOut, FindingOut, ReconciliationOut, RunOut
from shop.core.paging import After, Limit, Page
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("reconcile", "/v1/reconcile")


@routes.get("", Permission.RECONCILE_RUN)
def reconcile(call: Call) -> ReconciliationOut:
    """Prove that orders, deliveries, stock, ledger, money and figures agree; names what does not."""
    checks = [
        FindingOut(
            name=finding.name,
            label=finding.zh if call.language == "zh" else finding.en,
            count=finding.count,
            differences=[DifferenceOut.model_validate(difference, from_attributes=True) for difference in finding.first],
        )
        for finding in report.findings(call.session)
    ]
    return ReconciliationOut(differences=sum(check.count for check in checks), checks=checks)


@routes.get("/runs", Permission.RECONCILE_RUN)
def runs(call: Call, limit: Limit = 50, after: After = None) -> Page[RunOut]:
    """What the hourly job found, newest first; kept for 90 days."""
    return queries.runs(call.session, limit=limit, after=after)
