"""What is certified, and how many households and persons take part; small numbers of them only for who may read the lists."""

from collections.abc import Mapping
from typing import Any

from sqlmodel import Session

from catalog.certificates.reach import regions
from catalog.monitoring.protection import TABLES
from catalog.monitoring.queries.stock import stock
from catalog.monitoring.schemas import StockKey
from catalog.monitoring.showing import reads_households, told_on
from orders.exporting.table import Cell, Column, Kind, Table, Type, of_rows
from shop.core import clock
from shop.core.cell_room import Key
from shop.core.errors import Language
from shop.core.exports import TOTAL
from shop.core.quantities import PastDay
from shop.core.small_cells import NOTHING_HIDDEN, protect_together
from shop.identity.actor import Actor
from shop.identity.permissions import Permission
from shop.identity.schemas import In

_COLUMNS = [
    Column("county", "区县代码", "County code"),
    Column("county_name", "区县", "County"),
    Column("category", "类别代码", "Category code"),
    Column("category_label", "类别", "Category"),
    Column("certificates", "有效证书数", "Certificates in force", Type.WHOLE),
    Column("households", "带动户次", "Households", Type.WHOLE),
    Column("persons", "带动人次", "Persons", Type.WHOLE),
]


class CertifiedIn(In):
    """The stock of certificates at the end of a day; default: today. A household counts in each category in which it takes part."""

    on: PastDay | None = None


def _table(session: Session, actor: Actor, asked: CertifiedIn, language: Language) -> Table:
    on = asked.on or clock.today()
    found = stock(session, actor, language, by=[StockKey.COUNTY, StockKey.CATEGORY], on=on)
    cells = {(row["county"], row["category"]): row for row in found.rows}
    names = {
        0: {row["county"]: row["county_name"] for row in found.rows},
        1: {row["category"]: row["category_label"] for row in found.rows},
    }
    counts: dict[str, dict[Key, int]] = {
        name: {key: int(row[name]) for key, row in cells.items()} for name in ("certificates", "households", "persons")
    }
    within = regions(actor, Permission.SUPERVISION_READ)["regions"]
    told = None if reads_households(actor, within) else told_on(session, on, within)
    rows: list[list[Cell]] = []
    totals: list[list[Cell]] = []
    for table, figures in protect_together(counts, TABLES, NOTHING_HIDDEN).items():
        for key, row in sorted(figures.items()):
            placed = dict(zip(table, key, strict=True))
            if told is not None and not told.adds_up(placed.get(0), placed.get(1)):
                row |= {"households": None, "persons": None}
            named = [cell for dimension in names for cell in _named(placed, dimension, names, language)]
            (rows if len(placed) == len(names) else totals).append([*named, *row.values()])
    return of_rows("认定存量" if language == "zh" else "Certified", _COLUMNS, rows, totals)


def _named(
    placed: Mapping[int, str], dimension: int, names: Mapping[int, Mapping[str, Any]], language: Language
) -> tuple[Cell, Cell]:
    """Code and name; of what is over all of them the word for it."""
    code = placed.get(dimension)
    return (None, TOTAL[language]) if code is None else (code, names[dimension][code])


KIND = Kind(Permission.SUPERVISION_READ, CertifiedIn, _table, (None, "on"), frozenset({Permission.HOUSEHOLDS_READ}))
