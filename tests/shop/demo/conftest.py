"""A marketplace with two months of demo data, made once and copied for each test."""

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from fastapi import FastAPI
from sqlalchemy import text

from orders.online.actions.reconciling import reconcile
from orders.online.provider import provider
from orders.reconcile import actions as reconciling
from shop.core import clock, outbox, rate_limits
from shop.core.db import Database
from shop.core.settings import settings
from shop.demo import seed
from tests.conftest import Server
from tests.stripe_twin.fixture import Twin, twin, twin_process
from workers.handlers import HANDLERS

__all__ = ["twin", "twin_process"]

MONTHS = 2


@pytest.fixture(scope="session")
def demo_template(cluster, template) -> str:
    """The name of a database that holds the demo data."""
    name = "template_demo"
    database = Database(cluster.create(name, template), pool_size=1)
    with database.unit_of_work() as session:
        assert seed.load(session, lambda _: None, MONTHS)
    outbox.drain(database, HANDLERS)  # else every copy would begin with it
    database.dispose()
    return name


@pytest.fixture(scope="session")
def demo(cluster, demo_template) -> Iterator[Database]:
    """The demo data, for tests that only look."""
    database = Database(cluster.create("demo_shown", demo_template), pool_size=2)
    yield database
    database.dispose()
    cluster.drop("demo_shown")


@pytest.fixture
def demo_database(cluster, demo_template) -> Iterator[Database]:
    """A copy of the demo data of one's own."""
    database = Database(cluster.create("demo_copy", demo_template), pool_size=20)
    yield database
    database.dispose()
    cluster.drop("demo_copy")


@pytest.fixture(scope="session")
def demo_app(cluster) -> Iterator[FastAPI]:
    """The application that lets the demo move its clock, made once: its description takes seconds."""
    from shop.app import create_app

    unbound = Database(cluster.url("postgres"), pool_size=1)
    with pytest.MonkeyPatch.context() as switched:
        switched.setenv("SHOP_DEMO", "1")
        settings.cache_clear()
        app = create_app(unbound)
    settings.cache_clear()
    yield app
    unbound.dispose()


@pytest.fixture
def demo_server(demo_app, demo_database, twin: Twin, monkeypatch) -> Iterator[str]:
    """The address of a server that lets the demo move its clock, with a worker and the stand-in for online payments beside it."""
    monkeypatch.setenv("SHOP_DEMO", "1")
    monkeypatch.setenv("SHOP_SIGN_IN_RATE_PER_MINUTE", "1000")
    monkeypatch.setenv("SHOP_STRIPE_KEY", twin.key)
    monkeypatch.setenv("SHOP_STRIPE_BASE", twin.url)
    monkeypatch.setattr(clock, "_shift", timedelta(0))
    settings.cache_clear()
    provider.cache_clear()
    rate_limits.forget_all()
    demo_app.state.database = demo_database
    server = Server(demo_app)
    server.start()
    with _worker(demo_database):
        yield server.address()
    server.server.should_exit = True
    server.join(10)
    monkeypatch.undo()
    settings.cache_clear()
    provider.cache_clear()


class _worker:  # noqa: N801  used like a function
    """Does what is due in the outbox and at the provider of online payments, and compares the books when somebody asks, as the real worker does, until
    the test ends."""

    def __init__(self, database: Database) -> None:
        self.database, self.over = database, threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def __enter__(self) -> None:
        self.thread.start()

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join(60)

    def run(self) -> None:
        asked = provider()
        while not self.over.wait(0.2):
            outbox.drain(self.database, HANDLERS)
            reconciling.run_asked(self.database)
            if asked and self.is_paying():
                reconcile(self.database, asked, patience=timedelta(0))

    def is_paying(self) -> bool:
        with self.database.session() as session:
            return bool(session.execute(text("SELECT EXISTS (SELECT FROM online_payment WHERE ended_at IS NULL)")).scalar())
