"""To come."""

from shop.core.outbox import Handler

HANDLERS: dict[str, Handler] = {}
