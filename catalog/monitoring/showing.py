"""Stocks of certificates as they are shown to somebody: who may not read the lists of households is told no small number of them."""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

from sqlmodel import Session

from catalog.certificates.reach import regions
from catalog.monitoring import protection, rules
from catalog.monitoring.protection import Told
from catalog.monitoring.queries import history
from catalog.monitoring.queries.counting import EVERYWHERE
from catalog.monitoring.queries.stock import of_counties, stock_rows, without_bands
from catalog.monitoring.queries.telling import Teller
from catalog.monitoring.schemas import FiguresOut, Grain, StockKey
from shop.core.cell_room import Key
from shop.core.errors import Language
from shop.identity.actor import Actor
from shop.identity.permissions import Permission

#: What tells of people; how they became known is for those alone who may read the lists.
_PEOPLE = ("households", "persons")
_HOW_KNOWN = ("households_listed", "persons_listed", "households_stated", "persons_stated")


def protected(
    session: Session,
    actor: Actor,
    figures: FiguresOut,
    *,
    by: Sequence[StockKey],
    on: date,
    district: str | None,
    everywhere: bool = False,
) -> FiguresOut:
    """A :func:`catalog.monitoring.queries.stock.stock` as it is shown to somebody: to whoever may not read the lists of households of all of it,
    without small numbers of them and whatever would give these away, see :mod:`catalog.monitoring.protection`."""
    within = EVERYWHERE if everywhere else regions(actor, Permission.SUPERVISION_READ)["regions"]
    if reads_households(actor, within, district):
        return figures
    told = told_on(session, on, within, district)
    for row in figures.rows:
        known = set(by) <= {StockKey.COUNTY, StockKey.CATEGORY}
        _hide(row, known and told.tells(row.get("county"), row.get("category")))
    _hide(figures.totals, StockKey.STATE not in by and told.tells())
    return figures


def over_time(
    session: Session, actor: Actor, language: Language, *, first: date, last: date, grain: Grain, district: str | None = None
) -> FiguresOut:
    """The stock at the end of each period, shown in the same way.

    Raises:
        Invalid: too many periods, or none (422).
    """
    days = history.ends(first, last, grain)
    within = regions(actor, Permission.SUPERVISION_READ)["regions"]
    shown = reads_households(actor, within, district)
    if of_counties(within):
        past = history.history(session, days, cells=not shown)
        rows = past.totals(within, district)
        told = [shown or _told(*past.at(place)).within(_prefixes(within), district).tells() for place in range(len(days))]
    else:  # of less than counties no small number is told
        rows = [stock_rows(session, within, [], day, district)[0] for day in days]
        told = [shown] * len(days)
    if not shown:
        for row, tells in zip(rows, told, strict=True):
            _hide(row, tells)
    periods = [{"period": day.isoformat(), **without_bands(row)} for day, row in zip(days, rows, strict=True)]
    return Teller(session, language).figures(rules.STOCK, ["period"], periods, totals={})


def reads_households(actor: Actor, within: Sequence[str], district: str | None = None) -> bool:
    """Whether somebody may read the lists of households of all these regions, or of the one district in them."""
    if not actor.may(Permission.HOUSEHOLDS_READ):
        return False
    asked = [district] if district else _prefixes(within)
    return all(actor.covers_region(Permission.HOUSEHOLDS_READ, code) for code in asked)


def told_on(session: Session, on: date, within: Sequence[str], district: str | None = None) -> Told:
    """What may be told of the households of a day in some regions, or in the one district in them, to whoever may not read their lists."""
    cells = stock_rows(session, EVERYWHERE, [StockKey.COUNTY, StockKey.CATEGORY], on)
    once = stock_rows(session, EVERYWHERE, [StockKey.COUNTY], on)
    by_cell: dict[Key, dict[str, Any]] = {(row["county"], row["category"]): row for row in cells}
    return _told(by_cell, {row["county"]: row for row in once}).within(_prefixes(within), district)


def _told(cells: Mapping[Key, Mapping[str, Any]], once: Mapping[str, Mapping[str, Any]]) -> Told:
    return _worked_out(
        tuple((name, key, int(row[name])) for name in _PEOPLE for key, row in cells.items()),
        tuple((name, county, int(row[name])) for name in _PEOPLE for county, row in once.items()),
        tuple((name, key, *bound) for name, found in bounds(cells).items() for key, bound in found.items()),
    )


# What may be told of a city takes some tenths of a second to work out, and the city is the same from one question to the next.
@lru_cache(maxsize=64)
def _worked_out(
    cells: tuple[tuple[str, Key, int], ...], once: tuple[tuple[str, str, int], ...], bands: tuple[tuple[str, Key, int, int], ...]
) -> Told:
    return protection.told(
        {name: {key: count for who, key, count in cells if who == name} for name in _PEOPLE},
        {name: {(county,): count for who, county, count in once if who == name} for name in _PEOPLE},
        {name: {key: (least, most) for who, key, least, most in bands if who == name} for name in _PEOPLE},
    )


def bounds(cells: Mapping[Key, Mapping[str, Any]]) -> dict[str, dict[Key, tuple[int, int]]]:
    """What everybody knows of households and persons by county and category, from the bands of single certificates: the least and the most."""
    return {name: {key: (row[f"{name}_least"], row[f"{name}_most"]) for key, row in cells.items()} for name in _PEOPLE}


def _prefixes(within: Sequence[str]) -> list[str]:
    return [pattern.removesuffix("%") for pattern in within]


def _hide(row: dict[str, Any], told: bool) -> None:
    for name in _HOW_KNOWN if told else (*_PEOPLE, *_HOW_KNOWN):
        row[name] = None
