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
from orders.effects import handlers as effects
from orders.fulfilment import handlers as fulfilment
from orders.payments import handlers as payments
from orders.purchasing import handlers as purchasing
from orders.reassignments import handlers as reassignments
from orders.requests import handlers as requests
from orders.sourcing import handlers as sourcing
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
    fulfilment.HANDLERS,
    reassignments.HANDLERS,
    payments.HANDLERS,
    effects.HANDLERS,
    sourcing.HANDLERS,
    agreements.HANDLERS,
)
