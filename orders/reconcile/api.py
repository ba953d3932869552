"""Reconciliation over HTTP."""

from orders.reconcile import actions, queries
from orders.reconcile.schemas import AskedOut, ReconciliationOut, RunOut
from shop.core.paging import After, Limit, Page
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("reconcile", "/v1/reconcile")


@routes.get("", Permission.RECONCILE_RUN)
def reconcile(call: Call) -> ReconciliationOut:
    """Whether orders, deliveries, stock, ledger, money and figures agree, and what does not, as the last run found it: `ran_at` says when. One is made every
    hour, and in the background at once when it is asked for (POST) at `runs`, where all are listed."""
    return queries.last(call.session, call.language, f"{routes.router.prefix}/runs")


@routes.post("/runs", Permission.RECONCILE_RUN, status=202)
def run(call: Call) -> AskedOut:
    """Have the books compared now, in the background and however long it takes, and the result kept: from then on it is the last one, which
    `GET /v1/reconcile` shows and by which a month's close goes. `GET /v1/reconcile/asked` says how far it is. While one is open, asking again gives that one."""
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
