"""Who hears what happened to a certificate."""

from shop.core.outbox import Handler

HANDLERS: dict[str, Handler] = {}
