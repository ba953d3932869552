"""The twin for its own tests, and a server that its webhooks go to."""

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import stripe

from tests.stripe_twin.fixture import Twin, twin, twin_process

__all__ = ["twin", "twin_process"]


class Listener:
    """An HTTP server that notes what Stripe's webhooks bring; ``answer`` is the status it gives."""

    def __init__(self) -> None:
        self.answer = 200
        self.got: list[tuple[bytes, str]] = []
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                listener.got.append((body, self.headers["stripe-signature"]))
                self.send_response(listener.answer)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hooks"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def events(self, secret: str) -> list[stripe.Event]:
        """What came, each checked by Stripe's own SDK."""
        return [stripe.Webhook.construct_event(body, sent, secret, api_key="sk_test_twin_x") for body, sent in self.got]

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.close()


@pytest.fixture
def client(twin: Twin) -> stripe.StripeClient:
    return twin.client()


def until(fact: Callable[[], Any], patience: float = 60) -> Any:
    """Waits until ``fact`` is true."""
    end = time.monotonic() + patience
    while not (found := fact()):
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.01)
    return found


def paid(
    client: stripe.StripeClient, amount: int = 10_000, method: str = "pm_card_bypassPending", **more: Any
) -> stripe.PaymentIntent:
    """A payment that went through, booked at once."""
    return client.v1.payment_intents.create(
        {
            "amount": amount,
            "currency": "cny",
            "payment_method": method,
            "allowed_payment_method_types": ["card"],
            "confirm": True,
            "capture_method": "automatic",
            **more,
        }
    )


def account(client: stripe.StripeClient, number: str = "000123456789") -> stripe.Account:
    """A connected account that has told everything."""
    return client.v1.accounts.create(
        {
            "type": "custom",
            "country": "HK",
            "business_type": "company",
            "company": {"name": "巫溪县老鹰茶合作社"},
            "capabilities": {"card_payments": {"requested": True}, "transfers": {"requested": True}},
            "external_account": {
                "object": "bank_account",
                "country": "CN",
                "currency": "cny",
                "account_number": number,
            },
            "tos_acceptance": {"date": 1_795_000_000, "ip": "192.0.2.1"},
        }
    )
