"""Webhooks: signed, at least once, retried for three days, in no order; and, by seed, lost, doubled, shuffled or late."""

import hashlib
import hmac
import json
import random
import time
from collections import Counter
from collections.abc import Awaitable
from typing import Any

import httpx

from tests.stripe_twin.clock import HOUR, MINUTE
from tests.stripe_twin.objects.webhook_endpoints import secrets_of
from tests.stripe_twin.world import PLATFORM, Object, World, job

# seconds from one attempt to the next: about three days in all
BACKOFF = (5, 30, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 12 * HOUR, 12 * HOUR, 12 * HOUR, 12 * HOUR)
TIMEOUT = 10.0
RATES = ("drop", "double", "shuffle", "delay")


def signature(body: bytes, secrets: list[str], moment: int) -> str:
    """The header Stripe-Signature, with one signature for each secret."""
    signed = f"{moment}.".encode() + body
    return ",".join([f"t={moment}", *(f"v1={hmac.new(each.encode(), signed, hashlib.sha256).hexdigest()}" for each in secrets)])


class Post:
    """Brings events to the endpoints that listen for them."""

    def __init__(self, world: World) -> None:
        self.world = world
        # a storm waits for its turn; only the endpoint itself can be too slow
        self.client = httpx.AsyncClient(
            timeout=httpx.Timeout(TIMEOUT, pool=None),
            limits=httpx.Limits(max_connections=20),
            verify=False,
            trust_env=False,
        )
        self.set({})
        world.on_event = self.queue
        world.on_delivery = self.deliver

    def set(self, wanted: dict[str, Any]) -> None:
        """``drop``, ``double``, ``shuffle`` and ``delay`` are shares of the deliveries; ``off`` sends nothing at all.

        Raises:
            ValueError: no such setting.
        """
        if unknown := set(wanted) - {"seed", "off", "shuffle_seconds", "delay_seconds", *RATES}:
            raise ValueError(f"no such setting: {sorted(unknown)}")
        self.seed = int(wanted.get("seed", 0))
        self.off = bool(wanted.get("off", False))
        self.rates = {name: float(wanted.get(name, 0)) for name in RATES}
        self.shuffle_seconds = float(wanted.get("shuffle_seconds", 1))
        self.delay_seconds = float(wanted.get("delay_seconds", 60))
        self.random = random.Random(self.seed)
        self.counts: Counter[str] = Counter()

    def report(self) -> dict[str, Any]:
        return {"seed": self.seed, "off": self.off, **self.rates, "happened": dict(self.counts)}

    def queue(self, event: Object) -> None:
        self.counts["events"] += 1
        for endpoint in self.listeners(event):
            event["pending_webhooks"] += 1
            if self.off:
                self.counts["silenced"] += 1
                continue
            if self._meets("drop"):
                continue
            copies = self.random.randint(2, 5) if self._meets("double") else 1
            for _ in range(copies):
                wait = self.random.uniform(0, self.shuffle_seconds) if self._meets("shuffle") else 0
                wait += self.delay_seconds if self._meets("delay") else 0
                self.world.later(wait, attempt, event["id"], endpoint["id"], 0)

    def _meets(self, what: str) -> bool:
        met = self.rates[what] > 0 and self.random.random() < self.rates[what]
        self.counts[what] += met
        return met

    def listeners(self, event: Object) -> list[Object]:
        connected = event.get("account", PLATFORM) != PLATFORM
        return [
            each
            for each in self.world.all("webhook_endpoint")
            if each["status"] == "enabled"
            and self.world.note(each["id"])["connect"] == connected
            and ("*" in each["enabled_events"] or event["type"] in each["enabled_events"])
        ]

    def resend(self, event: Object) -> int:
        """Once more to everybody who listens, as by hand in Stripe's dashboard."""
        listeners = self.listeners(event)
        for endpoint in listeners:
            self.world.later(0, attempt, event["id"], endpoint["id"], len(BACKOFF))
        return len(listeners)

    async def deliver(self, event_id: str, endpoint_id: str, tried: int) -> None:
        """One attempt; if the answer is not 2xx, the next one is planned."""
        world = self.world
        event = world.anything(event_id)
        endpoint = world.find("webhook_endpoint", endpoint_id)
        if event is None or endpoint is None or endpoint["status"] != "enabled":
            return
        body = json.dumps(event, indent=2, ensure_ascii=False).encode()
        # signed by the machine's clock, not the twin's: who checks the age knows no other
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
            "Stripe-Signature": signature(body, secrets_of(world, endpoint), int(time.time())),
        }
        counts = self.counts  # those of this test, should the world begin anew before the answer comes
        counts["sent"] += 1
        counts["retried"] += tried > 0
        try:
            taken = (await self.client.post(endpoint["url"], content=body, headers=headers)).is_success
        except (httpx.HTTPError, httpx.InvalidURL):
            taken = False
        told = world.note(event_id).setdefault("told", [])
        if taken:
            counts["delivered"] += 1
            self.world.changes += 1
            if endpoint_id not in told:
                told.append(endpoint_id)
                event["pending_webhooks"] -= 1
        elif tried < len(BACKOFF):
            world.later(BACKOFF[tried], attempt, event_id, endpoint_id, tried + 1)
        else:
            counts["given_up"] += 1


@job
def attempt(world: World, event_id: str, endpoint_id: str, tried: int) -> Awaitable[None] | None:
    return world.on_delivery(event_id, endpoint_id, tried) if world.on_delivery else None
