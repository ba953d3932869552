"""Stripe's resources, one module each; importing this package makes all their routes known."""

from tests.stripe_twin.objects import (
    accounts,
    balance,
    charges,
    customers,
    disputes,
    events,
    intent_routes,
    payment_methods,
    payouts,
    refunds,
    transfers,
    webhook_endpoints,
)

__all__ = [
    "accounts",
    "balance",
    "charges",
    "customers",
    "disputes",
    "events",
    "intent_routes",
    "payment_methods",
    "payouts",
    "refunds",
    "transfers",
    "webhook_endpoints",
]
