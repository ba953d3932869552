"""The supervisor, run as a process of its own over trivial parts: starts, restarts, stops, and leaves nobody behind."""

import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shop.core.settings import Settings
from shop.demo.logins import demo_logins
from shop.launcher.errors import CannotStart
from shop.launcher.ground import scratch_folder
from shop.launcher.leftovers import mark_for, marked
from shop.launcher.processes import _announce, is_ready, server_url, usable_port

STAND_INS = Path(__file__).with_name("stand_ins.py")


class Shop:
    """A supervisor under test."""

    def __init__(self, data_dir: Path, port: int, *options: str) -> None:
        self.data_dir = data_dir
        self.process = subprocess.Popen(
            [sys.executable, str(STAND_INS), str(data_dir), str(port), *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # without what other tests set for the servers that they share
            env={name: value for name, value in os.environ.items() if not name.startswith("SHOP_")} | {"PYTHONPATH": os.getcwd()},
        )
        self.lines: list[str] = []
        self._arriving: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def wait_for(self, words: str) -> str:
        while True:
            line = self._arriving.get(timeout=30)
            if words in line:
                return line

    def worker(self) -> tuple[int, int]:
        """The process ids of the newest worker and its child."""
        assert eventually(lambda: "ids" in (self.data_dir / "logs" / "worker.log").read_text())
        lines = (self.data_dir / "logs" / "worker.log").read_text().splitlines()
        _, worker, child = next(line for line in reversed(lines) if line.startswith("ids")).split()
        return int(worker), int(child)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        code = self.process.wait(20)
        self._reader.join()
        assert self.process.stdout
        self.process.stdout.close()
        return code

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.append(line.rstrip())
            self._arriving.put(line.rstrip())


@pytest.fixture
def data_dir() -> Iterator[Path]:
    with scratch_folder() as folder:
        yield folder


@pytest.fixture
def port() -> int:
    return usable_port("127.0.0.1", 0)


def left(data_dir: Path) -> list[int]:
    """Processes of the shop and of its engines."""
    return marked(mark_for(data_dir)) + marked(mark_for(data_dir / "engines"))


def eventually(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_starts_says_where_and_stops_clean(data_dir: Path, port: int, number: signal.Signals) -> None:
    shop = Shop(data_dir, port)
    shop.wait_for("Ctrl-C stops everything")
    assert f"  address   http://127.0.0.1:{port}" in shop.lines
    assert any("demo-2026" in line for line in shop.lines)
    assert is_ready("127.0.0.1", port)
    shop.worker()
    assert len(left(data_dir)) == 3
    assert shop.end(number) == 0
    assert shop.lines[-1] == "Stopped."
    assert left(data_dir) == []


@pytest.mark.slow
def test_embedded_engines_come_and_go_with_the_shop_and_return_when_killed(data_dir: Path, port: int) -> None:
    shop = Shop(data_dir, port, "--engines")
    shop.wait_for("Ctrl-C stops everything")
    postmaster = int((data_dir / "engines" / "postgres" / "postmaster.pid").read_text().split()[0])
    os.kill(postmaster, signal.SIGKILL)
    assert "killed by SIGKILL" in shop.wait_for("postgres ended")
    os.kill(marked(f"{mark_for(data_dir / 'engines')}:valkey")[0], signal.SIGKILL)
    assert "killed by SIGKILL" in shop.wait_for("valkey ended")
    assert shop.end() == 0
    assert left(data_dir) == []


def test_first_time_steps_run_once(data_dir: Path, port: int) -> None:
    said = []
    for _ in range(2):
        shop = Shop(data_dir, port)
        shop.wait_for("Ctrl-C stops everything")
        shop.end()
        said.append("  seeded" in shop.lines)
    assert said == [True, False]
    assert (data_dir / "logs" / "seed.log").read_text().splitlines() == ["seeded"]
    assert (data_dir / "logs" / "migrate.log").read_text().splitlines() == ["migrated"] * 2


def test_a_killed_part_is_started_again_and_its_own_children_do_not_stay(data_dir: Path, port: int) -> None:
    shop = Shop(data_dir, port)
    shop.wait_for("Ctrl-C stops everything")
    before = shop.worker()
    os.kill(before[0], signal.SIGKILL)
    assert shop.wait_for("worker ended") == "worker ended (killed by SIGKILL); starting it again in 0.5 s"
    assert eventually(lambda: shop.worker() != before)
    assert not set(before) & set(left(data_dir))
    assert shop.end() == 0
    assert left(data_dir) == []


@pytest.mark.slow
def test_nothing_stays_when_the_supervisor_is_killed(data_dir: Path, port: int) -> None:
    first = Shop(data_dir, port)
    first.wait_for("Ctrl-C stops everything")
    _, grandchild = first.worker()
    first.end(signal.SIGKILL)
    assert eventually(lambda: left(data_dir) in ([], [grandchild]))
    second = Shop(data_dir, port)  # which ends the grandchild, and finds the port free
    second.wait_for("Ctrl-C stops everything")
    assert grandchild not in left(data_dir)
    second.end()
    assert left(data_dir) == []


@pytest.mark.slow
def test_a_second_start_says_in_one_line_that_the_data_are_in_use(data_dir: Path, port: int) -> None:
    first = Shop(data_dir, port)
    first.wait_for("Ctrl-C stops everything")
    second = Shop(data_dir, port)
    assert second.process.wait(10) == 1
    second.end()
    assert second.lines == [f"{data_dir} is in use by another start; stop that one, or set another SHOP_DATA_DIR"]
    first.end()


def test_a_taken_port_is_told_in_one_line(data_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        shop = Shop(data_dir, port)
        assert shop.process.wait(10) == 1
        shop.end()
    assert len(shop.lines) == 1
    assert shop.lines[0].startswith(f"cannot listen on 127.0.0.1 port {port}: address already in use")


def test_addresses_that_only_mean_everywhere_are_told_as_this_machine() -> None:
    assert server_url("0.0.0.0", 80) == "http://127.0.0.1:80"
    assert server_url("::", 80) == "http://[::1]:80"


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(CannotStart, match=r"cannot listen on 192\.0\.2\.1"):
        usable_port("192.0.2.1", 8000)


def test_user_names_and_passwords_stand_apart():
    lines: list[str] = []
    _announce(Settings(environment="development"), 8000, Path("data"), 1.0, lines.append, None)
    told = [line.split()[:2] for line in lines]
    assert all([username, password] in told for _, username, password in demo_logins())
