"""Proofs of purchase: a state at a moment, numbered and frozen."""

import json
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.pledges.errors import NothingAccepted, ProofNotStanding, ProofUnchanged
from orders.pledges.queries import pledges as reading
from orders.pledges.queries.counting import Sums, sums
from orders.pledges.rules.figures import fingerprint
from orders.pledges.states import PLEDGE, PledgeAction
from shop.core import audit, clock, numbers, outbox
from shop.core.errors import NotFound
from shop.identity.actor import Actor

_STANDING = text("SELECT * FROM purchase_proof WHERE pledge_id = :id AND superseded_at IS NULL AND revoked_at IS NULL FOR UPDATE")
_ISSUE = text(
    """
    INSERT INTO purchase_proof (number, pledge_id, issued_by, issued_at, amount_fen, snapshot, sha256)
    VALUES (:number, :pledge_id, :user_id, :now, :amount, CAST(:snapshot AS jsonb), :sha256) RETURNING id
    """
)
_NAMES = text("SELECT code, name_zh, name_en FROM region WHERE code = ANY (:codes)")


def standing(session: Session, pledge_id: int) -> Row[Any] | None:
    """The one proof of a pledge that was neither replaced nor revoked, locked."""
    return session.execute(_STANDING, {"id": pledge_id}).first()


def issue(session: Session, actor: Actor, pledge_id: int) -> str:
    """Put on paper what was accepted so far; an earlier proof is replaced by it. Returns its number.

    Raises:
        NotFound: not a pledge of the caller's branch.
        IllegalMove: it is a draft, or cancelled (409).
        NothingAccepted, ProofUnchanged: there is nothing, or nothing new, to prove (409).
    """
    row = reading.locked(session, actor, pledge_id)
    PLEDGE.after(row.status, PledgeAction.PROVE)
    return _issue(session, actor, row)


def issue_if_new(session: Session, actor: Actor, row: Row[Any]) -> None:
    """The same for a locked pledge, where there is something new to prove."""
    try:
        _issue(session, actor, row)
    except (NothingAccepted, ProofUnchanged):
        return


def _issue(session: Session, actor: Actor, row: Row[Any]) -> str:
    before = standing(session, row.id)
    of = sums(session, [row.id], by_order=True)[row.id]
    if of.accepted <= 0:
        raise NothingAccepted
    content = _snapshot(session, row, of)
    if before is not None and before.snapshot == content:
        raise ProofUnchanged(number=before.number)
    now = clock.now()
    year = clock.shanghai_date(now).year
    number = f"XM-{year}-{numbers.next_number(session, f'purchase_proof:{year}'):06d}"
    if before is not None:
        session.execute(
            text("UPDATE purchase_proof SET superseded_at = :now WHERE id = :id"),
            {"now": now, "id": before.id},
        )
    proof_id: int = session.execute(
        _ISSUE,
        {
            "number": number,
            "pledge_id": row.id,
            "user_id": actor.user_id,
            "now": now,
            "amount": of.accepted,
            "snapshot": json.dumps(content, ensure_ascii=False),
            "sha256": fingerprint({"number": number, "issued_at": now.isoformat(), **content}),
        },
    ).scalar_one()
    audit.record(
        session,
        actor,
        "purchase_proof.issued",
        "purchase_proof",
        proof_id,
        number=number,
        amount_fen=of.accepted,
        replaces=before.number if before else None,
    )
    outbox.publish(session, "purchase_proof.issued", proof_id=proof_id)
    return number


def _snapshot(session: Session, row: Row[Any], of: Sums) -> dict[str, Any]:
    """Everything that the paper says, and what was accepted of each order. Recipients by the names of their groups, without addresses."""
    orders = [{"number": each.code, "accepted_fen": each.accepted} for each in of.parts.get("order", []) if each.accepted]
    districts, townships = of.parts.get("district", []), of.parts.get("township", [])
    codes = [each.code for each in [*districts, *townships]]
    names = {each.code: each for each in session.execute(_NAMES, {"codes": codes})}

    def places(rows: list[Row[Any]]) -> list[dict[str, Any]]:
        return [
            {
                "code": each.code,
                "name_zh": names[each.code].name_zh,
                "name_en": names[each.code].name_en,
                "accepted_fen": each.accepted,
            }
            for each in rows
            if each.accepted
        ]

    return {
        "pledge_number": row.number,
        "organisation_name": row.organisation_name,
        "organisation_uscc": row.organisation_uscc,
        "title": row.title,
        "kind": row.kind,
        "purpose": row.purpose,
        "valid_from": row.valid_from.isoformat(),
        "valid_until": row.valid_until.isoformat(),
        "pledged_fen": row.amount_fen,
        "accepted_fen": of.accepted,
        "grams": of.grams,
        "orders": len(orders),
        "accepted_by_order": orders,
        "districts": places(districts),
        "townships": places(townships),
        "categories": [
            {"code": each.code, "accepted_fen": each.accepted} for each in of.parts.get("category", []) if each.accepted
        ],
        "recipients": [{"name": each.name, "heads": each.heads} for each in reading.recipients_of(session, row.id)],
    }


def revoke(session: Session, actor: Actor, number: str, reason: str) -> None:
    """Take a proof back; its number stays known as revoked.

    Raises:
        NotFound: not a proof of the caller's branch.
        ProofNotStanding: it was replaced or revoked before (409).
    """
    pledge_id = session.execute(
        text("SELECT pledge_id FROM purchase_proof WHERE number = :number"), {"number": number}
    ).scalar_one_or_none()
    if pledge_id is None:
        raise NotFound
    reading.locked(session, actor, pledge_id)
    proof = standing(session, pledge_id)
    if proof is None or proof.number != number:
        raise ProofNotStanding
    session.execute(
        text("UPDATE purchase_proof SET revoked_at = :now, revoke_reason = :reason WHERE id = :id"),
        {"now": clock.now(), "reason": reason, "id": proof.id},
    )
    audit.record(session, actor, "purchase_proof.revoked", "purchase_proof", proof.id, reason=reason, number=number)
    outbox.publish(session, "purchase_proof.revoked", proof_id=proof.id)
