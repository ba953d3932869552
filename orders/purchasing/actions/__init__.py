"""The verbs of purchasing."""

from orders.purchasing.actions.answer import confirm, reject
from orders.purchasing.actions.cancel import cancel
from orders.purchasing.actions.place import place

__all__ = ["cancel", "confirm", "place", "reject"]
