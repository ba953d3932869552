"""The words of the regions, and how their codes hold one another."""

from enum import StrEnum


class RegionKind(StrEnum):
    PROVINCE = "province"
    CITY = "city"
    DISTRICT = "district"
    COUNTY = "county"
    AUTONOMOUS_COUNTY = "autonomous_county"
    FUNCTIONAL_ZONE = "functional_zone"
    TOWNSHIP = "township"
    VILLAGE = "village"


class Designation(StrEnum):
    """A dated status of a region. A key county loses its status by its exit; the list of the 832 outlives it."""

    NATIONAL_KEY = "national_key"
    MUNICIPAL_KEY = "municipal_key"
    COUNTY_832 = "county_832"
    DEEP_TOWNSHIP = "deep_township"
    REVITALISATION_KEY = "revitalisation_key"
    POVERTY_TASK = "poverty_task"


class RelationKind(StrEnum):
    """Who supports whom (item 10 of the 2020 work points)."""

    EAST_WEST = "east_west"
    CENTRAL_UNIT = "central_unit"
    MUNICIPAL_GROUP = "municipal_group"
    DISTRICT_PAIR = "district_pair"


class Confidence(StrEnum):
    """How well a support relation is known. Shown wherever the relation is shown."""

    SOURCE = "source"
    RECALLED_HIGH = "recalled_high"
    RECALLED_MED = "recalled_med"
    ASSUMED = "assumed"


def whole_of(code: str) -> str:
    """With what the codes of everything in a region begin; a beginning stays what it is. A province's or city's own code ends with noughts (GB/T 2260):
    500000 holds all that begin with 50."""
    if len(code) != 6 or not code.endswith("00"):
        return code
    return code[:2] if code.endswith("0000") else code[:4]
