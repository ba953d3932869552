"""Real engines in temporary folders: they keep their data whoever dies, and start for root and others alike."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from shop.launcher.engines import EngineUrls, engines, running
from shop.launcher.errors import CannotStart
from shop.launcher.ground import give, note_on, scratch_folder, socket_folder
from shop.launcher.leftovers import mark_for, marked
from shop.launcher.run_as import RunAs

HOLDER = """
import sys, time
from pathlib import Path
from shop.launcher.engines import engines
with engines(Path(sys.argv[1]), durable=False):
    print("started", flush=True)
    time.sleep(60)
"""

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="about root's folders")


@pytest.fixture
def data_dir() -> Iterator[Path]:
    with scratch_folder() as folder:
        yield folder


def remember(urls: EngineUrls) -> None:
    with connect(urls) as connection:
        connection.execute("CREATE TABLE kept (word text)")
        connection.execute("INSERT INTO kept VALUES ('柠檬')")
    with redis.Redis.from_url(urls.redis_url) as client:
        client.set("kept", "柠檬")


def assert_remembered(urls: EngineUrls) -> None:
    with connect(urls) as connection:
        assert connection.execute("SELECT word FROM kept").fetchall() == [("柠檬",)]
    with redis.Redis.from_url(urls.redis_url) as client:
        assert client.get("kept") == "柠檬".encode()


def assert_set_up(urls: EngineUrls) -> None:
    with connect(urls) as connection:
        shown = [connection.execute(f"SHOW {name}").fetchone() for name in ("server_encoding", "fsync", "jit")]
        assert shown == [("UTF8",), ("on",), ("off",)]
        assert connection.execute("SELECT lower('ÀЖ'), '大' ~ '^\\w$'").fetchone() == ("àж", True)
    with redis.Redis.from_url(urls.redis_url) as client:
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert client.config_get("appendonly") == {"appendonly": "yes"}


def connect(urls: EngineUrls) -> psycopg.Connection:
    return psycopg.connect(urls.database_url.replace("+psycopg", ""))


def process_of(server: str, data_dir: Path) -> int:
    home = (data_dir / "engines").resolve()
    if server == "postgres":
        return int((home / "postgres" / "postmaster.pid").read_text().split()[0])
    return marked(f"{mark_for(home)}:valkey")[0]


def nothing_runs(data_dir: Path) -> bool:
    return not marked(mark_for((data_dir / "engines").resolve()))


def holder(data_dir: Path) -> subprocess.Popen[str]:
    """Another process that runs the engines of ``data_dir``."""
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(data_dir)], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "started\n"
    return process


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


@pytest.mark.slow
def test_second_start_finds_the_data_and_nothing_runs_in_between(data_dir: Path) -> None:
    with engines(data_dir) as urls:
        assert_set_up(urls)
        remember(urls)
        assert running(data_dir) == urls
    assert nothing_runs(data_dir)
    assert running(data_dir) is None
    with engines(data_dir) as urls:
        assert_remembered(urls)


@pytest.mark.slow
@pytest.mark.parametrize("server", ["postgres", "valkey"])
def test_data_survive_a_killed_server(data_dir: Path, server: str) -> None:
    with engines(data_dir, durable=False) as urls:
        remember(urls)
        os.kill(process_of(server, data_dir), signal.SIGKILL)
    with engines(data_dir, durable=False) as urls:
        assert_remembered(urls)


@pytest.mark.slow
@pytest.mark.parametrize("also", [[], ["postgres", "valkey"]])
def test_data_survive_a_killed_launcher(data_dir: Path, also: list[str]) -> None:
    launcher = holder(data_dir)
    urls = running(data_dir)
    assert urls
    remember(urls)
    doomed = [process_of(server, data_dir) for server in also]
    kill(launcher)
    for process in doomed:
        os.kill(process, signal.SIGKILL)
    with engines(data_dir, durable=False) as urls:
        assert_remembered(urls)


@pytest.mark.slow
def test_stale_process_id_of_another_program_does_not_stop_the_start(data_dir: Path) -> None:
    with engines(data_dir, durable=False) as urls:
        remember(urls)
        pid_file = data_dir / "engines" / "postgres" / "postmaster.pid"
        content = pid_file.read_text().split("\n", 1)[1]
    owner = pid_file.parent.stat().st_uid
    # PostgreSQL believes in the file when a process of its own user has that id
    stranger = subprocess.Popen(["sleep", "60"], user=owner if os.geteuid() == 0 else None)
    try:
        pid_file.write_text(f"{stranger.pid}\n{content}")
        os.chown(pid_file, owner, -1)
        with engines(data_dir, durable=False) as urls:
            assert_remembered(urls)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


@pytest.mark.slow
def test_second_start_beside_the_first_is_refused(data_dir: Path) -> None:
    launcher = holder(data_dir)
    try:
        with pytest.raises(CannotStart, match=f"^{data_dir} is in use by another start"), engines(data_dir):
            pass
        assert running(data_dir)
    finally:
        kill(launcher)
        with engines(data_dir, durable=False):  # waits for what the killed one left
            pass


@pytest.mark.parametrize("name", ["x" * 90, "有 汉字"])
def test_sockets_go_where_their_address_fits(data_dir: Path, name: str) -> None:
    assert socket_folder(data_dir) == data_dir / "sockets"
    assert len(str(socket_folder(data_dir / name))) < 30


@pytest.mark.slow
def test_folder_whose_name_does_not_fit_into_a_socket_address(data_dir: Path) -> None:
    with engines(data_dir / "很深的 文件夹", durable=False) as urls:
        remember(urls)
        assert running(data_dir / "很深的 文件夹") == urls
    shutil.rmtree(Path(urls.redis_url.removeprefix("unix://")).parent)


@pytest.mark.slow
@only_root
def test_folder_that_only_root_may_enter(data_dir: Path) -> None:
    closed = data_dir / "closed"
    closed.mkdir(mode=0o700)
    home = None
    try:
        for visit in (remember, assert_remembered):
            with engines(closed / ".data", durable=False) as urls:
                visit(urls)
                home = (closed / ".data" / "engines").resolve()
        assert home
        assert not home.is_relative_to(closed)
        assert str(home) in (note_on(closed / ".data") or "")
        assert closed.stat().st_mode & 0o777 == 0o700
    finally:
        if home:
            shutil.rmtree(home)


@pytest.mark.slow
@only_root
def test_data_move_along_when_their_folder_gets_closed(data_dir: Path) -> None:
    project = data_dir / "project"
    project.mkdir()
    with engines(project / ".data", durable=False) as urls:
        remember(urls)
    project.chmod(0o700)
    with engines(project / ".data", durable=False) as urls:
        assert_remembered(urls)
    shutil.rmtree((project / ".data" / "engines").resolve())


@only_root
def test_a_strangers_folder_is_refused(data_dir: Path) -> None:
    folder = data_dir / "sockets"
    give(folder, RunAs())
    os.chown(folder, 12345, 12345)
    with pytest.raises(CannotStart, match="not a private folder"):
        give(folder, RunAs())
