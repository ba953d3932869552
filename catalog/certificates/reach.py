"""How far somebody sees: certificates and the cases behind them have the same reach."""

from typing import Any

from shop.core.small_cells import band
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


def reads_counts(actor: Actor, case: Any) -> bool:
    """Whether somebody may know how many households exactly a case or certificate states: its own supplier, and who may read its list.

    ``case``: a row with ``supplier_path`` and the codes of its district and township.
    """
    if actor.within_branch(case.supplier_path):
        return True
    places = [code for code in (case.district_code, case.township_code) if code]
    return actor.may(Permission.HOUSEHOLDS_READ) and any(actor.covers_region(Permission.HOUSEHOLDS_READ, code) for code in places)


def lists_read(actor: Actor) -> list[str]:
    """Patterns of the codes of the regions whose lists of households somebody may read as an officer."""
    return actor.region_patterns(Permission.HOUSEHOLDS_READ) if actor.may(Permission.HOUSEHOLDS_READ) else []


def counts(row: Any, *, exact: bool) -> dict[str, Any]:
    """What a case or certificate states of people, as :class:`catalog.certificates.schemas.PeopleOut` has it: to some exactly, to all a band."""
    return {
        "households": row.households if exact else None,
        "households_band": band(row.households),
        "persons": row.persons if exact else None,
        "persons_band": band(row.persons),
    }
