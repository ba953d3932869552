"""Evaluations over HTTP."""

from shop.identity.access import Routes

routes = Routes("evaluations", "/v1")
