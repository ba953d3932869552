"""Claims that do not count until a person has decided."""

import json
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from shop.core import audit, clock, outbox
from shop.core.audit import Who
from shop.core.errors import NotFound

_HOLD = text(
    """
    WITH made AS (
        INSERT INTO counting_hold (subject_kind, subject_id, reason_code, other_kind, other_id, evidence, district_code, amount_fen, opened_at)
        VALUES (:subject_kind, :subject_id, :reason_code, :other_kind, :other_id, CAST(:evidence AS jsonb), :district_code, :amount_fen, :now)
        ON CONFLICT (subject_kind, subject_id, reason_code, coalesce(other_kind, ''), coalesce(other_id, 0)) WHERE status = 'open'
        DO NOTHING RETURNING id
    )
    SELECT id FROM made UNION ALL
    SELECT id FROM counting_hold WHERE status = 'open' AND subject_kind = :subject_kind AND subject_id = :subject_id
      AND reason_code = :reason_code AND other_kind IS NOT DISTINCT FROM :other_kind AND other_id IS NOT DISTINCT FROM :other_id
    """
)


def hold(
    session: Session,
    *,
    subject_kind: str,
    subject_id: int,
    reason_code: str,
    evidence: dict[str, Any],
    district_code: str,
    amount_fen: int,
    other_kind: str | None = None,
    other_id: int | None = None,
) -> int:
    """Hold a claim until an officer has decided; returns the hold's id. While it is open the same again is the same hold."""
    values = {
        "subject_kind": subject_kind,
        "subject_id": subject_id,
        "reason_code": reason_code,
        "evidence": json.dumps(evidence),
        "district_code": district_code,
        "amount_fen": amount_fen,
        "other_kind": other_kind,
        "other_id": other_id,
        "now": clock.now(),
    }
    return int(session.execute(_HOLD, values).scalars().first() or 0)


_DECIDE = text(
    """
    UPDATE counting_hold SET status = :status, decision = :reason, decided_by = :user, decided_at = :now
    WHERE id = :id AND status = 'open' RETURNING id
    """
)


def decide(session: Session, actor: Who, hold_id: int, *, count: bool, reason: str) -> None:
    """Count what is held, or leave it out. Raises NotFound: no open hold (404)."""
    values = {"id": hold_id, "status": "counted" if count else "void", "reason": reason, "user": actor.user_id, "now": clock.now()}
    if session.execute(_DECIDE, values).first() is None:
        raise NotFound
    audit.record(session, actor, "counting_hold.decided", "counting_hold", hold_id, reason=reason, count=count)
    outbox.publish(session, "counting_hold.decided", hold_id=hold_id)
