"""The demo pays by a stand-in, and nothing else does."""

import subprocess
import time
from pathlib import Path

import httpx
import pytest
from cryptography.fernet import Fernet

from shop.core.settings import Settings
from shop.launcher.errors import CannotStart
from shop.launcher.processes import shop_plan, usable_port
from shop.launcher.stand_in import HOST, USUAL_PORT, StandIn, stand_in, wanted


@pytest.mark.parametrize(
    ("given", "is_wanted"),
    [
        ({"demo": True}, True),
        ({"demo": False}, False),
        ({"demo": True, "stripe_key": "sk_test_abcdefgh"}, False),
        ({"environment": "production", "sealing_keys": Fernet.generate_key().decode(), "sealing_index_key": "x"}, False),
    ],
)
def test_it_is_for_demos_without_a_key(given, is_wanted, monkeypatch):
    for name in ("SHOP_STRIPE_KEY", "SHOP_STRIPE_BASE", "SHOP_DEMO"):
        monkeypatch.delenv(name, raising=False)
    settings = Settings(**given)
    assert wanted(settings) is is_wanted
    assert (shop_plan(settings).payments is not None) is is_wanted


def test_another_port_if_the_usual_one_is_taken():
    def taken(host: str, port: int) -> int:
        if port == USUAL_PORT:
            raise CannotStart("taken")
        return 40_000

    assert stand_in(taken).port == 40_000
    assert stand_in(lambda host, port: port).port == USUAL_PORT


def test_its_settings_are_ones_that_a_demo_starts_with():
    given = {name.removeprefix("SHOP_").lower(): value for name, value in StandIn(12111).environment.items()}
    assert Settings(**given).stripe_base == "http://127.0.0.1:12111"


def answers(made: StandIn) -> bool:
    try:
        return httpx.get(f"{made.url}/_twin/health", trust_env=False).is_success
    except httpx.TransportError:
        return False


def test_it_starts_wherever_one_stands(tmp_path: Path):
    made = StandIn(usable_port(HOST, 0))
    process = subprocess.Popen(made.command("http://127.0.0.1:1", tmp_path), cwd=tmp_path, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while not answers(made):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
    finally:
        process.terminate()
        process.wait(10)
