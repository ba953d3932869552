"""Shared fixtures: real PostgreSQL and Redis, a database of its own for each test, a real HTTP server.

The schema is migrated once into a template database; a test's database is a copy of it (some 30 ms), so everything commits for real
and parallel connections see what they would see in production. The copy is made when the test first needs it: by then it is known
whether it begins with a scene that an earlier test made too, of which there is a copy then.
"""

import gc
import os
import shutil
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import hypothesis
import pytest
import uvicorn

from shop.core import clock, migrate, rate_limits
from shop.core.db import Database
from shop.core.settings import settings
from shop.identity.models import User
from shop.launcher.engines import engines
from tests.databases import Cluster, Fresh
from tests.factories.identity import access_token

# A busy machine is no fault of the code: nothing here is measured in time.
hypothesis.settings.register_profile("shop", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("shop")

# The database is on this machine and has its clock; a test that counts statements counts none that looks at it.
clock._followed = float("inf")
# What is loaded now stays until the end: no use in searching it for garbage, again and again.
gc.disable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # a long test that begins last keeps one processor busy and leaves the others idle; its neighbours, which begin with the same scene, come
    # along: what is made for one of them another process would have to make again
    longest: dict[Path, int] = {}
    for item in items:
        if marker := item.get_closest_marker("slow"):
            longest[item.path.parent] = max(marker.kwargs.get("seconds", 0), longest.get(item.path.parent, 0))
    items.sort(key=lambda item: -longest.get(item.path.parent, 0))
    for item in items:
        if item.get_closest_marker("control"):
            item.add_marker(pytest.mark.flaky(reruns=9))


def pytest_collection_finish() -> None:
    gc.freeze()
    # one in thirty seconds of a run went into searching for garbage at the server's own threshold
    gc.set_threshold(50_000, 10, 10)
    gc.enable()


_MEMORY = Path("/dev/shm")
_ROOM = 4 << 30


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


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """PostgreSQL and Redis for this test run."""
    with data_dir() as folder, engines(folder, durable=False) as urls:
        os.environ["SHOP_DATA_DIR"] = str(folder)
        os.environ["SHOP_REDIS_URL"] = urls.redis_url
        # one address sends all requests of a test run
        os.environ["SHOP_PUBLIC_RATE_PER_MINUTE"] = "100000"
        settings.cache_clear()
        servers = Cluster(urls.database_url, urls.redis_url)
        yield servers
        servers.close()


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
def fresh(cluster: Cluster, template: str) -> Iterator[Fresh]:
    """What all tests reach their databases through."""
    kept = Fresh(cluster, template)
    yield kept
    kept.vanish()


@pytest.fixture
def database(request: pytest.FixtureRequest, fresh: Fresh) -> Iterator[Database]:
    """A fresh copy of the template, dropped afterwards."""
    shared = fresh.engine
    fresh.engine = shared.execution_options()  # who listens to the statements of one test hears no other
    fresh.await_use(request.getfixturevalue("monkeypatch") if "monkeypatch" in request.fixturenames else None)
    yield fresh
    fresh.vanish()
    fresh.engine = shared


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
        signed_in = SignedIn(self.database, user)
        if not (isinstance(self.database, Fresh) and self.database.untouched):
            signed_in.header()
        client = connect(str(self.base_url), self.database)
        client.auth = signed_in
        return client


class SignedIn(httpx.Auth):
    """Has every request sent as a user. While a test has not touched its database the user signs in with the first request: a client alone
    must not keep the next scene from being copied."""

    def __init__(self, database: Database, user: User) -> None:
        self._database, self._user = database, user
        self._lock = threading.Lock()
        self._header = ""

    def header(self) -> str:
        with self._lock:
            if not self._header:
                transaction = self._database.aside if isinstance(self._database, Fresh) else self._database.unit_of_work
                with transaction() as session:
                    self._header = f"Bearer {access_token(session, self._user)}"
            return self._header

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if "Authorization" not in request.headers:
            request.headers["Authorization"] = self.header()
        yield request


_connected: list[Api] = []
#: Nothing here speaks TLS, and every client would make a context of its own.
_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def connect(address: str, database: Database, headers: dict[str, str] | None = None) -> Api:
    """A client of its own; all are closed when the test ends."""
    client = Api(base_url=address, headers={"Accept-Language": "en", **(headers or {})}, timeout=60, verify=_TLS, trust_env=False)
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


@pytest.fixture
def on() -> Iterator[Callable[..., None]]:
    """Hold the clock at noon of a Shanghai day: ``on(2026, 10, 6)``."""
    with ExitStack() as held:
        yield lambda *day: held.enter_context(clock.fixed(datetime(*day, 4, tzinfo=UTC)))
