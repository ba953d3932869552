"""Which organisations may be what, and which roles their people may hold."""

from collections.abc import Iterable
from enum import StrEnum

from shop.identity.permissions import Role


class OrganisationKind(StrEnum):
    """What an organisation is by law."""

    COOPERATIVE = "cooperative"
    ENTERPRISE = "enterprise"
    VILLAGE_COLLECTIVE = "village_collective"
    FAMILY_FARM = "family_farm"
    AGENCY = "agency"
    SCHOOL = "school"
    HOSPITAL = "hospital"
    PUBLIC_INSTITUTION = "public_institution"
    TRADE_UNION = "trade_union"
    SOCIAL_ORGANISATION = "social_organisation"


class Capacity(StrEnum):
    """As what an organisation acts; it may act as several things, each from a date to a date."""

    SUPPLIER = "supplier"
    BUDGET_UNIT = "budget_unit"
    ENTERPRISE = "enterprise"
    SCHOOL = "school"
    HOSPITAL = "hospital"
    CENTRAL_UNIT = "central_unit"
    GROUP_MEMBER = "group_member"
    EAST_PARTNER = "east_partner"
    OUTLET_OPERATOR = "outlet_operator"
    AUTHORITY = "authority"


class Side(StrEnum):
    """As what an organisation registers itself; every other capacity is granted by an officer."""

    SUPPLIER = "supplier"
    BUYER = "buyer"


#: Market subjects with legal standing may have products certified; a household without a licence may not.
SUPPLYING_KINDS = frozenset(
    {
        OrganisationKind.COOPERATIVE,
        OrganisationKind.ENTERPRISE,
        OrganisationKind.VILLAGE_COLLECTIVE,
        OrganisationKind.FAMILY_FARM,
    }
)

#: Capacities that mean nothing without the supporting body to which the organisation belongs, and those that may name one.
NEEDS_SUPPORTER = frozenset({Capacity.CENTRAL_UNIT, Capacity.GROUP_MEMBER})
MAY_NAME_SUPPORTER = NEEDS_SUPPORTER | {Capacity.EAST_PARTNER}

_BUYER_CAPACITY = {
    OrganisationKind.AGENCY: Capacity.BUDGET_UNIT,
    OrganisationKind.PUBLIC_INSTITUTION: Capacity.BUDGET_UNIT,
    OrganisationKind.TRADE_UNION: Capacity.BUDGET_UNIT,
    OrganisationKind.SCHOOL: Capacity.SCHOOL,
    OrganisationKind.HOSPITAL: Capacity.HOSPITAL,
}

_SUPPLIER_ROLES = frozenset({Role.SUPPLIER_ADMIN, Role.SUPPLIER_STAFF})
_BUYER_ROLES = frozenset({Role.BUYER_ADMIN, Role.PURCHASER, Role.APPROVER, Role.FINANCE, Role.VIEWER})


def may_supply(kind: OrganisationKind | str) -> bool:
    """Whether an organisation of this kind may register as a supplier."""
    return kind in SUPPLYING_KINDS


def capacity_at_registration(side: Side, kind: OrganisationKind | str) -> Capacity:
    """The capacity in which an organisation starts. Trade union money counts with policy procurement (财库〔2019〕41号)."""
    if side is Side.SUPPLIER:
        return Capacity.SUPPLIER
    return _BUYER_CAPACITY.get(OrganisationKind(kind), Capacity.ENTERPRISE)


def first_role(side: Side) -> Role:
    """The role of the person who registers an organisation."""
    return Role.SUPPLIER_ADMIN if side is Side.SUPPLIER else Role.BUYER_ADMIN


def is_buyer(capacities: Iterable[Capacity | str]) -> bool:
    """Whether an organisation buys: everything but suppliers, outlet operators and authorities does."""
    return bool(set(capacities) - {Capacity.SUPPLIER, Capacity.OUTLET_OPERATOR, Capacity.AUTHORITY})


def grantable_roles(capacities: Iterable[Capacity | str]) -> frozenset[Role]:
    """The roles that people of an organisation may hold, by what the organisation is. An authority also buys for itself."""
    held = set(capacities)
    roles: frozenset[Role] = frozenset()
    if Capacity.SUPPLIER in held:
        roles |= _SUPPLIER_ROLES
    if is_buyer(held) or Capacity.AUTHORITY in held:
        roles |= _BUYER_ROLES
    if Capacity.OUTLET_OPERATOR in held:
        roles |= {Role.OUTLET_OPERATOR}
    return roles
