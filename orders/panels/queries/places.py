"""Where goods come from and go to: villages with sales, and the lane to Shandong. Both by whole months, which rollups have."""

from collections import defaultdict
from datetime import date
from enum import StrEnum
from typing import Any

from sqlmodel import Session

from orders.coverage import queries as coverage
from orders.ledger.selection import EVERYWHERE, Dimension, Selection
from orders.panels import rules, tables
from orders.statistics.queries import ask
from orders.statistics.question import Measure, Question
from orders.statistics.rules import ranks
from orders.statistics.tables import Filled
from orders.targets import queries as targets
from orders.targets.facts import lane, shandong
from shop.core import clock
from shop.core.errors import Language
from shop.core.months import month_end, month_start
from shop.programmes import queries as programmes
from shop.programmes.errors import NoProgramme
from shop.regions import queries as regions

#: 十万吨渝货进山东, where no target says otherwise.
GOAL_TONNES = 100_000
#: In a tonne.
_GRAMS = 1_000_000
_SUMS = (Measure.AMOUNT, Measure.TONNES)


class LaneKey(StrEnum):
    COUNTY = "county"
    MONTH = "month"


def villages(session: Session, language: Language, first: date, last: date) -> Filled:
    """Villages with sales by county, and how many of the poor ones are among them."""
    first, last = month_start(first), month_end(last)
    answer = ask(session, Question(Selection(first, last), (Dimension.DISTRICT, Dimension.VILLAGE), _SUMS, EVERYWHERE))
    sold = {key[1] for key, (one, *_) in answer.rows.items() if key[1] and one.amount_fen > 0}
    found: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for (district, village), (one, *_) in answer.rows.items():
        if village:
            row = found[district]
            row["villages"] += one.amount_fen > 0
            row["sales"] += one.amount_fen
            row["weight"] += one.grams
    for each in coverage.listed(session, min(last, clock.today()), sold):
        found[each.district]["listed"] += each.count
        found[each.district]["poor_villages"] += each.count if each.sold else 0
    columns = ("villages", "poor_villages", "listed", "sales", "weight")
    named = regions.names(session, set(found), language)
    rows = [
        {"county": code, "county_name": named(code), **{name: row[name] for name in columns}} for code, row in sorted(found.items())
    ]
    return Filled(tables.VILLAGES, rows, answer.exact_to, first=first, last=last)


def shandong_lane(session: Session, language: Language, first: date, last: date, by: LaneKey) -> Filled:
    """Goods of Chongqing to Shandong in tonnes and yuan: by county of origin, or by month and cumulated against the goal."""
    first, last = month_start(first), month_end(last)
    selection = lane(first, last, shandong(session))
    dimension = Dimension.DISTRICT if by is LaneKey.COUNTY else Dimension.MONTH
    answer = ask(session, Question(selection, (dimension,), _SUMS, EVERYWHERE))
    found = {key[0]: one for key, (one, *_) in answer.rows.items()}
    if by is LaneKey.COUNTY:
        named = regions.names(session, found, language)
        places = ranks([one.grams for one in found.values()])
        rows: list[dict[str, Any]] = [
            {"county": code, "county_name": named(code), "weight": one.grams, "sales": one.amount_fen, "rank": place}
            for (code, one), place in zip(found.items(), places, strict=True)
        ]
        rows.sort(key=lambda row: (row["rank"], row["county"]))
        return Filled(tables.LANE_BY_COUNTY, rows, answer.exact_to, first=first, last=last)
    goal = _goal(session, last)
    until = min(last, clock.today())
    rows = [
        {
            "month": f"{month:%Y-%m}",
            "weight": grams,
            "sales": found[month].amount_fen if month in found else 0,
            "cumulated": so_far,
            "goal": goal,
        }
        for month, grams, so_far in rules.cumulated({month: one.grams for month, one in found.items()}, first, until)
    ]
    [total] = answer.totals
    totals = {"weight": total.grams, "sales": total.amount_fen, "cumulated": total.grams, "goal": goal}
    return Filled(tables.LANE_BY_MONTH, rows, answer.exact_to, totals, first=first, last=last)


def _goal(session: Session, on: date) -> int:
    """Grams that are to come to Shandong, as the target of the programme says now."""
    try:
        programme = programmes.in_force(session, min(on, clock.today()))
    except NoProgramme:
        return GOAL_TONNES * _GRAMS
    return int((targets.goal(session, programme.code, "lane_tonnes") or GOAL_TONNES) * _GRAMS)
