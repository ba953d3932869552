"""The test servers, and databases copied from templates."""

import pickle
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

import psycopg
import pytest
from sqlalchemy import event
from sqlmodel import Session

from shop.core import clock
from shop.core.db import Database

T = TypeVar("T")

#: A scene by the template that it begins with, its name, and when it was made: the day, or the moment at which the clock was held, and by
#: how much it was set forward.
Scene = tuple[str, str, date | datetime, timedelta]
#: So many scenes have a template at a time, of 25 MB or more each; the one that was not asked for longest makes room.
SCENES = 32
#: What took this process so many seconds of work to make is kept at once; anything else when it is made a second time.
DEAR = 1


class Cluster:
    """The servers of this process, and who creates and drops databases on them."""

    def __init__(self, database_url: str, redis_url: str) -> None:
        self.redis_url = redis_url
        self._database_url = database_url
        self._lock = threading.RLock()
        self._connection: psycopg.Connection[Any] | None = None

    def url(self, name: str) -> str:
        head, _, tail = self._database_url.partition("?")
        return f"{head.rsplit('/', 1)[0]}/{name}?{tail}"

    def sql(self, statement: str) -> None:
        with self._lock:
            if self._connection is None or self._connection.closed:
                self._connection = psycopg.connect(self.url("postgres").replace("+psycopg", ""), autocommit=True)
            self._connection.execute(statement.encode())

    def create(self, name: str, template: str = "template0") -> str:
        self.drop(name)
        self.copy(name, template)
        return self.url(name)

    def copy(self, name: str, template: str) -> None:
        self.sql(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")

    def drop(self, name: str) -> None:
        self.sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()


class Fresh(Database):
    """A database of its own for each test, one after the other: a copy of the template.

    It is copied when somebody first needs it. By then it is known whether the test begins with a scene that tests before it
    began with too; of such a scene there is a template as well, so it is made twice in a test run and not a thousand times.

    The engine is that of all tests, because it remembers every statement that it has once put together.
    """

    def __init__(self, cluster: Cluster, template: str) -> None:
        self._cluster = cluster
        self._template = template
        self._lock = threading.RLock()
        self._awaited = False
        self._begun = template
        self._patches: pytest.MonkeyPatch | None = None
        self._uses: Counter[Scene] = Counter()
        self._scenes: dict[Scene, tuple[str, bytes]] = {}
        super().__init__(cluster.url("test"), pool_size=20)
        self._shared = self.engine
        cluster.drop("test")  # what a killed run left
        event.listen(self.engine, "do_connect", lambda *_: self.appear())

    @property
    def url(self) -> str:
        """For those who connect past the engine."""
        self.appear()
        return self._url

    @url.setter
    def url(self, url: str) -> None:
        self._url = url

    @contextmanager
    def aside(self) -> Iterator[Session]:
        """One transaction that is no part of what a test does: who listens to its statements hears none of it."""
        with Session(self._shared, expire_on_commit=False, autoflush=False) as session, session.begin():
            yield session

    @property
    def untouched(self) -> bool:
        """Whether the test has done nothing yet but begin with scenes that were copied."""
        return self._awaited

    @property
    def patched(self) -> bool:
        """Whether the test has put something in the place of what the program says or what is set, besides the clock."""
        patches = self._patches
        return patches is not None and bool(patches._setitem or any(thing is not clock for thing, _, _ in patches._setattr))

    def await_use(self, patches: pytest.MonkeyPatch | None = None) -> None:
        """A test begins; what it patches it patches by ``patches``."""
        self._awaited, self._begun, self._patches = True, self._template, patches

    def appear(self) -> None:
        """Be there, if a test runs that did not need this database before."""
        with self._lock:
            if self._awaited:
                self._cluster.copy("test", self._begun)
                self._awaited = False

    def vanish(self) -> None:
        """The test has ended."""
        with self._lock:
            self.dispose()
            if not self._awaited:
                self._cluster.drop("test")
            self._awaited = False

    def begin_with(self, name: str, make: Callable[[], T]) -> T:
        """What ``make`` makes, or a copy of what it made for an earlier test, together with the database that it made it in.

        Only at the very beginning of a test, or right after another scene that was copied; and by the same clock: on the same day, or held
        at the same moment. Never in a thread of a test's own, where others may be at work.
        """
        if not self._awaited or threading.current_thread() is not threading.main_thread():
            return make()
        scene = self._begun, name, clock._fixed or clock.today(), clock._shift
        if scene in self._scenes:
            self._begun, made = self._scenes[scene] = self._scenes.pop(scene)
            return pickle.loads(made)  # type: ignore[no-any-return]
        began = time.process_time()
        things = make()
        self._uses[scene] += 1
        if self._uses[scene] == 2 or time.process_time() - began > DEAR:
            if len(self._scenes) == SCENES:
                template, _ = self._scenes.pop(next(iter(self._scenes)))
                self._cluster.drop(template)
            template = f"scene_{self._uses.total()}"
            self.appear()
            self.dispose()  # a database that is copied has no connections
            self._cluster.create(template, "test")
            self._scenes[scene] = template, pickle.dumps(things)
        return things


def begin_with(database: Database, name: str, make: Callable[[], T]) -> T:
    """See ``Fresh.begin_with``; any other database has the scene made."""
    return database.begin_with(name, make) if isinstance(database, Fresh) else make()


def step(database: Database, name: str, make: Callable[[], T]) -> T:
    """As ``begin_with``, for what many tests do first over HTTP; a test that has patched the program does it itself."""
    return make() if isinstance(database, Fresh) and database.patched else begin_with(database, name, make)
