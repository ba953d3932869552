"""Certificates over HTTP."""

from shop.identity.access import Routes

routes = Routes("certificates", "/v1")
