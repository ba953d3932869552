"""Access tokens, refresh tokens and API keys: random, kept only as SHA-256, and ended by one row."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from shop.core import clock
from shop.identity.actor import Actor, Grant
from shop.identity.permissions import Role

_USER = """
SELECT u.id, u.username, u.organisation_id, o.path, {scopes} AS scopes,
       (SELECT array_agg(r.role || ':' || coalesce(r.region_code, '') ORDER BY r.role) FROM user_role r WHERE r.user_id = u.id) AS roles
FROM {source} LEFT JOIN organisation o ON o.id = u.organisation_id
"""
_ACTOR = (
    _USER
    + """
WHERE c.hash = :hash AND c.revoked_at IS NULL AND c.expires_at > :now AND u.active {more}
"""
)
_CARRIED = "{} c JOIN app_user u ON u.id = c.user_id"
_NO_SCOPES = "CAST(NULL AS text[])"
_BY_TOKEN = text(_ACTOR.format(scopes=_NO_SCOPES, source=_CARRIED.format("token"), more="AND c.kind = 'access'"))
_BY_API_KEY = text(_ACTOR.format(scopes="c.scopes", source=_CARRIED.format("api_key"), more=""))
_BY_ID = text(_USER.format(scopes=_NO_SCOPES, source="app_user u") + "WHERE u.id = :id")


def fresh() -> tuple[str, bytes]:
    """A new secret of 256 random bits, and the hash that is stored in its place."""
    secret = secrets.token_urlsafe(32)
    return secret, hashed(secret)


def hashed(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def issue(session: Session, user_id: int, kind: str, sign_in: str, lifetime: timedelta) -> tuple[str, datetime]:
    """Store a new token; returns it with the moment it ends."""
    secret, digest = fresh()
    now = clock.now()
    session.execute(
        text(
            "INSERT INTO token (hash, kind, user_id, sign_in, created_at, expires_at)"
            " VALUES (:hash, :kind, :user_id, :sign_in, :now, :end)"
        ),
        {"hash": digest, "kind": kind, "user_id": user_id, "sign_in": sign_in, "now": now, "end": now + lifetime},
    )
    return secret, now + lifetime


def actor_of(session: Session, *, token: str | None, api_key: str | None) -> Actor | None:
    """Who the bearer of a token or API key is; None when it is unknown, ended or revoked, or the user is no longer active."""
    secret = token or api_key
    if not secret:
        return None
    statement = _BY_TOKEN if token else _BY_API_KEY
    row = session.execute(statement, {"hash": hashed(secret), "now": clock.now()}).first()
    if row is None:
        return None
    return _actor(row)


def actor_of_user(session: Session, user_id: int) -> Actor:
    """A user as an actor, for what others do on the user's behalf; the user may have left meanwhile."""
    return _actor(session.execute(_BY_ID, {"id": user_id}).one())


def _actor(row: Row[Any]) -> Actor:
    return Actor(
        user_id=row.id,
        username=row.username,
        organisation_id=row.organisation_id,
        organisation_path=row.path,
        grants=tuple(_grant(entry) for entry in row.roles or ()),
        scopes=frozenset(row.scopes) if row.scopes is not None else None,
    )


def _grant(entry: str) -> Grant:
    role, _, region_code = entry.partition(":")
    return Grant(Role(role), region_code or None)
