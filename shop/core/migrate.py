"""Bring a database to the newest schema, and compare the schema with the models."""

import io

from alembic import command
from alembic.config import Config
from alembic.util import CommandError

from shop.core.schema import MIGRATIONS


def config(url: str) -> Config:
    """Alembic's configuration without an ini file; prints nothing."""
    result = Config(stdout=io.StringIO())
    result.set_main_option("script_location", str(MIGRATIONS))
    result.set_main_option("path_separator", "os")
    result.attributes["url"] = url
    return result


def upgrade(url: str) -> None:
    """Apply every migration that is missing. Several processes may call it at once: one works, the others wait."""
    command.upgrade(config(url), "head")


def differences(url: str) -> str | None:
    """What the models have and the migrations do not; None when they agree."""
    try:
        command.check(config(url))
    except CommandError as error:
        return str(error)
    return None
