"""The verbs of purchasing."""

from orders.purchasing.actions.answering import confirm, reject, release_unconfirmed, set_freight
from orders.purchasing.actions.cancelling import cancel
from orders.purchasing.actions.placing import place

__all__ = ["cancel", "confirm", "place", "reject", "release_unconfirmed", "set_freight"]
