"""Rollups of some months' lines, added up in columns by DuckDB: all groupings of a line in the time in which PostgreSQL makes two or three."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from orders.ledger.selection import COLUMN, Dimension, from_lines
from orders.statistics.cubes import CUBES, MEMBERS, PRESENT, SUMS, TAKEN_FROM, Cube, Kind, cell
from orders.statistics.models import CHUNK

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

D = Dimension
#: Words that come again and again together are handed over as one, apart by a character that no code holds: a line has fewer columns to be read,
#: and every word is told from others once for all lines that have the same. What people wrote, which may hold any character, is the last.
_WORDS = {
    "goods": [COLUMN[dimension] for dimension in (D.DISTRICT, D.TOWNSHIP, D.KIND, D.CATEGORY, D.VILLAGE)],
    "deal": [
        *("direction", "origin_kind"),
        *(
            COLUMN[dimension]
            for dimension in (D.MODE, D.RELATION, D.CHANNEL, D.SOURCE, D.BUYER_KIND, D.BUYER_REGION, D.FUND_SOURCE)
        ),
    ],
}
_APART = "\x1f"
#: How a column comes from a line, where it is none of its own or may be null there.
_FROM_LINES = {"known_on": "recorded_at::date"} | {column: from_lines(dimension) for dimension, column in COLUMN.items()}


def _from_line(name: str) -> str:
    return f" || '{_APART}' || ".join(_from_line(word) for word in _WORDS[name]) if name in _WORDS else _FROM_LINES.get(name, name)


#: What a line is handed over as, and the type of each column here. Bare: columns are reckoned faster than rows.
_TYPES = {
    **dict.fromkeys(_WORDS, "VARCHAR"),
    **dict.fromkeys(("sold_on", "known_on"), "DATE"),
    **dict.fromkeys(("certified", "reserved_share_eligible"), "BOOLEAN"),
    **dict.fromkeys(("product_id", "supplier_id", "buyer_id", "outlet_id", "order_id", "amount_fen", "grams"), "BIGINT"),
    "quantity": "DECIMAL(14,3)",
}
#: SQL for PostgreSQL: what it hands over of a line.
HANDED = ", ".join(map(_from_line, _TYPES))
_SUM_TYPES = {name: "DECIMAL(20,3)" if name == "quantity" else "BIGINT" for name in SUMS}
#: The columns that rollups are made of, and how each comes from what is handed over.
_LINE = {
    "month": "date_trunc('month', sold_on)::date",
    **{name: TAKEN_FROM[name] for name in ("day", "year")},
    **{name: name for name in ("known_on", "direction", *COLUMN.values(), "reserved_share_eligible", "order_id")},
    "present": PRESENT,
    **{name: f"({added})::{_SUM_TYPES[name]}" for name, added in SUMS.items()},
}
#: A buyer without a name is 0 here, and is nobody.
_SOMEBODY = {member: f"{column} <> 0" if member == "buyer" else f"{column} IS NOT NULL" for member, column in MEMBERS.items()}
#: Up to how many cells an order's bits are a plain number, which is reckoned in half the time.
_BITS_OF_NUMBER = 127
#: Bytes that are written at once, and rows that are fetched at once.
_BLOCK, _ROWS = 1 << 20, 2048
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
        f" escape = '\"', columns = {_TYPES}, nullstr = '', allow_quoted_nulls = false)",
        {"lines": str(lines)},
    )
    for name in _WORDS:
        _tell_apart(made, name)
    # a line whose words were not found would have none, and PostgreSQL would refuse the rollups of it
    words = "".join(f" LEFT JOIN words_of_{name} USING ({name})" for name in _WORDS)
    columns = ", ".join(f"{taken} AS {name}" for name, taken in _LINE.items())
    made.execute(f"CREATE TABLE line AS SELECT {columns} FROM handed{words}")  # noqa: S608
    made.execute("DROP TABLE handed")
    _cells_of_orders(made)
    return _length(made, "line")


def _tell_apart(made: "DuckDBPyConnection", together: str) -> None:
    """The words that were handed over together, each of them a number from here on."""
    words = _WORDS[together]
    taken = {word: f"parts[{place}]" for place, word in enumerate(words, 1)}
    taken[words[-1]] = f"array_to_string(parts[{len(words)}:], '{_APART}')"
    made.execute(
        f"CREATE TABLE words_of_{together} AS SELECT {together}, {', '.join(f'{part} AS {word}' for word, part in taken.items())}"  # noqa: S608
        f" FROM (SELECT {together}, string_split({together}, '{_APART}') AS parts FROM (SELECT DISTINCT {together} FROM handed))"
    )
    for word in words:
        made.execute(f"CREATE TYPE of_{word} AS ENUM (SELECT DISTINCT {word} FROM words_of_{together} ORDER BY 1)")  # noqa: S608
        made.execute(f"ALTER TABLE words_of_{together} ALTER {word} TYPE of_{word}")


def rollups(made: "DuckDBPyConnection") -> Iterator[Cube]:
    """Make one rollup after the other, each as a table of its own name; the finer one first."""
    lengths: dict[Cube, int] = {}
    for cube in sorted(CUBES, key=lambda cube: -len(cube.dims)):
        made.execute(f"CREATE TABLE {cube.table} AS {_added_up(cube, _source(cube, lengths))}")
        lengths[cube] = _length(made, cube.table)
        yield cube


def form(cube: Cube) -> str:
    """In which form PostgreSQL reads a rollup: bitmaps as the bytes that they are, which it takes in half the time of digits; all else as text."""
    return "binary" if cube.kind is Kind.PRESENCE else "csv"


def write(made: "DuckDBPyConnection", cube: Cube, file: Path) -> None:
    """A rollup as PostgreSQL reads it, by its key: so its rows are added faster, and what is asked for together lies together."""
    if form(cube) == "binary":
        _write_bytes(made, cube, file)
        return
    columns = {name: name for name in [*cube.keys, *cube.values]}
    if cube.kind is Kind.ORDERS:
        columns["cells"] = """'{' || array_to_string(list_transform(cells, lambda name: '"' || name || '"'), ',') || '}'"""
    rows = f"SELECT {', '.join(columns.values())} FROM {cube.table} ORDER BY {', '.join(cube.keys)}"  # noqa: S608
    made.execute(f"COPY ({rows}) TO '{file}' (FORMAT csv, HEADER false)")


def _write_bytes(made: "DuckDBPyConnection", cube: Cube, file: Path) -> None:
    """The format of COPY: a signature, rows, an end; of a row the number of its fields, of a field its length and its bytes as they are sent."""
    columns = [*cube.keys, *cube.values]
    row = " || ".join([_bytes(len(columns), "SMALLINT"), *map(_field, columns)])
    with file.open("wb", _BLOCK) as rows:
        rows.write(b"PGCOPY\n\xff\r\n\0" + bytes(8))
        made.execute(f"SELECT {row} FROM {cube.table} ORDER BY {', '.join(cube.keys)}")  # noqa: S608
        while some := made.fetchmany(_ROWS):
            rows.writelines(each for (each,) in some)
        rows.write(b"\xff\xff")


def _field(name: str) -> str:
    match name:
        case "bits":
            return f"{_bytes(4 + CHUNK // 8, 'INTEGER')} || {_bytes(CHUNK, 'INTEGER')} || bits::BLOB"
        case "chunk":
            return f"{_bytes(8, 'INTEGER')} || {_bytes(name, 'BIGINT')}"
        case "month" | "day":
            days = f"{name} - DATE '2000-01-01'"
            return f"{_bytes(4, 'INTEGER')} || {_bytes(days, 'INTEGER')}"
        case "certified":
            return f"{_bytes(1, 'INTEGER')} || {_bytes(name, 'TINYINT')}"
        case _:
            word = f"encode({name}::VARCHAR)"
            return f"{_bytes(f'octet_length({word})', 'INTEGER')} || {word}"


def _bytes(number: int | str, kind: str) -> str:
    """SQL: a number as it is sent, the highest byte first."""
    return f"({number})::{kind}::BIT::BLOB"


def _length(made: "DuckDBPyConnection", table: str) -> int:
    [(count,)] = made.execute(f"SELECT count(*) FROM {table}").fetchall()  # noqa: S608
    return int(count)


def _source(cube: Cube, lengths: dict[Cube, int]) -> str:
    """The shortest rollup of the kind that knows as much and more, else the lines."""
    alike = [each for each in lengths if (each.kind, each.time) == (cube.kind, cube.time)]
    finer = [each for each in alike if {*each.dims} >= {*cube.dims} and {*each.members} >= {*cube.members}]
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
            named = f" WHERE {_SOMEBODY['buyer']}" if cube.kind is Kind.FUNDS else ""
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
    """In which cells each order has sales, for all tables of orders at once: each cell has a bit in its table, an order has the bits of its own."""
    there = f"FROM line WHERE present AND {_SOMEBODY['order']}"
    bits, joins = [], []
    for cube in _ORDERS:
        cells, dims = f"cells_of_{cube.table}", ", ".join(COLUMN[dimension] for dimension in cube.cell_dims)
        distinct = f"SELECT DISTINCT {dims} {there}" if dims else "SELECT 1"
        made.execute(
            f"CREATE TABLE {cells} AS SELECT {dims}{',' if dims else ''} name, (row_number() OVER (ORDER BY name) - 1)::INTEGER AS number"  # noqa: S608
            f" FROM (SELECT *, {cell(cube)} AS name FROM ({distinct}))"
        )
        count = _length(made, cells)
        bit = "1::HUGEINT << number" if count <= _BITS_OF_NUMBER else f"set_bit(repeat('0', {count})::BIT, number, 1)"
        made.execute(f"CREATE OR REPLACE TABLE {cells} AS SELECT *, {bit} AS bit FROM {cells}")  # noqa: S608
        joins.append(f" JOIN {cells} USING ({dims})" if dims else f" CROSS JOIN {cells}")
        bits.append(f"bit_or({cells}.bit) AS {cube.table}")
    made.execute(
        f"CREATE TABLE cells_of_order AS SELECT month, district_code, {', '.join(bits)}"  # noqa: S608
        f" FROM (SELECT * {there}) AS line{''.join(joins)} GROUP BY month, district_code, order_id"
    )


def _sets(cube: Cube) -> str:
    """How many orders there are by the set of their cells, whose bits are spelled out after they are counted."""
    return (
        f"SELECT month, district_code, list_transform(list_filter((SELECT list({{'name': name, 'bit': bit}} ORDER BY number) FROM cells_of_{cube.table}),"  # noqa: S608
        " lambda cell: cell.bit & bits = cell.bit), lambda cell: cell.name) AS cells, orders"
        f" FROM (SELECT month, district_code, {cube.table} AS bits, count(*) AS orders FROM cells_of_order GROUP BY ALL)"
    )
