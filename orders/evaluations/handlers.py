"""Who hears of evaluations."""

from shop.core.outbox import Handler

HANDLERS: dict[str, Handler] = {}
