"""A cluster restored to a moment of its past, as after a disaster: from a base backup, and the log that was written since then."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg

from shop.launcher.children import started
from shop.launcher.ground import Ground, prepared, scratch_folder
from shop.launcher.postgres import Postgres, database_url
from tests.conftest import Cluster

#: What a base backup leaves out: the log comes from where it is kept, and the running server's own marks are not the copy's.
_LEFT_OUT = {"pg_wal", "postmaster.pid", "postmaster.opts"}


class Backup:
    """A base backup of a running cluster, taken while it works."""

    def __init__(self, cluster: Cluster, ground: Ground) -> None:
        self._ground = ground
        self._copy = ground.home / "postgres"
        self._connection = psycopg.connect(cluster.url("postgres").replace("+psycopg", ""), autocommit=True)
        self._live = Path(str(self._one("SHOW data_directory")))
        self._connection.execute("ALTER SYSTEM SET wal_keep_size = '16GB'")
        self._connection.execute("SELECT pg_reload_conf()")
        self._connection.execute("SELECT pg_backup_start('point in time', fast => true)")
        self._copy.mkdir(mode=0o700)
        copied = [path for path in self._live.iterdir() if path.name not in _LEFT_OUT]
        # there are some ten thousand files; a running server drops files of its own meanwhile, and the log says so
        subprocess.run(["cp", "-a", *copied, self._copy], check=False, stderr=subprocess.DEVNULL)
        label = self._one("SELECT labelfile FROM pg_backup_stop(wait_for_archive => false)")
        (self._copy / "backup_label").write_text(str(label))
        (self._copy / "pg_wal").mkdir()

    def close(self) -> None:
        self._connection.execute("ALTER SYSTEM RESET wal_keep_size")
        self._connection.execute("SELECT pg_reload_conf()")
        self._connection.close()

    def moment(self) -> datetime:
        """The present moment, by the clock of the database."""
        found: datetime = self._one("SELECT clock_timestamp()")
        return found

    @contextmanager
    def restored(self, moment: datetime, database: str) -> Iterator[str]:
        """The address of ``database`` in a cluster that is as this one was at ``moment``, for as long as the block runs."""
        self._connection.execute("SELECT pg_switch_wal()")
        with (self._copy / "postgresql.auto.conf").open("a") as settings:
            settings.write(f'restore_command = \'cp "{self._live}/pg_wal/%f" "%p"\'\n')
            settings.write(f"recovery_target_time = '{moment.isoformat()}'\nrecovery_target_action = 'promote'\n")
        (self._copy / "recovery.signal").touch()
        self._give_away()
        with started([Postgres(self._ground, durable=False)]):
            url = database_url(self._ground.sockets, database)
            with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
                while connection.execute("SELECT pg_is_in_recovery()").fetchone() != (False,):
                    time.sleep(0.1)
            yield url

    @contextmanager
    def standby(self, database: str) -> Iterator[str]:
        """The address of ``database`` in a cluster that follows this one, for as long as the block runs."""
        with (self._copy / "postgresql.auto.conf").open("a") as settings:
            settings.write(f"primary_conninfo = 'host={self._connection.info.host} port=5432 user={self._connection.info.user}'\n")
        (self._copy / "standby.signal").touch()
        self._give_away()
        with started([Postgres(self._ground, durable=False)]):
            yield database_url(self._ground.sockets, database)

    def _one(self, statement: str) -> Any:
        row = self._connection.execute(statement.encode()).fetchone()
        assert row is not None
        return row[0]

    def _give_away(self) -> None:
        """What was not copied belongs to the user that the server runs as, too."""
        if self._ground.run_as.name:
            for path in (self._copy, *self._copy.iterdir()):
                os.chown(path, self._ground.run_as.uid, self._ground.run_as.gid)


@contextmanager
def backup(cluster: Cluster) -> Iterator[Backup]:
    """A base backup of the cluster as it is now; dropped afterwards."""
    with scratch_folder() as folder, prepared(folder) as ground:
        made = Backup(cluster, ground)
        try:
            yield made
        finally:
            made.close()
