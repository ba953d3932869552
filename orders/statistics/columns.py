"""Rollups of some months' lines, added up in columns by DuckDB: all groupings of a line in the time in which PostgreSQL makes two or three."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from orders.ledger.selection import COLUMN, from_lines
from orders.statistics.cubes import CUBES, MEMBERS, PRESENT, SUMS, TAKEN_FROM, Cube, Kind, cell
from orders.statistics.models import CHUNK

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: What a line is handed over as, by PostgreSQL's names for it, and the type of each column here. Bare: columns are reckoned faster than rows.
HANDED: dict[str, str] = {
    "sold_on": "DATE",
    "recorded_at::date": "DATE",
    "direction": "VARCHAR",
    "origin_kind": "VARCHAR",
    "reverses_id": "BIGINT",
    "district_code": "VARCHAR",
    "township_code": "VARCHAR",
    "village": "VARCHAR",
    "mode": "VARCHAR",
    "relation": "VARCHAR",
    "channel": "VARCHAR",
    "source": "VARCHAR",
    "kind": "VARCHAR",
    "category": "VARCHAR",
    "certified": "BOOLEAN",
    "product_id": "BIGINT",
    "supplier_id": "BIGINT",
    "buyer_id": "BIGINT",
    "buyer_kind": "VARCHAR",
    "buyer_region_code": "VARCHAR",
    "fund_source": "VARCHAR",
    "outlet_id": "BIGINT",
    "reserved_share_eligible": "BOOLEAN",
    "order_id": "BIGINT",
    "amount_fen": "BIGINT",
    "grams": "BIGINT",
    "quantity": "DECIMAL(14,3)",
}
_SUM_TYPES = {name: "DECIMAL(20,3)" if name == "quantity" else "BIGINT" for name in SUMS}
#: The columns that rollups are made of, and how each comes from what is handed over.
_LINE = {
    "month": "date_trunc('month', sold_on)::date",
    **{name: taken for name, taken in TAKEN_FROM.items() if name != "known_on"},
    "known_on": '"recorded_at::date"',
    "direction": "direction",
    **{column: from_lines(dimension) for dimension, column in COLUMN.items()},
    "reserved_share_eligible": "reserved_share_eligible",
    "order_id": "order_id",
    "present": PRESENT,
    **{name: f"({added})::{_SUM_TYPES[name]}" for name, added in SUMS.items()},
}
#: A buyer without a name is 0 here, and is nobody.
_SOMEBODY = {member: f"{column} <> 0" if member == "buyer" else f"{column} IS NOT NULL" for member, column in MEMBERS.items()}
_ORDERS = [cube for cube in CUBES if cube.kind is Kind.ORDERS]


@contextmanager
def engine(folder: Path) -> Iterator["DuckDBPyConnection"]:
    """An engine for one thread, with a place for what does not fit into memory."""
    import duckdb  # not in memory before somebody asks for it

    with duckdb.connect(":memory:", config={"threads": 1, "preserve_insertion_order": False}) as made:
        made.execute(f"SET temp_directory = '{folder}'")
        yield made


def load(made: "DuckDBPyConnection", lines: Path) -> int:
    """Take the lines of a file over; returns how many they are."""
    made.execute(
        f"CREATE TABLE handed AS SELECT * FROM read_csv($lines, header = false, auto_detect = false, delim = ',', quote = '\"',"  # noqa: S608
        f" escape = '\"', columns = {HANDED}, nullstr = '', allow_quoted_nulls = false)",
        {"lines": str(lines)},
    )
    made.execute(f"CREATE VIEW reckoned AS SELECT {', '.join(f'{taken} AS {name}' for name, taken in _LINE.items())} FROM handed")  # noqa: S608
    # words that come again and again are numbers from here on
    kinds = dict(made.execute("SELECT column_name, column_type FROM (DESCRIBE reckoned)").fetchall())
    numbered = {name: name for name in _LINE}
    for name in (name for name, kind in kinds.items() if kind == "VARCHAR"):
        made.execute(f"CREATE TYPE of_{name} AS ENUM (SELECT DISTINCT {name} FROM reckoned)")  # noqa: S608
        numbered[name] = f"{name}::of_{name} AS {name}"
    made.execute(f"CREATE TABLE line AS SELECT {', '.join(numbered.values())} FROM reckoned")  # noqa: S608
    made.execute("DROP VIEW reckoned; DROP TABLE handed")
    _cells_of_orders(made)
    return _length(made, "line")


def rollups(made: "DuckDBPyConnection") -> Iterator[Cube]:
    """Make one rollup after the other, each as a table of its own name; the finer one first."""
    lengths: dict[Cube, int] = {}
    for cube in sorted(CUBES, key=lambda cube: -len(cube.dims)):
        made.execute(f"CREATE TABLE {cube.table} AS {_added_up(cube, _source(cube, lengths))}")
        lengths[cube] = _length(made, cube.table)
        yield cube


def write(made: "DuckDBPyConnection", cube: Cube, file: Path) -> None:
    """A rollup as PostgreSQL reads it."""
    columns = {name: name for name in [*cube.keys, *cube.values]}
    if cube.kind is Kind.PRESENCE:
        columns["bits"] = "'x' || hex(bits::BLOB)"
    if cube.kind is Kind.ORDERS:
        columns["cells"] = """'{' || array_to_string(list_transform(cells, lambda name: '"' || name || '"'), ',') || '}'"""
    made.execute(f"COPY (SELECT {', '.join(columns.values())} FROM {cube.table}) TO '{file}' (FORMAT csv, HEADER false)")  # noqa: S608


def _length(made: "DuckDBPyConnection", table: str) -> int:
    [(count,)] = made.execute(f"SELECT count(*) FROM {table}").fetchall()  # noqa: S608
    return int(count)


def _source(cube: Cube, lengths: dict[Cube, int]) -> str:
    """The shortest rollup of the kind that knows as much and more, else the lines. Those of buyers lack who has no name."""
    whole = [each for each in lengths if (each.kind, each.time) == (cube.kind, cube.time) and "buyer_id" not in each.keys]
    finer = [each for each in whole if {*each.dims} >= {*cube.dims} and {*each.members} >= {*cube.members}]
    return min(finer, key=lambda each: lengths[each]).table if finer and cube.kind in (Kind.MONTHS, Kind.PRESENCE) else "line"


def _added_up(cube: Cube, source: str) -> str:
    match cube.kind:
        case Kind.PRESENCE:
            return _present(cube) if source == "line" else _united(cube, source)
        case Kind.ORDERS:
            return _sets(cube)
        case _:
            keys = ", ".join(cube.keys)
            sums = ", ".join(f"sum({name})::{kind} AS {name}" for name, kind in _SUM_TYPES.items())
            named = f" WHERE {_SOMEBODY['buyer']}" if "buyer_id" in cube.keys else ""
            return f"SELECT {keys}, {sums} FROM {source}{named} GROUP BY {keys}"  # noqa: S608


def _present(cube: Cube) -> str:
    keys = ", ".join([cube.time, *(COLUMN[dimension] for dimension in cube.dims)])
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


def _cells_of_orders(made: "DuckDBPyConnection") -> None:
    """In which cells each order has sales, for all tables of orders at once: cells have numbers by table, an order has the bits of its own."""
    there = f"FROM line WHERE present AND {_SOMEBODY['order']}"
    bits, joins = [], []
    for cube in _ORDERS:
        cells, dims = f"cells_of_{cube.table}", ", ".join(COLUMN[dimension] for dimension in cube.cell_dims)
        distinct = f"SELECT DISTINCT {dims} {there}" if dims else "SELECT 1"
        made.execute(
            f"CREATE TABLE {cells} AS SELECT {dims}{',' if dims else ''} name, (row_number() OVER (ORDER BY name) - 1)::INTEGER AS number"  # noqa: S608
            f" FROM (SELECT *, {cell(cube)} AS name FROM ({distinct}))"
        )
        joins.append(f" JOIN {cells} USING ({dims})" if dims else f" CROSS JOIN {cells}")
        bits.append(f"bitstring_agg({cells}.number, 0, {max(_length(made, cells) - 1, 0)}) AS {cube.table}")
    made.execute(
        f"CREATE TABLE cells_of_order AS SELECT month, district_code, {', '.join(bits)}"  # noqa: S608
        f" FROM (SELECT * {there}) AS line{''.join(joins)} GROUP BY month, district_code, order_id"
    )


def _sets(cube: Cube) -> str:
    """How many orders there are by the set of their cells, whose bits are spelled out after they are counted."""
    return (
        f"SELECT month, district_code, list_filter((SELECT list(name ORDER BY number) FROM cells_of_{cube.table}),"  # noqa: S608
        " lambda name, place: get_bit(bits, (place - 1)::INTEGER) = 1) AS cells, orders"
        f" FROM (SELECT month, district_code, {cube.table} AS bits, count(*) AS orders FROM cells_of_order GROUP BY ALL)"
    )
