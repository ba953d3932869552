"""Child processes that stop when asked, end with their parent, and leave nobody behind."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from shop.launcher.errors import CannotStart
from shop.launcher.run_as import RunAs

MAX_LOG_BYTES = 20 * 1024 * 1024


class Service(Protocol):
    """What the launcher starts, watches and stops."""

    name: str

    def start(self) -> None:
        """Start it, over the remains of an earlier run if need be.

        Raises:
            CannotStart: it did not come up.
        """

    def alive(self) -> bool: ...

    def ended(self) -> str:
        """How it ended, in words."""

    def stop(self) -> None:
        """Stop it, if it runs."""


class Child:
    """One child process, with a log file and a process group of its own."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        log: Path,
        run_as: RunAs | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        patience: float = 5,
    ) -> None:
        self.name = name
        self.log = log
        self._command = list(command)
        self._env = dict(env)
        self._run_as = run_as or RunAs()
        self._stop_signal = stop_signal
        self._patience = patience
        self._process: subprocess.Popen[bytes] | None = None
        self._log_begin = 0

    def start(self) -> None:
        self._end_group()
        with _open_log(self.log) as log:
            self._log_begin = os.fstat(log).st_size
            self._process = subprocess.Popen(  # noqa: S603
                self._run_as.bound(self._command, self._stop_signal),
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Ctrl-C reaches the launcher alone, which then stops the parts in order
                start_new_session=True,
            )

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def ended(self) -> str:
        code = self._process.poll() if self._process else None
        if code is None:
            return "not started"
        return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"

    def stop(self) -> None:
        if self._process and self.alive():
            self._process.send_signal(self._stop_signal)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(self._patience)
        self._end_group()

    def wait_until(self, ready: Callable[[], bool], seconds: float) -> None:
        """Wait for a child that was just started.

        Raises:
            CannotStart: it ended or took too long.
        """
        deadline = time.monotonic() + seconds
        while not ready():
            if not self.alive():
                raise CannotStart(f"{self.name} did not start ({self.ended()}): {last_words(self.log)}")
            if time.monotonic() > deadline:
                raise CannotStart(f"{self.name} was not ready after {seconds:.0f} s: {last_words(self.log)}")
            time.sleep(0.02)

    def finish(self, show: Callable[[str], None] = lambda line: None) -> None:
        """Wait for a child that does one thing and ends; ``show`` gets each line that it writes meanwhile.

        Raises:
            CannotStart: it failed.
        """
        with self.log.open(errors="replace") as log:
            log.seek(self._log_begin)
            line = ""
            running = True
            while running:
                running = self.alive()  # asked before reading, so that the last lines are read too
                for piece in log:
                    line += piece
                    if line.endswith("\n"):
                        show(line.rstrip())
                        line = ""
                time.sleep(0.02)
        if self._process and self._process.returncode != 0:
            raise CannotStart(f"{self.name} failed ({self.ended()}): {last_words(self.log)}")

    def _end_group(self) -> None:
        """Kill what is left of the process group, such as workers whose parent was killed. Then reap the child."""
        if self._process:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


@contextmanager
def started(services: Sequence[Service]) -> Iterator[None]:
    """Start in order; stop in reverse, whatever happens."""
    with stopped_afterwards(services[::-1]):
        for service in services:
            service.start()
        yield


@contextmanager
def stopped_afterwards(services: Sequence[Service]) -> Iterator[None]:
    """Stop in order, whatever happens, what was started by then."""
    try:
        yield
    finally:
        for service in services:
            service.stop()


def last_words(log: Path) -> str:
    """The line of a log that most likely says what went wrong, and where to read on."""
    with suppress(OSError):
        lines = [line for line in log.read_text(errors="replace").splitlines()[-40:] if line.strip()]
        telling = [line for line in lines if any(word in line for word in ("FATAL", "PANIC", "Fatal", "Error"))]
        if lines:
            return f"{(telling or lines)[-1].strip()} (more in {log})"
    return f"nothing in {log}"


@contextmanager
def _open_log(path: Path) -> Iterator[int]:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > MAX_LOG_BYTES:
        path.replace(path.with_suffix(".log.1"))
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
