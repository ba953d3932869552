"""People: adding them with their roles, how they are reached, and taking their access away."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import text, update
from sqlmodel import Session, col, select

from shop.core import audit, clock
from shop.core.errors import Invalid, Language, NotFound
from shop.identity import queries, rules
from shop.identity.actions import sign_in
from shop.identity.actor import Actor, Grant
from shop.identity.errors import NotWithApiKey, OwnUser, RoleNotGrantable, UserInactive
from shop.identity.models import Organisation, User, UserRole
from shop.identity.permissions import REGIONAL, Role
from shop.identity.schemas import UserIn

#: Roles that belong to the platform, not to an organisation's side; only the platform's administrator gives them.
PLATFORM_ROLES = REGIONAL | {Role.PLATFORM_ADMIN}


def create(session: Session, actor: Actor, body: UserIn) -> int:
    """Add a user to an organisation, or an officer, and return the id.

    An organisation's administrator adds people to the own branch, with the roles of the organisation's side. The platform's
    administrator adds anybody, officers with their region included.

    Raises:
        NotFound: the organisation lies outside the actor's branch (404).
        RoleNotGrantable: not the actor's to give, or not a role for that organisation (403).
        UsernameTaken: see there (409).
    """
    grants = [Grant(entry.role, entry.region_code) for entry in body.roles]
    _check_grants(session, actor, grants, organisation_id := body.organisation_id or actor.organisation_id)
    user = add(session, body.username, body.name, body.password, organisation_id, grants, body.email, body.language)
    audit.record(session, actor, "user.created", "user", user.id, roles=[f"{g.role}:{g.region_code or ''}" for g in grants])
    return user.id


def edit(session: Session, actor: Actor, user_id: int, changes: Mapping[str, Any]) -> None:
    """Change a person's address or language: the own one, or that of somebody in the branch.

    Raises:
        NotFound: outside the actor's branch (404).
        RoleNotGrantable: an officer or administrator of the platform (403).
        NotWithApiKey: the caller came with an API key (403).
    """
    if actor.scopes is not None:
        raise NotWithApiKey
    row = queries.user(session, actor, user_id)
    if row.id != actor.user_id:
        _check_within_power(actor, row.roles)
    if changes:
        session.execute(update(User).where(col(User.id) == user_id).values(**changes))
        audit.record(session, actor, "user.edited", "user", user_id, fields=sorted(changes))


def deactivate(session: Session, actor: Actor, user_id: int) -> None:
    """Take a user's access away; every token and key ends at once.

    Raises:
        NotFound: outside the actor's branch (404).
        RoleNotGrantable: an officer or administrator of the platform (403).
        OwnUser, UserInactive: see there (409).
    """
    row = queries.user(session, actor, user_id)
    if row.id == actor.user_id:
        raise OwnUser
    _check_within_power(actor, row.roles)
    ended = session.execute(text("UPDATE app_user SET active = false WHERE id = :id AND active RETURNING id"), {"id": user_id})
    if ended.first() is None:
        raise UserInactive
    sign_in.end_all(session, user_id)
    audit.record(session, actor, "user.deactivated", "user", user_id)


def add(
    session: Session,
    username: str,
    name: str,
    password: str,
    organisation_id: int | None,
    grants: Iterable[Grant],
    email: str | None = None,
    language: Language = "zh",
) -> User:
    """Write a user with roles; whether they may be given is the caller's to check."""
    user = User(
        username=username,
        name=name,
        password_hash=sign_in.passwords.hash(password),
        organisation_id=organisation_id,
        created_at=clock.now(),
        email=email,
        language=language,
    )
    session.add(user)
    session.flush()
    for grant in dict.fromkeys(grants):
        session.add(UserRole(user_id=user.id, role=grant.role.value, region_code=grant.region_code))
    session.flush()
    return user


def _check_within_power(actor: Actor, roles: Iterable[Mapping[str, Any]]) -> None:
    """An organisation's administrator has no say over officers and administrators of the platform."""
    if not actor.has_role(Role.PLATFORM_ADMIN):
        for entry in roles:
            if entry["role"] in PLATFORM_ROLES:
                raise RoleNotGrantable(role=entry["role"])


def _check_grants(session: Session, actor: Actor, grants: list[Grant], organisation_id: int | None) -> None:
    is_platform_admin = actor.has_role(Role.PLATFORM_ADMIN)
    if organisation_id is not None:
        path = session.exec(select(Organisation.path).where(col(Organisation.id) == organisation_id)).first()
        if path is None or not (is_platform_admin or actor.within_branch(path)):
            raise NotFound
    grantable: frozenset[Role] = PLATFORM_ROLES if is_platform_admin else frozenset()
    if organisation_id is not None:
        grantable |= rules.grantable_roles(queries.capacities(session, organisation_id, clock.today()))
    for grant in grants:
        if organisation_id is None and grant.role not in PLATFORM_ROLES:
            raise Invalid.one("organisation_id", "missing", "该角色须属于一个单位", "This role belongs to an organisation")
        if grant.role not in grantable:
            raise RoleNotGrantable(role=grant.role.value)
        if grant.region_code is not None:
            queries.require_region(session, grant.region_code, clock.today())
