"""All rollups made anew from the lines of the ledger.

PostgreSQL hands out the lines of some months after those of others, DuckDB adds them up by every grouping, and PostgreSQL writes what differs from
the rollups that are there: mostly nothing, or all where there are none. Months do not touch one another: several workers make some each.
"""

import os
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any, BinaryIO, cast

from psycopg.errors import error_from_result
from psycopg.generators import fetch_many
from psycopg.pq import ExecStatus
from psycopg.waiting import WAIT_R
from sqlalchemy import Connection, CursorResult, text
from sqlmodel import Session

from orders.statistics.columns import HANDED, engine, form, load, rollups, write
from orders.statistics.cubes import CUBES, Cube
from shop.core import months
from shop.core.db import Database

_HAND_OUT = (
    f"COPY (SELECT {HANDED} FROM sale_entry WHERE counted AND sold_on >= %s AND sold_on < %s)"  # noqa: S608
    " TO STDOUT (FORMAT csv)"
)
#: Bytes of lines that are worked on at once, about: a million of them; whole months all the same.
_AT_ONCE = 300 << 20
#: Bytes that are handed on at once.
_BLOCK = 1 << 20
#: One more than there are processors: now and then each of them waits for PostgreSQL. Each takes some 300 MB and a connection, so not too many.
_WORKERS = min(os.cpu_count() or 1, 7) + 1


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """How many entries were read; the tables of which rows went, and those that rows only came to."""

    entries: int
    mended: list[str]
    grown: list[str]


def fill(session: Session, say: Callable[[str], None]) -> Rebuilt:
    """Make the rollups what the lines of the session's snapshot say.

    The session must read one snapshot from its beginning to its end; others read the same one beside it.
    """
    # how many lines there are would be told by reading them all
    first, last, size = session.execute(
        text("SELECT min(sold_on), max(sold_on), pg_relation_size('sale_entry') FROM sale_entry WHERE counted")
    ).one()
    spans = list(_spans(first, last, size)) if first else []
    taking, done = _Taking(session), 0
    with (
        TemporaryDirectory(prefix="rollups-") as folder,
        _readers(session) as reader,
        ThreadPoolExecutor(_WORKERS) as workers,
    ):
        tasks = [workers.submit(_months, reader, taking, Path(folder), *span) for span in spans]
        try:
            for number, task in enumerate(as_completed(tasks), 1):
                done += task.result()
                say(f"{done:,} entries, {number} of {len(tasks)} parts of all months")
        finally:
            for task in tasks:
                task.cancel()
    taking.end(spans)
    say(f"{taking.gone.total():,} rows of rollups were not what the entries say, {taking.come.total():,} came")
    return Rebuilt(done, list(taking.gone), [table for table in taking.come if table not in taking.gone])


def _spans(first: date, last: date, size: int) -> Iterator[tuple[date, date]]:
    """Whole months from the first day to the last, as many in each span as hold about as much as is worked on at once."""
    start = months.month_start(first)
    all_of = (last.year - start.year) * 12 + last.month - start.month + 1
    in_one = min(max(1, _AT_ONCE * all_of // size), all_of)
    for _ in range(0, all_of, in_one):
        end = start
        for _ in range(in_one):
            end = months.following(end)
        yield start, end
        start = end


class _Taking:
    """Takes rollups made anew into the session, from one worker at a time, and writes what differs from those that are there."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._turn = Lock()
        #: By table, how many rows were not as they should be, and how many were written.
        self.gone: Counter[str] = Counter()
        self.come: Counter[str] = Counter()
        #: Rollups that hold nothing: what is made anew is written there at once, with nothing to be compared. Of years there are parts.
        self._empty = {cube for cube in CUBES if cube.time != "year" and not self._holds_any(cube)}
        for cube in CUBES:
            if cube not in self._empty:
                session.execute(text(f"CREATE TEMP TABLE {_anew(cube)} (LIKE {cube.table}) ON COMMIT DROP"))

    def _holds_any(self, cube: Cube) -> bool:
        return bool(self._session.execute(text(f"SELECT EXISTS (SELECT FROM {cube.table})")).scalar_one())  # noqa: S608

    def take(self, cube: Cube, file: Path, start: date, end: date) -> None:
        """The rollup of all days from the first to the one before the second; of a year only a part, that waits for the others."""
        with self._turn:
            if cube in self._empty:
                self.come[cube.table] += self._copy(cube, file, cube.table)
            else:
                self._copy(cube, file, _anew(cube))
                if cube.time != "year":
                    self._replace(cube, f"t.{cube.time} >= :start AND t.{cube.time} < :end", {"start": start, "end": end})
        file.unlink()

    def _copy(self, cube: Cube, file: Path, table: str) -> int:
        copy = f"COPY {table} ({', '.join([*cube.keys, *cube.values])}) FROM STDIN (FORMAT {form(cube)})"
        with file.open("rb") as rows, _cursor(self._session.connection()) as cursor:
            with cursor.copy(copy) as copying:
                while block := rows.read(_BLOCK):
                    copying.write(block)
            return int(cursor.rowcount)

    def end(self, spans: Sequence[tuple[date, date]]) -> None:
        """What no line says any more goes, too."""
        start, end = (spans[0][0], spans[-1][1]) if spans else (date.min, date.min)
        for cube in CUBES:
            if cube in self._empty:
                continue
            if cube.time == "year":
                self._add_parts_up(cube)
                self._replace(cube, "true", {})
            else:
                self._replace(cube, f"(t.{cube.time} < :start OR t.{cube.time} >= :end)", {"start": start, "end": end})

    def _add_parts_up(self, cube: Cube) -> None:
        keys, sums = ", ".join(cube.keys), ", ".join(f"sum({name})" for name in cube.values)
        self._session.execute(
            text(
                f"WITH parts AS (DELETE FROM {_anew(cube)} RETURNING *)"  # noqa: S608
                f" INSERT INTO {_anew(cube)} ({keys}, {', '.join(cube.values)}) SELECT {keys}, {sums} FROM parts GROUP BY {keys}"
            )
        )

    def _replace(self, cube: Cube, where: str, asked: dict[str, date]) -> None:
        """Rows where ``where`` holds become those that were made anew."""
        columns, anew = [*cube.keys, *cube.values], _anew(cube)

        def equal(names: Sequence[str]) -> str:
            return " AND ".join(f"a.{name} = t.{name}" for name in names)

        gone = f"DELETE FROM {cube.table} t WHERE {where} AND NOT EXISTS (SELECT FROM {anew} a WHERE {equal(columns)})"  # noqa: S608
        counts = f"SELECT (SELECT count(*) FROM {anew}) - (SELECT count(*) FROM {cube.table} t WHERE {where})"  # noqa: S608
        come = (
            f"INSERT INTO {cube.table} ({', '.join(columns)}) SELECT {', '.join(columns)} FROM {anew} a"  # noqa: S608
            f" WHERE NOT EXISTS (SELECT FROM {cube.table} t WHERE {where} AND {equal(cube.keys)})"
        )
        if wrong := cast("CursorResult[Any]", self._session.execute(text(gone), asked)).rowcount:
            self.gone[cube.table] += wrong
        if missing := int(self._session.execute(text(counts), asked).scalar_one()):
            self._session.execute(text(come), asked)
            self.come[cube.table] += missing
        self._session.execute(text(f"TRUNCATE {anew}"))


def _anew(cube: Cube) -> str:
    return f"anew_{cube.table}"


def _cursor(connection: Connection) -> Any:
    driver: Any = connection.connection.driver_connection
    return driver.cursor()


@contextmanager
def _readers(session: Session) -> Iterator[Callable[[], Any]]:
    """Connections, one for each worker, that read what the session reads."""
    snapshot = session.execute(text("SELECT pg_export_snapshot()")).scalar_one()
    database = Database(session.get_bind().engine.url.render_as_string(hide_password=False), _WORKERS, statement_timeout_ms=0)

    @contextmanager
    def reader() -> Iterator[Any]:
        with database.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
            connection.execute(text(f"SET TRANSACTION SNAPSHOT '{snapshot}'"))
            connection.execute(text("SET LOCAL TimeZone = 'Asia/Shanghai'"))  # the day on which an entry became known is one there
            connection.execute(text("SET LOCAL enable_indexscan = off"))  # page by page: nearly all of a month's pages are read
            # read by the one who needs them: to ask others for pages, which the system has read ahead, takes longer
            connection.execute(text("SET LOCAL effective_io_concurrency = 0"))
            with _cursor(connection) as cursor:
                yield cursor

    try:
        yield reader
    finally:
        database.dispose()


def _months(reader: Callable[[], Any], taking: _Taking, folder: Path, start: date, end: date) -> int:
    """All rollups of some months; returns of how many lines. ``end`` is not included."""
    lines = folder / f"{start}.csv"
    with reader() as cursor, lines.open("wb", _BLOCK) as file, cursor.copy(_HAND_OUT, (start, end)):
        cursor.connection.wait(_received(cursor.connection.pgconn, file))
    with engine(folder) as columns:
        count = load(columns, lines)
        lines.unlink()
        for cube in rollups(columns):
            file_of = folder / f"{start}-{cube.table}"
            write(columns, cube, file_of)
            taking.take(cube, file_of, start, end)
    return count


def _received(connection: Any, file: BinaryIO) -> Generator[Any, Any, None]:
    """Write what is handed out to a file, line by line as it comes. The driver's own way takes as long again for each line."""
    take, write = connection.get_copy_data, file.write
    while (taken := take(1))[0] >= 0:
        if taken[0]:
            write(taken[1])
            continue
        while not (yield WAIT_R):
            pass
        connection.consume_input()
    for result in (yield from fetch_many(connection)):
        if result.status != ExecStatus.COMMAND_OK:
            raise error_from_result(result)
