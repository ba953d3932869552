"""Tasks that somebody asked for and that take longer than what an event leads to."""

import structlog

import shop.tables  # noqa: F401  every table must be known before the first query
from orders.reconcile import actions as reconciling
from shop.core.db import database
from workers.app import app

log = structlog.get_logger()


@app.task(name="reconcile.asked", time_limit=3000, soft_time_limit=2900)
def reconcile() -> None:
    """Compare the books because somebody asked for it."""
    found = reconciling.run_asked(database())
    if found is not None:
        differences = sum(finding.count for finding in found)
        log.log(40 if differences else 20, "reconciled", count=differences)
