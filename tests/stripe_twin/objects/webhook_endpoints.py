"""WebhookEndpoint: who is told of events; the secret is shown once, when it is made."""

from urllib.parse import urlsplit

from tests.stripe_twin.errors import invalid
from tests.stripe_twin.given import Given
from tests.stripe_twin.lists import listed
from tests.stripe_twin.routing import route
from tests.stripe_twin.world import API_VERSION, Call, Object, World

# the twin calls this machine alone, whatever it is told
LOCAL = ("127.0.0.1", "localhost", "::1")


def _url(given: Given, required: bool) -> str | None:
    url = given.text("url", required=required)
    if not url:
        return None
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        raise invalid("Invalid URL: An explicit scheme (such as https) must be provided.", "url", "url_invalid")
    if parts.hostname not in LOCAL:
        raise invalid(f"Invalid URL: the twin calls only {', '.join(LOCAL)}", "url", "url_invalid")
    return url


def _events(given: Given, required: bool) -> list[str] | None:
    kinds = given.texts("enabled_events", required=required)
    if kinds is None:
        return None
    if not kinds:
        raise invalid("Invalid array: enabled_events may not be empty", "enabled_events")
    for kind in kinds:
        if kind != "*" and ("*" in kind or "." not in kind):
            raise invalid(f"Invalid enabled_events: {kind} is no event", "enabled_events")
    return kinds


def add(world: World, url: str, kinds: list[str], *, secret: str | None = None, connect: bool = False, **more: object) -> Object:
    endpoint = world.add(
        {
            "id": world.new_id("we"),
            "object": "webhook_endpoint",
            "api_version": API_VERSION,
            "application": None,
            "created": world.clock.seconds(),
            "description": None,
            "enabled_events": kinds,
            "livemode": False,
            "metadata": {},
            "status": "enabled",
            "url": url,
        }
        | more
    )
    note = world.note(endpoint["id"])
    note["secrets"] = [[secret or world.new_id("whsec", 32), None]]  # each with the moment when it ends
    note["connect"] = connect
    return endpoint


def secrets_of(world: World, endpoint: Object) -> list[str]:
    """The secrets that sign now: one, or two while a new one is brought in."""
    now = world.clock.now()
    return [secret for secret, ends in world.note(endpoint["id"])["secrets"] if ends is None or ends > now]


def roll(world: World, endpoint: Object, old_for: float) -> str:
    """A new secret; the old one signs as well for ``old_for`` seconds."""
    note = world.note(endpoint["id"])
    now = world.clock.now()
    note["secrets"] = [[secret, now + old_for] for secret, ends in note["secrets"] if ends is None]
    note["secrets"].insert(0, [world.new_id("whsec", 32), None])
    return str(note["secrets"][0][0])


@route("POST", "/v1/webhook_endpoints")
def create(world: World, call: Call) -> Object:
    given = call.given
    url, kinds = _url(given, True) or "", _events(given, True) or []
    version = given.text("api_version") or API_VERSION
    if version.split(".")[-1] != API_VERSION.split(".")[-1]:
        raise invalid(f"The twin sends events of {API_VERSION} only", "api_version")
    description, metadata, connect = given.text("description") or None, given.metadata(), given.flag("connect")
    given.done()
    endpoint = add(world, url, kinds, connect=connect, description=description, metadata=metadata)
    return endpoint | {"secret": secrets_of(world, endpoint)[0]}


@route("GET", "/v1/webhook_endpoints/{id}")
def retrieve(world: World, call: Call, id: str) -> Object:
    call.given.done()
    return world.get("webhook_endpoint", id)


@route("POST", "/v1/webhook_endpoints/{id}")
def update(world: World, call: Call, id: str) -> Object:
    endpoint = world.get("webhook_endpoint", id)
    given = call.given
    values: Object = {"metadata": given.metadata(endpoint["metadata"])}
    if url := _url(given, False):
        values["url"] = url
    if kinds := _events(given, False):
        values["enabled_events"] = kinds
    if (description := given.text("description")) is not None:
        values["description"] = description or None
    if "disabled" in given:
        values["status"] = "disabled" if given.flag("disabled") else "enabled"
    given.done()
    world.change(endpoint, **values)
    return endpoint


@route("DELETE", "/v1/webhook_endpoints/{id}")
def delete(world: World, call: Call, id: str) -> Object:
    call.given.done()
    world.get("webhook_endpoint", id)
    del world.objects["webhook_endpoint"][id]
    return {"id": id, "object": "webhook_endpoint", "deleted": True}


@route("GET", "/v1/webhook_endpoints")
def many(world: World, call: Call) -> Object:
    return listed(world, call.given, "/v1/webhook_endpoints", world.all("webhook_endpoint"), created=False)
