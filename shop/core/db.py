"""The database: engine, sessions, and the one place besides the route wrapper that commits."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, Engine, Identity, Numeric, create_engine
from sqlmodel import Field, Session, SQLModel

from shop.core import clock
from shop.core.settings import settings

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
# what a row holds is not validated: pydantic need not build what validates it
SQLModel.model_config["defer_build"] = True


def key() -> Any:
    """The usual primary key: a 64-bit number that the database counts."""
    return Field(default=None, sa_column=Column(BigInteger, Identity(), primary_key=True))


def ref(target: str, *, nullable: bool = False, index: bool = False, primary_key: bool = False) -> Any:
    """A 64-bit foreign key to ``table.column``."""
    return Field(
        default=None if nullable else ...,
        foreign_key=target,
        sa_type=BigInteger,
        nullable=nullable,
        index=index,
        primary_key=primary_key,
    )


def moment(*, nullable: bool = False) -> Any:
    """A point in time, stored in UTC."""
    return Field(default=None if nullable else ..., sa_type=DateTime(timezone=True), nullable=nullable)


def fen(*, nullable: bool = False, default: Any = ...) -> Any:
    """An amount in integer fen (BIGINT)."""
    return Field(default=None if nullable else default, sa_type=BigInteger, nullable=nullable)


def quantity(*, nullable: bool = False, default: Any = ...) -> Any:
    """A quantity with three decimal places."""
    return Field(default=None if nullable else default, sa_type=Numeric(14, 3), nullable=nullable)


grams = fen  # integer grams take the same column type


def codes(listed: Iterable[str]) -> str:
    """Codes of ours as what stands between the brackets of SQL's ``IN ()``."""
    return ",".join(f"'{code}'" for code in listed)


def array(figures: Iterable[int | Decimal | None]) -> str:
    """Figures as an array's literal, for ``CAST(:name AS bigint[])``: the driver takes ten times as long to make one of a list."""
    return f"{{{','.join('NULL' if figure is None else str(figure) for figure in figures)}}}"


class Database:
    """One engine and its sessions. A process holds one."""

    def __init__(self, url: str, pool_size: int = 8, statement_timeout_ms: int | None = None) -> None:
        timeout = settings().statement_timeout_ms if statement_timeout_ms is None else statement_timeout_ms
        self.url = url
        self.engine: Engine = create_engine(
            url,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=5,
            hide_parameters=True,  # errors reach logs, and values may be secret or about people
            connect_args={
                # processes that help with a statement of some milliseconds cost more than they bring; what is long still gets them
                "options": f"-c statement_timeout={timeout} -c timezone=UTC -c plan_cache_mode=auto -c parallel_setup_cost=20000",
                "connect_timeout": 5,
                "prepare_threshold": 3,
            },
        )

    def session(self) -> Session:
        return Session(self.engine, expire_on_commit=False, autoflush=False)

    @contextmanager
    def unit_of_work(self) -> Iterator[Session]:
        """One transaction: commits at the end, rolls back on any error."""
        with self.session() as session:
            clock.follow(session)
            if settings().demo:
                clock.read_shift(session)
            try:
                yield session
                session.commit()
            except BaseException:
                session.rollback()
                raise

    def dispose(self) -> None:
        self.engine.dispose()


@lru_cache
def database() -> Database:
    """The database of this process, named by ``SHOP_DATABASE_URL``."""
    url = settings().database_url
    if not url:
        raise SystemExit("SHOP_DATABASE_URL is not set; `shop up` starts an embedded PostgreSQL and sets it")
    return Database(url, pool_size=settings().threads)
