"""To come."""

from shop.identity.access import Routes

routes = Routes("bookings", "/v1")
