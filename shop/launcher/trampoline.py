"""Becomes a command: as another user if asked, and bound to die with the process that started it.

A program of its own, run and never imported. The usual way, a function between fork and exec, may hang in a program with
threads, and Python 3.12 warns of it.
usage: trampoline.py PARENT SIGNAL UID GID COMMAND...       (UID -1: stay who we are)
"""

import ctypes
import os
import sys

SET_PARENT_DEATH_SIGNAL = 1


def main(parent: str, number: str, uid: str, gid: str, *command: str) -> None:
    if int(uid) >= 0:
        os.setgroups([])
        os.setgid(int(gid))
        os.setuid(int(uid))
    if sys.platform == "linux":  # elsewhere, the next start ends what a killed launcher left
        ctypes.CDLL(None).prctl(SET_PARENT_DEATH_SIGNAL, int(number))
    if os.getppid() != int(parent):
        sys.exit("the launcher has gone")  # before we asked to be told
    os.execvp(command[0], command)  # noqa: S606  the launcher's own command


if __name__ == "__main__":
    main(*sys.argv[1:])
