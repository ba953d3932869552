"""The twin for other tests: ``from tests.stripe_twin.fixture import twin, twin_process`` in a conftest.

One process for the whole run, begun anew for each test.
"""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import stripe

KEY = "sk_test_twin_fixture"


class Twin:
    """What a test says to the twin."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.key = KEY
        self.webhook_secret = ""
        self.http = httpx.Client(base_url=url, timeout=60, trust_env=False)

    def tell(self, path: str, /, **what: Any) -> dict[str, Any]:
        """POST to ``/_twin/path``.

        Raises:
            httpx.HTTPStatusError: the twin refused.
        """
        answer = self.http.post(f"/_twin/{path}", json=what)
        answer.raise_for_status()
        return dict(answer.json())

    def ask(self, path: str) -> dict[str, Any]:
        return dict(self.http.get(f"/_twin/{path}").raise_for_status().json())

    def client(self, key: str = KEY, retries: int = 0, timeout: float = 20) -> stripe.StripeClient:
        """Stripe's own SDK, whose every address is the twin."""
        return stripe.StripeClient(
            key,
            base_addresses={"api": self.url, "files": self.url, "connect": self.url, "meter_events": self.url},
            max_network_retries=retries,
            http_client=stripe.RequestsClient(timeout=timeout),
        )

    def state(self) -> dict[str, Any]:
        return self.ask("state")

    def objects(self, kind: str) -> list[dict[str, Any]]:
        """All objects of a kind, oldest first."""
        return list(self.ask(f"state?kind={kind}")["objects"][kind])

    def check(self) -> list[str]:
        """Where the twin disagrees with itself; empty when all is well."""
        return list(self.ask("check")["found"])

    def faults(self, **wanted: Any) -> dict[str, Any]:
        """Sets faults (``seed, rate, kinds, script, path, methods, hang``), or tells what happened if nothing is said."""
        return self.tell("faults", **wanted) if wanted else self.ask("faults")

    def webhooks(self, **wanted: Any) -> dict[str, Any]:
        return self.tell("webhooks", **wanted) if wanted else self.ask("webhooks")

    def settings(self, **wanted: Any) -> dict[str, Any]:
        return self.tell("settings", **wanted)

    def advance(self, seconds: float) -> None:
        """Puts the twin's clock forward; what becomes due on the way is done."""
        self.tell("clock", advance=seconds)

    def settle(self) -> None:
        """Waits until everything that is due has been done and sent."""
        assert self.tell("settle", patience=50)["settled"], "the twin does not come to rest"

    def pay(self, intent: str, outcome: str = "approve") -> dict[str, Any]:
        """What the customer does on the page of the bank or wallet."""
        return self.tell(f"pay/{intent}", outcome=outcome)

    def listen(self, url: str, *events: Any, connect: bool = False) -> dict[str, Any]:
        """Has events sent to ``url``; the secret is in ``webhook_secret``."""
        made = self.client().v1.webhook_endpoints.create({"url": url, "enabled_events": list(events or ("*",)), "connect": connect})
        self.webhook_secret = str(made.secret)
        return dict(made.to_dict())

    def reset(self) -> None:
        self.webhook_secret = ""
        self.tell("reset")


def start(*args: str) -> tuple[subprocess.Popen[str], Twin]:
    """A twin on a free port; the first line that it prints is its address."""
    process = subprocess.Popen([sys.executable, "-m", "tests.stripe_twin", "--port", "0", *args], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline().split()
    assert line[:1] == ["stripe_twin"], "the twin did not start"
    return process, Twin(line[1])


def stop(process: subprocess.Popen[str], twin: Twin) -> None:
    twin.http.close()
    process.terminate()
    process.wait(10)
    if process.stdout:
        process.stdout.close()


@pytest.fixture(scope="session")
def twin_process() -> Iterator[Twin]:
    process, twin = start()
    yield twin
    stop(process, twin)


@pytest.fixture
def twin(twin_process: Twin) -> Twin:
    """The twin with nothing in it."""
    twin_process.reset()
    return twin_process
