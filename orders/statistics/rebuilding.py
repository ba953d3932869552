"""All rollups made anew from the lines of the ledger.

PostgreSQL hands out the lines of some months after those of others, DuckDB adds them up by every grouping, and PostgreSQL takes the rollups in.
Each line leaves once, and what is coarser is added up from what is finer. Months do not touch one another: each processor works on some.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, text
from sqlmodel import Session

from orders.ledger.selection import COLUMN, from_lines, sql_type
from orders.statistics.cubes import CUBES, MEMBERS, PRESENT, SUMS, TAKEN_FROM, Cube, Kind, cell
from orders.statistics.models import CHUNK
from shop.core import months
from shop.core.db import Database

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_ENGINE_TYPES = {"text": "VARCHAR", "bigint": "BIGINT", "boolean": "BOOLEAN"}
_SUM_TYPES = {name: "DECIMAL(20,3)" if name == "quantity" else "BIGINT" for name in SUMS}
#: What a line is handed out as: how each column comes from the ledger, and the type that the engine reads it as.
_LINE: dict[str, tuple[str, str]] = {
    "month": ("month", "DATE"),
    "day": (TAKEN_FROM["day"], "DATE"),
    "year": (TAKEN_FROM["year"], "INTEGER"),
    "known_on": (TAKEN_FROM["known_on"], "DATE"),
    "direction": ("direction", "VARCHAR"),
    **{column: (from_lines(dimension), _ENGINE_TYPES[sql_type(dimension)]) for dimension, column in COLUMN.items()},
    "reserved_share_eligible": ("reserved_share_eligible", "BOOLEAN"),
    "order_id": ("order_id", "BIGINT"),
    "present": (PRESENT, "BOOLEAN"),
    **{name: (added, _SUM_TYPES[name]) for name, added in SUMS.items()},
}
_HAND_OUT = (
    f"COPY (SELECT {', '.join(taken for taken, _ in _LINE.values())} FROM sale_entry"  # noqa: S608
    " WHERE counted AND sold_on >= %s AND sold_on < %s) TO STDOUT (FORMAT csv)"
)
#: A buyer without a name is handed out as 0, and is nobody.
_SOMEBODY = {member: f"{column} <> 0" if member == "buyer" else f"{column} IS NOT NULL" for member, column in MEMBERS.items()}
#: Of a year the parts of its months, until all are there.
_PARTS = "parts_of_years"
#: Lines that are worked on at once, about; whole months all the same.
_AT_ONCE = 1_000_000
#: Bytes that are handed on at once.
_BLOCK = 1 << 20


def fill(session: Session, say: Callable[[str], None]) -> int:
    """Fill the rollups, which are empty, from the lines that the session's snapshot holds; returns how many lines those are.

    The session must read one snapshot from its beginning to its end; others read the same one beside it.
    """
    count, first, last = session.execute(text("SELECT count(*), min(sold_on), max(sold_on) FROM sale_entry WHERE counted")).one()
    if first is None:
        return 0
    spans = list(_spans(first, last, count))
    taking, done = _Taking(session), 0
    with (
        TemporaryDirectory(prefix="rollups-") as folder,
        _readers(session) as reader,
        ThreadPoolExecutor(os.cpu_count()) as workers,
    ):
        tasks = [workers.submit(_months, reader, taking, Path(folder), *span) for span in spans]
        try:
            for task in as_completed(tasks):
                done += task.result()
                say(f"{done:,} of {count:,} entries")
        finally:
            for task in tasks:
                task.cancel()
    taking.end()
    return done


def _spans(first: date, last: date, count: int) -> Iterator[tuple[date, date]]:
    """Whole months from the first day to the last, as many in each span as hold about as many lines as are worked on at once."""
    start = months.month_start(first)
    all_of = (last.year - start.year) * 12 + last.month - start.month + 1
    in_one = min(max(1, _AT_ONCE * all_of // count), all_of)
    for _ in range(0, all_of, in_one):
        end = start
        for _ in range(in_one):
            end = months.following(end)
        yield start, end
        start = end


class _Taking:
    """Takes finished rollups into the session, from one worker at a time."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._turn = Lock()
        self._years = [cube for cube in CUBES if cube.kind is Kind.FUNDS]
        for cube in self._years:
            session.execute(text(f"CREATE TEMP TABLE {_PARTS}_{cube.table} (LIKE {cube.table}) ON COMMIT DROP"))

    def take(self, cube: Cube, file: Path) -> None:
        table = f"{_PARTS}_{cube.table}" if cube in self._years else cube.table
        copy = f"COPY {table} ({', '.join([*cube.keys, *cube.values])}) FROM STDIN (FORMAT csv)"
        with self._turn, file.open("rb") as rows, _cursor(self._session.connection()) as cursor, cursor.copy(copy) as copying:
            while block := rows.read(_BLOCK):
                copying.write(block)
        file.unlink()

    def end(self) -> None:
        """Add up the parts of years."""
        for cube in self._years:
            keys = ", ".join(cube.keys)
            sums = ", ".join(f"sum({name})" for name in SUMS)
            self._session.execute(
                text(
                    f"INSERT INTO {cube.table} ({keys}, {', '.join(SUMS)})"  # noqa: S608
                    f" SELECT {keys}, {sums} FROM {_PARTS}_{cube.table} GROUP BY {keys}"
                )
            )


def _cursor(connection: Connection) -> Any:
    driver: Any = connection.connection.driver_connection
    return driver.cursor()


@contextmanager
def _readers(session: Session) -> Iterator[Callable[[], Any]]:
    """Connections, one for each worker, that read what the session reads."""
    snapshot = session.execute(text("SELECT pg_export_snapshot()")).scalar_one()
    database = Database(
        session.get_bind().engine.url.render_as_string(hide_password=False), os.cpu_count() or 1, statement_timeout_ms=0
    )

    @contextmanager
    def reader() -> Iterator[Any]:
        with database.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
            connection.execute(text(f"SET TRANSACTION SNAPSHOT '{snapshot}'"))
            with _cursor(connection) as cursor:
                yield cursor

    try:
        yield reader
    finally:
        database.dispose()


def _months(reader: Callable[[], Any], taking: _Taking, folder: Path, start: date, end: date) -> int:
    """All rollups of some months; returns of how many lines. ``end`` is not included."""
    import duckdb  # not in memory before somebody asks for it

    lines = folder / f"{start}.csv"
    with reader() as cursor, lines.open("wb") as file, cursor.copy(_HAND_OUT, (start, end)) as copying:
        for block in copying:
            file.write(block)
    with duckdb.connect(":memory:", config={"threads": 1, "preserve_insertion_order": False}) as engine:
        engine.execute(f"SET temp_directory = '{folder}'")
        engine.execute(
            "CREATE TABLE line AS SELECT * FROM read_csv($lines, header = false, auto_detect = false, delim = ',',"  # noqa: S608
            f" quote = '\"', escape = '\"', columns = { ({name: kind for name, (_, kind) in _LINE.items()}) },"
            " nullstr = '', allow_quoted_nulls = false)",
            {"lines": str(lines)},
        )
        lines.unlink()
        count = _length(engine, "line")
        made: dict[Cube, int] = {}
        # the finer one first
        for cube in sorted(CUBES, key=lambda cube: -len(cube.dims)):
            engine.execute(f"CREATE TABLE {cube.table} AS {_added_up(engine, cube, _source(cube, made))}")
            made[cube] = _length(engine, cube.table)
            file_of = folder / f"{start}-{cube.table}.csv"
            engine.execute(f"COPY (SELECT {_written(cube)} FROM {cube.table}) TO '{file_of}' (FORMAT csv, HEADER false)")  # noqa: S608
            taking.take(cube, file_of)
    return count


def _length(engine: "DuckDBPyConnection", table: str) -> int:
    [(count,)] = engine.execute(f"SELECT count(*) FROM {table}").fetchall()  # noqa: S608
    return int(count)


def _source(cube: Cube, made: dict[Cube, int]) -> str | None:
    """The shortest rollup of the kind that knows as much and more; none: the lines. Those of buyers lack who has no name."""
    if cube.kind not in (Kind.MONTHS, Kind.PRESENCE):
        return None
    whole = [each for each in made if each.kind is cube.kind and "buyer_id" not in each.keys]
    finer = [each for each in whole if {*each.dims} >= {*cube.dims} and {*each.members} >= {*cube.members}]
    return min(finer, key=lambda each: made[each]).table if finer else None


def _added_up(engine: "DuckDBPyConnection", cube: Cube, source: str | None) -> str:
    match cube.kind:
        case Kind.PRESENCE:
            return _united(cube, source) if source else _present(cube)
        case Kind.ORDERS:
            return _order_sets(engine, cube)
        case _:
            keys = ", ".join(cube.keys)
            sums = ", ".join(f"sum({name})::{kind} AS {name}" for name, kind in _SUM_TYPES.items())
            named = f" WHERE {_SOMEBODY['buyer']}" if "buyer_id" in cube.keys else ""
            return f"SELECT {keys}, {sums} FROM {source or 'line'}{named} GROUP BY {keys}"  # noqa: S608


def _present(cube: Cube) -> str:
    keys = ", ".join(["month", *(COLUMN[dimension] for dimension in cube.dims)])
    return " UNION ALL ".join(
        f"SELECT {keys}, '{member}' AS member, {MEMBERS[member]} // {CHUNK} AS chunk,"  # noqa: S608
        f" bitstring_agg(({MEMBERS[member]} % {CHUNK})::INTEGER, 0, {CHUNK - 1}) AS bits FROM line"
        f" WHERE present AND {_SOMEBODY[member]} GROUP BY {keys}, {MEMBERS[member]} // {CHUNK}"
        for member in cube.members
    )


def _united(cube: Cube, source: str) -> str:
    keys = ", ".join(cube.keys)
    members = ", ".join(f"'{member}'" for member in cube.members)
    return f"SELECT {keys}, bit_or(bits) AS bits FROM {source} WHERE member IN ({members}) GROUP BY {keys}"  # noqa: S608


def _order_sets(engine: "DuckDBPyConnection", cube: Cube) -> str:
    """Each order's cells as the bits of one string, which are counted and then spelled out."""
    orders = f"FROM line WHERE present AND {_SOMEBODY['order']}"
    engine.execute(
        "CREATE OR REPLACE TABLE cell AS SELECT name, (row_number() OVER (ORDER BY name) - 1)::INTEGER AS number"  # noqa: S608
        f" FROM (SELECT DISTINCT {cell(cube)} AS name {orders})"
    )
    highest = max(_length(engine, "cell") - 1, 0)
    return (
        "SELECT month, district_code, list_filter((SELECT list(name ORDER BY number) FROM cell),"  # noqa: S608
        " lambda name, place: get_bit(cells, (place - 1)::INTEGER) = 1) AS cells, orders FROM ("
        "SELECT month, district_code, cells, count(*) AS orders FROM ("
        f"SELECT month, district_code, bitstring_agg(cell.number, 0, {highest}) AS cells FROM (SELECT *, {cell(cube)} AS name {orders})"
        " JOIN cell USING (name) GROUP BY month, district_code, order_id) GROUP BY month, district_code, cells)"
    )


def _written(cube: Cube) -> str:
    """The columns of a rollup as PostgreSQL reads them."""
    columns = {name: name for name in [*cube.keys, *cube.values]}
    if cube.kind is Kind.PRESENCE:
        columns["bits"] = "'x' || hex(bits::BLOB)"
    if cube.kind is Kind.ORDERS:
        columns["cells"] = """'{' || array_to_string(list_transform(cells, lambda name: '"' || name || '"'), ',') || '}'"""
    return ", ".join(columns.values())
