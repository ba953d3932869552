"""The compose file, as far as it can be shown without Docker: its commands in their order, as its roles, against a PostgreSQL."""

import os
import re
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import yaml
from cryptography.fernet import Fernet
from sqlalchemy.engine import make_url

from shop.core.settings import Settings

ROOT = Path(__file__).parents[2]
FILE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES = FILE["services"]
#: What runs the program; the first three run once, in this order.
ONCE, LASTING = ("migrate", "grants", "seed"), ("api", "worker", "beat")
SECRETS = {
    "SHOP_DATABASE_PASSWORD": "OwnerSecret1",
    "SHOP_ROLE_PASSWORD": "RoleSecret2",
    "SHOP_REDIS_PASSWORD": "RedisSecret3",
    "SHOP_SEALING_KEYS": Fernet.generate_key().decode(),
    "SHOP_SEALING_INDEX_KEY": "IndexSecret4",
    "SHOP_PUBLIC_URL": "https://shop.example",
}


def environment(service, **chosen):
    """Of a service, with what has to be set put in, and what may be; a name without a value is handed on if it is set."""
    known = {**SECRETS, **chosen}
    told = {
        name: str(value or known.get(name)) for name, value in SERVICES[service]["environment"].items() if value or name in known
    }
    return {name: re.sub(r"\$\{(\w+):[?-][^}]*\}", lambda found: known.get(found[1], ""), value) for name, value in told.items()}


def test_each_waits_for_what_it_needs():
    for before, after in (("postgres", "migrate"), ("migrate", "grants"), ("grants", "seed")):
        assert before in SERVICES[after]["depends_on"]
    for lasting in LASTING:
        assert SERVICES[lasting]["depends_on"]["seed"] == {"condition": "service_completed_successfully"}


def test_only_what_changes_the_schema_knows_the_owner():
    for service in (*ONCE, *LASTING):
        url = make_url(environment(service)["SHOP_DATABASE_URL"])
        owner = service in ("migrate", "grants")
        assert (url.username, url.password) == (("shop", "OwnerSecret1") if owner else ("shop_api", "RoleSecret2")), service
        assert ("OwnerSecret1" in str(environment(service))) is owner
        assert SERVICES[service]["environment"]["SHOP_ENVIRONMENT"] == "production"


def test_how_money_comes_in_reaches_whatever_runs():
    money = {
        "SHOP_BANK_ACCOUNT_NUMBER": "3100021009014400123",
        "SHOP_BANK_ACCOUNT_NAME": "代收代付专户",
        "SHOP_BANK_NAME": "重庆分行",
        "SHOP_BANK_CODE": "102653000001",
        "SHOP_STRIPE_KEY": "sk_live_1234567890",
        "SHOP_STRIPE_PUBLISHABLE_KEY": "pk_live_1234567890",
        "SHOP_STRIPE_WEBHOOK_SECRETS": "whsec_1234567890",
    }
    for service in (*ONCE, *LASTING):
        assert money.items() <= environment(service, **money).items(), service
        assert not money.keys() & environment(service).keys(), service  # an empty one would be refused


def test_every_setting_that_has_a_default_is_handed_on_if_it_is_set():
    chosen = {
        "SHOP_STATISTICS_DATABASE_URL": "postgresql+psycopg://shop_api:x@replica/shop",
        "SHOP_OCDS_PREFIX": "ocds-abc123",
        "SHOP_PUBLISHER": "某平台",
        "SHOP_OPEN_CONTRACTS_FROM_FEN": "500000",
        "SHOP_PUBLIC_RATE_PER_MINUTE": "100",
        "SHOP_SIGN_IN_RATE_PER_MINUTE": "5",
        "SHOP_DEVICE_RATE_PER_MINUTE": "60",
    }
    assert {name.removeprefix("SHOP_").lower() for name in chosen} <= Settings.model_fields.keys()
    for service in (*ONCE, *LASTING):
        assert chosen.items() <= environment(service, **chosen).items(), service
        assert not chosen.keys() & environment(service).keys(), service  # an empty one would take the place of the default


def test_a_worker_makes_its_files_on_disk():
    worker = SERVICES["worker"]
    assert worker["environment"]["TMPDIR"] in worker["volumes"]
    assert worker["environment"]["TMPDIR"] not in worker["tmpfs"]


@pytest.fixture
def run(cluster, tmp_path):
    """Run the command of a service in an empty database of its own; the addresses alone are those of the test servers."""
    cluster.create("composed")
    here = make_url(cluster.url("composed"))

    def command(service):
        told = {**environment(service), "SHOP_DATA_DIR": str(tmp_path), "SHOP_REDIS_URL": cluster.redis_url}
        url = make_url(told["SHOP_DATABASE_URL"])
        told["SHOP_DATABASE_URL"] = here.set(username=url.username, password=url.password).render_as_string(hide_password=False)
        told = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **{name: value for name, value in told.items() if value}}
        words = [sys.executable, "-m", "shop.cli", *SERVICES[service]["command"]]
        return subprocess.run(words, env=told, capture_output=True, text=True, timeout=300, check=False)

    yield command
    cluster.drop("composed")
    cluster.sql("DROP ROLE IF EXISTS shop_api")


@pytest.mark.slow(seconds=58)
def test_the_commands_run_in_their_order_and_again(cluster, run):
    refused = run("seed")
    assert refused.returncode != 0  # there is no such role yet
    for _ in range(2):  # an update runs them again
        for service in ONCE:
            done = run(service)
            assert done.returncode == 0, (service, done.stdout, done.stderr)
    address = make_url(cluster.url("composed")).set(drivername="postgresql", username="shop_api")
    with psycopg.connect(address.render_as_string(hide_password=False), autocommit=True) as connection:
        assert connection.execute("SELECT count(*) > 0 FROM region").fetchone() == (True,)
        assert connection.execute("SELECT rolpassword IS NULL FROM pg_roles WHERE rolname = 'shop_api'").fetchone() == (False,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DELETE FROM money_posting")
