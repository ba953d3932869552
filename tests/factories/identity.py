"""Organisations, users and their tokens, written straight into the tables."""

import itertools
import random
from datetime import date, timedelta
from typing import Any

from sqlmodel import Session

from shop.core import clock, uscc
from shop.identity import tokens
from shop.identity.actor import CITY
from shop.identity.models import Organisation, OrganisationRole, User, UserRole
from shop.identity.permissions import REGIONAL, Role

#: What every user of a test signs in with. Hashed with the weakest parameters, so that tests do not wait for argon2.
PASSWORD = "correct horse battery"
PASSWORD_HASH = "$argon2id$v=19$m=8,t=1,p=1$FSFsMjAukWZvQiAsbA6a5Q$wEAWT8kSq+ETTW2/jB1gU0t2KD7bEhTD+Qrq/clA3A0"

_numbers = itertools.count(1)
_random = random.Random()


def random_uscc(region_code: str = "500106") -> str:
    """A code that passes the check and belongs to nobody."""
    first_17 = f"91{region_code[:6]}" + "".join(_random.choices("0123456789ABCDEFGHJKLMNPQRTUWXY", k=9))
    return first_17 + uscc.check_character(first_17)


def make_organisation(
    session: Session,
    *,
    kind: str = "agency",
    role: str | None = "budget_unit",
    region_code: str = "500106",
    status: str = "approved",
    parent: Organisation | None = None,
    name: str | None = None,
    role_from: date = date(2016, 1, 1),
    supporter_id: int | None = None,
) -> Organisation:
    """An organisation with one role that is in force since ``role_from``; below ``parent`` in the tree of units, if given."""
    organisation = Organisation(
        uscc=random_uscc(region_code),
        name=name or f"单位{next(_numbers)}",
        kind=kind,
        region_code=region_code,
        status=status,
        parent_id=parent.id if parent else None,
        registered_at=clock.now(),
        decided_at=None if status == "pending" else clock.now(),
    )
    session.add(organisation)
    session.flush()
    organisation.path = f"{parent.path if parent else '/'}{organisation.id}/"
    if role:
        session.add(OrganisationRole(organisation_id=organisation.id, role=role, supporter_id=supporter_id, valid_from=role_from))
    session.flush()
    return organisation


def make_supplier(session: Session, region_code: str = "500236", *, status: str = "approved") -> Organisation:
    """A cooperative with the supplier role."""
    return make_organisation(session, kind="cooperative", role="supplier", region_code=region_code, status=status)


def make_user(
    session: Session,
    role: Role | str,
    organisation: Organisation | None = None,
    region_code: str | None = None,
    *,
    username: str | None = None,
) -> User:
    """An active user with one role. A regional role without a region gets the whole city."""
    user = User(
        username=username or f"user-{next(_numbers)}",
        password_hash=PASSWORD_HASH,
        name="测试用户",
        organisation_id=organisation.id if organisation else None,
        created_at=clock.now(),
    )
    session.add(user)
    session.flush()
    session.add(
        UserRole(
            user_id=user.id,
            role=Role(role).value,
            region_code=(region_code or CITY) if Role(role) in REGIONAL else None,
        )
    )
    session.flush()
    return user


def access_token(session: Session, user: User) -> str:
    """A fresh access token of the user, long enough for tests that move the clock by months."""
    token, _ = tokens.issue(session, user.id, "access", f"test-{next(_numbers)}", timedelta(days=1000))
    return token


def signed_in(api: Any, role: Role | str, organisation: Organisation | None = None, region_code: str | None = None) -> Any:
    """A client of the ``api`` fixture as which a new user with this role is signed in."""
    with api.database.unit_of_work() as session:
        user = make_user(session, role, organisation, region_code)
    return api.as_(user)
