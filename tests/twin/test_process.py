"""The twin as a process: quick to start, on this machine only, and the same after a restart if it keeps a file."""

import socket
import time
from pathlib import Path

from tests.stripe_twin.fixture import start, stop
from tests.twin.conftest import Listener, account, paid


def test_starts_quickly_and_listens_on_this_machine_only() -> None:
    began = time.monotonic()
    process, twin = start()
    took = time.monotonic() - began
    try:
        assert twin.ask("health")["twin"] == "stripe"
        port = int(twin.url.rsplit(":", 1)[1])
        others = {each[4][0] for each in socket.getaddrinfo(socket.gethostname(), port, type=socket.SOCK_STREAM)} - {
            "127.0.0.1",
            "::1",
        }
        for address in others:
            with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
                probe.settimeout(0.5)
                assert probe.connect_ex((address, port)) != 0, address
    finally:
        stop(process, twin)
    assert took < 30, "far more than the half second that it takes on an idle machine"


def test_a_kept_file_brings_everything_back(tmp_path: Path, listener: Listener) -> None:
    args = ("--store", str(tmp_path / "twin.json"), "--webhook", listener.url, "--webhook-secret", "whsec_demo")
    process, twin = start(*args)
    twin.settings(refund_after=3600)
    client = twin.client()
    supplier = account(client)
    done = paid(client, method="pm_card_refundFail")
    paid(client, 50_000)
    client.v1.transfers.create({"amount": 900, "currency": "cny", "destination": supplier.id}, {"idempotency_key": "transfer:1"})
    refund = client.v1.refunds.create({"payment_intent": done.id}, {"idempotency_key": "refund:1"})
    twin.settle()
    before = twin.state()
    stop(process, twin)

    process, twin = start(*args)
    try:
        after = twin.state()
        assert after["objects"] == before["objects"]
        assert after["balances"] == before["balances"]
        client = twin.client()
        assert client.v1.refunds.create({"payment_intent": done.id}, {"idempotency_key": "refund:1"}).id == refund.id
        listener.got.clear()
        twin.advance(3700)
        assert client.v1.refunds.retrieve(refund.id).status == "failed"
        assert "refund.failed" in {each.type for each in listener.events("whsec_demo")}
        assert twin.check() == []
    finally:
        stop(process, twin)
