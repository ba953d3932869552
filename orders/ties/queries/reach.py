"""How far somebody sees chains: those of the own branch on either side, or of a region's buyers and suppliers."""

from typing import Any

from shop.identity.actor import Actor
from shop.identity.permissions import Permission


def reach(actor: Actor) -> dict[str, Any]:
    """The parameters of the conditions on paths and regions."""
    return {
        "branch": f"{actor.organisation_path}%" if actor.organisation_path else None,
        "regions": actor.region_patterns(Permission.TIES_READ),
    }


def side(table: str) -> str:
    """SQL: whether an organisation is within reach; an unknown one is not."""
    return f"coalesce({table}.path LIKE CAST(:branch AS text) OR {table}.region_code LIKE ANY (CAST(:regions AS text[])), false)"
