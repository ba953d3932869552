"""Who hears of which event: every domain's own list, put together. Each published event has an entry (a test checks it)."""

from catalog.certification import handlers as certification
from orders.fulfilment import handlers as fulfilment
from orders.payments import handlers as payments
from orders.purchasing import handlers as purchasing
from shop.core.outbox import Handler
from shop.notifications import handlers as organisations

HANDLERS: dict[str, Handler] = {
    **organisations.HANDLERS,
    **certification.HANDLERS,
    **purchasing.HANDLERS,
    **fulfilment.HANDLERS,
    **payments.HANDLERS,
}
