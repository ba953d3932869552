"""Alembic's entry: runs migrations one at a time, under a lock, and never waits long behind other work."""

from typing import Any, Literal

from alembic import context
from sqlalchemy import create_engine, text
from sqlmodel.sql.sqltypes import AutoString

from shop.core.locks import number
from shop.tables import metadata


def render(kind: str, item: Any, _: object) -> str | Literal[False]:
    """SQLModel's own string type is plain text to the database."""
    return "sa.String()" if kind == "type" and isinstance(item, AutoString) else False


engine = create_engine(context.config.attributes["url"])

with engine.connect() as connection:
    # a session lock, so that it outlives the transactions of the single migrations
    connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": number("migrations")})
    connection.execute(text("SET lock_timeout = '4s'"))
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=metadata,
        compare_type=True,
        render_item=render,
        compare_server_default=False,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": number("migrations")})
    connection.commit()
engine.dispose()
