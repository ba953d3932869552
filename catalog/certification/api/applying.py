"""Applying over HTTP."""

from shop.identity.access import Routes

routes = Routes("certification", "/v1")
