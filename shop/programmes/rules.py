"""The words of a programme: modes of sale, support relations and channels of credit."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class Mode(StrEnum):
    """How a sale came about (item 10 of the 2020 work points)."""

    POLICY_PROCUREMENT = "policy_procurement"
    EAST_WEST = "east_west"
    MARKET = "market"
    SOCIAL_NETWORK = "social_network"


class Relation(StrEnum):
    """Who supports whom (item 10 of the 2020 work points)."""

    EAST_WEST = "east_west"
    CENTRAL_UNIT = "central_unit"
    MUNICIPAL_GROUP = "municipal_group"
    DISTRICT_PAIR = "district_pair"


class Channel(StrEnum):
    """Where a sale is credited. Each sale has exactly one; a programme's priority list decides between several that apply."""

    CENTRAL_UNIT = "central_unit"
    MUNICIPAL_GROUP = "municipal_group"
    DISTRICT_PAIR = "district_pair"
    EAST_WEST = "east_west"
    POLICY_PROCUREMENT = "policy_procurement"
    SOCIAL_NETWORK = "social_network"
    MARKET = "market"


Terms = Mapping[str, Mapping[str, Any]]


def merged(shared: Terms, own: Terms) -> dict[str, dict[str, Any]]:
    """The term table of a programme: the shared labels, with the programme's own in place of those that they rename."""
    return {group: {**shared.get(group, {}), **own.get(group, {})} for group in [*shared, *(g for g in own if g not in shared)]}
