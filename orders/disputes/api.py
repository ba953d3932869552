"""To come."""

from shop.identity.access import Routes

routes = Routes("disputes", "/v1")
