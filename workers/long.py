"""Tasks that take longer than what an event leads to: settlements, and comparing the books."""

import logging
from collections.abc import Sequence

import structlog

import shop.tables  # noqa: F401  every table must be known before the first query
from orders.reconcile import actions as reconciling
from orders.reconcile import report
from orders.reconcile.report import Finding
from orders.settlement.actions import running as settling
from orders.ties import checking
from shop.core.db import database
from workers.app import app

log = structlog.get_logger()


@app.task(name="reconcile.asked", time_limit=3000, soft_time_limit=2900)
def reconcile_asked() -> None:
    """Compare the books because somebody asked for it."""
    found = reconciling.run_asked(database())
    if found is not None:
        _note(found)


@app.task(name="settlements.run", time_limit=1200, soft_time_limit=1100)
def settle() -> None:
    """Settle with suppliers for the latest period that is over, once."""
    with database().unit_of_work() as session:
        made = settling.run_due(session)
    if made:
        log.info("settlements_made", count=made)


@app.task(name="reconcile.run", time_limit=3000, soft_time_limit=2900)
def reconcile() -> None:
    """The hourly proof that orders, money, figures and stock agree."""
    _note(report.keep(database())[1])


def _note(found: Sequence[Finding]) -> None:
    differences = sum(finding.count for finding in found)
    log.log(logging.ERROR if differences else logging.INFO, "reconciled", count=differences)


@app.task(name="ties.check", time_limit=3000, soft_time_limit=2900)
def check_data() -> None:
    """Check the figures of this day against the lines, and all books against one another; once a day."""
    differences = checking.run(database())
    if differences:
        log.warning("data_differ", count=differences)
