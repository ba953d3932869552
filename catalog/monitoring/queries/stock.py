"""The stock of certificates: products, suppliers, households and persons on a day. What is asked for mostly is kept, see
:mod:`catalog.monitoring.models`; the rest is counted from the lists."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from sqlmodel import Session

from catalog.certificates.reach import regions
from catalog.monitoring import rules
from catalog.monitoring.queries import kept
from catalog.monitoring.queries.counting import BANDS, EVERYWHERE, SUMS, counted
from catalog.monitoring.queries.telling import Teller
from catalog.monitoring.schemas import FiguresOut, StockKey
from shop.core import clock
from shop.core.errors import Language
from shop.identity.actor import Actor
from shop.identity.permissions import Permission

_STOCK_KEYS = {
    StockKey.COUNTY: ["county", "county_name"],
    StockKey.CATEGORY: ["category", "category_label"],
    StockKey.BATCH: ["batch"],
    StockKey.STATE: ["state", "state_label"],
    StockKey.KIND: ["kind", "kind_label"],
}


def stock(
    session: Session,
    actor: Actor,
    language: Language,
    *,
    by: Sequence[StockKey],
    on: date,
    district: str | None = None,
    everywhere: bool = False,
) -> FiguresOut:
    """Certified products, suppliers, households and persons on a day; grouped by state also those whose certificate did not hold.

    Of the caller's regions, or with ``everywhere`` of the whole city: whoever asks for totals says so. Small numbers of households are in it as they
    are: :mod:`catalog.monitoring.showing` shows them to somebody.
    """
    within = EVERYWHERE if everywhere else regions(actor, Permission.SUPERVISION_READ)["regions"]
    teller = Teller(session, language)
    rows = [teller.named(without_bands(row)) for row in stock_rows(session, within, by, on, district)]
    total = without_bands(*stock_rows(session, within, [], on, district, any_state=StockKey.STATE in by))
    keys = [name for key in by for name in _STOCK_KEYS[key]]
    return teller.figures(rules.STOCK, keys, rows, totals=total, on=on)


def stock_rows(
    session: Session,
    within: Sequence[str],
    by: Sequence[StockKey],
    on: date,
    district: str | None = None,
    *,
    any_state: bool = False,
) -> list[dict[str, Any]]:
    """The stock of a day in some regions (prefixes of codes, ``%`` behind each), one row for each group; without groups one row, zeros if need be.
    ``any_state``: also what did not hold on that day, as where it is grouped by state."""
    any_state = any_state or StockKey.STATE in by
    keys = [key for key in by if key is not StockKey.COUNTY]
    if not of_counties(within) or len(keys) > 1:
        rows = counted(session, within, by, on, district, any_state=any_state)
    elif on == clock.today():
        rows = grouped(kept.of_today(session, within, *keys, district=district, any_state=any_state), by)
    elif not any_state and {*keys} <= {StockKey.CATEGORY}:
        [of_day] = kept.of_days(session, [on], within, district, cells=bool(keys))
        rows = grouped((row for row in of_day if bool(row["category"]) is bool(keys)), by)
    else:
        rows = counted(session, within, by, on, district, any_state=any_state)
    return [with_people(row) for row in rows]


def grouped(rows: Iterable[Mapping[str, Any]], by: Sequence[StockKey]) -> list[dict[str, Any]]:
    """Rows of counties put together by these keys, in their order; without keys one row, zeros if need be."""
    names = [key.value for key in by]
    groups: dict[tuple[str | None, ...], dict[str, Any]] = {} if by else {(): _nothing()}
    for row in rows:
        group = groups.setdefault(tuple(row[name] for name in names), _nothing())
        group["supplier_ids"].update(row["supplier_ids"])
        for name in SUMS:
            group[name] += row[name]
    in_order = sorted(groups, key=lambda key: [(value is None, value) for value in key])
    return [{**dict(zip(names, key, strict=True)), **groups[key]} for key in in_order]


def _nothing() -> dict[str, Any]:
    return {"supplier_ids": set(), **dict.fromkeys(SUMS, 0)}


def with_people(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with its households and persons, however they became known, and with how many suppliers it has in place of who they are."""
    both = {who: row[f"{who}_listed"] + row[f"{who}_stated"] for who in ("households", "persons")}
    rest = {name: value for name, value in row.items() if name != "supplier_ids"}
    return {**rest, "suppliers": len(row["supplier_ids"]), **both}


def without_bands(row: dict[str, Any]) -> dict[str, Any]:
    """A row as it is shown."""
    return {name: value for name, value in row.items() if name not in BANDS}


def of_counties(within: Sequence[str]) -> bool:
    """Whether patterns of codes are of whole counties."""
    return all(len(pattern.removesuffix("%")) <= _COUNTY_CODE for pattern in within)


#: Length of a county's code; a township's is longer.
_COUNTY_CODE = 6
