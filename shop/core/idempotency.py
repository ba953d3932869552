"""Idempotency keys: a caller that does not know whether its request arrived sends it again and gets the first answer.

The claim lives in the transaction of the request: a crash or refusal frees the key, a commit stores the answer with the effect.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta

from fastapi import Request
from fastapi.responses import Response
from sqlalchemy import delete, text
from sqlmodel import Session
from starlette.datastructures import FormData, UploadFile

from shop.core import clock, locks
from shop.core.errors import CONSTRAINTS, Conflict, Invalid
from shop.core.models import IdempotencyKey

#: How long an answer is kept.
KEPT = timedelta(hours=24)


class KeyInUse(Conflict):
    code = "idempotency_key_in_use"
    zh = "使用相同幂等键的请求正在处理，请稍后重试"
    en = "A request with this Idempotency-Key is still running; retry shortly"

    def __init__(self) -> None:
        super().__init__(retry_after=1)


class KeyReused(Invalid):
    code = "idempotency_key_reused"
    zh = "该幂等键已用于内容不同的请求"
    en = "This Idempotency-Key was used for a different request"


CONSTRAINTS["pk_idempotency_key"] = KeyInUse

_FIND = text(
    "SELECT held.mine, k.operation, k.request_hash, k.status, k.headers, k.body"
    " FROM (SELECT pg_try_advisory_xact_lock(:lock) AS mine) held"
    " LEFT JOIN idempotency_key k ON k.principal = :principal AND k.key = :key"
)

_STORE = text(
    "INSERT INTO idempotency_key (principal, key, operation, request_hash, status, headers, body, created_at)"
    " VALUES (:principal, :key, :operation, :request_hash, :status, CAST(:headers AS jsonb), :body, :now)"
)


@dataclass
class Claim:
    session: Session
    principal: str
    key: str
    operation: str
    request_hash: bytes
    #: The stored answer, when the request was done before.
    answered: Response | None = None

    def remember(self, response: Response) -> None:
        """Store the answer, in the transaction of the effect."""
        kept = {name: response.headers[name] for name in ("content-type", "etag", "location") if name in response.headers}
        self.session.execute(
            _STORE,
            {
                "principal": self.principal,
                "key": self.key,
                "operation": self.operation,
                "request_hash": self.request_hash,
                "status": response.status_code,
                "headers": json.dumps(kept),
                "body": bytes(response.body),
                "now": clock.now(),
            },
        )


def claim(session: Session, *, principal: str, key: str, operation: str, request_hash: bytes) -> Claim:
    """Claim a key for this transaction, or find the answer that it already has.

    Raises:
        KeyInUse: the same key is being worked on (409, with Retry-After).
        KeyReused: the key belongs to another operation or content (422).
    """
    row = session.execute(
        _FIND,
        {"lock": locks.number(f"idempotency:{principal}:{key}"), "principal": principal, "key": key},
    ).one()
    found = Claim(session, principal, key, operation, request_hash)
    if row.operation is not None:
        if row.operation != operation or bytes(row.request_hash) != request_hash:
            raise KeyReused
        found.answered = Response(bytes(row.body), row.status, {**row.headers, "Idempotent-Replayed": "true"})
    elif not row.mine:
        raise KeyInUse
    return found


def forget_old(session: Session) -> int:
    """Drop answers older than 24 hours; returns how many."""
    result = session.execute(
        delete(IdempotencyKey).where(IdempotencyKey.created_at < clock.now() - KEPT)  # type: ignore[arg-type]
    )
    return result.rowcount  # type: ignore[attr-defined, no-any-return]


def content_of(request: Request) -> bytes:
    """The body as FastAPI read it: JSON as it came; of a form its fields and what the files hold, without the boundary, which each attempt has anew.
    What nobody read is told apart by its length."""
    body: bytes | None = getattr(request, "_body", None)
    if body is not None:
        return body
    form: FormData | None = getattr(request, "_form", None)
    if form is None:
        return request.headers.get("content-length", "").encode()
    return b"".join(f"{name}\n{_told(value)}\n".encode() for name, value in form.multi_items())


def _told(value: UploadFile | str) -> str:
    """A field of a form, or a file by its name and what it holds."""
    if isinstance(value, str):
        return f"{len(value)}:{value}"
    digest = hashlib.file_digest(value.file, "sha256").hexdigest()  # type: ignore[arg-type]
    value.file.seek(0)
    return f"{value.filename}:{digest}"
