"""How long the program takes to start, and how much memory its processes hold."""

import os
import subprocess
import sys
import time

import psutil

from tests.bench.ground import Ground, Row, api, row


def run(made: Ground) -> list[Row]:
    environment = os.environ | {
        "SHOP_DATABASE_URL": made.database_url,
        "SHOP_REDIS_URL": made.redis_url,
        "SHOP_DATA_DIR": str(made.data_dir),
    }
    log = (made.data_dir / "parts.log").open("wb")
    started = time.perf_counter()
    with api(made):
        ready = time.perf_counter() - started
        parts = {
            name: subprocess.Popen([sys.executable, "-m", "shop.cli", name], env=environment, stdout=log, stderr=log)
            for name in ("worker", "beat")
        }
        time.sleep(8)
        server = next(each for each in psutil.Process().children() if "serve" in each.cmdline())
        held = {"API (two processes)": _memory(server)} | {name: _memory(psutil.Process(part.pid)) for name, part in parts.items()}
        for part in parts.values():
            part.terminate()
        for part in parts.values():
            part.wait(30)
    log.close()
    total = sum(held.values())
    return [
        row("API ready after start", ready, "s"),
        *(row(f"memory: {name}", value, "MiB") for name, value in held.items()),
        row(
            "memory: two API processes, worker and beat", total, "MiB", floor=_bare_python(), goal="below 400 MiB", met=total < 400
        ),
    ]


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
