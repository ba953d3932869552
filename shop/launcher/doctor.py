"""`shop doctor`: what is wrong with this installation, one line for each thing, each fault with what to do about it."""

import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import redis
from packaging.requirements import Requirement
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from shop.core import clock, schema, storage, workdays
from shop.core.db import Database
from shop.core.settings import Settings
from shop.launcher.errors import CannotStart
from shop.launcher.ground import absolute, locked
from shop.launcher.leftovers import mark_for, marked
from shop.launcher.processes import is_ready, usable_port

REQUIREMENTS = Path(__file__).parent.parent.parent / "requirements.txt"
MIN_FREE_BYTES = 1024**3
MIN_POSTGRES = 15
MAX_SKEW = timedelta(seconds=5)
MAX_HEARTBEAT_AGE = timedelta(seconds=60)


@dataclass(frozen=True)
class Finding:
    """What one check saw. ``ok`` is None where there was nothing to check."""

    what: str
    ok: bool | None
    seen: str
    hint: str = ""

    def __str__(self) -> str:
        sign = {True: "✓", False: "✗", None: "–"}[self.ok]
        advice = f"\n    {self.hint}" if self.hint and self.ok is False else ""
        return f"{sign} {self.what}: {self.seen}{advice}"


def examine(settings: Settings) -> Iterator[Finding]:
    """All findings, in the order in which a fault explains the ones after it."""
    yield _python()
    yield _packages()
    yield _data_dir(settings)
    yield _disk(settings)
    yield _lock(settings)
    yield _port(settings)
    yield from _database(settings)
    yield from _redis(settings)
    yield _files(settings)
    yield from _production(settings)


def _python() -> Finding:
    found = ".".join(map(str, sys.version_info[:3]))
    return Finding("Python", sys.version_info >= (3, 11), found, "install Python 3.11 or later and run `make run` again")


def _packages() -> Finding:
    if not REQUIREMENTS.exists():
        return Finding("packages", None, "no requirements.txt here to compare with")
    wrong = [line for line in map(_difference, _pinned()) if line]
    seen = "; ".join(wrong[:5]) + (f"; {len(wrong) - 5} more" if len(wrong) > 5 else "") or "as pinned"
    return Finding("packages", not wrong, seen, "run `make run`, which installs the pinned versions")


def _pinned() -> Iterator[Requirement]:
    for line in REQUIREMENTS.read_text().splitlines():
        if line[:1].isalnum():
            requirement = Requirement(line.rstrip("\\ "))
            if requirement.marker is None or requirement.marker.evaluate():
                yield requirement


def _difference(requirement: Requirement) -> str | None:
    try:
        installed = version(requirement.name)
    except PackageNotFoundError:
        return f"{requirement.name} is missing"
    return None if installed in requirement.specifier else f"{requirement} wanted, {installed} installed"


def _data_dir(settings: Settings) -> Finding:
    folder = absolute(settings.data_dir)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return Finding("data directory", True, f"{folder} is writable")
    except OSError as error:
        return Finding("data directory", False, f"{folder}: {error.strerror}", "set SHOP_DATA_DIR to a folder of yours")


def _disk(settings: Settings) -> Finding:
    folder = absolute(settings.data_dir)
    if not folder.exists():
        return Finding("disk space", None, "no data directory")
    free = shutil.disk_usage(folder).free
    return Finding("disk space", free >= MIN_FREE_BYTES, f"{free / 1024**3:.1f} GiB free", "free at least 1 GiB")


def _lock(settings: Settings) -> Finding:
    folder = absolute(settings.data_dir)
    hint = "`make run` ends what an earlier run left behind"
    try:
        with locked(folder / "lock", folder):
            left = marked(mark_for(folder))
            return Finding("data directory lock", not left, f"left behind: {left}" if left else "free", hint)
    except CannotStart:
        return Finding("data directory lock", True, "held by a running shop")


def _port(settings: Settings) -> Finding:
    if is_ready(settings.host, settings.port):
        return Finding("port", True, f"{settings.port} is served by a shop that is ready")
    try:
        usable_port(settings.host, settings.port)
    except CannotStart as error:
        return Finding("port", False, str(error), "stop the other program, or set SHOP_PORT")
    return Finding("port", True, f"{settings.port} is free")


def _database(settings: Settings) -> Iterator[Finding]:
    if not settings.database_url:
        yield Finding("database", None, "the embedded one is not running (`make run` starts it)")
        return
    database = Database(settings.database_url, pool_size=1)
    try:
        with database.session() as session:
            for check in (_server, _encoding, _schema, _skew, _heartbeat, _working_days):
                yield check(session)
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", error)).splitlines()[0]
        yield Finding("database", False, f"cannot be used: {reason}", "check SHOP_DATABASE_URL, and that the server runs")
    finally:
        database.dispose()


def _server(session: Session) -> Finding:
    number = int(session.execute(text("SHOW server_version_num")).scalar_one())
    seen = f"PostgreSQL {session.execute(text('SHOW server_version')).scalar_one()}"
    return Finding("database", number >= MIN_POSTGRES * 10000, seen, f"PostgreSQL {MIN_POSTGRES} or later is needed")


def _encoding(session: Session) -> Finding:
    seen = session.execute(text("SHOW server_encoding")).scalar_one()
    return Finding("database encoding", seen == "UTF8", seen, "create the database with ENCODING 'UTF8'")


def _schema(session: Session) -> Finding:
    present, newest = schema.present(session.connection()), schema.newest()
    return Finding("database schema", present == newest, f"{present or 'none'}, needs {newest}", "run `shop migrate`")


def _skew(session: Session) -> Finding:
    before = datetime.now(UTC)
    there: datetime = session.execute(text("SELECT clock_timestamp()")).scalar_one()
    skew = abs(there - before)
    return Finding("clock", skew <= MAX_SKEW, f"{skew.total_seconds():.1f} s from the database's", "run a time service")


def _heartbeat(session: Session) -> Finding:
    if session.execute(text("SELECT to_regclass('worker_heartbeat')")).scalar_one() is None:
        return Finding("worker", None, "no schema yet")
    clock.read_shift(session)
    last: datetime | None = session.execute(text("SELECT max(beat_at) FROM worker_heartbeat")).scalar_one()
    if last is None:
        return Finding("worker", None, "has never run")
    age = clock.now() - last
    hint = "start `shop worker` and `shop beat`, and read their logs"
    return Finding("worker", age <= MAX_HEARTBEAT_AGE, f"last sign of life {age.total_seconds():.0f} s ago", hint)


def _working_days(session: Session) -> Finding:
    if session.execute(text("SELECT to_regclass('workday')")).scalar_one() is None:
        return Finding("working days", None, "no schema yet")
    clock.read_shift(session)
    missing = workdays.missing_year(session, clock.today())
    if missing is None:
        return Finding("working days", True, "known as far as they have been told")
    seen = f"the calendar of {missing} is missing; deadlines in it are provisional"
    return Finding("working days", False, seen, workdays.HOW_TO_LOAD.format(year=missing))


def _redis(settings: Settings) -> Iterator[Finding]:
    if not settings.redis_url:
        yield Finding("redis", None, "the embedded one is not running (`make run` starts it)")
        return
    try:
        with redis.Redis.from_url(settings.redis_url, socket_timeout=3, socket_connect_timeout=3) as client:
            about: Mapping[str, Any] = client.info()
    except redis.RedisError as error:
        yield Finding("redis", False, f"cannot be used: {error}", "check SHOP_REDIS_URL, and that the server runs")
        return
    name, number = about.get("server_name", "redis"), about.get("valkey_version") or about["redis_version"]
    yield Finding("redis", True, f"{name} {number}")
    policy = about.get("maxmemory_policy", "unknown")
    yield Finding("redis eviction", policy == "noeviction", policy, "set maxmemory-policy noeviction, or work gets lost")


def _files(settings: Settings) -> Finding:
    where = settings.files_url or str(absolute(settings.data_dir) / "files")
    try:
        store = storage.store()
        store.put("doctor", b"well")
        store.delete("doctor")
    except Exception as error:  # each kind of store has errors of its own
        return Finding("file store", False, f"{where}: {error}", "check SHOP_FILES_URL and its credentials, or the folder")
    return Finding("file store", True, f"{where} is writable")


def _production(settings: Settings) -> Iterator[Finding]:
    if settings.environment != "production":
        yield Finding("environment", None, "development")
        return
    yield Finding("SHOP_DEMO", not settings.demo, "on" if settings.demo else "off", "unset it: it lets anybody move the clock")
    default = Settings.model_fields["public_url"].default
    yield Finding("SHOP_PUBLIC_URL", settings.public_url != default, settings.public_url, "set the address that the public uses")
    for name, url in (("SHOP_DATABASE_URL", settings.database_url), ("SHOP_REDIS_URL", settings.redis_url)):
        yield Finding(name, bool(url), "set" if url else "unset", "embedded servers are for trying out, not for production")
