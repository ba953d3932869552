"""Who is acting, and how far that person's reach goes."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from shop.core.errors import Forbidden
from shop.identity.permissions import GRANTS, PART_OF, REGIONAL, Permission, Role

#: The region code of the whole municipality.
CITY = "500000"


@dataclass(frozen=True)
class Grant:
    """One role of a user; ``region_code`` for regional roles only."""

    role: Role
    region_code: str | None = None
    #: The old codes of regions that were merged into it.
    merged: tuple[str, ...] = ()

    @property
    def region_codes(self) -> tuple[str, ...]:
        return (self.region_code, *self.merged) if self.region_code else ()


#: All that a device may do: report for its outlet.
OF_DEVICES = frozenset({Permission.OUTLET_SALES_REPORT})


@dataclass(frozen=True)
class Device:
    """A till or cabinet that signed in with its own key."""

    id: int
    outlet_id: int


@dataclass(frozen=True)
class Actor:
    """A signed-in user, or the API key of one (``scopes`` then narrows the roles), or a device of an outlet, which is no user."""

    user_id: int | None
    username: str
    organisation_id: int | None
    organisation_path: str | None
    grants: tuple[Grant, ...]
    scopes: frozenset[str] | None = None
    device: Device | None = None

    @property
    def principal(self) -> str:
        """Who it is among all that sign in: whose idempotency keys these are."""
        return f"device:{self.device.id}" if self.device else f"user:{self.user_id}"

    @property
    def role_name(self) -> str:
        if self.device:
            return "device"
        return ",".join(grant.role for grant in self.grants)

    @cached_property
    def permissions(self) -> frozenset[Permission]:
        if self.device:
            return OF_DEVICES
        granted = frozenset[Permission]().union(*(GRANTS[grant.role] for grant in self.grants))
        return granted if self.scopes is None else granted & {Permission(scope) for scope in self.scopes}

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions or PART_OF.get(permission) in self.permissions

    def has_role(self, *roles: Role) -> bool:
        return any(grant.role in roles for grant in self.grants)

    def _offices(self, permission: Permission) -> list[tuple[str, ...]]:
        """The codes of each region in which a regional role gives ``permission``: its own, then those of what was merged into it."""
        return [
            (CITY,) if grant.role is Role.PLATFORM_ADMIN else grant.region_codes
            for grant in self.grants
            if permission in GRANTS[grant.role] and (grant.role in REGIONAL or grant.role is Role.PLATFORM_ADMIN)
        ]

    def regions(self, permission: Permission) -> list[str]:
        """Code prefixes of the regions in which a regional role gives ``permission``; an empty prefix means everywhere."""
        return region_prefixes(code for codes in self._offices(permission) for code in codes)

    def own_regions(self, permission: Permission) -> list[str]:
        """The same without the old codes of what was merged into them: the regions whose officer somebody is."""
        return region_prefixes(code for codes in self._offices(permission) for code in codes[:1])

    def region_patterns(self, permission: Permission) -> list[str]:
        """The same as SQL patterns, for ``LIKE ANY``."""
        return [f"{prefix}%" for prefix in self.regions(permission)]

    def covers_region(self, permission: Permission, region_code: str) -> bool:
        return any(region_code.startswith(prefix) for prefix in self.regions(permission))

    def within_branch(self, organisation_path: str) -> bool:
        """Whether an organisation is the actor's own or lies below it in the tree of units."""
        return bool(self.organisation_path) and organisation_path.startswith(self.organisation_path or "?")

    def is_related(self, organisation_path: str) -> bool:
        """Whether an organisation is the actor's own, a unit below it or one above it: then somebody else must decide."""
        return self.within_branch(organisation_path) or (self.organisation_path or "").startswith(organisation_path)

    @property
    def person(self) -> int:
        """The id of the user who acts.

        Raises:
            Forbidden: a device, or the marketplace itself.
        """
        if self.user_id is None:
            raise Forbidden
        return self.user_id

    @property
    def organisation(self) -> int:
        """The id of the actor's organisation.

        Raises:
            Forbidden: the actor belongs to none.
        """
        if self.organisation_id is None:
            raise Forbidden
        return self.organisation_id


def region_prefixes(codes: Iterable[str | None]) -> list[str]:
    """Township codes begin with their district's code, so a prefix tells containment; the city holds all of them."""
    return sorted({"" if code == CITY else code for code in codes if code})
