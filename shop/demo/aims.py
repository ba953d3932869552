"""What the demo's officers report from outside, keep record of and set out to reach, through the actions of the domains."""

import random
from datetime import date

from sqlalchemy import text
from sqlmodel import Session

from orders.coverage import actions as coverage
from orders.coverage.rules import StationKind
from orders.coverage.schemas import StationIn
from orders.indicators import actions as indicators
from orders.indicators.schemas import ReportIn, ReviewIn
from orders.targets import actions as targets
from orders.targets.schemas import TargetIn
from shop.core import audit
from shop.demo.people import COUNTY, People, acting
from shop.identity import tokens
from shop.regions import queries as regions
from shop.regions.rules import Designation

_TOWNSHIP = f"{COUNTY}T01"
#: Poor villages of the demo county's township, invented; the first of them are served.
_VILLAGES = ("三岔村", "文昌村", "咏梧村", "长坪村", "平安村")
_SERVED = 3
_VILLAGE_IDS = text("SELECT id FROM poor_village WHERE township_code = :township ORDER BY id LIMIT :served")


def load(session: Session, folk: People, chance: random.Random, today: date) -> None:
    """Rural online retail of the 14 counties for two years, poor villages with a station, and what the counties are to sell this year."""
    city = acting(session, "city")
    counties = sorted(regions.designated(session, [Designation.COUNTY_832], today))
    for code in counties:
        officer = tokens.actor_of_user(session, folk.officers[code])
        base = chance.randint(80, 900) * 1_000_000
        for year, value in ((today.year - 2, base), (today.year - 1, base * chance.randint(112, 138) // 100)):
            figure = {"indicator": "rural_online_retail", "region_code": code, "period": str(year), "value": str(value)}
            made = indicators.report(session, officer, ReportIn(**figure, source="市商务委数据服务商", method="按卖家所在地"))
            indicators.review(session, city, made, ReviewIn(number=1, decision="accept"))
        goal = {
            "code": "sales",
            "region_code": code,
            "name": "消费帮扶产品销售额",
            "measure": "amount",
            "value": str(chance.randint(2, 30) * 100_000),
        }
        days = {"first_on": date(today.year, 1, 1), "due_on": date(today.year, 12, 31)}
        targets.set_target(session, city, TargetIn(**goal, **days, reason="年度任务下达", source="年度任务分解表"))
    county = acting(session, "county")
    rows = "".join(f"{_TOWNSHIP},{name},2014-01-01,\n" for name in _VILLAGES)
    coverage.take_over(session, county, f"乡镇代码,村,起始日期,截止日期\n{rows}".encode(), None, dry_run=False)
    served = list(session.execute(_VILLAGE_IDS, {"township": _TOWNSHIP, "served": _SERVED}).scalars())
    station = {
        "kind": StationKind.TOWN_STATION,
        "name": "平安乡电商服务站",
        "region_code": _TOWNSHIP,
        "opened_on": date(2019, 6, 1),
    }
    coverage.open_station(session, county, StationIn(**station, evidence="验收单（演示）", villages=served))
    while audit.seal(session):
        pass
