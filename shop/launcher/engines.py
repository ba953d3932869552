"""The embedded engines as one: ``with engines(data_dir) as urls``."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from shop.launcher.children import started
from shop.launcher.ground import absolute, prepared, scratch_folder, socket_folder
from shop.launcher.postgres import Postgres, database_url
from shop.launcher.valkey import Valkey, redis_url


@dataclass(frozen=True)
class EngineUrls:
    """Where the engines answer, in the spelling of SQLAlchemy and of redis-py."""

    database_url: str
    redis_url: str


@contextmanager
def engines(data_dir: Path, durable: bool = True) -> Iterator[EngineUrls]:
    """PostgreSQL and Valkey for as long as the block runs; their data stay in ``data_dir``.

    Works as root and as an ordinary user, needs no TCP port, and takes over from a launcher that was killed. Call it
    from the main thread: the engines end with the thread that started them. ``durable=False`` trades safety against a
    power cut for speed.

    Raises:
        CannotStart: another start uses ``data_dir``, or the machine is in the way. The text is one line.
    """
    with prepared(data_dir) as ground:
        postgres, valkey = Postgres(ground, durable=durable), Valkey(ground, durable=durable)
        with started([postgres, valkey]):
            yield EngineUrls(postgres.url, valkey.url)


@contextmanager
def throw_away_engines() -> Iterator[EngineUrls]:
    """Fresh engines in a temporary folder, deleted afterwards."""
    with scratch_folder() as folder, engines(folder, durable=False) as urls:
        yield urls


def running(data_dir: Path) -> EngineUrls | None:
    """The engines that another process runs for ``data_dir``, if it does."""
    sockets = socket_folder((absolute(data_dir) / "engines").resolve())
    with suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(sockets / ".s.PGSQL.5432"))
        return EngineUrls(database_url(sockets), redis_url(sockets))
    return None
