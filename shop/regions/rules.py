"""The words of the regions."""

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
