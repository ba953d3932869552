"""How far somebody sees: certificates and the cases behind them have the same reach."""

from typing import Any

from shop.identity.actor import Actor
from shop.identity.permissions import Permission

# The supplier's own branch; the officers of the place. ``c`` has the place, ``o`` is the supplier.
OWN = "coalesce(o.path LIKE CAST(:branch AS text), false)"
IN_REGION = (
    "(c.district_code LIKE ANY (CAST(:regions AS text[])) OR coalesce(c.township_code LIKE ANY (CAST(:regions AS text[])), false))"
)


def regions(actor: Actor, permission: Permission) -> dict[str, list[str]]:
    """The parameter of :data:`IN_REGION`."""
    return {"regions": actor.region_patterns(permission)}


def reach(actor: Actor, permission: Permission = Permission.CERTIFICATIONS_READ) -> dict[str, Any]:
    """The parameters that the conditions above take."""
    return {
        "branch": f"{actor.organisation_path}%" if actor.organisation_path else None,
        **regions(actor, permission),
    }
