"""The rollup tables, declared once. Refresh, rebuild, reconciliation and the choice of a table for a question all follow from this list."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from orders.ledger.selection import COLUMN, Dimension
from orders.statistics.models import CHUNK

D = Dimension

#: The sums that every ``sales_…`` table holds, each with how it comes from ledger rows.
SUMS = {"amount_fen": "sum(amount_fen)", "grams": "sum(grams)", "quantity": "sum(quantity)", "entries": "count(*)"}

#: Who is counted, and the ledger column that names them.
MEMBERS = {"order": "order_id", "buyer": "buyer_id", "product": "product_id", "supplier": "supplier_id"}

#: Whom an entry makes present. A correction is no sale: it takes back amounts, it does not make anybody a participant of its month.
COUNTS = "reverses_id IS NULL"


@dataclass(frozen=True)
class Cube:
    """One rollup table: a row for each ``time`` and combination of ``dims`` that occurs."""

    table: str
    dims: tuple[Dimension, ...]
    time: Literal["month", "day"] = "month"

    @property
    def columns(self) -> list[str]:
        return [self.time, *(COLUMN[dim] for dim in self.dims)]

    @property
    def grouping(self) -> list[str]:
        """The same as expressions over ledger rows."""
        return ["sold_on" if self.time == "day" else "month", *(COLUMN[dim] for dim in self.dims)]

    def answers(self, needed: Collection[Dimension]) -> bool:
        return set(needed) <= {*self.dims, D.MONTH}


_CHANNEL = (D.DISTRICT, D.MODE, D.RELATION, D.CHANNEL)
_ALL = (*_CHANNEL, D.CATEGORY, D.BUYER_KIND)

#: Sums by month, from the smallest table to the largest.
MONTHS = (
    Cube("sales_buyer_kind_month", (D.DISTRICT, D.BUYER_KIND)),
    Cube("sales_category_month", (D.DISTRICT, D.CATEGORY)),
    Cube("sales_district_month", _CHANNEL),
    Cube("sales_supplier_month", (D.SUPPLIER, D.DISTRICT, D.CATEGORY)),
    Cube("sales_month", _ALL),
)
#: Sums by day. With every dimension it would be nearly as long as the ledger; the few days at the edges of a period are read there instead.
DAYS = Cube("sales_day", _CHANNEL, "day")
#: Who took part, by month, from the smallest table to the largest.
PRESENCE = (
    Cube("presence_district_month", (D.DISTRICT,)),
    Cube("presence_buyer_kind_month", (D.DISTRICT, D.BUYER_KIND)),
    Cube("presence_category_month", (D.DISTRICT, D.CATEGORY)),
    Cube("presence_channel_month", _CHANNEL),
)
SUM_CUBES = (*MONTHS, DAYS)
CUBES = (*SUM_CUBES, *PRESENCE)


def smallest(cubes: Collection[Cube], needed: Collection[Dimension]) -> Cube | None:
    """The smallest table that has every dimension of a question; None when only the ledger itself has them all."""
    return next((cube for cube in cubes if cube.answers(needed)), None)


def bit(column: str) -> str:
    """SQL: a bitmap with the one bit of a member."""
    return f"set_bit(B'0'::bit({CHUNK}), ({column} % {CHUNK})::int, 1)"


def sums_of(cube: Cube, source: str) -> str:
    """SQL: the rows of a sums table as a recount of ledger rows."""
    sums = ", ".join(f"{expression} AS {name}" for name, expression in SUMS.items())
    named = ", ".join(f"{g} AS {c}" for g, c in zip(cube.grouping, cube.columns, strict=True))
    return f"SELECT {named}, {sums} FROM {source} GROUP BY {', '.join(cube.grouping)}"  # noqa: S608


def presence_of(cube: Cube, source: str) -> str:
    """SQL: the rows of a presence table as a recount of ledger rows."""
    members = ", ".join(f"('{member}', {column})" for member, column in MEMBERS.items())
    keys = ", ".join(cube.columns)
    return (
        f"SELECT {keys}, m.member, m.id / {CHUNK} AS chunk, bit_or({bit('m.id')}) AS bits"  # noqa: S608
        f" FROM {source} CROSS JOIN LATERAL (VALUES {members}) AS m (member, id)"
        f" WHERE {COUNTS} AND m.id IS NOT NULL GROUP BY {keys}, m.member, m.id / {CHUNK}"
    )


def recount(cube: Cube, source: str) -> str:
    """SQL: what a rollup must hold for the ledger rows of ``source``."""
    return presence_of(cube, source) if cube in PRESENCE else sums_of(cube, source)


def keys(cube: Cube) -> list[str]:
    """The primary key of a rollup."""
    return [*cube.columns, "member", "chunk"] if cube in PRESENCE else cube.columns


def values(cube: Cube) -> list[str]:
    """What a rollup holds for each key."""
    return ["bits"] if cube in PRESENCE else list(SUMS)


def absorb(cube: Cube, source: str) -> str:
    """SQL: add ledger rows to a rollup."""
    key, held = keys(cube), values(cube)
    if cube in PRESENCE:
        # a member who is there already changes nothing: no new row version for the many repeat buyers
        update = "bits = t.bits | excluded.bits WHERE t.bits | excluded.bits <> t.bits"
    else:
        update = ", ".join(f"{name} = t.{name} + excluded.{name}" for name in held)
    return (
        f"INSERT INTO {cube.table} AS t ({', '.join([*key, *held])})"  # noqa: S608
        f" SELECT {', '.join([*key, *held])} FROM ({recount(cube, source)}) AS fresh"
        f" ON CONFLICT ({', '.join(key)}) DO UPDATE SET {update}"
    )


#: Ledger columns that any rollup reads.
READ = sorted({*COLUMN.values(), *MEMBERS.values(), "sold_on", "amount_fen", "grams", "quantity", "reverses_id"})


def absorb_all(batch: str) -> str:
    """SQL: add the entries of ``batch`` (a CTE body that yields ``entry_id``) to every rollup, in one statement."""
    steps = ", ".join(f"into_{cube.table} AS ({absorb(cube, 'entry')})" for cube in CUBES)
    return (
        f"WITH batch AS ({batch}), entry AS MATERIALIZED ("  # noqa: S608
        f"SELECT {', '.join(f'e.{column}' for column in READ)} FROM batch JOIN sale_entry e ON e.id = batch.entry_id), {steps}"
        " SELECT count(*) FROM batch"
    )
