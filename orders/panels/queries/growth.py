"""Growth of what others count, by county. Totals, open to every officer."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from sqlmodel import Session

from orders.indicators import queries as indicators
from orders.indicators import rules
from orders.indicators.rules import Period
from orders.ledger.selection import EVERYWHERE, Dimension, Selection
from orders.panels import tables
from orders.statistics.queries import ask
from orders.statistics.question import Measure, Question
from orders.statistics.tables import Filled
from orders.targets import queries as targets
from shop.core import clock
from shop.core.errors import Invalid, Language, unknown_code
from shop.identity.actor import CITY
from shop.programmes import queries as programmes
from shop.programmes.errors import NoProgramme
from shop.programmes.schemas import ProgrammeConfig
from shop.regions import queries as regions


def _counted_in(session: Session, config: ProgrammeConfig, indicator: str, on: date) -> list[str]:
    """The districts whose growth a programme sets a target for; all of the city where it names none."""
    wanted = next((each.designation for each in config.targets if each.indicator == indicator and each.designation), None)
    if wanted is None:
        return [row.code for row in regions.regions(session, on, parent=CITY)]
    found = regions.designated(session, [wanted], on)
    return sorted(code for code in found if len(code) == len(CITY))


def growth(session: Session, indicator: str, period: Period, language: Language) -> Filled:
    """Growth by county against the city's target, the highest first, with the marketplace's own sales beside it; and over all of them.

    Raises:
        Invalid: the programme of the period's last day knows no such indicator, nor does today's (422).
    """
    on = min(period.last, clock.today())
    try:
        config = programmes.config_of(session, on)
    except NoProgramme:
        config = programmes.config_of(session, clock.today())
    known = {each.code for each in (*config.indicators, *programmes.config_of(session, clock.today()).indicators)}
    if indicator not in known:
        raise Invalid(faults=[unknown_code("indicator", indicator)])
    codes = _counted_in(session, config, indicator, on)
    found = indicators.grown(session, indicator, period, codes, on)
    target = targets.goal(session, config.code, "indicator_growth", indicator)
    named = regions.names(session, codes, language)
    own = _own_sales(session, codes, period)
    rows = [
        {
            "county": code,
            "county_name": named(code),
            **_shown(each.value, each.base.value, each.growth, target),
            "basis": each.base.basis.value,
            "counted": int(each.value is not None and each.base.value is not None),
            "counties": 1,
            "own_sales": own.get(code, 0),
        }
        for code, each in found.items()
    ]
    rows.sort(key=lambda row: (row["growth"] is None, -Decimal(row["growth"] or 0), row["county"]))
    together = rules.together((each.value, each.base.value) for each in found.values())
    # some of the counties do not tell whether all of them together are there
    total = {
        **_shown(together.value, together.base, together.growth, target if together.complete else None),
        "target": _target(target),
        "counted": together.counted,
        "counties": together.counties,
        "own_sales": sum(own.get(code, 0) for code in codes),
    }
    return Filled(tables.INDICATOR_GROWTH, rows, clock.now(), total, first=period.first, last=period.last, filters=[indicator])


def _shown(value: Decimal | None, base: Decimal | None, growth: Decimal | None, target: Decimal | None) -> dict[str, Any]:
    return {
        "value": value,
        "base": base,
        "growth": None if growth is None else str(growth),
        "target": _target(target),
        "reached": None if growth is None or target is None else growth >= target,
    }


def _target(target: Decimal | None) -> str | None:
    return None if target is None else f"{target:.2f}"


def _own_sales(session: Session, codes: Sequence[str], period: Period) -> dict[str, int]:
    only = {Dimension.DISTRICT: regions.with_predecessors(session, codes)}
    selection = Selection(period.first, period.last, only)
    answer = ask(session, Question(selection, (Dimension.DISTRICT,), (Measure.AMOUNT,), EVERYWHERE))
    return {key[0]: figures[0].amount_fen for key, figures in answer.rows.items()}
