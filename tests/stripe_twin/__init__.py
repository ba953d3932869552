"""A stand-in for Stripe, for tests and for the demo: its API for payments and Connect, kept in memory, with faults on demand.

The tests reach it with Stripe's own SDK. What it does and does not do, and how it is kept honest, is in ``docs/stripe-twin.md``.
Only what lies under ``/_twin`` is unknown to the real Stripe.
"""
