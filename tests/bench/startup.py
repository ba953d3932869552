"""How long the program takes to start, and how much memory its processes hold."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil
import psycopg

from tests.bench.ground import Ground, Row, api, row


def run(made: Ground) -> list[Row]:
    environment = os.environ | {
        "SHOP_DATABASE_URL": made.database_url,
        "SHOP_REDIS_URL": made.redis_url,
        "SHOP_DATA_DIR": str(made.data_dir),
    }
    started = time.perf_counter()
    with api(made):
        ready = time.perf_counter() - started
        with _part("worker", environment) as worker, _part("beat", environment) as beat:
            _wait_for_a_heartbeat(made)
            server = next(each for each in psutil.Process().children() if "serve" in each.cmdline())
            held = {"API (two processes)": _memory(server), "worker": _memory(worker), "beat": _memory(beat)}
    total = sum(held.values())
    return [
        row("API ready after start", ready, "s"),
        *(row(f"memory: {name}", value, "MiB") for name, value in held.items()),
        row(
            "memory: two API processes, worker and beat", total, "MiB", floor=_bare_python(), goal="below 400 MiB", met=total < 400
        ),
    ]


@contextlib.contextmanager
def _part(name: str, environment: Mapping[str, str]) -> Iterator[psutil.Process]:
    log = Path(environment["SHOP_DATA_DIR"], f"{name}.log")
    with log.open("wb") as output:
        part = subprocess.Popen([sys.executable, "-m", "shop.cli", name], env=environment, stdout=output, stderr=output)
        try:
            yield psutil.Process(part.pid)
        finally:
            part.terminate()
            part.wait(30)


def _wait_for_a_heartbeat(made: Ground) -> None:
    """Until the worker has done what the beat asked of it: before that it may still be loading."""
    with psycopg.connect(made.dsn, autocommit=True) as connection:
        for _ in range(120):
            if connection.execute("SELECT name FROM worker_heartbeat").fetchone():
                return
            time.sleep(1)
    raise RuntimeError("no heartbeat")


def _memory(process: psutil.Process) -> float:
    """Proportional set size of a process and its children in MiB: shared pages are counted once."""
    return sum(each.memory_full_info().pss for each in [process, *process.children(recursive=True)]) / 2**20


def _bare_python() -> float:
    """The floor: six interpreters that have imported nothing."""
    idle = [subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) for _ in range(6)]
    time.sleep(1)
    held = sum(_memory(psutil.Process(each.pid)) for each in idle)
    for each in idle:
        each.communicate(b"\n")
    return held
