"""What a file holds, whatever its format: columns with their types, and rows that come one after another."""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import Engine, Row, TextClause, text
from sqlmodel import Session

from shop.core.errors import Language
from shop.identity.actor import Actor
from shop.identity.permissions import Permission
from shop.identity.schemas import In

Cell = str | int | bool | Decimal | date | datetime | None

#: Rows that are read, written and counted at a time: all that is in memory.
AT_ONCE = 5_000
#: Seconds after which a file is given up, and so the longest that one statement may take; a job may take 100.
LONGEST = 90


class Type(StrEnum):
    TEXT = "text"
    WHOLE = "whole"
    #: Yuan, two decimals.
    MONEY = "money"
    #: Percent, two decimals.
    PERCENT = "percent"
    #: Three decimals: units, or tonnes.
    QUANTITY = "quantity"
    DATE = "date"
    #: UTC.
    MOMENT = "moment"
    FLAG = "flag"


def _quoted(words: str) -> str:
    """Words of ours as a literal of a statement in which a colon begins the name of a value."""
    return "'" + words.replace("'", "''").replace(":", r"\:") + "'"


@dataclass(frozen=True, slots=True)
class Column:
    """``name`` is what JSON and Parquet call it."""

    name: str
    zh: str
    en: str
    type: Type = Type.TEXT
    #: For codes: how each reads, in the formats for people. A key that ends with a colon is the beginning of a code, whose rest stays.
    words: Mapping[str, str] = field(default_factory=dict)

    def head(self, language: Language) -> str:
        return self.zh if language == "zh" else self.en

    def told(self, cell: Cell) -> Cell:
        """A cell as people read it."""
        if not self.words or not isinstance(cell, str):
            return cell
        begin, colon, rest = cell.partition(":")
        if colon and begin + colon in self.words:
            return self.words[begin + colon] + rest
        return self.words.get(cell, cell)

    def told_sql(self, else_told: str) -> str:
        """The same in SQL, of the column by its name; ``else_told`` is what is shown of a cell that has no words."""
        cell = f'"{self.name}"'
        cases = [
            f"WHEN starts_with({cell}, {_quoted(code)}) THEN {_quoted(word)} || substr({cell}, {len(code) + 1})"
            if code.endswith(":")
            else f"WHEN {cell} = {_quoted(code)} THEN {_quoted(word)}"
            for code, word in self.words.items()
        ]
        return f"CASE {' '.join(cases)} ELSE {else_told} END" if cases else else_told


@dataclass(frozen=True, slots=True)
class Source:
    """A statement in a session, its values, and by what its rows are ordered."""

    session: Session
    sql: str
    values: Mapping[str, Any]
    order: str

    def lines(self, cells: Sequence[str], options: str = "FORMAT csv") -> Generator[Sequence[bytes], None, None]:
        """The rows as lines, of CSV unless ``options`` of COPY say otherwise, as PostgreSQL itself writes them: much less work than to read values
        and write them anew. ``cells`` are SQL."""
        ordered = f"SELECT {', '.join(cells)} FROM (SELECT * FROM ({self.sql}) AS found ORDER BY {self.order}) AS ordered"  # noqa: S608
        connection = self.session.connection()
        compiled = text(ordered).compile(dialect=connection.dialect)
        driver: Any = connection.connection.driver_connection
        with driver.cursor() as cursor, cursor.copy(f"COPY ({compiled}) TO STDOUT ({options})", dict(self.values)) as copying:
            batch: list[bytes] = []
            for line in copying:
                batch.append(bytes(line))
                if len(batch) == AT_ONCE:
                    yield batch
                    batch = []
            if batch:
                yield batch


@dataclass(frozen=True, slots=True)
class Table:
    title: str
    columns: Sequence[Column]
    total: int
    #: Batches of at most :data:`AT_ONCE` rows.
    batches: Generator[Sequence[Sequence[Cell]], None, None]
    #: Totals, below all rows in the formats that people read; they are none of the rows.
    totals: Sequence[Sequence[Cell]] = ()
    #: What the rows are of, as pairs of words: a sheet of its own in a workbook.
    about: Sequence[Sequence[Cell]] = ()
    #: Where they come from, if that is a statement: then lines of text can be had from the database as they are.
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of question that is answered by a file."""

    #: What asking and downloading takes.
    permission: Permission
    #: How it is asked.
    parameters: type[In]
    #: The answer, within the reach of whoever asks, in a session that sees one moment.
    table: Callable[[Session, Actor, Any, Language], Table]
    #: The names of the parameters that hold the first and the last day; None for the first of what is as it is on one day.
    period: tuple[str | None, str]
    #: Permissions by which more is shown.
    more: frozenset[Permission] = frozenset()
    #: Refuses parameters that only the database shows to be wrong, when somebody asks.
    check: Callable[[Session, Any], None] | None = None

    def of_days(self, first: date, last: date) -> dict[str, str]:
        """The parameters that ask for these days."""
        begins, ends = self.period
        return ({begins: str(first)} if begins else {}) | {ends: str(last)}

    def days_of(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """First and last day as they were asked for; of what is as it is on one day that day twice."""
        begins, ends = self.period
        return {"first": parameters.get(begins or ends), "last": parameters.get(ends)}


@contextmanager
def snapshot(engine: Engine) -> Iterator[Session]:
    """A session of its own in which everything is as it was at one moment, and nothing can be written."""
    with engine.connect() as connection:
        connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with Session(connection) as session:
            session.execute(text(f"SET LOCAL statement_timeout = {LONGEST * 1000}"))
            yield session


def of_sql(session: Session, title: str, columns: Sequence[Column], sql: str, values: Mapping[str, Any], order: str) -> Table:
    """The rows of a statement by a cursor of the server's; their columns are those of the table by name."""
    total = session.execute(text(f"SELECT count(*) FROM ({sql}) AS counted"), values).scalar_one()  # noqa: S608
    names = ", ".join(f'"{column.name}"' for column in columns)
    ordered = text(f"SELECT {names} FROM ({sql}) AS found ORDER BY {order}")  # noqa: S608
    source = Source(session, sql, values, order)
    return Table(title, columns, int(total), _batches(session, ordered, values), source=source)


def _batches(session: Session, statement: TextClause, values: Mapping[str, Any]) -> Generator[Sequence[Row[Any]], None, None]:
    found = session.execute(statement, values, execution_options={"yield_per": AT_ONCE})
    try:
        yield from found.partitions(AT_ONCE)
    finally:
        found.close()


def of_rows(
    title: str,
    columns: Sequence[Column],
    rows: Sequence[Sequence[Cell]],
    totals: Sequence[Sequence[Cell]] = (),
    about: Sequence[Sequence[Cell]] = (),
) -> Table:
    return Table(title, columns, len(rows), (rows[at : at + AT_ONCE] for at in range(0, len(rows), AT_ONCE)), totals, about)


def yuan_sql(fen: str) -> str:
    """SQL: yuan with two decimals."""
    return f"CAST({fen} / 100.0 AS numeric(18, 2))"
