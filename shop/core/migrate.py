"""Bring a database to the newest schema, and tell which one it has."""

import io
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, create_engine

FOLDER = Path(__file__).parent.parent / "migrations"


def config(url: str) -> Config:
    """Alembic's configuration without an ini file; prints nothing."""
    result = Config(stdout=io.StringIO())
    result.set_main_option("script_location", str(FOLDER))
    result.set_main_option("path_separator", "os")
    result.attributes["url"] = url
    return result


def upgrade(url: str) -> None:
    """Apply every migration that is missing. Several processes may call it at once: one works, the others wait."""
    command.upgrade(config(url), "head")


def newest() -> str:
    """The revision that this program needs."""
    return ScriptDirectory.from_config(config("")).get_current_head() or ""


def present(connection: Connection) -> str | None:
    """The revision that a database has."""
    return MigrationContext.configure(connection).get_current_revision()


def differences(url: str) -> str | None:
    """What the models have and the migrations do not; None when they agree."""
    try:
        command.check(config(url))
    except CommandError as error:
        return str(error)
    return None


def is_current(url: str) -> bool:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return present(connection) == newest()
    finally:
        engine.dispose()
