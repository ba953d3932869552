"""How far poor villages are covered: pure functions."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class StationKind(StrEnum):
    COUNTY_CENTRE = "county_centre"
    TOWN_STATION = "town_station"
    VILLAGE_STATION = "village_station"
    LOGISTICS_POINT = "logistics_point"


class Level(StrEnum):
    CITY = "city"
    COUNTY = "county"
    TOWNSHIP = "township"


@dataclass(frozen=True, slots=True)
class Villages:
    """So many poor villages of a district, or of one of its townships, on one day that are alike. ``sold``: something was sold from them in the period
    asked for."""

    township: str
    district: str
    served: bool
    sold: bool
    count: int


@dataclass(frozen=True, slots=True)
class Covered:
    """How many poor villages a place has, and how many of them are served, sold something, both."""

    villages: int
    served: int
    sold: int
    served_and_sold: int


def coverage(villages: Iterable[Villages], level: Level) -> dict[str, Covered]:
    """Poor villages by place, in the order of the places. A village that several stations serve counts once."""
    groups: dict[str, list[Villages]] = {}
    for each in villages:
        place = {Level.CITY: "", Level.COUNTY: each.district, Level.TOWNSHIP: each.township}[level]
        groups.setdefault(place, []).append(each)
    return {
        place: Covered(
            villages=sum(each.count for each in found),
            served=sum(each.count for each in found if each.served),
            sold=sum(each.count for each in found if each.sold),
            served_and_sold=sum(each.count for each in found if each.served and each.sold),
        )
        for place, found in sorted(groups.items())
    }
