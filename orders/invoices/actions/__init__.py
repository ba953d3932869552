"""Issuing, sending and crediting invoices."""

from orders.invoices.actions.crediting import credit, follow
from orders.invoices.actions.issuing import after_acceptance, issue, move, send

__all__ = ["after_acceptance", "credit", "follow", "issue", "move", "send"]
