"""The server as production runs it: processes that share what was loaded once, that are replaced, and that leave nobody behind."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time

import httpx
import psutil
import pytest

from shop.launcher.processes import is_ready, usable_port

pytestmark = pytest.mark.slow(15)
HOST = "127.0.0.1"


class Served:
    def __init__(self, database, cluster, folder, log):
        self.port = usable_port(HOST, 0)
        environment = os.environ | {
            "SHOP_DATABASE_URL": database.url,
            "SHOP_REDIS_URL": cluster.redis_url,
            "SHOP_DATA_DIR": str(folder),
            "SHOP_PORT": str(self.port),
            "SHOP_PROCESSES": "2",
        }
        self.process = subprocess.Popen([sys.executable, "-m", "shop.cli", "serve"], env=environment, stdout=log, stderr=log)

    @property
    def children(self):
        return psutil.Process(self.process.pid).children(recursive=True)

    def answers(self):
        return is_ready(HOST, self.port)


@pytest.fixture
def served(database, cluster, tmp_path):
    with (tmp_path / "api.log").open("wb") as log:
        made = Served(database, cluster, tmp_path, log)
        try:
            assert eventually(made.answers), (tmp_path / "api.log").read_text()[-2000:]
            yield made
        finally:
            with contextlib.suppress(psutil.NoSuchProcess):
                for each in [*made.children, made.process]:
                    each.kill()
            made.process.wait(20)


def eventually(holds, seconds=60):
    deadline = time.monotonic() + seconds
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.1)
    return holds()


def test_the_processes_hold_what_was_loaded_once_and_count_together(served):
    for child in served.children:
        held = child.memory_full_info()
        assert held.uss < held.rss / 3, (held.uss >> 20, held.rss >> 20)
    for _ in range(20):
        assert httpx.get(f"http://{HOST}:{served.port}/healthz").status_code == 200
    told = httpx.get(f"http://{HOST}:{served.port}/metrics").text
    (line,) = [line for line in told.splitlines() if line.startswith("shop_requests_total") and '"/healthz"' in line]
    assert float(line.split()[-1]) == 20


def test_connections_are_dealt_out_though_one_process_is_slow_to_wake(served):
    def taken(child):
        return sum(
            each.status == psutil.CONN_ESTABLISHED and each.laddr.port == served.port for each in child.net_connections("tcp")
        )

    [first, second] = served.children
    with contextlib.ExitStack() as held:
        for child in (first, second):
            child.suspend()
        for _ in range(40):
            held.enter_context(socket.create_connection((HOST, served.port)))
        first.resume()
        assert eventually(lambda: taken(first))
        time.sleep(0.5)  # to take them all, if it could
        second.resume()
        assert eventually(lambda: taken(first) + taken(second) == 40)
        assert min(taken(first), taken(second)) >= 4


def test_a_second_server_at_the_same_place_is_refused(served):
    environment = os.environ | {"SHOP_PORT": str(served.port), "SHOP_DATABASE_URL": "postgresql://nobody@nowhere/none"}
    again = subprocess.run(
        [sys.executable, "-m", "shop.cli", "serve"], env=environment, capture_output=True, timeout=60, check=False
    )
    assert again.returncode != 0
    assert b"address already in use" in again.stderr.lower() + again.stdout.lower()


def test_a_process_that_dies_is_replaced_and_a_stop_ends_all_even_one_that_has_just_begun(served):
    before = {child.pid for child in served.children}
    assert len(before) == 2
    os.kill(min(before), signal.SIGKILL)
    assert eventually(lambda: {child.pid for child in served.children} - before)
    children = served.children
    served.process.terminate()
    assert served.process.wait(20) == 0
    assert not any(child.is_running() for child in children)
