"""The whole shop on this machine: engines, migrations, demo data, API, worker, beat. What `make run` starts."""

import http.client
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from shop.core.settings import Settings
from shop.launcher.children import Child, started, stopped_afterwards
from shop.launcher.errors import CannotStart
from shop.launcher.ground import absolute, locked, note_on, prepared
from shop.launcher.leftovers import end, mark_for
from shop.launcher.postgres import Postgres
from shop.launcher.stand_in import StandIn, stand_in, wanted
from shop.launcher.valkey import Valkey
from shop.launcher.watch import watch

Say = Callable[[str], None]

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Part:
    """One command of the shop, and how many seconds it may take to stop when asked."""

    name: str
    command: Sequence[str]
    patience: float = 5


@dataclass(frozen=True)
class Plan:
    """What to run. The API comes first: people wait for it; and it goes first, as it gives work to the others."""

    every_time: Sequence[Part]
    first_time: Sequence[Part]
    api: Part
    others: Sequence[Part]
    #: What the demo pays with, if it pays by a stand-in.
    payments: StandIn | None = None


def shop_plan(settings: Settings) -> Plan:
    shop = [sys.executable, "-P", "-m", "shop.cli"]  # -P: whatever lies in the present folder
    demo = ["--demo"] if settings.environment == "development" else []
    return Plan(
        every_time=[Part("migrate", [*shop, "migrate"])],
        first_time=[Part("seed", [*shop, "seed", *demo])],
        api=Part("api", [*shop, "serve"], patience=6),
        others=[Part("beat", [*shop, "beat"], patience=2), Part("worker", [*shop, "worker"])],
        payments=stand_in(usable_port) if wanted(settings) else None,
    )


def up(settings: Settings, plan: Plan | None = None, say: Say = print) -> None:
    """Run the shop until SIGINT, SIGTERM or SIGHUP, then stop it in order.

    Raises:
        CannotStart: something is in the way; the text is one line.
    """
    begun = time.monotonic()
    plan = plan or shop_plan(settings)
    data_dir = absolute(settings.data_dir)
    try:
        with _signals_interrupt(), locked(data_dir / "lock", data_dir):
            end(mark_for(data_dir))
            port = usable_port(settings.host, settings.port)
            with _engines(settings, data_dir, say) as (engines, urls):
                run = _Run(data_dir, _environment(settings, data_dir, port, urls, plan.payments), say)
                run.prepare(plan)
                api, *others = children = [run.child(part) for part in (plan.api, *plan.others)]
                if plan.payments:
                    command = plan.payments.command(server_url(settings.host, port), data_dir)
                    others.append(run.child(Part("stripe-twin", command, patience=3)))
                    children.append(others[-1])
                with stopped_afterwards(children), _telling_stop(say):
                    api.start()
                    api.wait_until(lambda: is_ready(settings.host, port), seconds=90)
                    for other in others:
                        other.start()
                    _announce(settings, port, data_dir, time.monotonic() - begun, say, plan.payments)
                    watch([*engines, *children], say)
    except KeyboardInterrupt:
        say("Stopped.")


def usable_port(host: str, port: int) -> int:
    """``port``, or for 0 a free one.

    Raises:
        CannotStart: nobody can listen there now.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            probe.listen()
            return int(probe.getsockname()[1])
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise CannotStart(f"cannot listen on {host} port {port}: {reason}; set another SHOP_PORT or SHOP_HOST") from None


def local_address(host: str, port: int) -> tuple[str, int]:
    """Where this machine itself reaches a server that listens on ``host``."""
    return {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(host, host), port  # noqa: S104


def server_url(host: str, port: int) -> str:
    """The address to type on this machine."""
    name, _ = local_address(host, port)
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def is_ready(host: str, port: int) -> bool:
    """Whether an API answers there and calls itself ready."""
    connection = http.client.HTTPConnection(*local_address(host, port), timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


@dataclass(frozen=True)
class _Run:
    """What all commands of one run have in common."""

    data_dir: Path
    env: Mapping[str, str]
    say: Say

    def child(self, part: Part) -> Child:
        log = self.data_dir / "logs" / f"{part.name}.log"
        return Child(part.name, part.command, env=self.env, log=log, patience=part.patience)

    def prepare(self, plan: Plan) -> None:
        """Run what must be done before the parts start; the first-time steps once for each database."""
        for part in plan.every_time:
            self._finish(part)
        seeded = self.data_dir / "seeded"
        database = self.env["SHOP_DATABASE_URL"].rpartition("@")[2]  # without the password
        if not seeded.exists() or seeded.read_text() != database:
            for part in plan.first_time:
                self.say(f"First start: {part.name}")
                self._finish(part, lambda line: self.say(f"  {line}"))
            seeded.write_text(database)

    def _finish(self, part: Part, show: Say = lambda line: None) -> None:
        child = self.child(part)
        with started([child]):
            child.finish(show)


@contextmanager
def _engines(settings: Settings, data_dir: Path, say: Say) -> Iterator[tuple[Sequence[Postgres | Valkey], Mapping[str, str]]]:
    """Embedded engines for whatever the settings name no server for; the engines, and the addresses of both servers."""
    if settings.database_url and settings.redis_url:
        yield [], {"SHOP_DATABASE_URL": settings.database_url, "SHOP_REDIS_URL": settings.redis_url}
        return
    with prepared(data_dir) as ground:
        if note := note_on(data_dir):
            say(note)
        postgres, valkey = Postgres(ground), Valkey(ground)
        urls = {
            "SHOP_DATABASE_URL": settings.database_url or postgres.url,
            "SHOP_REDIS_URL": settings.redis_url or valkey.url,
        }
        needed = [engine for engine in (postgres, valkey) if engine.url in urls.values()]
        with started(needed):
            yield needed, urls


def _environment(
    settings: Settings, data_dir: Path, port: int, urls: Mapping[str, str], payments: StandIn | None
) -> dict[str, str]:
    address = server_url(settings.host, port)
    return {
        "SHOP_PUBLIC_URL": address,
        **os.environ,
        **urls,
        **(payments.environment if payments else {}),
        "SHOP_DATA_DIR": str(data_dir),
        "SHOP_HOST": settings.host,
        "SHOP_PORT": str(port),
        "SHOP_STARTED_BY": mark_for(data_dir),  # by which a later start finds what this one left behind
        "PYTHONUNBUFFERED": "1",
    }


def _announce(settings: Settings, port: int, data_dir: Path, seconds: float, say: Say, payments: StandIn | None) -> None:
    address = server_url(settings.host, port)
    say(f"Ready after {seconds:.1f} s")
    say(f"  address   {address}")
    say(f"  API docs  {address}/docs")
    say(f"  logs      {data_dir / 'logs'}")
    if payments:
        say(f"  payments  a stand-in of Stripe at {payments.url}, which moves no money; SHOP_STRIPE_KEY names a real account")
    if settings.environment == "development":
        # the demo stands above the launcher, which only shows what it says
        from shop.demo.logins import demo_logins

        say("Demo logins (user name, password, role):")
        logins = demo_logins()
        wide = max(len(username) for _, username, _ in logins)
        for role, username, password in logins:
            say(f"  {username:<{wide}}  {password}  {role}")
    say("Ctrl-C stops everything.")


@contextmanager
def _telling_stop(say: Say) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        say("Stopping.")
        raise


@contextmanager
def _signals_interrupt() -> Iterator[None]:
    """All stop signals work like Ctrl-C, once: a second one must not disturb the stopping."""

    def interrupt(*_: object) -> None:
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    for number in STOP_SIGNALS:
        if number != signal.SIGHUP or before[number] != signal.SIG_IGN:  # under nohup it stays ignored
            signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
