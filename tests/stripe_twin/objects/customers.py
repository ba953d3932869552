"""Customer."""

from tests.stripe_twin.given import Given
from tests.stripe_twin.lists import listed, searched
from tests.stripe_twin.routing import route
from tests.stripe_twin.world import Call, Object, World

_TEXTS = ("description", "email", "name", "phone")
_UNMODELLED = (
    "balance",
    "business_name",
    "cash_balance",
    "individual_name",
    "invoice_prefix",
    "next_invoice_sequence",
    "source",
    "tax",
    "tax_exempt",
    "validate",
)


def address_of(given: Given | None) -> Object:
    names = ("city", "country", "line1", "line2", "postal_code", "state")
    return {name: (given.text(name) or None) if given else None for name in names}


def shipping_of(given: Given) -> Object | None:
    sent = given.nested("shipping")
    if sent is None:
        return None
    return {
        "address": address_of(sent.nested("address")),
        "carrier": sent.text("carrier"),
        "name": sent.text("name", required=True),
        "phone": sent.text("phone"),
        "tracking_number": sent.text("tracking_number"),
    }


def _read(given: Given, present: Object, *more: str) -> Object:
    values: Object = {name: sent or None for name in _TEXTS if (sent := given.text(name)) is not None}
    if (address := given.nested("address")) is not None:
        values["address"] = address_of(address)
    if "shipping" in given:
        shipping = shipping_of(given)
        values["shipping"] = shipping and {name: shipping[name] for name in ("address", "name", "phone")}
    values["metadata"] = given.metadata(present.get("metadata"))
    if (locales := given.texts("preferred_locales")) is not None:
        values["preferred_locales"] = locales
    if settings := given.nested("invoice_settings"):
        values["invoice_settings"] = present["invoice_settings"] | {
            "default_payment_method": settings.text("default_payment_method") or None
        }
    given.unmodelled(*_UNMODELLED, *more)
    given.done()
    return values


@route("POST", "/v1/customers")
def create(world: World, call: Call) -> Object:
    blank: Object = {
        "id": world.new_id("cus", 14),
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": world.clock.seconds(),
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": None,
        "invoice_prefix": world.new_id("x", 8)[2:].upper(),
        "invoice_settings": {"custom_fields": None, "default_payment_method": None, "footer": None, "rendering_options": None},
        "livemode": False,
        "metadata": {},
        "name": None,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
    }
    customer = world.add(blank | _read(call.given, blank, "payment_method", "tax_id_data", "test_clock"))
    world.emit("customer.created", customer)
    return customer


@route("GET", "/v1/customers/search")
def search(world: World, call: Call) -> Object:
    return searched(world, call.given, "/v1/customers/search", "customer", ("created", "email", "metadata", "name", "phone"))


@route("GET", "/v1/customers/{id}")
def retrieve(world: World, call: Call, id: str) -> Object:
    call.given.done()
    if world.note(id).get("deleted"):
        return {"id": id, "object": "customer", "deleted": True}
    return world.get("customer", id)


@route("POST", "/v1/customers/{id}")
def update(world: World, call: Call, id: str) -> Object:
    customer = world.get("customer", id)
    world.change(customer, "customer.updated", **_read(call.given, customer, "default_source"))
    return customer


@route("DELETE", "/v1/customers/{id}")
def delete(world: World, call: Call, id: str) -> Object:
    """The customer is gone; its payments stay."""
    call.given.done()
    customer = world.get("customer", id)
    for method in world.all("payment_method"):
        if method["customer"] == id:
            world.note(method["id"])["used"] = True
            world.change(method, customer=None)
    world.emit("customer.deleted", customer)
    world.note(id)["deleted"] = True
    del world.objects["customer"][id]
    return {"id": id, "object": "customer", "deleted": True}


@route("GET", "/v1/customers")
def many(world: World, call: Call) -> Object:
    call.given.unmodelled("test_clock")
    return listed(world, call.given, "/v1/customers", world.all("customer"), "email")
