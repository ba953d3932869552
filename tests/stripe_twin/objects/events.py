"""Event: what happened, kept for thirty days."""

from tests.stripe_twin.clock import DAY
from tests.stripe_twin.errors import invalid, missing
from tests.stripe_twin.lists import listed
from tests.stripe_twin.routing import route
from tests.stripe_twin.world import Call, Object, World

KEPT_FOR = 30 * DAY


def _kept(world: World, event: Object) -> bool:
    return bool(event["created"] > world.clock.now() - KEPT_FOR)


@route("GET", "/v1/events/{id}", connected=True)
def retrieve(world: World, call: Call, id: str) -> Object:
    call.given.done()
    event = world.get("event", id, owner=call.account)
    if not _kept(world, event):
        raise missing("event", id)
    return event


@route("GET", "/v1/events", connected=True)
def many(world: World, call: Call) -> Object:
    kinds = call.given.texts("types")
    if kinds and "type" in call.given:
        raise invalid("You may only specify one of these parameters: type, types.", "types")
    delivered = call.given.text("delivery_success", choices=("true", "false"))
    found = [
        each
        for each in world.all("event", call.account)
        if _kept(world, each)
        and (not kinds or each["type"] in kinds)
        and (delivered is None or (each["pending_webhooks"] == 0) == (delivered == "true"))
    ]
    return listed(world, call.given, "/v1/events", found, "type")
