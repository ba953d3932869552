"""Shared fixtures: real PostgreSQL and Redis, a database of its own for each test, a real HTTP server.

The schema is migrated once into a template database; a test's database is a copy of it (some 30 ms), so everything commits for real
and parallel connections see what they would see in production.
"""

import itertools
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
import uvicorn

from shop.core import migrate
from shop.core.settings import settings
from shop.launcher.engines import engines

DATA_DIR = Path(os.environ.get("SHOP_TEST_DATA_DIR", ".data/test"))
_numbers = itertools.count()


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
        self.sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        self.sql(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        return self.url(name)

    def drop(self, name: str) -> None:
        self.sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """PostgreSQL and Redis for this test run."""
    with engines(DATA_DIR, durable=False) as urls:
        os.environ["SHOP_REDIS_URL"] = urls.redis_url
        settings.cache_clear()
        yield Cluster(urls.database_url, urls.redis_url)


@pytest.fixture(scope="session")
def empty_template(cluster: Cluster) -> str:
    """Migrated and holding the reference data: regions, programmes, working days."""
    from shop.demo.seed import seed_reference
    from shop.core.db import Database

    url = cluster.create("t_empty")
    migrate.upgrade(url)
    database = Database(url, pool_size=1)
    with database.unit_of_work() as session:
        seed_reference(session)
    database.dispose()
    return "t_empty"
