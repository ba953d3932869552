"""Settings that do not fit are refused at the start, in one line."""

import os
import subprocess
import sys

import pytest
from cryptography.fernet import Fernet
from pydantic import ValidationError

from shop.core import sealing
from shop.core.settings import Settings, settings

KEY = Fernet.generate_key().decode()


@pytest.mark.parametrize("given", [{}, {"sealing_keys": KEY}, {"sealing_index_key": "x"}])
def test_production_names_the_keys_of_personal_data(given):
    with pytest.raises(ValidationError, match="new-keys"):
        Settings(environment="production", **given)
    assert Settings(environment="production", sealing_keys=KEY, sealing_index_key="x")


def test_what_is_no_key_is_refused_without_being_shown():
    with pytest.raises(ValidationError, match="Fernet keys") as refusal:
        Settings(sealing_keys=f"{KEY},not-a-key")
    assert KEY not in str(refusal.value)
    assert "not-a-key" not in str(refusal.value)


def run(*arguments, **environment):
    command = [sys.executable, "-m", "shop.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment}, timeout=60, check=False)


def test_the_command_says_in_one_line_what_is_missing():
    done = run("migrate", SHOP_ENVIRONMENT="production")
    assert done.returncode == 1
    assert done.stderr.strip().splitlines() == [
        "shop: production needs SHOP_SEALING_KEYS and SHOP_SEALING_INDEX_KEY; `shop new-keys` makes them"
    ]


def test_new_keys_are_keys():
    made = dict(line.split("=", 1) for line in run("new-keys").stdout.split())
    assert Settings(
        environment="production", sealing_keys=made["SHOP_SEALING_KEYS"], sealing_index_key=made["SHOP_SEALING_INDEX_KEY"]
    )


def test_a_new_key_before_the_old_one_reads_what_was_sealed(monkeypatch):
    def use(keys):
        monkeypatch.setenv("SHOP_SEALING_KEYS", keys)
        monkeypatch.setenv("SHOP_SEALING_INDEX_KEY", "index")
        settings.cache_clear()
        sealing.forget_keys()

    try:
        use(KEY)
        sealed, told_apart = sealing.seal({"name": "张三"}), sealing.keyed_hash("person", "1")
        newer = Fernet.generate_key().decode()
        use(f"{newer},{KEY}")
        assert sealing.unseal(sealed) == {"name": "张三"}
        assert sealing.keyed_hash("person", "1") == told_apart
        use(newer)
        with pytest.raises(sealing.Unreadable):
            sealing.unseal(sealed)
    finally:
        monkeypatch.undo()
        settings.cache_clear()
        sealing.forget_keys()


IN_PRODUCTION = {"environment": "production", "sealing_keys": KEY, "sealing_index_key": "x"}
STAND_IN = {"stripe_key": "sk_test_twin_demo", "stripe_base": "http://127.0.0.1:12111"}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"stripe_key": "sk_live_abcdefgh", "stripe_base": "http://127.0.0.1:12111"}, "a real key goes to Stripe alone"),
        ({"stripe_key": "sk_test_abcdefgh", "stripe_base": "http://127.0.0.1:12111"}, "a real key goes to Stripe alone"),
        ({"stripe_base": "http://127.0.0.1:12111"}, "a real key goes to Stripe alone"),
        ({"stripe_key": "sk_test_twin_demo"}, "needs stripe_base"),
        ({**STAND_IN, "stripe_base": "http://pay.example.com"}, "an address of this machine"),
        ({**STAND_IN, "stripe_base": "http://127.0.0.1.example.com"}, "an address of this machine"),
        ({**STAND_IN, "stripe_base": "https://127.0.0.1"}, "an address of this machine"),
        ({**IN_PRODUCTION, **STAND_IN}, "production does not start with it"),
        ({**IN_PRODUCTION, "stripe_key": "sk_live_abcdefgh"}, "needs stripe_webhook_secrets"),
        ({"stripe_key": "pk_live_abcdefgh"}, "pattern"),
        ({"stripe_webhook_secrets": "whsec_a,whsec_b,whsec_c"}, "pattern"),
    ],
)
def test_money_is_real_or_it_is_not(given, says):
    with pytest.raises(ValidationError, match=says) as refusal:
        Settings(**given)
    assert "sk_live_abcdefgh" not in str(refusal.value)


def test_keys_of_payments_that_fit():
    assert Settings(**STAND_IN).stripe_secrets == []
    rotating = Settings(**IN_PRODUCTION, stripe_key="sk_live_abcdefgh", stripe_webhook_secrets="whsec_old,whsec_new")
    assert rotating.stripe_secrets == ["whsec_old", "whsec_new"]
