"""Requests that meet."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from shop.identity.models import User
from tests.conftest import Api, connect
from tests.factories.after_sales import token_of

T = TypeVar("T")


def sessions(api: Any, database: Any, user: User, count: int) -> list[Api]:
    """Sessions of one person, each on a connection of its own."""
    headers = [{"Authorization": f"Bearer {token_of(database, user)}"} for _ in range(count)]
    return [connect(str(api.base_url), database, each) for each in headers]


def at_once(calls: Sequence[Callable[[], T]]) -> list[T]:
    """What each of them comes to; they begin in the same moment."""
    ready = threading.Barrier(len(calls))

    def begin(call: Callable[[], T]) -> T:
        ready.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(begin, calls))


def post_at_once(clients: Sequence[Any], path: str, body: Any = None) -> list[Any]:
    """The answers to one request that all of them send in the same moment."""
    return at_once([lambda client=client: client.post(path, json=body) for client in clients])  # type: ignore[misc]
