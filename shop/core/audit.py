"""The audit trail: who did what to which thing, when, in which role and why.

``record`` writes a row in the transaction of the act itself. A sweep then seals new rows into one hash chain
(``seal``), because hashing inside every transaction would make all writers wait for one another. ``verify`` finds any row that
was changed, removed, reordered or forged. The head of the chain is logged by each seal, so that a cut tail can be shown too.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from sqlalchemy import insert, text
from sqlmodel import Session

from shop.core import clock, locks
from shop.core.db import array
from shop.core.models import AuditEvent

GENESIS = bytes(32)
_SEAL = text(
    """
    INSERT INTO audit_seal (position, event_id, hash, sealed_at)
    SELECT :position + s.place, s.event_id, s.hash, :now
    FROM unnest(CAST(:ids AS bigint[]), CAST(:hashes AS bytea[])) WITH ORDINALITY AS s (event_id, hash, place)
    """
)


class Who(Protocol):
    """The least that the trail must know of an actor; ``shop.identity`` has the full one."""

    @property
    def user_id(self) -> int | None: ...

    @property
    def role_name(self) -> str: ...


@dataclass(frozen=True)
class System:
    """The program itself: sweeps, expiries, seeding."""

    user_id: None = None
    role_name: str = "system"


SYSTEM = System()


def record(
    session: Session,
    actor: Who,
    action: str,
    subject_type: str,
    subject_id: int,
    *,
    reason: str | None = None,
    **detail: Any,
) -> None:
    """Put one act on record. ``action`` is ``subject.verb`` in the past tense, such as ``certification.submitted``."""
    session.execute(
        insert(AuditEvent).values(
            at=clock.now(),
            actor_id=actor.user_id,
            actor_role=actor.role_name,
            action=action,
            subject_type=subject_type,
            subject_id=subject_id,
            reason=reason,
            detail=detail,
        )
    )


def record_each(
    session: Session,
    actor: Who,
    action: str,
    subject_type: str,
    subjects: Sequence[tuple[int, Mapping[str, Any]]],
    *,
    reason: str | None = None,
) -> None:
    """Put the same act on record for many things: pairs of a thing's id and the detail."""
    if not subjects:
        return
    common = {"at": clock.now(), "actor_id": actor.user_id, "actor_role": actor.role_name, "action": action}
    rows = [
        {**common, "subject_type": subject_type, "subject_id": subject_id, "reason": reason, "detail": dict(detail)}
        for subject_id, detail in subjects
    ]
    session.execute(insert(AuditEvent), rows)


def digest(previous: bytes, row: Any) -> bytes:
    """The hash of one event, chained to the hash before it."""
    at: datetime = row.at
    canonical = json.dumps(
        [
            row.id,
            at.astimezone(UTC).isoformat(timespec="microseconds"),
            row.actor_id,
            row.actor_role,
            row.action,
            row.subject_type,
            row.subject_id,
            row.reason,
            row.detail,
        ],
        ensure_ascii=False,
        sort_keys=True,
        separators=(",", ":"),
    )
    return hashlib.sha256(previous + canonical.encode()).digest()


def seal(session: Session, limit: int = 50_000) -> int:
    """Chain the events not yet sealed; returns how many. One sealer at a time, the others find nothing to do."""
    if not locks.try_hold(session, "audit.seal"):
        return 0
    position, head = _head(session)
    unsealed = text(
        "SELECT e.* FROM audit_event e WHERE NOT EXISTS (SELECT 1 FROM audit_seal s WHERE s.event_id = e.id) ORDER BY e.id LIMIT :limit"
    )
    ids, hashes = [], []
    for row in session.execute(unsealed, {"limit": limit}).all():
        head = digest(head, row)
        ids.append(row.id)
        hashes.append(head)
    if ids:
        session.execute(_SEAL, {"position": position, "ids": array(ids), "hashes": hashes, "now": clock.now()})
    return len(ids)


def head(session: Session) -> tuple[int, str]:
    """Position and hash of the newest seal; keep it outside the database to prove later that no tail was cut."""
    position, value = _head(session)
    return position, value.hex()


def verify(session: Session, known_head: tuple[int, str] | None = None) -> list[str]:
    """Every way in which the trail was tampered with; empty when it is whole.

    With ``known_head`` (as :func:`head` gave it earlier) a cut tail or a re-hashed history is found too.
    """
    found: list[str] = []
    previous, expected = GENESIS, 1
    hash_at_known = None
    rows = session.execute(
        text(
            "SELECT s.position, s.hash AS sealed, s.event_id, e.* FROM audit_seal s LEFT JOIN audit_event e ON e.id = s.event_id"
            " ORDER BY s.position"
        ),
        execution_options={"yield_per": 5000},
    )
    for row in rows:
        if row.position != expected:
            found.append(f"seal {expected} is missing")
            expected = row.position
        if row.id is None:
            found.append(f"event {row.event_id} is missing")
        elif digest(previous, row) != bytes(row.sealed):
            found.append(f"event {row.event_id} was changed")
        previous, expected = bytes(row.sealed), expected + 1
        if known_head and row.position == known_head[0]:
            hash_at_known = previous.hex()
    if known_head and known_head[0] > 0 and hash_at_known != known_head[1]:
        found.append(f"the head known at position {known_head[0]} is not in the chain")
    return found


def _head(session: Session) -> tuple[int, bytes]:
    row = session.execute(text("SELECT position, hash FROM audit_seal ORDER BY position DESC LIMIT 1")).first()
    return (row[0], bytes(row[1])) if row else (0, GENESIS)
