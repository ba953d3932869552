"""Access tokens, refresh tokens, API keys and keys of devices: random, kept only as SHA-256, and ended by one row."""

import hashlib
import ipaddress
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from shop.core import clock
from shop.identity.actor import Actor, Device, Grant
from shop.identity.errors import AddressNotAllowed
from shop.identity.permissions import Role

# Whoever holds an office in a region holds it in those that were merged into it, under their old codes.
_USER = """
SELECT u.id, u.username, u.organisation_id, o.path, {own},
       (SELECT array_agg(concat_ws(':', r.role, r.region_code, merged.codes) ORDER BY r.role) FROM user_role r LEFT JOIN LATERAL (
            WITH RECURSIVE before AS (
                SELECT r.region_code AS code
                UNION SELECT m.code FROM before JOIN region m ON m.successor_code = before.code AND m.valid_to <= :today
            ) SELECT string_agg(code, ':' ORDER BY code) AS codes FROM before WHERE code <> r.region_code
        ) merged ON r.region_code IS NOT NULL WHERE r.user_id = u.id) AS roles
FROM {source} LEFT JOIN organisation o ON o.id = u.organisation_id
"""
_ACTOR = (
    _USER
    + """
WHERE c.hash = :hash AND c.revoked_at IS NULL AND c.expires_at > :now AND u.active {more}
"""
)
_CARRIED = "{} c JOIN app_user u ON u.id = c.user_id"
_NO_SCOPES = "CAST(NULL AS text[]) AS scopes"
_KEY = "c.scopes, c.networks, c.id AS key_id, c.last_used_at"
_BY_TOKEN = text(_ACTOR.format(own=_NO_SCOPES, source=_CARRIED.format("token"), more="AND c.kind = 'access'"))
_BY_API_KEY = text(_ACTOR.format(own=_KEY, source=_CARRIED.format("api_key"), more=""))
#: What the key of a device begins with.
DEVICE = "dev_"
_BY_DEVICE_KEY = text(
    """
    SELECT d.id, d.outlet_id, l.operator_id, o.path, l.number || '/' || d.number AS name
    FROM outlet_device d JOIN outlet l ON l.id = d.outlet_id JOIN organisation o ON o.id = l.operator_id
    WHERE d.hash = :hash AND d.revoked_at IS NULL AND o.status = 'approved'
    """
)
_BY_ID = text(_USER.format(own=_NO_SCOPES, source="app_user u") + "WHERE u.id = :id")

#: How exactly it is known when a key was used last: a key that calls all the time is not written all the time.
USED_WITHIN = timedelta(minutes=5)
#: Requests of one key do not wait for one another here.
_USED = text(
    "UPDATE api_key SET last_used_at = :now WHERE id = (SELECT id FROM api_key WHERE id = :id FOR NO KEY UPDATE SKIP LOCKED)"
)


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


def actor_of(session: Session, *, token: str | None, api_key: str | None, address: str | None = None) -> Actor | None:
    """Who the bearer of a token, API key or key of a device is; None when it is unknown, ended or revoked, the user is no longer active,
    or the operator of the device's outlet is not approved any more.

    Raises:
        AddressNotAllowed: the key may not be used from the client's ``address`` (403).
    """
    secret = token or api_key
    if not secret:
        return None
    if token and of_device(token):
        return _device(session, token)
    statement = _BY_TOKEN if token else _BY_API_KEY
    row = session.execute(statement, {"hash": hashed(secret), "now": clock.now(), "today": clock.today()}).first()
    if row is None:
        return None
    if not token:
        _use(session, row, address)
    return _actor(row)


def of_device(token: str | None) -> bool:
    """Whether it is the key of a device, sent as a token."""
    return token is not None and token.startswith(DEVICE)


def _device(session: Session, key: str) -> Actor | None:
    row = session.execute(_BY_DEVICE_KEY, {"hash": hashed(key)}).first()
    if row is None:
        return None
    return Actor(
        user_id=None,
        username=row.name,
        organisation_id=row.operator_id,
        organisation_path=row.path,
        grants=(),
        device=Device(row.id, row.outlet_id),
    )


def actor_of_user(session: Session, user_id: int) -> Actor:
    """A user as an actor, for what others do on the user's behalf; the user may have left meanwhile."""
    return _actor(session.execute(_BY_ID, {"id": user_id, "today": clock.today()}).one())


def _actor(row: Row[Any]) -> Actor:
    return Actor(
        user_id=row.id,
        username=row.username,
        organisation_id=row.organisation_id,
        organisation_path=row.path,
        grants=tuple(_grant(entry) for entry in row.roles or ()),
        scopes=frozenset(row.scopes) if row.scopes is not None else None,
    )


def _use(session: Session, key: Row[Any], address: str | None) -> None:
    if key.networks and not is_within(address, key.networks):
        raise AddressNotAllowed
    now = clock.now()
    if key.last_used_at is None or now - key.last_used_at >= USED_WITHIN:
        session.execute(_USED, {"id": key.key_id, "now": now})


def is_within(address: str | None, networks: Iterable[str]) -> bool:
    """Whether an address lies in one of the networks; an IPv4 address that came in its IPv6 form counts as what it is."""
    try:
        given = ipaddress.ip_address(address or "")
    except ValueError:
        return False
    given = getattr(given, "ipv4_mapped", None) or given
    return any(given in ipaddress.ip_network(network) for network in networks)


def _grant(entry: str) -> Grant:
    role, *codes = entry.split(":")
    return Grant(Role(role), codes[0] if codes else None, tuple(codes[1:]))
