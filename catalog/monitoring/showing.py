"""Stocks of certificates as they are shown to somebody: who may not read the lists of households is told no small number of them."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlmodel import Session

from catalog.certificates.reach import regions
from catalog.monitoring import protection
from catalog.monitoring.protection import Told
from catalog.monitoring.queries.stock import EVERYWHERE, bounds, stock_rows
from catalog.monitoring.schemas import FiguresOut, StockKey
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
    _hide(figures.totals, told.tells())
    return figures


def protected_over_time(session: Session, actor: Actor, figures: FiguresOut, district: str | None) -> FiguresOut:
    """The same of a stock over time."""
    within = regions(actor, Permission.SUPERVISION_READ)["regions"]
    if not reads_households(actor, within, district):
        for row in figures.rows:
            _hide(row, told_on(session, date.fromisoformat(row["period"]), within, district).tells())
    return figures


def reads_households(actor: Actor, within: Sequence[str], district: str | None = None) -> bool:
    """Whether somebody may read the lists of households of all these regions, or of the one district in them."""
    if not actor.may(Permission.HOUSEHOLDS_READ):
        return False
    asked = [district] if district else [pattern.removesuffix("%") for pattern in within]
    return all(actor.covers_region(Permission.HOUSEHOLDS_READ, code) for code in asked)


def told_on(session: Session, on: date, within: Sequence[str], district: str | None = None) -> Told:
    """What may be told of the households of a day in some regions, or in the one district in them, to whoever may not read their lists."""
    cells = stock_rows(session, EVERYWHERE, [StockKey.COUNTY, StockKey.CATEGORY], on)
    once = stock_rows(session, EVERYWHERE, [StockKey.COUNTY], on)
    told = protection.told(
        {name: {(row["county"], row["category"]): int(row[name]) for row in cells} for name in _PEOPLE},
        {name: {(row["county"],): int(row[name]) for row in once} for name in _PEOPLE},
        bounds(session, on),
    )
    return told.within([pattern.removesuffix("%") for pattern in within], district)


def _hide(row: dict[str, Any], told: bool) -> None:
    for name in _HOW_KNOWN if told else (*_PEOPLE, *_HOW_KNOWN):
        row[name] = None
