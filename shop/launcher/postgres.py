"""The embedded PostgreSQL: one cluster, reached through a private unix socket only."""

import os
import shutil
import signal
from contextlib import suppress
from pathlib import Path

import psycopg

from shop.launcher.children import Child, started
from shop.launcher.errors import CannotStart
from shop.launcher.ground import Ground, give
from shop.launcher.leftovers import command_line, end

DATABASE = "shop"
USER = "shop"

#: For a small machine that other programs use too.
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "work_mem": "16MB",
    "effective_cache_size": "1GB",
    "random_page_cost": "1.1",
    "jit": "off",  # compiling costs more than our short statements take
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
}

#: For tests: survives the death of any process, not of the machine. Commits stay synchronous: with fsync off that costs
#: next to nothing, and without it the last commits die with the server.
NOT_DURABLE = {"fsync": "off", "full_page_writes": "off"}

#: Nothing of the launcher's environment reaches the engines: it may hold secrets, and PG* variables that change them.
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def database_url(sockets: Path, database: str = DATABASE) -> str:
    return f"postgresql+psycopg://{USER}@/{database}?host={sockets}&port=5432"


class Postgres(Child):
    """A service of the launcher."""

    def __init__(self, ground: Ground, *, durable: bool = True) -> None:
        self.url = database_url(ground.sockets)
        self._ground = ground
        self._durable = durable
        self._cluster = ground.home / "postgres"
        self._mark = f"{ground.mark}:postgres"
        settings = SETTINGS | {"unix_socket_directories": str(ground.sockets), "cluster_name": self._mark}
        if not durable:
            settings |= NOT_DURABLE
        super().__init__(
            "postgres",
            [str(ground.binaries.postgres), "-D", str(self._cluster), *_options(settings)],
            env=ENVIRONMENT,
            log=ground.logs / "postgres.log",
            run_as=ground.run_as,
            stop_signal=signal.SIGINT,  # "fast": ends sessions, writes everything down
            patience=10,
        )

    def start(self) -> None:
        self._end_leftovers()
        if not self._cluster.exists():
            self._make_cluster()
        self._refuse_other_version()
        super().start()
        self.wait_until(self._answers, seconds=90)
        self._make_database()

    def _end_leftovers(self) -> None:
        """End a server that lost its launcher, and clear up behind one that was killed.

        A server that died may keep its process id, as a zombie, or another program may have it by now. PostgreSQL would
        take either for a running server. Its file goes only when no process of the cluster is left, because two servers
        on one cluster destroy it.
        """
        pid_file = self._cluster / "postmaster.pid"
        postmaster = _first_number(pid_file)
        end(self._mark, signal.SIGINT, leader=postmaster, patience=15)
        if postmaster is not None and os.fsencode(self._cluster) not in command_line(postmaster):
            for file in (pid_file, *self._ground.sockets.glob(".s.PGSQL.*")):
                file.unlink(missing_ok=True)

    def _make_cluster(self) -> None:
        """Made beside its place and moved there when complete, so that a half-made one is never taken for a cluster."""
        unfinished = self._cluster.with_suffix(".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        give(unfinished, self._ground.run_as)
        # PostgreSQL's own C.UTF-8 knows all letters on every system, whichever locales that has installed
        command = [
            str(self._ground.binaries.initdb),
            *("-D", str(unfinished), "-U", USER, "--auth=trust", "--encoding=UTF8", "--no-instructions"),
            *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
            *(() if self._durable else ("--no-sync",)),
        ]
        initdb = Child("initdb", command, env=ENVIRONMENT, log=self.log, run_as=self._ground.run_as)
        with started([initdb]):
            initdb.finish()
        unfinished.rename(self._cluster)

    def _refuse_other_version(self) -> None:
        made_by = (self._cluster / "PG_VERSION").read_text().strip()
        brought = self._ground.binaries.postgres_major
        if made_by != brought:
            raise CannotStart(f"{self._cluster} is of PostgreSQL {made_by}, this is {brought}: move the data by dump and restore")

    def _answers(self) -> bool:
        with suppress(psycopg.OperationalError), self._connect():
            return True
        return False

    def _make_database(self) -> None:
        with self._connect() as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                connection.execute(f"CREATE DATABASE {DATABASE}")

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(
            host=str(self._ground.sockets), port=5432, user=USER, dbname="postgres", autocommit=True, connect_timeout=5
        )


def _options(settings: dict[str, str]) -> list[str]:
    return [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]


def _first_number(file: Path) -> int | None:
    with suppress(OSError, ValueError, IndexError):
        return int(file.read_text().splitlines()[0])
    return None
