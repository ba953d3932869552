"""Who sees what of the money of suppliers: those of the supplier's branch, and who keeps the money of its region."""

from typing import Any

from shop.identity.actor import Actor
from shop.identity.permissions import Permission

#: SQL: supplier ``o`` is within reach.
IN_REACH = "(o.path LIKE CAST(:branch AS text) OR o.region_code LIKE ANY (CAST(:regions AS text[])))"


def reach(actor: Actor) -> dict[str, Any]:
    """The parameters of :data:`IN_REACH`."""
    return {
        "branch": f"{actor.organisation_path}%" if actor.organisation_path else None,
        "regions": actor.region_patterns(Permission.MONEY_READ),
    }
