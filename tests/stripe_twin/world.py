"""All that the twin knows: objects by kind and id, events, jobs that are due later, and how it has been told to behave.

Everything runs in one event loop and no effect waits in its middle, so each request is alone with the world while it changes it.
"""

import copy
import heapq
import random
import secrets
import string
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from tests.stripe_twin.clock import DAY, Clock
from tests.stripe_twin.errors import missing
from tests.stripe_twin.faults import Faults
from tests.stripe_twin.given import Given
from tests.stripe_twin.idempotency import Keys
from tests.stripe_twin.ledger import Ledger

Object = dict[str, Any]
API_VERSION = "2026-10-28.endive"
PLATFORM = "acct_twin_platform"
_LETTERS = string.ascii_letters + string.digits


@dataclass
class Settings:
    """How the twin behaves where the real Stripe depends on the country, the contract or the day. Times are seconds of its clock."""

    fee_per_10_000: int = 290
    fee_fixed: int = 30
    dispute_fee: int = 1500
    available_after: float = 2 * DAY
    booked_after: float = 1  # a charge captured asynchronously has no balance transaction before
    refund_after: float = 10  # until a pending refund succeeds, or one fails that had succeeded
    payment_after: float = 5  # until a payment in `processing` ends
    dispute_after: float = 0  # until the holder of a card made for it disputes the charge
    payout_after: float = DAY
    authorised_for: float = 7 * DAY  # then an uncaptured payment is canceled
    evidence_for: float = 9 * DAY  # then a dispute without evidence is lost
    decision_after: float = 10  # from evidence to the bank's decision
    search_lag: float = 0  # until a new or changed object is found by search; up to a minute at Stripe
    latency: float = 0  # real seconds between a request's beginning and its effect

    def set(self, wanted: dict[str, Any]) -> None:
        """Raises:
        ValueError: no such setting.
        """
        for name, value in wanted.items():
            if name not in self.__dataclass_fields__:
                raise ValueError(f"no such setting: {name}; there are {list(self.__dataclass_fields__)}")
            kind = self.__dataclass_fields__[name].type
            setattr(self, name, int(value) if kind is int else float(value))


@dataclass
class Call:
    """One request: who asks, with what, and under which names it is known."""

    given: Given
    account: str = PLATFORM
    request_id: str | None = None
    key: str | None = None


@dataclass(order=True)
class Job:
    due: float
    number: int
    name: str = field(compare=False)
    args: tuple[Any, ...] = field(compare=False)


JOBS: dict[str, Callable[..., Any]] = {}


def job(function: Callable[..., Any]) -> Callable[..., Any]:
    """What can be done later: ``world.later(seconds, function, *args)``; the arguments are ids."""
    JOBS[f"{function.__module__}.{function.__name__}"] = function
    return function


def _tells_before(kind: str) -> bool:
    """Only events of a change say what the object was before."""
    return kind.endswith("updated") or kind in ("charge.captured", "charge.refunded", "transfer.reversed", "refund.failed")


class World:
    def __init__(self, speed: float = 1.0, base_url: str = "") -> None:
        self.clock = Clock()
        self.speed = speed
        self.base_url = base_url
        self.changes = 0  # counted by whoever may have changed something, for who keeps it in a file
        self.on_event: Callable[[Object], None] = lambda event: None
        self.on_job: Callable[[], None] = lambda: None
        self.on_delivery: Callable[[str, str, int], Awaitable[None]] | None = None
        self.forget()

    def forget(self) -> None:
        """Begins anew: no objects, no faults; the clock stays where it is."""
        self.settings = Settings()
        self.faults = Faults()
        self.keys = Keys(self.clock)
        self.ledger = Ledger()
        self.objects: dict[str, dict[str, Object]] = {}
        self.owners: dict[str, str] = {}
        self.order: dict[str, int] = {}
        self.touched: dict[str, float] = {}
        self.notes: dict[str, dict[str, Any]] = {}
        self.jobs: list[Job] = []
        self.numbers = 0
        self.random = random.Random(secrets.randbits(64))
        self.call: Call | None = None

    # ids and objects

    def next(self) -> int:
        self.numbers += 1
        return self.numbers

    def new_id(self, prefix: str, length: int = 24) -> str:
        return f"{prefix}_{''.join(self.random.choices(_LETTERS, k=length))}"

    def add(self, obj: Object, owner: str = PLATFORM) -> Object:
        self.objects.setdefault(obj["object"], {})[obj["id"]] = obj
        self.owners[obj["id"]] = owner
        self.order[obj["id"]] = self.next()
        self.touch(obj)
        return obj

    def touch(self, obj: Object) -> None:
        """Search finds an object only some time after it was last changed."""
        self.touched[obj["id"]] = self.clock.now()

    def note(self, id: str) -> dict[str, Any]:
        """What the twin knows of an object and Stripe does not tell."""
        return self.notes.setdefault(id, {})

    def find(self, kind: str, id: str, owner: str = PLATFORM) -> Object | None:
        found = self.objects.get(kind, {}).get(id)
        return found if found and self.owners[id] == owner else None

    def get(self, kind: str, id: str, *, owner: str = PLATFORM, param: str = "id", status: int = 404) -> Object:
        """Raises:
        StripeError: there is no such object of this account.
        """
        if found := self.find(kind, id, owner):
            return found
        raise missing(kind, id, param, status)

    def all(self, kind: str, owner: str | None = None) -> list[Object]:
        """Oldest first; of every account if no owner is named."""
        return [each for each in self.objects.get(kind, {}).values() if owner is None or self.owners[each["id"]] == owner]

    def anything(self, id: str) -> Object | None:
        for kept in self.objects.values():
            if id in kept:
                return kept[id]
        return None

    # events

    def change(self, obj: Object, kind: str | None = None, **values: Any) -> Object:
        """Changes an object, and tells of it if ``kind`` names the event; returns the values it had before."""
        before = {name: copy.deepcopy(obj.get(name)) for name, value in values.items() if obj.get(name) != value}
        obj.update(values)
        self.touch(obj)
        if kind:
            self.emit(kind, obj, before)
        return before

    def emit(self, kind: str, obj: Object, previous: Object | None = None, owner: str | None = None) -> Object:
        """An event with the object as it is now, queued for the endpoints that listen for it."""
        account = owner or self.owners.get(obj.get("id", ""), PLATFORM)
        event = {
            "id": self.new_id("evt"),
            "object": "event",
            "api_version": API_VERSION,
            "created": self.clock.seconds(),
            "data": {"object": copy.deepcopy(obj)}
            | ({"previous_attributes": previous} if previous and _tells_before(kind) else {}),
            "livemode": False,
            "pending_webhooks": 0,
            "request": {"id": self.call and self.call.request_id, "idempotency_key": self.call and self.call.key},
            "type": kind,
        }
        if account != PLATFORM:
            event["account"] = account
        self.add(event, account)
        self.on_event(event)
        return event

    # what is due later

    def ahead(self, seconds: float) -> float:
        """The moment that comes after a wait of so many of Stripe's seconds."""
        return self.clock.now() + seconds / self.speed

    def later(self, seconds: float, function: Callable[..., Any], *args: Any) -> None:
        self.at(self.ahead(seconds), function, *args)

    def at(self, moment: float, function: Callable[..., Any], *args: Any) -> None:
        name = f"{function.__module__}.{function.__name__}"
        assert name in JOBS, f"{name} is no job"
        heapq.heappush(self.jobs, Job(moment, self.next(), name, args))
        self.on_job()

    def next_due(self) -> float | None:
        return self.jobs[0].due if self.jobs else None

    def take_due(self) -> Job | None:
        if self.jobs and self.jobs[0].due <= self.clock.now():
            self.changes += 1
            return heapq.heappop(self.jobs)
        return None
