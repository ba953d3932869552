"""Whose money a caller sees, as parameters and conditions of SQL statements."""

from typing import Any

from shop.core.errors import Forbidden
from shop.identity.actor import CITY, Actor
from shop.identity.permissions import Permission

#: The names that go with a posting ``p``.
NAMES = """
    LEFT JOIN organisation party ON party.id = p.party_id
    LEFT JOIN purchase_order po ON po.id = p.purchase_order_id
"""


def reach(actor: Actor) -> dict[str, Any]:
    """Patterns of the paths of the caller's branch, and of the regions whose money it keeps."""
    return {
        "branch": f"{actor.organisation_path}%" if actor.organisation_path else None,
        "regions": actor.region_patterns(Permission.MONEY_READ),
    }


def keeps(actor: Actor, region_code: str) -> bool:
    """Whether the caller keeps the money of a region, and not only reads of it."""
    return actor.may(Permission.MONEY_MANAGE) and actor.covers_region(Permission.MONEY_MANAGE, region_code)


def keeps_all(actor: Actor) -> bool:
    """Whether the caller keeps the money of the whole city, as what is the marketplace's own asks for."""
    return actor.covers_region(Permission.MONEY_MANAGE, CITY)


def require_keeper(actor: Actor) -> None:
    """The marketplace's own accounts are looked after for the whole city.

    Raises:
        Forbidden: the caller keeps the money of a district only (403).
    """
    if not keeps_all(actor):
        raise Forbidden(permission=Permission.MONEY_MANAGE)


class Conditions:
    """Conditions on postings ``p`` that are all to hold, with their values; first of all that they are within the caller's reach.

    Who keeps the money of the whole city sees every account; of a region, the accounts of its buyers and suppliers; everybody else those of
    the own branch.
    """

    def __init__(self, actor: Actor) -> None:
        self.values: dict[str, Any] = {}
        self._parts: list[str] = []
        if "" in actor.regions(Permission.MONEY_READ):
            return
        self._parts.append(
            "p.party_id IN (SELECT id FROM organisation WHERE path LIKE CAST(:branch AS text) OR region_code LIKE ANY (CAST(:regions AS text[])))"
        )
        self.values |= reach(actor)

    def add(self, condition: str, **values: Any) -> "Conditions":
        """One more, unless one of its values is None: then nobody asked for it."""
        if all(value is not None for value in values.values()):
            self._parts.append(condition)
            self.values |= values
        return self

    def __str__(self) -> str:
        return " AND ".join(self._parts) or "true"
