"""Thin tasks: each opens a transaction and calls one action. All of them may run twice, or at once, without harm."""

from typing import Any

import structlog
from celery.signals import worker_init, worker_process_init
from sqlalchemy import text

import shop.tables  # noqa: F401  every table must be known before the first query
from catalog.certificates.actions import measures
from catalog.monitoring.actions import recounting as certified_stock
from catalog.monitoring.actions import reminding as monitoring
from catalog.supervision.actions import capacity
from orders.agreements.actions import drafts as call_offs
from orders.agreements.actions import recounting as agreement_days
from orders.amendments import actions as amendments
from orders.banking import handlers as banking
from orders.bookings import queries as bookings
from orders.bookings.actions import redeeming
from orders.counting import matching as books
from orders.disputes.actions import reminding
from orders.effects import handlers as effects
from orders.exporting import actions as exporting
from orders.fulfilment import actions as fulfilment
from orders.fulfilment import handlers as delivering
from orders.fulfilment import queries as deliveries
from orders.importing import actions as importing
from orders.online import handlers as online_payments
from orders.online.actions import receiving
from orders.online.actions import reconciling as online
from orders.online.actions import sending as asking
from orders.online.provider import provider
from orders.outlet_sales.actions import counties as outlet_counties
from orders.outlet_sales.actions import trying
from orders.outlet_sales.actions import waiting as outlet_refunds
from orders.outlets.actions import devices as outlet_devices
from orders.outlets.actions import goods as outlet_goods
from orders.pledges import handlers as pledges
from orders.pledges.actions import recounting as pledge_sums
from orders.purchasing import actions as purchasing
from orders.purchasing import handlers as ordering
from orders.reports import handlers as monthly_reports
from orders.reserved_share import handlers as reserved_share
from orders.sourcing import handlers as quotations
from orders.sourcing.actions import moving as sourcing
from orders.statistics import actions as statistics
from orders.terms import actions as terms
from orders.terms import handlers as payment_dues
from shop.core import audit, clock, forks, idempotency, locks, outbox
from shop.core.db import database
from shop.identity.actions import sign_in
from shop.notifications import handlers as notifications
from shop.notifications import mailing
from shop.webhooks import sending
from shop.webhooks.actions import feed
from workers.app import app
from workers.handlers import AWAITED, HANDLERS
from workers.schedule import AWAITED_PRIORITY

log = structlog.get_logger()
_BEAT = text(
    "INSERT INTO worker_heartbeat (name, beat_at) VALUES ('worker', :now) ON CONFLICT (name) DO UPDATE SET beat_at = excluded.beat_at"
)


@worker_init.connect
def _shared_memory(**_: Any) -> None:
    """What the parent has loaded stays shared with its children."""
    forks.ready()


@worker_process_init.connect
def _own_connections(**_: Any) -> None:
    """A forked worker must not share its parent's database connections."""
    database.cache_clear()


@app.task(name="outbox.relay")
def relay() -> None:
    """Wake a worker for every event that is due."""
    relay_awaited()
    with database().unit_of_work() as session:
        due = outbox.due(session)
    for event_id in due:
        handle.delay(event_id)


@app.task(name="outbox.relay_awaited")
def relay_awaited() -> None:
    """Wake a worker for what somebody waits for. It is little; a round of all the others waits behind the one before, so that none pile up."""
    with database().unit_of_work() as session:
        due = outbox.due(session, only=AWAITED)
    for event_id in due:
        handle.apply_async((event_id,), priority=AWAITED_PRIORITY)


@app.task(name="outbox.handle")
def handle(event_id: int) -> None:
    """Do one event, and wake workers for what it led to."""
    outbox.work(database(), HANDLERS, event_id, relay)


@app.task(name="statistics.refresh")
def refresh() -> None:
    """Move what waits into the sums: sale entries into the rollups, sales of outlets into the days and months of their counties."""
    for take_over in (statistics.refresh, outlet_counties.take_over):
        with database().unit_of_work() as session:
            take_over(session)


@app.task(name="panels.recount")
def recount() -> None:
    """Count again what panels keep and somebody touched: the stock of certificates, the sums of pledges, the days of agreements."""
    for again in (certified_stock.recount, pledge_sums.recount, agreement_days.recount):
        with database().unit_of_work() as session:
            again(session)


@app.task(name="notifications.send_mail")
def send_mail() -> None:
    """Send the mails that are due."""
    sent = mailing.send_due(database())
    if sent:
        log.info("mails_sent", count=sent)


@app.task(name="changes.put_in_order")
def put_changes_in_order() -> None:
    """Show new changes to readers of the feed, and queue them for webhooks."""
    with database().unit_of_work() as session:
        feed.put_in_order(session)


@app.task(name="webhooks.send")
def send_webhooks() -> None:
    """Send the webhooks that are due. One round at a time: a slow customer must not take every worker."""
    with locks.alone(database().engine, "webhooks.send") as first:
        sent = sending.send_due(database()) if first else 0
    if sent:
        log.info("webhooks_sent", count=sent)


@app.task(name="online.ask")
def ask_provider() -> None:
    """Ask the provider of online payments what is due."""
    if (asked := provider()) is not None:
        asking.send_due(database(), asked)


@app.task(name="online.reconcile")
def reconcile_online() -> None:
    """Look at what is open, and read the provider's statement on. One cycle at a time."""
    if (asked := provider()) is None:
        return
    with locks.alone(database().engine, "online.reconcile") as first:
        report = online.reconcile(database(), asked) if first else None
    if report and (report.fetched or report.unexplained or report.failed or report.foreign or report.difference_fen):
        log.info("online_reconciled", **report.__dict__)


@app.task(name="online.remind")
def remind_of_unknown() -> None:
    """Tell finance of calls to the provider whose outcome stays unknown."""
    with database().unit_of_work() as session:
        stuck = online_payments.remind(session)
    if stuck:
        log.warning("provider_calls_stuck", count=stuck)


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
        session.execute(_BEAT, {"now": clock.now()})


@app.task(name="workers.tidy")
def tidy() -> None:
    """Drop what has served its time: old idempotency answers, ended tokens, events of a month ago, lists that were not ordered, trials of files."""
    with database().unit_of_work() as session:
        idempotency.forget_old(session)
        sign_in.forget_ended(session)
        feed.forget_old(session)
        importing.forget_old(session)
        receiving.forget_old(session)
        trying.forget_old(session)
        session.execute(text("DELETE FROM outbox_event WHERE done_at < :now - interval '30 days'"), {"now": clock.now()})


@app.task(name="certificates.end_suspensions")
def end_suspensions() -> None:
    """Tell of suspensions whose time is over; they hold no more whether this ran or not."""
    with database().unit_of_work() as session:
        ended = measures.end_suspensions(session)
    if ended:
        log.info("suspensions_ended", count=ended)


@app.task(name="orders.release_unconfirmed")
def release_unconfirmed() -> None:
    """Release what suppliers did not confirm in time."""
    with database().unit_of_work() as session:
        released = purchasing.release_unconfirmed(session)
    if released:
        log.info("orders_released", count=released)


@app.task(name="orders.expire_amendments")
def expire_amendments() -> None:
    """Let proposed changes lapse that nobody answered in time."""
    with database().unit_of_work() as session:
        expired = amendments.expire(session)
    if expired:
        log.info("amendments_expired", count=expired)


@app.task(name="orders.accept_overdue")
def accept_overdue() -> None:
    """Have every delivery accepted whose time is over; each in a transaction of its own, so that none waits for another."""
    with database().unit_of_work() as session:
        overdue = deliveries.overdue(session)
    for shipment_id in overdue:
        accept_shipment.delay(shipment_id)


@app.task(name="orders.accept_shipment")
def accept_shipment(shipment_id: int) -> None:
    """Accept one delivery whose time is over."""
    with database().unit_of_work() as session:
        fulfilment.accept_overdue(session, shipment_id)


@app.task(name="banking.match_open")
def match_bank_lines() -> None:
    """Match open lines of the bank by what became known since their import."""
    with database().unit_of_work() as session:
        matched = banking.match_open(session)
    if matched:
        log.info("bank_lines_matched", count=matched)


@app.task(name="books.match")
def match_books() -> None:
    """Match what buyers claim with what sellers sold, by what was accepted since the last time."""
    with database().unit_of_work() as session:
        matched = books.match(session)
    if matched:
        log.info("books_matched", count=matched)


@app.task(name="sourcing.tell_of_closed")
def tell_of_closed() -> None:
    """Open the quotations of requests whose time is over, and tell the buyers; they are closed whether this ran or not."""
    with database().unit_of_work() as session:
        closed = sourcing.open_quotations(session)
    if closed:
        log.info("quotation_requests_closed", count=closed)


@app.task(name="sourcing.remind")
def remind_of_quotations() -> None:
    """Remind invited suppliers who have not answered that the end comes near."""
    with database().unit_of_work() as session:
        told = quotations.remind(session)
    if told:
        log.info("quotation_reminders", count=told)


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
        ordering.remind_to_confirm(session)
        delivering.remind_to_accept(session)
        notifications.tell_of_ending_keys(session)


@app.task(name="reserved_share.remind")
def remind_of_reserved_shares() -> None:
    """Tell units whose reserved share is not filed, or that are behind it late in the year."""
    with database().unit_of_work() as session:
        told = reserved_share.remind(session)
    if told:
        log.info("reserved_share_reminders", count=told)


@app.task(name="reports.remind")
def remind_of_reports() -> None:
    """Tell units and counties whose report of the last month is not there."""
    with database().unit_of_work() as session:
        told = monthly_reports.remind(session)
    if told:
        log.info("report_reminders", count=told)


@app.task(name="pledges.remind")
def remind_of_pledges() -> None:
    """Remind those whose pledge ends soon and is far from kept."""
    with database().unit_of_work() as session:
        pledges.remind(session)


@app.task(name="bookings.expire")
def expire_vouchers() -> None:
    """Close the vouchers whose time is over; those of each order in a transaction of its own, so that none waits for another."""
    with database().unit_of_work() as session:
        orders = bookings.expired_orders(session)
    for supplier_order_id in orders:
        expire_vouchers_of.delay(supplier_order_id)


@app.task(name="bookings.expire_order")
def expire_vouchers_of(supplier_order_id: int) -> None:
    """Close the vouchers of one order whose time is over."""
    with database().unit_of_work() as session:
        expired = redeeming.expire(session, supplier_order_id)
    if expired:
        log.info("vouchers_expired", count=expired)


@app.task(name="outlets.watch")
def watch_outlets() -> None:
    """Tell of outlets that are silent, look up goods once more that were on no list, and hold refunds whose sale does not come."""
    with database().unit_of_work() as session:
        silent = outlet_devices.tell_silent(session)
        outlet_goods.match_again(session)
    with database().unit_of_work() as session:
        held = outlet_refunds.hold_old(session)
    if silent:
        log.info("outlets_silent", count=silent)
    if held:
        log.info("refunds_held", count=held)


@app.task(name="disputes.remind")
def remind_of_disputes() -> None:
    """Remind who is to answer or to decide a dispute, and take it up where nobody did."""
    with database().unit_of_work() as session:
        reminding.remind(session)


@app.task(name="terms.remind")
def remind_of_dues() -> None:
    """Tell buyers of amounts that are due soon or overdue, after the dues of orders from before there were any are counted."""
    with database().unit_of_work() as session:
        terms.catch_up(session)
    with database().unit_of_work() as session:
        told = payment_dues.remind(session)
    if told:
        log.info("payment_reminders", count=told)


@app.task(name="agreements.draft_call_offs")
def draft_call_offs() -> None:
    """Draft the orders of schedules whose lead time has begun, and tell of deliveries that are late."""
    with database().unit_of_work() as session:
        drafted = call_offs.draft_due(session)
        late = call_offs.tell_late(session)
    if drafted or late:
        log.info("call_offs_drafted", count=drafted, days_late=late)


@app.task(name="exports.answer_schedules")
def answer_schedules() -> None:
    """Ask for the files of the schedules that are due."""
    with database().unit_of_work() as session:
        asked = exporting.run_due(session)
    if asked:
        log.info("schedules_answered", count=asked)


@app.task(name="exports.expire")
def expire_exports() -> None:
    """Delete the files whose time is over."""
    with database().unit_of_work() as session:
        expired = exporting.expire(session)
    if expired:
        log.info("exports_expired", count=expired)
