"""Shared fixtures: real PostgreSQL and Redis, a database of its own for each test, a real HTTP server.

The schema is migrated once into a template database; a test's database is a copy of it (some 30 ms), so everything commits for real
and parallel connections see what they would see in production.
"""

import copy
import os
import shutil
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import hypothesis
import psycopg
import pytest
import uvicorn

from shop.core import clock, migrate, rate_limits
from shop.core.db import Database
from shop.core.settings import settings
from shop.identity.models import User
from shop.launcher.engines import engines
from tests.factories.identity import access_token

# A busy machine is no fault of the code: nothing here is measured in time.
hypothesis.settings.register_profile("shop", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("shop")

# The database is on this machine and has its clock; a test that counts statements counts none that looks at it.
clock._followed = float("inf")

_MEMORY = Path("/dev/shm")
_ROOM = 3 << 30


@contextmanager
def data_dir() -> Iterator[Path]:
    """Where the servers of this process keep their data; each process of a parallel run has servers of its own.

    In memory, if the machine has room there, for to copy a database on a disk takes ten times as long; deleted afterwards. A folder that
    ``SHOP_TEST_DATA_DIR`` names is kept.
    """
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    if named := os.environ.get("SHOP_TEST_DATA_DIR"):
        yield Path(named) / worker
        return
    checkout = Path(__file__).parent.parent
    roomy = _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM
    # the same name each time: what a killed run left is taken over
    kept = _MEMORY / f"shop-test-{os.getuid()}-{zlib.crc32(bytes(checkout)):08x}" if roomy else checkout / ".data" / "test"
    folder = kept / worker
    folder.mkdir(parents=True, exist_ok=True)
    yield folder
    shutil.rmtree((folder / "engines").resolve(), ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)
    with suppress(OSError):  # another process is still there
        kept.rmdir()


class Cluster:
    """The test servers, and databases copied from templates."""

    def __init__(self, database_url: str, redis_url: str) -> None:
        self.database_url = database_url
        self.redis_url = redis_url

    def url(self, name: str) -> str:
        head, _, tail = self.database_url.partition("?")
        return f"{head.rsplit('/', 1)[0]}/{name}?{tail}"

    def sql(self, statement: str) -> None:
        with psycopg.connect(self.url("postgres").replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(statement.encode())

    def create(self, name: str, template: str = "template0") -> str:
        self.drop(name)
        self.sql(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        return self.url(name)

    def drop(self, name: str) -> None:
        self.sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """PostgreSQL and Redis for this test run."""
    with data_dir() as folder, engines(folder, durable=False) as urls:
        os.environ["SHOP_DATA_DIR"] = str(folder)
        os.environ["SHOP_REDIS_URL"] = urls.redis_url
        # one address sends all requests of a test run
        os.environ["SHOP_PUBLIC_RATE_PER_MINUTE"] = "100000"
        settings.cache_clear()
        yield Cluster(urls.database_url, urls.redis_url)


@pytest.fixture(scope="session")
def template(cluster: Cluster) -> str:
    """A database that is migrated and holds the reference data: regions, programmes, working days."""
    from shop import reference

    url = cluster.create("template_shop")
    migrate.upgrade(url)
    database = Database(url, pool_size=1)
    with database.unit_of_work() as session:
        reference.load(session)
    database.dispose()
    return "template_shop"


@pytest.fixture(scope="session")
def engine(cluster: Cluster) -> Iterator[Database]:
    """What all tests reach their databases through: the engine remembers every statement that it has once put together."""
    kept = Database(cluster.url("test"), pool_size=20)
    yield kept
    kept.dispose()


@pytest.fixture
def database(cluster: Cluster, template: str, engine: Database) -> Iterator[Database]:
    """A fresh copy of the template, dropped afterwards."""
    cluster.create("test", template)
    database = copy.copy(engine)
    database.engine = engine.engine.execution_options()  # who listens to the statements of one test hears no other
    yield database
    database.dispose()
    cluster.drop("test")


class Server(threading.Thread):
    """The real HTTP server on a free port of this machine, in a thread; tests bind it to their database."""

    def __init__(self, app: Any) -> None:
        super().__init__(daemon=True)
        self.app = app
        self.server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, lifespan="off"))

    def run(self) -> None:
        self.server.run()

    def address(self) -> str:
        while not self.server.started:
            time.sleep(0.01)
        port = self.server.servers[0].sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}"


@pytest.fixture(scope="session")
def server(cluster: Cluster) -> Iterator[Server]:
    from shop.app import create_app

    unbound = Database(cluster.url("postgres"), pool_size=1)
    server = Server(create_app(unbound))
    server.start()
    server.address()
    yield server
    server.server.should_exit = True
    server.join(10)
    unbound.dispose()


class Api(httpx.Client):
    """An HTTP client of the marketplace; ``as_`` signs in as somebody."""

    database: Database

    def as_(self, user: User) -> "Api":
        """The same server, with every request sent as ``user``."""
        with self.database.unit_of_work() as session:
            token = access_token(session, user)
        return connect(str(self.base_url), self.database, {"Authorization": f"Bearer {token}"})


_connected: list[Api] = []


def connect(address: str, database: Database, headers: dict[str, str] | None = None) -> Api:
    """A client of its own; all are closed when the test ends."""
    client = Api(base_url=address, headers={"Accept-Language": "en", **(headers or {})}, timeout=60, verify=False, trust_env=False)
    client.database = database
    _connected.append(client)
    return client


@pytest.fixture
def api(server: Server, database: Database) -> Iterator[Api]:
    """A client that nobody signed in to; the server works on this test's database."""
    rate_limits.forget_all()
    server.app.state.database = database
    yield connect(server.address(), database)
    while _connected:
        _connected.pop().close()
