"""Which schema this program needs and which one a database has; told without Alembic, so that the server need not hold it in memory."""

from functools import lru_cache
from pathlib import Path

from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError

MIGRATIONS = Path(__file__).parent.parent / "migrations"


@lru_cache
def newest() -> str:
    """The revision that this program needs: the highest number among the migrations."""
    return max(path.name.split("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def present(connection: Connection) -> str | None:
    """The revision that a database has; None before the first migration."""
    try:
        revision: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    except ProgrammingError:
        return None
    return revision
