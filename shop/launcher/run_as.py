"""The user that a child runs as, and the promise that it dies with us."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict


class Identity(TypedDict, total=False):
    """The part of ``subprocess.Popen``'s arguments that says who runs."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class RunAs:
    """A user; without a name, the launcher's own."""

    name: str | None = None
    uid: int = -1
    gid: int = -1

    def identity(self) -> Identity:
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.name else {}

    def run(self, command: Sequence[str], env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command to its end. What cannot be run at all comes back like a command that failed."""
        try:
            return subprocess.run(  # noqa: S603
                command,
                env=env,
                cwd="/",  # the present folder may be closed to that user
                capture_output=True,
                text=True,
                check=False,
                preexec_fn=dying_with_parent(signal.SIGKILL),
                **self.identity(),
            )
        except (OSError, subprocess.SubprocessError) as error:
            return subprocess.CompletedProcess(command, 126, "", str(error))


def dying_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    """For ``preexec_fn``: ask Linux to send ``number`` when the launcher dies, even by kill -9.

    Elsewhere the next start ends what was left.
    """
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl  # looked up before the fork: afterwards little may be called
    parent = os.getpid()
    set_parent_death_signal = 1

    def ask() -> None:
        prctl(set_parent_death_signal, int(number))
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)

    return ask
