"""Reconciliation over HTTP."""

from orders.reconcile import actions, queries, report
from orders.reconcile.schemas import AskedOut, DifferenceOut, FindingOut, ReconciliationOut, RunOut
from shop.core.paging import After, Limit, Page
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

#: How long a caller waits at most, within the time that a request has; on large data the hourly run tells the rest.
SECONDS = 20

routes = Routes("reconcile", "/v1/reconcile")


@routes.get("", Permission.RECONCILE_RUN)
def reconcile(call: Call) -> ReconciliationOut:
    """Prove that orders, deliveries, stock, ledger, money and figures agree; names what does not. Checks that do not end within twenty seconds
    in all are `unfinished`, so that nothing is proved of them: a run in the background takes the time that it needs. `runs` says where runs are asked for and
    listed."""
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
        runs=f"{routes.router.prefix}/runs",
        checks=checks,
    )


@routes.post("/runs", Permission.RECONCILE_RUN, status=202)
def run(call: Call) -> AskedOut:
    """Have the books compared now, in the background and however long it takes, and the result kept: from then on it is the last one, by which a
    month's close goes. `GET /v1/reconcile/asked` says how far it is. While one is open, asking again gives that one."""
    actions.ask(call.session, call.actor)
    return queries.asked(call.session)


@routes.get("/asked", Permission.RECONCILE_RUN)
def asked(call: Call) -> AskedOut:
    """How far the run is that was asked for last, and what it found."""
    return queries.asked(call.session)


@routes.get("/runs", Permission.RECONCILE_RUN)
def runs(call: Call, limit: Limit = 50, after: After = None) -> Page[RunOut]:
    """What was found by the hourly job, and by whoever had the books compared in between, newest first; kept for 90 days."""
    return queries.runs(call.session, limit=limit, after=after)
