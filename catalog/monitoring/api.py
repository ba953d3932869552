"""Figures of certification over HTTP."""

from shop.identity.access import Routes

routes = Routes("monitoring", "/v1")
