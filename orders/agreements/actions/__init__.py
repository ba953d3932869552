"""The verbs of agreements."""

from orders.agreements.actions.drafting import create

__all__ = ["create"]
