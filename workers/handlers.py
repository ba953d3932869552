"""Who hears of which event: every domain's own list, put together. Each published event has an entry (a test checks it)."""

from collections.abc import Mapping
from typing import Any

from sqlmodel import Session

from catalog.batches import handlers as batches
from catalog.certificates import handlers as certificates
from catalog.certification import handlers as certification
from catalog.objections import handlers as objections
from catalog.supervision import handlers as supervision
from orders.agreements import handlers as agreements
from orders.amendments import handlers as amendments
from orders.banking import handlers as banking
from orders.bookings import handlers as bookings
from orders.bulletins import handlers as bulletins
from orders.counting import handlers as counting
from orders.disputes import handlers as disputes
from orders.effects import handlers as effects
from orders.evaluations import handlers as evaluations
from orders.exporting import handlers as exporting
from orders.external_sales import handlers as external_sales
from orders.feed import handlers as feed
from orders.fulfilment import handlers as fulfilment
from orders.importing import handlers as importing
from orders.indicators import handlers as indicators
from orders.invoices import handlers as invoices
from orders.online import handlers as online
from orders.outlet_sales import handlers as outlet_sales
from orders.outlets import handlers as outlets
from orders.papers import handlers as papers
from orders.payments import handlers as payments
from orders.pledges import handlers as pledges
from orders.promotions import handlers as promotions
from orders.purchasing import handlers as purchasing
from orders.reassignments import handlers as reassignments
from orders.refunds import handlers as refunds
from orders.reports import handlers as reports
from orders.requests import handlers as requests
from orders.reserved_share import handlers as reserved_share
from orders.returns import handlers as returns
from orders.settlement import handlers as settlement
from orders.sourcing import handlers as sourcing
from orders.targets import handlers as targets
from orders.tax_invoices import handlers as tax_invoices
from orders.terms import handlers as terms
from orders.ties import handlers as ties
from shop.core.outbox import Handler
from shop.notifications import handlers as organisations


def together(*lists: Mapping[str, Handler]) -> dict[str, Handler]:
    """One handler for each event: those of all the lists, in their order, in one transaction."""
    heard: dict[str, list[Handler]] = {}
    for each in lists:
        for name, handler in each.items():
            heard.setdefault(name, []).append(handler)
    return {name: _one_after_another(handlers) for name, handlers in heard.items()}


def _one_after_another(handlers: list[Handler]) -> Handler:
    def run(session: Session, payload: dict[str, Any]) -> None:
        for handler in handlers:
            handler(session, payload)

    return run if len(handlers) > 1 else handlers[0]


HANDLERS: dict[str, Handler] = together(
    organisations.HANDLERS,
    certificates.HANDLERS,
    certification.HANDLERS,
    objections.HANDLERS,
    batches.HANDLERS,
    supervision.HANDLERS,
    requests.HANDLERS,
    purchasing.HANDLERS,
    importing.HANDLERS,
    fulfilment.HANDLERS,
    reassignments.HANDLERS,
    amendments.HANDLERS,
    papers.HANDLERS,
    invoices.HANDLERS,
    tax_invoices.HANDLERS,
    payments.HANDLERS,
    refunds.HANDLERS,
    terms.HANDLERS,
    banking.HANDLERS,
    online.HANDLERS,
    effects.HANDLERS,
    sourcing.HANDLERS,
    agreements.HANDLERS,
    feed.HANDLERS,
    evaluations.HANDLERS,
    reserved_share.HANDLERS,
    pledges.HANDLERS,
    returns.HANDLERS,
    bookings.HANDLERS,
    disputes.HANDLERS,
    settlement.HANDLERS,
    counting.HANDLERS,
    external_sales.HANDLERS,
    outlets.HANDLERS,
    outlet_sales.HANDLERS,
    indicators.HANDLERS,
    promotions.HANDLERS,
    targets.HANDLERS,
    reports.HANDLERS,
    bulletins.HANDLERS,
    exporting.HANDLERS,
    ties.HANDLERS,
)

#: What somebody who asked for it looks on for: it waits behind no other event, however many there are.
AWAITED = frozenset(
    {
        "bank_statement.imported",
        "basket_proposal.requested",
        "export.requested",
        "order_import.read",
        "order_import.uploaded",
        "sales_trial.asked",
        "sales_trial.read",
    }
)
