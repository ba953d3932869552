"""The verbs of purchasing."""

from orders.purchasing.actions.answering import confirm, reject, release_unconfirmed, set_freight
from orders.purchasing.actions.cancelling import cancel, cancel_unpaid
from orders.purchasing.actions.placing import place

__all__ = ["cancel", "cancel_unpaid", "confirm", "place", "reject", "release_unconfirmed", "set_freight"]
