"""The lists of households over HTTP."""

from shop.identity.access import Routes

routes = Routes("households", "/v1")
