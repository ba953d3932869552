"""checking over HTTP."""

from shop.identity.access import Routes

routes = Routes("supervision", "/v1")
