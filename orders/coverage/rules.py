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
class Village:
    """A poor village on one day. ``sold``: something was sold from it in the period asked for."""

    township: str
    district: str
    served: bool
    sold: bool


@dataclass(frozen=True, slots=True)
class Covered:
    """How many poor villages a place has, and how many of them are served, sold something, both."""

    villages: int
    served: int
    sold: int
    served_and_sold: int


def coverage(villages: Iterable[Village], level: Level) -> dict[str, Covered]:
    """Poor villages by place, in the order of the places. A village that several stations serve counts once."""
    groups: dict[str, list[Village]] = {}
    for each in villages:
        place = {Level.CITY: "", Level.COUNTY: each.district, Level.TOWNSHIP: each.township}[level]
        groups.setdefault(place, []).append(each)
    return {
        place: Covered(
            villages=len(found),
            served=sum(each.served for each in found),
            sold=sum(each.sold for each in found),
            served_and_sold=sum(each.served and each.sold for each in found),
        )
        for place, found in sorted(groups.items())
    }
