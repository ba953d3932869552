"""The user that a child runs as."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict


class Identity(TypedDict, total=False):
    """The part of ``subprocess``'s arguments that says who runs."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class RunAs:
    """A user; without a name, the launcher's own."""

    name: str | None = None
    uid: int = -1
    gid: int = -1

    def bound(self, command: Sequence[str], number: signal.Signals) -> list[str]:
        """The words that run ``command`` as this user, and send it ``number`` when the launcher dies, even by kill -9."""
        trampoline = str(Path(__file__).with_name("trampoline.py"))
        settings = (os.getpid(), int(number), self.uid, self.gid)
        return [sys.executable, "-I", "-S", trampoline, *map(str, settings), *command]

    def succeeds(self, command: Sequence[str]) -> bool:
        """Whether a short command, run as this user, ends well."""
        identity: Identity = {"user": self.uid, "group": self.gid, "extra_groups": []} if self.name else {}
        try:
            # from "/", because the present folder may be closed to that user
            done = subprocess.run(command, cwd="/", capture_output=True, check=False, **identity)  # noqa: S603
        except (OSError, subprocess.SubprocessError):
            return False
        return done.returncode == 0
