"""The rollup tables, declared once. Refresh, rebuild, reconciliation and the choice of a table for a question all follow from this list."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from orders.ledger.selection import COLUMN, KNOWN_ON, TIME, Dimension, from_lines
from orders.statistics.models import CHUNK

D = Dimension


class Kind(StrEnum):
    #: Sums of ledger rows, by month.
    MONTHS = "months"
    #: The same by year, where months are many rows.
    YEARS = "years"
    #: Sums of ledger rows, by day.
    DAYS = "days"
    #: Sums of ledger rows, by month and by the day on which they became known.
    KNOWN = "known"
    #: Who took part, as bitmaps, by month or by day.
    PRESENCE = "presence"
    #: Sums of ledger rows, by year, of each buyer, by fund and by what counts for its reserved share.
    FUNDS = "funds"
    #: How many orders a district has in a month, by the set of cells in which they have sales.
    ORDERS = "orders"


#: SQL: what an entry adds before returns: as first booked, neither what was taken back nor what was booked again in its place.
_GROSS = "CASE WHEN origin_kind IN ('acceptance_line','history','outlet_line','external_line') THEN amount_fen ELSE 0 END"
#: The sums, each with what a ledger row adds to it.
SUMS = {"amount_fen": "amount_fen", "gross_fen": _GROSS, "grams": "grams", "quantity": "quantity", "entries": "1"}

#: Who is counted, and the ledger column that names them.
MEMBERS = {"order": "order_id", "buyer": "buyer_id", "product": "product_id", "supplier": "supplier_id"}

#: What a reserved share is counted by, beside the year.
FUND_KEYS = ("buyer_id", "fund_source", "certified", "reserved_share_eligible")

#: How a key comes from ledger rows, where it is no column of theirs.
TAKEN_FROM = {
    "day": "sold_on",
    "year": "extract(year FROM sold_on)::int",
    "known_on": KNOWN_ON,
    **{COLUMN[dimension]: from_lines(dimension) for dimension in COLUMN},
}

#: SQL: whom an entry makes present. A correction is no sale: it does not make anybody a participant of its month, neither where it takes amounts
#: back nor where it books them again; who sold is present where the sale stands.
COUNTS = "origin_kind NOT IN ('correction', 'release', 'acceptance_correction')"
#: Of the two directions only purchases have rollups of who took part; helped sales are few.
PRESENT = f"{COUNTS} AND direction = 'purchase'"


@dataclass(frozen=True)
class Cube:
    """One rollup table, and the dimensions that it knows beside the time."""

    table: str
    kind: Kind
    dims: tuple[Dimension, ...]
    #: Of a presence table: whom it holds.
    members: tuple[str, ...] = ()
    #: Of a presence table: by day, not by month.
    daily: bool = False

    @property
    def time(self) -> str:
        return "day" if self.daily else {Kind.DAYS: "day", Kind.FUNDS: "year", Kind.YEARS: "year"}.get(self.kind, "month")

    @property
    def cell_dims(self) -> tuple[Dimension, ...]:
        """Of an orders table: the dimensions within a cell."""
        return tuple(dimension for dimension in self.dims if dimension is not D.DISTRICT)

    @property
    def keys(self) -> list[str]:
        """The primary key."""
        dims = [COLUMN[dimension] for dimension in self.dims]
        match self.kind:
            case Kind.ORDERS:
                return ["month", COLUMN[D.DISTRICT], "cells"]
            case Kind.FUNDS:
                return ["year", *FUND_KEYS]
            case Kind.PRESENCE:
                return [self.time, *dims, "member", "chunk"]
            case Kind.KNOWN:
                return ["known_on", "month", "direction", *dims]
            case Kind.MONTHS | Kind.DAYS | Kind.YEARS:
                return [self.time, "direction", *dims]

    @property
    def values(self) -> list[str]:
        """What is held for each key."""
        return {Kind.PRESENCE: ["bits"], Kind.ORDERS: ["orders"]}.get(self.kind, list(SUMS))

    def answers(self, needed: Collection[Dimension]) -> bool:
        times = {"day": set(TIME), "month": set(_OF_MONTHS), "year": set()}[self.time]
        return set(needed) <= {*self.dims, *times}


#: What follows from the month of a sale.
_OF_MONTHS = (D.MONTH, D.QUARTER, D.YEAR)
_WAYS = (D.MODE, D.RELATION, D.CHANNEL)
#: By what goods were sold, and by what they were paid.
_MEANS = (D.SOURCE, D.CERTIFIED, D.KIND, D.FUND_SOURCE)
_EVERYBODY = tuple(MEMBERS)

#: Within a kind from the smallest table to the largest. Totals of the city's orders have small bitmaps of their own.
CUBES = (
    Cube("sales_buyer_kind_month", Kind.MONTHS, (D.DISTRICT, D.BUYER_KIND)),
    Cube("sales_category_month", Kind.MONTHS, (D.DISTRICT, D.CATEGORY)),
    Cube("sales_district_month", Kind.MONTHS, (D.DISTRICT, *_WAYS)),
    Cube("sales_source_month", Kind.MONTHS, (D.DISTRICT, *_MEANS)),
    Cube("sales_place_month", Kind.MONTHS, (D.DISTRICT, D.TOWNSHIP, D.VILLAGE, D.CERTIFIED)),
    Cube("sales_region_month", Kind.MONTHS, (D.DISTRICT, D.BUYER_REGION, D.KIND)),
    Cube("sales_buyer_month", Kind.MONTHS, (D.BUYER, D.BUYER_KIND, D.BUYER_REGION)),
    Cube("sales_outlet_month", Kind.MONTHS, (D.OUTLET, D.DISTRICT)),
    Cube("sales_supplier_month", Kind.MONTHS, (D.SUPPLIER, D.DISTRICT, D.CATEGORY)),
    Cube("sales_product_month", Kind.MONTHS, (D.PRODUCT, D.SUPPLIER, D.DISTRICT, D.CATEGORY, D.KIND)),
    Cube("sales_channel_buyer_kind_month", Kind.MONTHS, (D.DISTRICT, *_WAYS, D.BUYER_KIND)),
    Cube(
        "sales_month",
        Kind.MONTHS,
        (D.DISTRICT, *_WAYS, D.SOURCE, D.KIND, D.CATEGORY, D.CERTIFIED, D.BUYER_KIND, D.FUND_SOURCE),
    ),
    Cube("sales_place_year", Kind.YEARS, (D.DISTRICT, D.TOWNSHIP, D.VILLAGE)),
    # With every dimension it would be nearly as long as the ledger; the few days at the edges of a period are read there instead.
    Cube("sales_buyer_kind_day", Kind.DAYS, (D.DISTRICT, D.BUYER_KIND)),
    Cube("sales_day", Kind.DAYS, (D.DISTRICT, *_WAYS)),
    Cube("sales_source_day", Kind.DAYS, (D.DISTRICT, *_MEANS)),
    Cube("sales_category_day", Kind.DAYS, (D.DISTRICT, D.CATEGORY)),
    Cube("sales_known", Kind.KNOWN, (D.DISTRICT, *_WAYS)),
    Cube("sales_fund_year", Kind.FUNDS, ()),
    Cube("presence_month", Kind.PRESENCE, (), ("order",)),
    Cube("presence_buyer_kind_city_month", Kind.PRESENCE, (D.BUYER_KIND,), ("order",)),
    Cube("presence_channel_city_month", Kind.PRESENCE, _WAYS, ("order",)),
    Cube("presence_category_city_month", Kind.PRESENCE, (D.CATEGORY,), ("order",)),
    Cube("presence_source_city_month", Kind.PRESENCE, _MEANS, ("order",)),
    Cube("presence_district_month", Kind.PRESENCE, (D.DISTRICT,), _EVERYBODY),
    Cube("presence_buyer_kind_month", Kind.PRESENCE, (D.DISTRICT, D.BUYER_KIND), _EVERYBODY),
    Cube("presence_channel_month", Kind.PRESENCE, (D.DISTRICT, *_WAYS), _EVERYBODY),
    Cube("presence_source_month", Kind.PRESENCE, (D.DISTRICT, *_MEANS), _EVERYBODY),
    Cube("presence_category_month", Kind.PRESENCE, (D.DISTRICT, D.CATEGORY), _EVERYBODY),
    # The days at the edges of a period that is no whole months, such as this year so far beside the same days of the last.
    Cube("presence_day", Kind.PRESENCE, (), ("order",), daily=True),
    Cube("presence_district_day", Kind.PRESENCE, (D.DISTRICT,), _EVERYBODY, daily=True),
    Cube("orders_district_month", Kind.ORDERS, (D.DISTRICT,)),
    Cube("orders_buyer_kind_month", Kind.ORDERS, (D.DISTRICT, D.BUYER_KIND)),
    Cube("orders_channel_month", Kind.ORDERS, (D.DISTRICT, *_WAYS)),
    Cube("orders_category_month", Kind.ORDERS, (D.DISTRICT, D.CATEGORY)),
)


def smallest(kind: Kind, needed: Collection[Dimension], member: str | None = None, *, daily: bool = False) -> Cube | None:
    """The smallest table of a kind that has every dimension of a question; None when only the ledger itself has them all."""
    fitting = (cube for cube in CUBES if cube.kind is kind and cube.daily == daily and cube.answers(needed))
    return next((cube for cube in fitting if member is None or member in cube.members), None)


def bit(column: str) -> str:
    """SQL: a bitmap with the one bit of a member."""
    return f"set_bit(B'0'::bit({CHUNK}), ({column} % {CHUNK})::int, 1)"


#: Members in a word: a whole number, of which each bit is one.
WORD = 64


def bit_of_word(column: str) -> str:
    """SQL: a word with the one bit of a member, the first of them the highest."""
    return f"1::bigint << ({WORD - 1} - {column} % {WORD})::int"


def in_chunk(word: str, number: str) -> str:
    """SQL: a bitmap with the bits of a word; ``number``: its place among all words."""
    return f"{word}::bit({WORD})::bit({CHUNK}) >> ({WORD} * ({number} % {CHUNK // WORD}))::int"


def cell(cube: Cube) -> str:
    """SQL: the cell of a ledger row in an orders table, such as ``market/none/market``. Cells are ordered by their bytes, whatever sorts them."""
    cells = (
        f"concat_ws('/', {', '.join(COLUMN[dimension] for dimension in cube.cell_dims)})" if cube.cell_dims else "CAST('' AS text)"
    )
    return f'{cells} COLLATE "C"'


def recount(cube: Cube, source: str) -> str:
    """SQL: what a rollup must hold for the ledger rows of ``source``."""
    if cube.kind is Kind.PRESENCE:
        return _presence(cube, source)
    if cube.kind is Kind.ORDERS:
        return _order_sets(cube, source)
    grouping = [TAKEN_FROM.get(key, key) for key in cube.keys]
    sums = {name: f"sum({added})" for name, added in SUMS.items()}
    shown = [f"{expression} AS {name}" for name, expression in [*zip(cube.keys, grouping, strict=True), *sums.items()]]
    # who buys at a till is nobody in particular, of whom no share is asked
    known = " WHERE buyer_id IS NOT NULL" if cube.kind is Kind.FUNDS else ""
    return f"SELECT {', '.join(shown)} FROM {source}{known} GROUP BY {', '.join(grouping)}"  # noqa: S608


def _presence(cube: Cube, source: str) -> str:
    members = ", ".join(f"('{member}', {MEMBERS[member]})" for member in cube.members)
    dims = ", ".join([TAKEN_FROM.get(cube.time, cube.time), *(COLUMN[dimension] for dimension in cube.dims)])
    shown = ", ".join([f"{TAKEN_FROM.get(cube.time, cube.time)} AS {cube.time}", *(COLUMN[dimension] for dimension in cube.dims)])
    return (
        f"SELECT {shown}, m.member, m.id / {CHUNK} AS chunk, bit_or({bit('m.id')}) AS bits"  # noqa: S608
        f" FROM {source} CROSS JOIN LATERAL (VALUES {members}) AS m (member, id)"
        f" WHERE {PRESENT} AND m.id IS NOT NULL GROUP BY {dims}, m.member, m.id / {CHUNK}"
    )


def _order_sets(cube: Cube, source: str) -> str:
    return (
        "SELECT month, district_code, cells, count(*) AS orders FROM ("  # noqa: S608
        f"SELECT month, district_code, array_agg(DISTINCT {cell(cube)} ORDER BY {cell(cube)}) AS cells FROM {source}"
        f" WHERE {PRESENT} AND order_id IS NOT NULL GROUP BY order_id, month, district_code) AS one GROUP BY month, district_code, cells"
    )


def _order_moves(cube: Cube) -> str:
    """SQL: orders that change their set of cells leave one row and join another. Reads ``sets``, see :func:`absorb_all`."""
    return (
        "SELECT month, district_code, m.cells, sum(m.step) AS orders"  # noqa: S608
        f" FROM sets CROSS JOIN LATERAL (VALUES ({cube.table}_before, -1), ({cube.table}_after, 1)) AS m (cells, step)"
        f" WHERE {cube.table}_before IS DISTINCT FROM {cube.table}_after AND m.cells IS NOT NULL"
        " GROUP BY month, district_code, m.cells HAVING sum(m.step) <> 0"
    )


def _sets() -> str:
    """SQL: for every order touched, in each district and month, its cells before the batch and after it."""
    columns = []
    for cube in (cube for cube in CUBES if cube.kind is Kind.ORDERS):
        cells = f"array_agg(DISTINCT {cell(cube)} ORDER BY {cell(cube)})"
        columns += [f"{cells} FILTER (WHERE NOT fresh) AS {cube.table}_before", f"{cells} AS {cube.table}_after"]
    return f"SELECT month, district_code, {', '.join(columns)} FROM seen GROUP BY order_id, month, district_code"  # noqa: S608


def absorb(cube: Cube) -> str:
    """SQL: add the ledger rows of ``entry`` to a rollup."""
    fresh = _order_moves(cube) if cube.kind is Kind.ORDERS else recount(cube, "entry")
    if cube.kind is Kind.PRESENCE:
        # a member who is there already changes nothing: no new row version for the many repeat buyers
        update = "bits = t.bits | excluded.bits WHERE t.bits | excluded.bits <> t.bits"
    else:
        update = ", ".join(f"{name} = t.{name} + excluded.{name}" for name in cube.values)
    columns = ", ".join([*cube.keys, *cube.values])
    return (
        f"INSERT INTO {cube.table} AS t ({columns}) SELECT {columns} FROM ({fresh}) AS fresh"  # noqa: S608
        f" ON CONFLICT ({', '.join(cube.keys)}) DO UPDATE SET {update}"
    )


#: Ledger columns that any rollup reads.
READ = sorted(
    {
        *(COLUMN[dimension] for dimension in COLUMN if dimension is not D.VILLAGE),
        *(MEMBERS.values()),
        *FUND_KEYS,
        *("id", "counted", "origin_kind", "recorded_at", "month", "sold_on", "direction", "village"),
        *("amount_fen", "grams", "quantity"),
    }
)
_COLUMNS = ", ".join(f"e.{column}" for column in READ)


def absorb_all(batch: str, fresh: str, taken: str) -> str:
    """SQL: the common table expressions that add entries to every rollup. It takes over the rows of ``entry`` in one statement.

    ``batch`` says where the entries come from: what follows ``FROM`` and yields ``e``. The other two are conditions on ``e``, any entry of the
    same orders: it is one of the batch; or the rollups hold it already. They tell which orders were counted before.
    """
    steps = ", ".join(f"into_{cube.table} AS ({absorb(cube)})" for cube in CUBES)
    return (
        f"entry AS MATERIALIZED (SELECT {_COLUMNS} FROM {batch}), seen AS MATERIALIZED ("  # noqa: S608
        f"SELECT {_COLUMNS}, {fresh} AS fresh FROM sale_entry e"
        f" JOIN (SELECT DISTINCT order_id, month, district_code FROM entry WHERE {PRESENT}) AS o USING (order_id, month, district_code)"
        f" WHERE e.counted AND {COUNTS} AND ({fresh} OR {taken})), sets AS MATERIALIZED ({_sets()}), {steps} SELECT count(*) FROM entry"
    )
