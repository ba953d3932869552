"""Fills .venv with the pinned packages and the project itself. Takes no time when that is done already.

Runs before anything is installed, so it uses the standard library alone.
"""

import fcntl
import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
DEVELOPMENT = "requirements-dev.txt"

#: From site-packages to the checkout. It and the `shop` command are relative, so that a checkout may be moved.
PATH_FILE = "../../../..\n"
COMMAND = """#!/bin/sh
exec "$(dirname "$0")/python" -P -m shop.cli "$@"
"""


def main(requirements: str) -> None:
    with open(__file__) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # `make run` and `make test` may start together
        if not usable():
            make_venv()
        if not installed(requirements):
            install(requirements)
        link_project()


def usable() -> bool:
    """Whether .venv has a Python that runs: the one it was made from may be gone, or the checkout may have been copied."""
    check = "import sys, pip; sys.exit(sys.version_info < (3, 11) or sys.prefix == sys.base_prefix)"
    try:
        return subprocess.run([PYTHON, "-c", check], capture_output=True, check=False).returncode == 0  # noqa: S603
    except OSError:
        return False


def make_venv() -> None:
    say(f"making {VENV.name} with Python {sys.version.split()[0]}")
    venv.create(VENV, clear=True, with_pip=True)


def installed(requirements: str) -> bool:
    """The development packages include the runtime ones."""
    return stamp(DEVELOPMENT).exists() or stamp(requirements).exists()


def install(requirements: str) -> None:
    say(f"installing {requirements}, once")
    for old in VENV.glob(".installed-*"):
        old.unlink()
    pip = [PYTHON, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-input", "--require-hashes"]
    if subprocess.run([*pip, "-r", ROOT / requirements], check=False).returncode:  # noqa: S603
        raise SystemExit(f"shop: could not install {requirements}; pip says why, above")
    stamp(requirements).touch()


def stamp(requirements: str) -> Path:
    """A file whose name says what was installed."""
    content = (ROOT / requirements).read_bytes()
    return VENV / f".installed-{hashlib.sha256(content).hexdigest()[:16]}"


def link_project() -> None:
    """Make the checkout importable, and `shop` a command."""
    packages = next(VENV.glob("lib/python3.*/site-packages"))
    write(packages / "shop.pth", PATH_FILE)
    write(VENV / "bin" / "shop", COMMAND)
    os.chmod(VENV / "bin" / "shop", 0o755)  # noqa: S103


def write(path: Path, content: str) -> None:
    if not path.exists() or path.read_text() != content:
        path.write_text(content)


def say(line: str) -> None:
    print(f"shop: {line}", flush=True)  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1])
