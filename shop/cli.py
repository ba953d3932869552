"""The ``shop`` command.

Each command imports what it needs: ``shop --help`` and the launcher start fast, and the launcher, which runs all the time,
stays small.
"""

import os
import shutil
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from shop.core.settings import Settings, settings
from shop.launcher.errors import CannotStart


class _Commands(typer.core.TyperGroup):
    """What is in the way is told in one line, without a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except CannotStart as error:
            raise SystemExit(f"shop: {error}") from None
        except ValidationError as error:
            if error.title != Settings.__name__:
                raise
            raise SystemExit(f"shop: {'; '.join(map(_told, error.errors()))}") from None


def _told(wrong: Any) -> str:
    """What is wrong with a setting, or with several of them together."""
    name = "".join(f"SHOP_{str(part).upper()}: " for part in wrong["loc"][:1])
    return name + str(wrong["msg"]).removeprefix("Value error, ")


app = typer.Typer(cls=_Commands, add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True)


@app.callback()
def shop() -> None:
    """Marketplace for consumption assistance."""
    # a terminal that cannot show Chinese must not stop the program
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]


@app.command()
def up() -> None:
    """Run everything on this machine: servers, migrations, demo data, API, worker, beat."""
    from shop.launcher import processes

    processes.up(_safe_settings(), say=lambda line: print(line, flush=True))


@app.command()
def serve() -> None:
    """Run the API."""
    from shop.core import logs

    config = _connected()
    _share_metrics(config.data_dir)  # before anything is loaded that counts
    logs.configure()
    from shop import server

    server.run(config)


@app.command()
def worker(concurrency: Annotated[int, typer.Option(min=1, help="Jobs at the same time.")] = 2) -> None:
    """Run the background worker."""
    _connected()
    from workers.app import app as celery

    # Not by Celery's command line, which loads a shell of its own; and one kind of worker needs no talk among workers.
    process = celery.Worker(concurrency=concurrency, loglevel="WARNING", without_gossip=True, without_mingle=True)
    process.start()
    raise typer.Exit(process.exitcode or 0)


@app.command()
def beat() -> None:
    """Run the clock of the periodic jobs. One is enough; two do no harm."""
    config = _connected()
    from celery.apps.beat import Beat

    from workers.app import app as celery

    config.data_dir.mkdir(parents=True, exist_ok=True)
    celery.conf.include = []  # beat sends tasks by name and need not hold what they do
    # not by Celery's command line, which loads a shell of its own
    Beat(app=celery, loglevel="WARNING", schedule=str(config.data_dir / "beat-schedule"), quiet=True).run()


@app.command()
def migrate(check: Annotated[bool, typer.Option("--check", help="Only compare models and migrations.")] = False) -> None:
    """Bring the database to the newest schema."""
    from shop.core import migrate as migrations
    from shop.launcher.engines import throw_away_engines

    if not check:
        migrations.upgrade(_database_url())
        return
    with throw_away_engines() as urls:
        migrations.upgrade(urls.database_url)
        if differences := migrations.differences(urls.database_url):
            raise SystemExit(f"models and migrations differ: {differences:.2000}")
    print("models and migrations agree")


@app.command()
def migration(words: Annotated[str, typer.Argument(help="What changes, in a few words.")]) -> None:
    """Write the migration that the models need."""
    from alembic import command

    from shop.core import migrate as migrations
    from shop.core import schema
    from shop.launcher.engines import throw_away_engines

    with throw_away_engines() as urls:
        migrations.upgrade(urls.database_url)
        number = f"{int(schema.newest()) + 1:04}"
        command.revision(migrations.config(urls.database_url), words, autogenerate=True, rev_id=number)
    print(f"wrote migration {number}; read it before you keep it")


@app.command()
def seed(demo: Annotated[bool, typer.Option("--demo", help="Demo data too.")] = False) -> None:
    """Load what the shop needs before its first request."""
    _connected()
    from shop.demo.seed import run

    run(demo, print)


@app.command()
def demo(
    base_url: Annotated[str, typer.Argument(help="Default: the server here, if it runs for demos; else one of its own.")] = "",
) -> None:
    """Play the whole story against a server."""
    from shop.demo.play import run
    from shop.launcher.demo_server import demo_server_here, own_demo_server

    if url := base_url or demo_server_here(settings().host, settings().port):
        raise typer.Exit(run(url))
    print("No server with SHOP_DEMO=1 runs here. Starting one with data of its own, which takes a minute.", flush=True)
    with own_demo_server() as url:
        code = run(url)
    raise typer.Exit(code)


@app.command()
def reconcile() -> None:
    """Prove that orders, ledger, figures and stock agree."""
    _connected()
    from orders.reconcile.report import run

    raise typer.Exit(int(run() > 0))


@app.command()
def rebuild() -> None:
    """Make all figures anew from the sales ledger, and what is certified from its lists, while everything runs."""
    url = _database_url()
    import shop.tables  # noqa: F401  every table must be known before the first statement
    from catalog.monitoring.actions import recounting
    from orders.statistics.actions import rebuild as make_anew
    from shop.core.db import Database

    database = Database(url, pool_size=2)
    make_anew(database, lambda line: print(line, flush=True))
    with database.unit_of_work() as session:
        print(f"what is certified in {recounting.rebuild(session)} counties", flush=True)


@app.command()
def grants(
    role: Annotated[str, typer.Argument(help="A login role that owns nothing; the API and the workers connect as it.")],
    password: Annotated[
        str, typer.Option(envvar="SHOP_ROLE_PASSWORD", help="Make the role where there is none, and have it log in with this.")
    ] = "",
) -> None:
    """Give a database role what the API needs, and no right to change what is append-only. Again after every `shop migrate`."""
    from shop.core import rights

    try:
        rights.grant(_database_url(), role, password)
    except rights.UnfitRole as error:
        raise CannotStart(str(error)) from None
    print(f"{role} may do what the API does; {len(rights.APPEND_ONLY)} tables are append-only for it")


@app.command()
def calendar(
    year: Annotated[int, typer.Argument(min=2000, max=2100)],
    off: Annotated[list[str], typer.Option(help="Days off: 2027-02-05, or 2027-02-05/2027-02-11. Again for each holiday.")],
    worked: Annotated[list[str] | None, typer.Option(help="Weekend days worked in exchange, in the same way.")] = None,
) -> None:
    """Enter the working days of a year as the State Council arranged them (国务院办公厅关于部分节假日安排的通知)."""
    from shop.core import workdays
    from shop.core.db import Database

    try:
        with Database(_database_url(), pool_size=1).unit_of_work() as session:
            count = workdays.publish(session, year, workdays.days_told(off), workdays.days_told(worked or []))
    except workdays.NotTheNotice as error:
        raise CannotStart(str(error)) from None
    print(f"{count} days of the calendar of {year} are written")


@app.command()
def new_keys() -> None:
    """Make the keys that seal personal data, for the environment of all processes. Losing them loses what they sealed."""
    import secrets

    from cryptography.fernet import Fernet

    print(f"SHOP_SEALING_KEYS={Fernet.generate_key().decode()}")
    print(f"SHOP_SEALING_INDEX_KEY={secrets.token_urlsafe(32)}")


@app.command()
def doctor() -> None:
    """Check this installation; the exit code is 0 when nothing is wrong."""
    from shop.launcher.doctor import examine

    _use_running_engines()
    findings = []
    for finding in examine(settings()):
        findings.append(finding)
        print(finding, flush=True)
    raise typer.Exit(int(any(finding.ok is False for finding in findings)))


def _safe_settings() -> Settings:
    config = settings()
    if config.environment == "production" and config.demo:
        raise CannotStart("SHOP_DEMO lets anybody move the clock; production does not start with it")
    return config


def _connected() -> Settings:
    """The settings, with the address of a database in them."""
    _use_running_engines()
    config = _safe_settings()
    if not config.database_url:
        raise CannotStart("no database: start `make run` in another terminal, or set SHOP_DATABASE_URL")
    return config


def _database_url() -> str:
    return _connected().database_url or ""


def _use_running_engines() -> None:
    """Without addresses in the environment, use the embedded engines that `shop up` runs for this data directory."""
    if settings().database_url:
        return
    from shop.launcher.engines import running

    if urls := running(settings().data_dir):
        os.environ["SHOP_DATABASE_URL"] = urls.database_url
        os.environ.setdefault("SHOP_REDIS_URL", urls.redis_url)
        settings.cache_clear()


def _share_metrics(data_dir: Path) -> None:
    """All server processes add to the same metrics, which start from nothing with the server."""
    folder = data_dir.absolute() / "metrics"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)


if __name__ == "__main__":
    app()
