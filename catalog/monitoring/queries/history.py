"""The stock of certificates at the end of many periods."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlmodel import Session

from catalog.monitoring import rules
from catalog.monitoring.queries import kept
from catalog.monitoring.queries.counting import EVERYWHERE
from catalog.monitoring.queries.stock import grouped, with_people
from catalog.monitoring.schemas import Grain
from shop.core import clock
from shop.core.cell_room import Key
from shop.core.errors import Invalid


@dataclass(frozen=True)
class History:
    """The stock at the end of each of some days: rows by county and category, and by county (with an empty category), where everybody counts once."""

    rows: Sequence[Sequence[Mapping[str, Any]]]

    def at(self, place: int) -> tuple[dict[Key, dict[str, Any]], dict[str, dict[str, Any]]]:
        """What holds at one of the ends: by county and category, and by county; without what has no certificate then."""
        held = {(row["county"], row["category"]): with_people(row) for row in self.rows[place]}
        cells: dict[Key, dict[str, Any]] = {key: held[key] for key in sorted(held) if key[1]}
        return cells, {key[0]: held[key] for key in sorted(held) if not key[1]}

    def totals(self, within: Sequence[str], district: str | None = None) -> list[dict[str, Any]]:
        """All of some regions (patterns of codes), or of the one district in them, at each end."""
        prefixes = tuple(pattern.removesuffix("%") for pattern in within)
        found = []
        for rows in self.rows:
            [total] = grouped(
                (
                    row
                    for row in rows
                    if not row["category"] and row["county"].startswith(prefixes) and district in (None, row["county"])
                ),
                [],
            )
            found.append(with_people(total))
        return found


def ends(first: date, last: date, grain: Grain) -> list[date]:
    """The last days of the periods that begin in ``first`` to ``last``, none later than today.

    Raises:
        Invalid: too many periods, or none (422).
    """
    last = min(last, clock.today())
    if first > last:
        raise Invalid.one("from", "not_before_to", "起始日期不能晚于截止日期", "the first day lies after the last")
    found = list(rules.period_ends(first, last, grain))
    if len(found) > rules.MOST_PERIODS:
        told = f"最多 {rules.MOST_PERIODS} 个期间", f"at most {rules.MOST_PERIODS} periods"
        raise Invalid.one("from", "too_many_periods", *told)
    return found


def history(session: Session, days: Sequence[date], *, cells: bool = True) -> History:
    """The stock of the whole city at the end of some days; small numbers of households as they are. ``cells``: by county and category too."""
    return History(kept.of_days(session, days, EVERYWHERE, cells=cells))
