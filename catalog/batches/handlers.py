"""Who hears of batches."""

from shop.core.outbox import Handler

HANDLERS: dict[str, Handler] = {}
