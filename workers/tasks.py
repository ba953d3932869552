"""Thin tasks: each opens a transaction and calls one action. All of them may run twice, or at once, without harm."""

from typing import Any

import structlog
from celery.signals import worker_process_init
from sqlalchemy import text

import shop.tables  # noqa: F401  every table must be known before the first query
from catalog.certificates.actions import measures
from catalog.monitoring import actions as monitoring
from catalog.supervision.actions import capacity
from orders.agreements.actions import drafts as call_offs
from orders.effects import handlers as effects
from orders.reconcile import report
from orders.sourcing.actions import moving as sourcing
from orders.statistics import actions as statistics
from shop.core import audit, clock, idempotency, outbox
from shop.core.db import database
from shop.identity.actions import sign_in
from shop.notifications import mailing
from workers.app import app
from workers.handlers import HANDLERS

log = structlog.get_logger()


@worker_process_init.connect
def _own_connections(**_: Any) -> None:
    """A forked worker must not share its parent's database connections."""
    database.cache_clear()


@app.task(name="outbox.relay")
def relay() -> None:
    """Wake a worker for every event that is due."""
    with database().unit_of_work() as session:
        due = outbox.due(session)
    for event_id in due:
        handle.delay(event_id)


@app.task(name="outbox.handle")
def handle(event_id: int) -> None:
    """Do one event."""
    outbox.work(database(), HANDLERS, event_id)


@app.task(name="statistics.refresh")
def refresh() -> None:
    """Move waiting sale entries into the rollups."""
    with database().unit_of_work() as session:
        statistics.refresh(session)


@app.task(name="notifications.send_mail")
def send_mail() -> None:
    """Send the mails that are due."""
    sent = mailing.send_due(database())
    if sent:
        log.info("mails_sent", count=sent)


@app.task(name="audit.seal")
def seal() -> None:
    """Chain new audit events, and log the head as a witness outside the database."""
    with database().unit_of_work() as session:
        sealed = audit.seal(session)
        position, head = audit.head(session)
    if sealed:
        log.info("audit_sealed", count=sealed, position=position, head=head)


@app.task(name="workers.beat_heart")
def beat_heart() -> None:
    """Leave a sign of life for ``shop doctor`` and monitoring."""
    with database().unit_of_work() as session:
        session.execute(
            text(
                "INSERT INTO worker_heartbeat (name, beat_at) VALUES ('worker', :now)"
                " ON CONFLICT (name) DO UPDATE SET beat_at = excluded.beat_at"
            ),
            {"now": clock.now()},
        )


@app.task(name="workers.tidy")
def tidy() -> None:
    """Drop what has served its time: old idempotency answers, ended tokens, events done a month ago."""
    with database().unit_of_work() as session:
        idempotency.forget_old(session)
        sign_in.forget_ended(session)
        session.execute(text("DELETE FROM outbox_event WHERE done_at < :now - interval '30 days'"), {"now": clock.now()})


@app.task(name="certificates.end_suspensions")
def end_suspensions() -> None:
    """Tell of suspensions whose time is over; they hold no more whether this ran or not."""
    with database().unit_of_work() as session:
        ended = measures.end_suspensions(session)
    if ended:
        log.info("suspensions_ended", count=ended)


@app.task(name="sourcing.tell_of_closed")
def tell_of_closed() -> None:
    """Open the quotations of requests whose time is over, and tell the buyers; they are closed whether this ran or not."""
    with database().unit_of_work() as session:
        closed = sourcing.open_quotations(session)
    if closed:
        log.info("quotation_requests_closed", count=closed)


@app.task(name="supervision.watch_capacity")
def watch_capacity() -> None:
    """Flag and hold what was sold beyond its certified capacity."""
    with database().unit_of_work() as session:
        flagged = capacity.watch(session)
    if flagged:
        log.info("capacity_flagged", count=flagged)


@app.task(name="monitoring.remind")
def remind() -> None:
    """Remind those whose time ends, or for whom somebody waits."""
    with database().unit_of_work() as session:
        monitoring.remind(session)
        effects.tell_of_expired_papers(session)


@app.task(name="agreements.draft_call_offs")
def draft_call_offs() -> None:
    """Draft the orders of schedules whose lead time has begun, and tell of deliveries that are late."""
    with database().unit_of_work() as session:
        drafted = call_offs.draft_due(session)
        late = call_offs.tell_late(session)
    if drafted or late:
        log.info("call_offs_drafted", count=drafted, days_late=late)


@app.task(name="reconcile.run", time_limit=3000, soft_time_limit=2900)
def reconcile() -> None:
    """The hourly proof that orders, ledger, figures and stock agree."""
    differences = report.differences(database())
    log.log(40 if differences else 20, "reconciled", count=differences)
