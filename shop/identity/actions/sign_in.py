"""Signing in with a password, going on with a refresh token, ending a sign-in, changing the password."""

import secrets
from datetime import datetime, timedelta
from functools import lru_cache

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import text
from sqlmodel import Session, select

from shop.core import audit, clock
from shop.core.errors import Invalid
from shop.core.settings import settings
from shop.identity import tokens
from shop.identity.actor import Actor
from shop.identity.errors import InvalidCredentials, NotWithApiKey
from shop.identity.models import User
from shop.identity.schemas import TokenOut

#: argon2id with 19 MiB and two passes (OWASP's least): hard enough to guess against, small enough that eight sign-ins at once
#: do not take half a gigabyte.
passwords = PasswordHash([Argon2Hasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)])

_REVOKE = text(
    "UPDATE token SET revoked_at = :now WHERE user_id = :user_id AND revoked_at IS NULL"
    " AND (CAST(:only AS text) IS NULL OR sign_in = :only) AND (CAST(:spare AS text) IS NULL OR sign_in <> :spare)"
)


@lru_cache
def _nobodys_password() -> str:
    return passwords.hash(secrets.token_urlsafe())


def sign_in(session: Session, username: str, password: str) -> TokenOut:
    """Check a password and give a pair of tokens.

    An unknown name costs as much time as a wrong password, so the time tells nobody which names exist.

    Raises:
        InvalidCredentials: unknown name, wrong password, or a user who was deactivated (401).
    """
    nobodys = _nobodys_password()
    user = None
    if username.isprintable():  # a name that the database could not even hold is nobody's
        user = session.exec(select(User).where(User.username == username, User.active)).first()
    matches, better_hash = passwords.verify_and_update(_encodable(password), user.password_hash if user else nobodys)
    if user is None or not matches:
        raise InvalidCredentials
    if better_hash is not None:
        user.password_hash = better_hash
        session.add(user)
        session.flush()
    audit.record(session, _Signed(user.id), "user.signed_in", "user", user.id)
    ends = clock.now() + timedelta(hours=settings().refresh_token_hours)
    return _pair(session, user.id, secrets.token_hex(16), ends)


def refresh(session: Session, refresh_token: str) -> TokenOut | None:
    """Exchange a refresh token for a new pair; the whole chain ends when the sign-in is ``refresh_token_hours`` old.

    A refresh token works once. Using it again means that two parties hold it, so the whole sign-in is ended and None returned:
    the caller answers 401 without raising, because an error would roll the ending back.
    """
    digest, now = tokens.hashed(refresh_token), clock.now()
    row = session.execute(
        text(
            "UPDATE token t SET revoked_at = :now FROM app_user u WHERE t.hash = :hash AND t.kind = 'refresh'"
            " AND t.revoked_at IS NULL AND t.expires_at > :now AND u.id = t.user_id AND u.active"
            " RETURNING t.user_id, t.sign_in, t.expires_at"
        ),
        {"hash": digest, "now": now},
    ).first()
    if row is not None:
        return _pair(session, row.user_id, row.sign_in, row.expires_at)
    used = session.execute(
        text("SELECT user_id, sign_in FROM token WHERE hash = :hash AND kind = 'refresh' AND revoked_at IS NOT NULL"),
        {"hash": digest},
    ).first()
    if used is not None:
        _revoke(session, used.user_id, only=used.sign_in)
        audit.record(session, audit.SYSTEM, "user.sign_in_ended", "user", used.user_id, reason="refresh token used twice")
    return None


def end(session: Session, actor: Actor, token: str | None) -> None:
    """End the sign-in to which the present access token belongs, at once.

    Raises:
        NotWithApiKey: the caller came with an API key (403).
    """
    _revoke(session, _user_id(actor), only=_sign_in_of(session, token))
    audit.record(session, actor, "user.signed_out", "user", _user_id(actor))


def change_password(session: Session, actor: Actor, token: str | None, current: str, new: str) -> None:
    """Set a new password and end every other sign-in of the user.

    Raises:
        NotWithApiKey: the caller came with an API key (403).
        Invalid: the current password is wrong (422).
    """
    present = _sign_in_of(session, token)
    user = session.exec(select(User).where(User.id == _user_id(actor)).with_for_update()).one()
    if not passwords.verify(_encodable(current), user.password_hash):
        raise Invalid.one("current_password", "wrong_password", "当前密码不正确", "The current password is not right")
    user.password_hash = passwords.hash(new)
    session.add(user)
    session.flush()
    _revoke(session, user.id, spare=present)
    audit.record(session, actor, "user.password_changed", "user", user.id)


def end_all(session: Session, user_id: int) -> None:
    """End every sign-in and every API key of a user."""
    _revoke(session, user_id)
    session.execute(
        text("UPDATE api_key SET revoked_at = :now WHERE user_id = :id AND revoked_at IS NULL"),
        {"now": clock.now(), "id": user_id},
    )


def forget_ended(session: Session) -> int:
    """Drop tokens that ended more than a day ago; returns how many. A sweep calls it."""
    dropped = session.execute(
        text("WITH gone AS (DELETE FROM token WHERE expires_at < :before RETURNING 1) SELECT count(*) FROM gone"),
        {"before": clock.now() - timedelta(days=1)},
    )
    return int(dropped.scalar_one())


class _Signed:
    """Who is on record for signing in: the person, before any role is used."""

    role_name = "signing_in"

    def __init__(self, user_id: int) -> None:
        self.user_id = user_id


def _pair(session: Session, user_id: int, sign_in_id: str, ends: datetime) -> TokenOut:
    left = ends - clock.now()
    lifetime = min(timedelta(minutes=settings().access_token_minutes), left)
    access, _ = tokens.issue(session, user_id, "access", sign_in_id, lifetime)
    again, _ = tokens.issue(session, user_id, "refresh", sign_in_id, left)
    return TokenOut(access_token=access, expires_in=int(lifetime.total_seconds()), refresh_token=again)


def _revoke(session: Session, user_id: int, *, only: str | None = None, spare: str | None = None) -> None:
    session.execute(_REVOKE, {"now": clock.now(), "user_id": user_id, "only": only, "spare": spare})


def _sign_in_of(session: Session, token: str | None) -> str:
    if token is None:
        raise NotWithApiKey
    found = session.execute(text("SELECT sign_in FROM token WHERE hash = :hash"), {"hash": tokens.hashed(token)})
    return str(found.scalar_one())


def _user_id(actor: Actor) -> int:
    if actor.user_id is None:
        raise NotWithApiKey
    return actor.user_id


def _encodable(password: str) -> bytes:
    """A password as bytes, whatever it holds: a lone surrogate makes it wrong, not an error."""
    return password.encode("utf-8", "surrogatepass")
