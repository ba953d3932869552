"""Other places that speak Stripe's language: localstripe, if there is one, and Stripe itself, if there is a key."""

import importlib.util
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import pytest
import stripe

# started like this because it would listen on every interface and write all it knows to one fixed file at each change
_LOCALSTRIPE = """
import sys
from aiohttp import web
from localstripe import resources, server
resources.Store.dump_to_disk = lambda self: None
web.run_app(server.app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
"""


def _interpreter() -> str | None:
    """A Python that has localstripe (GPL-3.0: it runs as a process of its own and nothing of it is imported here)."""
    named = os.environ.get("LOCALSTRIPE_PYTHON")
    return named or (sys.executable if importlib.util.find_spec("localstripe") else None)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def localstripe() -> Iterator[stripe.StripeClient]:
    python = _interpreter()
    if python is None:
        pytest.skip(
            "localstripe is not installed; set LOCALSTRIPE_PYTHON to a Python that has it (pip install localstripe==1.15.10)"
        )
    port = _free_port()
    process = subprocess.Popen([python, "-c", _LOCALSTRIPE, str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    for _ in range(100):
        try:
            httpx.get(url, trust_env=False)
            break
        except httpx.TransportError:
            assert process.poll() is None, "localstripe did not start"
            time.sleep(0.1)
    yield stripe.StripeClient(
        "sk_test_localstripe", base_addresses={"api": url, "files": url, "connect": url, "meter_events": url}, max_network_retries=0
    )
    process.terminate()
    process.wait(10)


@pytest.fixture(scope="session")
def real_stripe() -> stripe.StripeClient:
    key = os.environ.get("STRIPE_TEST_KEY")
    if not key:
        pytest.skip("STRIPE_TEST_KEY is not set: nothing was compared with Stripe itself")
    assert key.startswith("sk_test_"), "only a key of a sandbox will do"
    return stripe.StripeClient(key, max_network_retries=2)
