"""Reads of organisations, users and keys, each within the reach of who asks."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session, col, select

from shop.core import clock
from shop.core.errors import NotFound
from shop.identity.actor import CITY, Actor
from shop.identity.errors import OrganisationNotApproved, UnknownRegion
from shop.identity.models import ApiKey
from shop.identity.permissions import GRANTS, REGIONAL, Permission, Role
from shop.identity.rules import Capacity
from shop.identity.states import OrganisationStatus

_ORGANISATION = """
SELECT o.id, o.uscc, o.name, o.kind, o.region_code, o.address, o.contact_name, o.contact_phone, o.status, o.rejection_reason,
       o.parent_id, o.path, o.registered_at, o.decided_at, o.version,
       coalesce((SELECT jsonb_agg(to_jsonb(r) ORDER BY r.id) FROM organisation_role r WHERE r.organisation_id = o.id), '[]') AS roles
FROM organisation o
"""
#: SQL: the ids of a unit and of those above it, from the root down, with their depth; ``{path}`` is the unit's path. They are looked up by
#: index, where a comparison of paths would read every row.
UPWARDS = "unnest(string_to_array(btrim({path}, '/'), '/')::bigint[]) WITH ORDINALITY AS up (id, depth)"
#: An officer reaches the organisations of the region, everybody else the own one and the units below it.
_REACH = "(o.region_code LIKE ANY (CAST(:regions AS text[])) OR o.path LIKE CAST(:branch AS text))"

_ORGANISATIONS = text(
    f"""{_ORGANISATION}
WHERE {_REACH} AND o.id > :after
  AND (CAST(:status AS text) IS NULL OR o.status = :status)
  AND (CAST(:region AS text) IS NULL OR starts_with(o.region_code, :region))
  AND (CAST(:role AS text) IS NULL OR EXISTS (
       SELECT FROM organisation_role r WHERE r.organisation_id = o.id AND r.role = :role
       AND r.valid_from <= :today AND (r.valid_to IS NULL OR :today < r.valid_to)))
  AND (CAST(:q AS text) IS NULL OR strpos(o.name, :q) > 0 OR o.uscc = upper(:q))
ORDER BY o.id LIMIT :limit"""
)
_ONE_ORGANISATION = text(f"{_ORGANISATION} WHERE o.id = :id AND {_REACH}")

_USER = """
SELECT u.id, u.username, u.name, u.organisation_id, u.active, u.created_at, u.email, u.language,
       coalesce((SELECT jsonb_agg(jsonb_build_object('role', r.role, 'region_code', r.region_code) ORDER BY r.id)
                 FROM user_role r WHERE r.user_id = u.id), '[]') AS roles
FROM app_user u LEFT JOIN organisation o ON o.id = u.organisation_id
"""
_USERS = text(
    f"""{_USER}
WHERE u.id > :after AND (:everyone OR o.path LIKE CAST(:branch AS text))
  AND (CAST(:organisation_id AS bigint) IS NULL OR u.organisation_id = :organisation_id)
  AND (CAST(:active AS boolean) IS NULL OR u.active = :active)
ORDER BY u.id LIMIT :limit"""
)
_ONE_USER = text(f"{_USER} WHERE u.id = :id AND (u.id = :own_id OR :everyone OR o.path LIKE CAST(:branch AS text))")

#: That a key ``k`` belongs to somebody of the branch, or that the caller sees everybody.
KEY_IN_BRANCH = """EXISTS (SELECT FROM app_user u LEFT JOIN organisation o ON o.id = u.organisation_id
    WHERE u.id = k.user_id AND (:everyone OR o.path LIKE CAST(:branch AS text)))"""
_BRANCH_KEYS = text(
    f"""SELECT k.*, u.username FROM api_key k JOIN app_user u ON u.id = k.user_id
WHERE {KEY_IN_BRANCH} AND k.id > :after AND (NOT :live OR (k.revoked_at IS NULL AND k.expires_at > :now)) ORDER BY k.id LIMIT :limit"""  # noqa: S608
)

#: As ``Actor.covers_region``, for everybody.
_HOLDERS = text(
    """
    WITH RECURSIVE within AS (
        SELECT CAST(:region AS text) AS code
        UNION SELECT m.successor_code FROM within JOIN region m ON starts_with(within.code, m.code) AND m.valid_to <= :today
        WHERE m.successor_code IS NOT NULL
    )
    SELECT DISTINCT u.id FROM user_role r JOIN app_user u ON u.id = r.user_id AND u.active
    WHERE r.role = ANY (:roles) AND (r.region_code = :city OR EXISTS (SELECT FROM within WHERE starts_with(within.code, r.region_code)))
    ORDER BY u.id
    """
)


def _branch(actor: Actor) -> str | None:
    return f"{actor.organisation_path}%" if actor.organisation_path else None


def _reach(actor: Actor) -> dict[str, Any]:
    regions = actor.region_patterns(Permission.ORGANISATIONS_READ)
    return {"regions": regions, "branch": _branch(actor)}


def user_reach(actor: Actor) -> dict[str, Any]:
    """Whose users and keys the actor sees."""
    return {"everyone": actor.has_role(Role.PLATFORM_ADMIN), "branch": _branch(actor)}


def organisations(
    session: Session,
    actor: Actor,
    *,
    today: date,
    status: OrganisationStatus | None = None,
    region: str | None = None,
    role: Capacity | None = None,
    q: str | None = None,
    after: int = 0,
    limit: int = 50,
) -> list[Row[Any]]:
    """Organisations within the actor's reach, by id; ``region`` is a code prefix, ``role`` one held on ``today``."""
    filters = {"status": status, "region": region, "role": role, "q": q, "today": today}
    found = session.execute(_ORGANISATIONS, {**_reach(actor), **filters, "after": after, "limit": limit})
    return list(found)


def organisation(session: Session, actor: Actor, organisation_id: int) -> Row[Any]:
    """One organisation with all its roles.

    Raises:
        NotFound: it does not exist or lies out of the actor's reach (404).
    """
    row = session.execute(_ONE_ORGANISATION, {"id": organisation_id, **_reach(actor)}).first()
    if row is None:
        raise NotFound
    return row


def is_approved(session: Session, organisation_id: int) -> bool:
    """Whether an organisation's registration is approved and not suspended."""
    status = session.execute(text("SELECT status FROM organisation WHERE id = :id"), {"id": organisation_id})
    return status.scalar() == OrganisationStatus.APPROVED


def approved(session: Session, organisation_ids: Collection[int]) -> set[int]:
    """Those of some organisations of which the same is so."""
    statement = text("SELECT id FROM organisation WHERE id = ANY (:ids) AND status = :approved")
    return set(session.execute(statement, {"ids": list(organisation_ids), "approved": OrganisationStatus.APPROVED.value}).scalars())


def require_approved(session: Session, organisation_id: int) -> None:
    """Let only approved organisations go on.

    Raises:
        OrganisationNotApproved: it is pending, rejected or suspended (409).
    """
    if not is_approved(session, organisation_id):
        raise OrganisationNotApproved


def holders(session: Session, permission: Permission, region_code: str) -> list[int]:
    """Who holds a permission over a region, by a regional role."""
    roles = [role for role in sorted(REGIONAL) if permission in GRANTS[role]]
    return list(session.execute(_HOLDERS, {"roles": roles, "region": region_code, "city": CITY, "today": clock.today()}).scalars())


def capacities(session: Session, organisation_id: int, on: date) -> list[str]:
    """The roles that an organisation holds on a date."""
    return list(
        session.execute(
            text(
                "SELECT DISTINCT role FROM organisation_role WHERE organisation_id = :id"
                " AND valid_from <= :on AND (valid_to IS NULL OR :on < valid_to) ORDER BY role"
            ),
            {"id": organisation_id, "on": on},
        ).scalars()
    )


def require_region(session: Session, code: str, on: date) -> None:
    """Refuse a region code that is not in force on a date.

    Raises:
        UnknownRegion: there is no such code, or it is out of use (422).
    """
    found = session.execute(
        text(
            "SELECT FROM region WHERE code = :code AND (valid_from IS NULL OR valid_from <= :on)"
            " AND (valid_to IS NULL OR :on < valid_to)"
        ),
        {"code": code, "on": on},
    ).first()
    if found is None:
        raise UnknownRegion


def users(
    session: Session,
    actor: Actor,
    *,
    organisation_id: int | None = None,
    active: bool | None = None,
    after: int = 0,
    limit: int = 50,
) -> list[Row[Any]]:
    """Users of the actor's branch, or all of them for the platform's administrator; by id."""
    filters = {"organisation_id": organisation_id, "active": active, "after": after, "limit": limit}
    return list(session.execute(_USERS, {**user_reach(actor), **filters}))


def user(session: Session, actor: Actor, user_id: int) -> Row[Any]:
    """One user with roles.

    Raises:
        NotFound: there is none, or it belongs to another organisation (404).
    """
    row = session.execute(_ONE_USER, {"id": user_id, "own_id": actor.user_id, **user_reach(actor)}).first()
    if row is None:
        raise NotFound
    return row


def api_keys(session: Session, actor: Actor, *, after: int = 0, limit: int = 50) -> list[ApiKey]:
    """The actor's own keys, revoked and ended ones included; by id."""
    statement = select(ApiKey).where(ApiKey.user_id == actor.user_id).where(col(ApiKey.id) > after)
    return list(session.exec(statement.order_by(col(ApiKey.id)).limit(limit)))


def branch_api_keys(
    session: Session, actor: Actor, *, now: datetime, live: bool, after: int = 0, limit: int = 50
) -> list[Row[Any]]:
    """The keys of everybody in the actor's branch, by id; ``live``: only those that work at ``now``."""
    return list(session.execute(_BRANCH_KEYS, {**user_reach(actor), "now": now, "live": live, "after": after, "limit": limit}))
