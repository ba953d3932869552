"""Rows made in memory and copied into the database in bulk."""

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import text
from sqlmodel import Session


class Table:
    """Rows of one table that wait to be copied, numbered on from the highest id present."""

    def __init__(self, session: Session, name: str, columns: str, *, numbered: bool = True) -> None:
        self.name = name
        self.columns = columns.split()
        self.numbered = numbered
        self.rows: list[tuple[Any, ...]] = []
        self._first = 0
        #: How many ids are left free before the row at a place among those that wait.
        self._left: dict[int, int] = {}
        self.go_on(session)

    def go_on(self, session: Session) -> None:
        """Number the next rows on from the highest id present: others have written some meanwhile."""
        if self.numbered:
            self._first = session.execute(text(f"SELECT coalesce(max(id), 0) + 1 FROM {self.name}")).scalar_one()  # noqa: S608  names are ours

    @property
    def next_id(self) -> int:
        """The id that the next row will get."""
        return int(self._first + len(self.rows) + sum(self._left.values()))

    @property
    def ids(self) -> range:
        """The ids of the rows that wait."""
        return range(self._first, self.next_id)

    def add(self, *values: Any) -> int:
        """Append a row, values in the order of the columns; returns its id (or, without ids, its place)."""
        self.rows.append(values)
        return self.next_id - 1

    def leave(self, many: int) -> range:
        """Leave so many ids free, for rows that others write later and that belong here; returns them."""
        first, place = self.next_id, len(self.rows)
        self._left[place] = self._left.get(place, 0) + many
        return range(first, self.next_id)

    def write(self, session: Session) -> int:
        """Copy the waiting rows and move the table's sequence past them; returns how many rows."""
        written, following, number = len(self.rows), self.next_id, self._first
        columns = (["id"] if self.numbered else []) + self.columns
        command = sql.SQL("COPY {} ({}) FROM STDIN").format(
            sql.Identifier(self.name), sql.SQL(", ").join(map(sql.Identifier, columns))
        )
        with _driver(session).cursor() as cursor, cursor.copy(command) as copy:
            for place, row in enumerate(self.rows):
                number += self._left.get(place, 0)
                copy.write_row((number, *row) if self.numbered else row)
                number += 1
        if self.numbered and written:
            self._first = following
            session.execute(
                text(f"SELECT setval(pg_get_serial_sequence('{self.name}', 'id'), :last)"),
                {"last": self._first - 1},
            )
        self.rows, self._left = [], {}
        return written


def write_all(session: Session, tables: Sequence[Table]) -> int:
    """Write tables in the order given, which is that of their references."""
    return sum(table.write(session) for table in tables)


def _driver(session: Session) -> psycopg.Connection[Any]:
    """The driver's own connection, inside the session's transaction."""
    connection = session.connection().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)
    return connection
