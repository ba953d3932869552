"""Keys for machines that act for a user."""

from datetime import timedelta
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from shop.core import audit, clock
from shop.core.errors import NotFound, Unauthenticated
from shop.identity import queries, tokens
from shop.identity.actor import Actor
from shop.identity.errors import ScopeNotHeld
from shop.identity.models import ApiKey
from shop.identity.schemas import ApiKeyIn

#: How much of a key stays readable, to tell keys apart.
PREFIX_LENGTH = 8
_OWN = "k.user_id = :user_id"


def create(session: Session, actor: Actor, body: ApiKeyIn) -> tuple[ApiKey, str]:
    """Make a key with some of the actor's own permissions; returns it with its secret, which is not kept.

    Raises:
        ScopeNotHeld: a scope that the actor lacks (403).
    """
    if actor.user_id is None:
        raise Unauthenticated
    if lacking := sorted(set(body.scopes) - actor.permissions):
        raise ScopeNotHeld(scopes=", ".join(lacking))
    secret, digest = tokens.fresh()
    now = clock.now()
    key = ApiKey(
        hash=digest,
        prefix=secret[:PREFIX_LENGTH],
        name=body.name,
        system=body.system,
        networks=list(body.networks),
        user_id=actor.user_id,
        scopes=sorted({scope.value for scope in body.scopes}),
        created_at=now,
        expires_at=now + timedelta(days=body.valid_days),
    )
    session.add(key)
    session.flush()
    audit.record(session, actor, "api_key.created", "api_key", key.id, scopes=key.scopes)
    return key, secret


def revoke(session: Session, actor: Actor, key_id: int) -> None:
    """End one of the actor's own keys, at once.

    Raises:
        NotFound: no such key of the actor, or it was revoked before (404).
    """
    _end(session, actor, key_id, _OWN, {"user_id": actor.user_id})


def revoke_of_branch(session: Session, actor: Actor, key_id: int) -> None:
    """End a key of anybody in the actor's branch, at once.

    Raises:
        NotFound: no such key there, or it was revoked before (404).
    """
    _end(session, actor, key_id, queries.KEY_IN_BRANCH, queries.user_reach(actor))


def _end(session: Session, actor: Actor, key_id: int, whose: str, values: dict[str, Any]) -> None:
    statement = text(f"UPDATE api_key k SET revoked_at = :now WHERE id = :id AND revoked_at IS NULL AND {whose} RETURNING id")  # noqa: S608
    if session.execute(statement, {"now": clock.now(), "id": key_id, **values}).first() is None:
        raise NotFound
    audit.record(session, actor, "api_key.revoked", "api_key", key_id)
