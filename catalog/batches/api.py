"""Batches of the catalogue over HTTP."""

from shop.identity.access import Routes

routes = Routes("batches", "/v1")
