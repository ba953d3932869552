"""The verbs of deliveries."""

from orders.fulfilment.actions.accepting import accept, accept_overdue, add_photo, hold, let_go
from orders.fulfilment.actions.shipping import correct, ship, track

__all__ = ["accept", "accept_overdue", "add_photo", "correct", "hold", "let_go", "ship", "track"]
