"""Finds and ends processes that outlived their launcher.

A launcher that was killed cannot stop what it started. So everything it starts carries a mark, in its command line or its
environment, and the next start looks for the mark. Process ids kept in files would not do: ids are reused, and where
process 1 does not reap, a dead process keeps its id for ever.
"""

import hashlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")


def mark_for(folder: Path) -> str:
    """The mark of all that works on ``folder``. The colon keeps it from looking like a path that a person types."""
    return f"shop:{short_hash(folder)}"


def short_hash(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]


def marked(mark: str) -> list[int]:
    """Living processes that carry ``mark``. The dead that nobody has reaped carry nothing any more."""
    return [pid for pid, text in _processes() if mark.encode() in text and pid != os.getpid()]


def command_line(pid: int) -> bytes:
    """The words of a living process' command line, separated by NUL; empty for all others."""
    with suppress(OSError):
        return (PROC / str(pid) / "cmdline").read_bytes()
    return b""


def end(mark: str, gently: signal.Signals = signal.SIGTERM, leader: int | None = None, patience: float = 10) -> None:
    """End all that carries ``mark``: ask (only ``leader``, if named), wait, then kill what remains."""
    for pid in marked(mark):
        if leader in (None, pid):
            _send(pid, gently)
    if not _gone(mark, patience):
        for pid in marked(mark):
            _send(pid, signal.SIGKILL)
        _gone(mark, 5)


def _gone(mark: str, patience: float) -> bool:
    deadline = time.monotonic() + patience
    while marked(mark):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _processes() -> Iterator[tuple[int, bytes]]:
    """(process id, command line and, where it may be read, environment)"""
    if not (PROC / "self").exists():
        yield from _processes_by_ps()
        return
    for name in os.listdir(PROC):
        if name.isdigit():
            pid = int(name)
            text = command_line(pid)
            # the environment of another user's process is closed even to a container's root: the engines' mark is in the open
            with suppress(OSError):
                text += b"\0" + (PROC / name / "environ").read_bytes()
            yield pid, text


def _processes_by_ps() -> Iterator[tuple[int, bytes]]:
    """The same on systems without /proc; the ``e`` adds the environment."""
    lines = subprocess.run(["ps", "axeww", "-o", "pid=,command="], capture_output=True, check=False).stdout.splitlines()  # noqa: S607
    for line in lines:
        pid, _, text = line.strip().partition(b" ")
        yield int(pid), text
