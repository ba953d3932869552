"""Where the engines of one data directory live, as whom they run, and that only one launcher works there."""

import fcntl
import os
import pwd
import re
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from shop.launcher.binaries import Binaries, binaries_for, shared_folder
from shop.launcher.errors import CannotStart
from shop.launcher.leftovers import end, mark_for, short_hash
from shop.launcher.run_as import RunAs

#: A socket's address holds 107 bytes on Linux and 103 on macOS.
MAX_SOCKET_PATH = 100


@dataclass(frozen=True)
class Ground:
    """What the engines of one data directory need to know."""

    home: Path
    logs: Path
    sockets: Path
    mark: str
    run_as: RunAs
    binaries: Binaries


@contextmanager
def prepared(data_dir: Path) -> Iterator[Ground]:
    """The ground for a data directory, held for us alone.

    Raises:
        CannotStart: it is in use, or cannot be used.
    """
    data_dir = absolute(data_dir)
    with _plainly(data_dir):
        run_as = _user(data_dir / "engines" / "postgres")
        home = _home(data_dir, run_as)
    with locked(home / "lock", data_dir):
        with _plainly(data_dir):
            sockets = socket_folder(home)
            give(sockets, run_as)
            ground = Ground(home, data_dir / "logs", sockets, mark_for(home), run_as, binaries_for(run_as))
        yield ground


@contextmanager
def locked(path: Path, what: Path) -> Iterator[None]:
    """Hold a lock file; the kernel frees it when we die. Opened for reading only, so that it works whoever made it.

    Raises:
        CannotStart: another process holds it.
    """
    with _plainly(what):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDONLY | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStart(f"{what} is in use by another start; stop that one, or set another SHOP_DATA_DIR") from None
        yield
    finally:
        os.close(descriptor)


def absolute(data_dir: Path) -> Path:
    """One spelling for one folder, as marks and locks depend on it."""
    return Path(os.path.realpath(data_dir))


def socket_folder(home: Path) -> Path:
    """The folder of the engines' sockets: in ``home``, or in /tmp when that path does not fit into a socket's address."""
    folder = home / "sockets"
    longest = os.fsencode(folder / ".s.PGSQL.5432")
    if len(longest) <= MAX_SOCKET_PATH and re.fullmatch(r"[\w./-]+", str(folder), re.ASCII):
        return folder
    return Path(f"/tmp/shop-{short_hash(home)}")  # noqa: S108  `give` refuses it when somebody else made it


def give(folder: Path, run_as: RunAs) -> None:
    """Make ``folder`` the private folder of the engines' user; what is somebody else's is refused."""
    folder.mkdir(mode=0o700, exist_ok=True)
    owner = run_as.uid if run_as.name else os.geteuid()
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or stat.S_IMODE(found.st_mode) & 0o077 or found.st_uid not in (owner, os.geteuid()):
        raise CannotStart(f"{folder} is not a private folder of the engines' user; remove it, or set another SHOP_DATA_DIR")
    if found.st_uid != owner:
        os.chown(folder, owner, run_as.gid, follow_symlinks=False)


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A temporary data directory, deleted afterwards with whatever engines had in it."""
    folder = Path(tempfile.mkdtemp(prefix="shop-"))
    folder.chmod(0o711)  # started by root, the engines run as a user that must pass through
    try:
        yield folder
    finally:
        shutil.rmtree((folder / "engines").resolve(), ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)


def note_on(data_dir: Path) -> str | None:
    """A line for the person who would look for the data where they are not."""
    place = absolute(data_dir) / "engines"
    if not place.is_symlink():
        return None
    return f"the database's files are in {place.resolve()}, because the user that runs it cannot enter {place.parent}"


@contextmanager
def _plainly(data_dir: Path) -> Iterator[None]:
    """Tell what the system refused in one line."""
    try:
        yield
    except OSError as error:
        raise CannotStart(f"cannot use {error.filename or data_dir}: {error.strerror}; set another SHOP_DATA_DIR") from None


def _user(cluster: Path) -> RunAs:
    """PostgreSQL refuses to run as root. So root takes the user that owns the data, else ``postgres``, else ``nobody``."""
    owner = cluster.stat() if cluster.exists() else None
    if os.geteuid() != 0:
        if owner and owner.st_uid != os.geteuid():
            raise CannotStart(f"{cluster} belongs to another user; start as that user or as root, or set another SHOP_DATA_DIR")
        return RunAs()
    if owner and owner.st_uid != 0:
        return RunAs(f"user {owner.st_uid}", owner.st_uid, owner.st_gid)
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            user = RunAs(name, entry.pw_uid, entry.pw_gid)
            if _reaches(user, Path("/")):  # in some containers root cannot become another user
                return user
    raise CannotStart("PostgreSQL does not run as root, and neither postgres nor nobody can be taken on; set SHOP_DATABASE_URL")


def _reaches(user: RunAs, folder: Path) -> bool:
    """Whether a user can enter a folder. Tried, not computed: modes, access lists and mounts all have their say."""
    return user.succeeds(["/bin/sh", "-c", 'cd "$1"', "sh", str(folder)])


def _home(data_dir: Path, run_as: RunAs) -> Path:
    """``data_dir/engines``; a link to a folder elsewhere when the engines' user cannot enter ``data_dir``."""
    data_dir.mkdir(parents=True, exist_ok=True)
    place = data_dir / "engines"
    if not place.is_symlink() and not _reaches(run_as, data_dir):
        _settle_elsewhere(place, shared_folder() / short_hash(data_dir), run_as)
    home = place.resolve()
    if not home.exists():
        home.mkdir()
        home.chmod(0o755)  # whatever the umask: the engines' user must pass through
    return home


def _settle_elsewhere(place: Path, elsewhere: Path, run_as: RunAs) -> None:
    """Make ``place`` a link to ``elsewhere``; engines that ran in ``place`` until now move there with their data."""
    if elsewhere.exists():  # of an earlier data directory of this name, which was deleted: never given out as the data of this one
        with locked(elsewhere / "lock", place.parent):
            end(mark_for(elsewhere))
            elsewhere.rename(elsewhere.with_name(f"{elsewhere.name}.old-{time.time_ns()}"))
    if place.exists():
        with locked(place / "lock", place.parent):
            end(mark_for(place))
            shutil.move(place, elsewhere)
            _own_all(elsewhere, run_as)
    place.symlink_to(elsewhere)


def _own_all(home: Path, run_as: RunAs) -> None:
    """A move between file systems leaves everything to root."""
    for folder in (home / "postgres", home / "valkey", home / "sockets"):
        for path in (folder, *folder.rglob("*")):
            if os.path.lexists(path):
                os.chown(path, run_as.uid, run_as.gid, follow_symlinks=False)
