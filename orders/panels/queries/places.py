"""Where goods come from and go to: villages with sales, and the lane to Shandong. Both by whole months, which rollups have."""

from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.coverage import queries as coverage
from orders.coverage.rules import Level
from orders.ledger.selection import EVERYWHERE, Dimension, Selection
from orders.panels import rules, tables
from orders.statistics.queries import ask, cells
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
_VILLAGES = """
    SELECT g0 AS county, count(*) FILTER (WHERE amount_fen > 0) AS villages, sum(amount_fen) AS sales, sum(grams) AS weight
    FROM {table} AS by_village WHERE g1 <> '' GROUP BY g0
"""


class LaneKey(StrEnum):
    COUNTY = "county"
    MONTH = "month"


def villages(session: Session, language: Language, first: date, last: date) -> Filled:
    """Villages with sales by county, and how many of the poor ones are among them."""
    first, last = month_start(first), month_end(last)
    exact_to = clock.now()
    table, bind = cells(session, Question(Selection(first, last), (Dimension.DISTRICT, Dimension.VILLAGE), _SUMS, EVERYWHERE))
    none = {"villages": 0, "poor_villages": 0, "listed": 0, "sales": 0, "weight": 0}
    found = {
        row.county: {**none, "villages": row.villages, "sales": int(row.sales), "weight": int(row.weight)}
        for row in session.execute(text(_VILLAGES.format(table=table)), bind.values)
    }
    for each in coverage.listed(session, min(last, clock.today()), Level.COUNTY, coverage.selling(first, last)):
        row = found.setdefault(each.district, {**none})
        row["listed"] += each.count
        row["poor_villages"] += each.count if each.sold else 0
    named = regions.names(session, set(found), language)
    rows = [{"county": code, "county_name": named(code), **row} for code, row in sorted(found.items())]
    return Filled(tables.VILLAGES, rows, exact_to, first=first, last=last)


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
