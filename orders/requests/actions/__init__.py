"""The verbs of purchase requests."""

from orders.requests.actions.submitting import Submitted, submit

__all__ = ["Submitted", "submit"]
