"""Reading proofs of purchase: to the organisation and the officers of the regions, and to everybody who holds a number."""

from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.pledges.queries.counting import Sums, sums
from orders.pledges.queries.pledges import REACH, head, reach
from orders.pledges.rules.figures import gone
from orders.pledges.schemas import ProofOut, PublicProofOut
from orders.pledges.states import ProofState, proof_state
from shop.core import clock, paging
from shop.core.errors import Language, NotFound
from shop.core.paging import Page
from shop.identity.actor import Actor

#: What every paper and every page says, so that nobody takes it for what it is not.
NOT_A_RECEIPT: dict[Language, str] = {
    "zh": "本证明仅证明采购事实，不是公益事业捐赠票据，不得作为捐赠税前扣除的凭证。",
    "en": "This proves a purchase. It is not a donation receipt and gives no right to a tax deduction.",
}
STATES: dict[ProofState, dict[Language, str]] = {
    ProofState.VALID: {"zh": "有效", "en": "Valid"},
    ProofState.CHANGED: {"zh": "出具后金额已变化", "en": "The amount has changed since it was issued"},
    ProofState.SUPERSEDED: {"zh": "已被新证明替代", "en": "Replaced by a newer proof"},
    ProofState.REVOKED: {"zh": "已撤销", "en": "Revoked"},
}
KINDS: dict[str, dict[Language, str]] = {
    "donate_by_purchase": {"zh": "以购代捐", "en": "Purchase instead of donation"},
    "buy_to_help": {"zh": "以买代帮", "en": "Purchase to help"},
}

_PROOF = """
SELECT f.*, p.number AS pledge_number, o.name AS organisation_name,
       (SELECT n.number FROM purchase_proof n WHERE n.pledge_id = f.pledge_id AND n.id > f.id AND f.superseded_at IS NOT NULL
        ORDER BY n.id LIMIT 1) AS superseded_by
FROM purchase_proof f JOIN pledge p ON p.id = f.pledge_id JOIN organisation o ON o.id = p.organisation_id
"""
_BY_NUMBER = text(f"{_PROOF} WHERE f.number = :number AND {REACH}")
_PUBLIC = text(f"{_PROOF} WHERE f.number = :number")
_OF_PLEDGE = text(
    f"{_PROOF} WHERE f.pledge_id = :pledge_id AND (CAST(:start AS bigint) IS NULL OR f.id < :start) ORDER BY f.id DESC LIMIT :rows"
)


def _now(session: Session, pledge_id: int) -> Sums:
    return sums(session, [pledge_id], by_order=True)[pledge_id]


def _standing(row: Row[Any], now: Sums) -> tuple[ProofState, int]:
    """The state of a proof beside what its pledge comes to now, and what of it is gone since (fen)."""
    back = gone(row.snapshot["accepted_by_order"], {each.code: each.accepted for each in now.parts.get("order", [])})
    return proof_state(revoked=row.revoked_at is not None, superseded=row.superseded_at is not None, taken_back_fen=back), back


def _out(row: Row[Any], now: Sums) -> ProofOut:
    state, back = _standing(row, now)
    names = ("number", "pledge_id", "pledge_number", "organisation_name", "issued_at", "sha256", "superseded_by", "revoke_reason")
    return ProofOut(
        **{name: getattr(row, name) for name in names}, state=state, amount=row.amount_fen, amount_now=now.accepted, taken_back=back
    )


def proof(session: Session, actor: Actor, number: str) -> ProofOut:
    """One proof, compared with what the ledger holds now.

    Raises:
        NotFound: no such proof within reach.
    """
    row = session.execute(_BY_NUMBER, {"number": number, **reach(actor)}).first()
    if row is None:
        raise NotFound
    return _out(row, _now(session, row.pledge_id))


def proofs(session: Session, actor: Actor, pledge_id: int, *, limit: int, after: str | None) -> Page[ProofOut]:
    """The proofs of a pledge, newest first.

    Raises:
        NotFound: no such pledge within reach.
    """
    head(session, actor, pledge_id)
    start = paging.position(after, int)
    rows = session.execute(_OF_PLEDGE, {"pledge_id": pledge_id, "start": start[0] if start else None, "rows": limit + 1}).all()
    now = _now(session, pledge_id)
    return paging.page(rows, limit, lambda row: _out(row, now), lambda row: [_id_of(row)])


def _id_of(row: Row[Any]) -> int:
    return int(row.id)


def public_proof(session: Session, number: str, language: Language) -> PublicProofOut:
    """What everybody may know of a proof.

    Raises:
        NotFound: nobody was given this number.
    """
    return _public(*_found(session, number), language)


def public_proof_in_both(session: Session, number: str) -> tuple[PublicProofOut, PublicProofOut]:
    """The same in Chinese and in English, read once.

    Raises:
        NotFound: nobody was given this number.
    """
    row, now = _found(session, number)
    return _public(row, now, "zh"), _public(row, now, "en")


def _found(session: Session, number: str) -> tuple[Row[Any], Sums]:
    row = session.execute(_PUBLIC, {"number": number}).first()
    if row is None:
        raise NotFound
    return row, _now(session, row.pledge_id)


def _public(row: Row[Any], now: Sums, language: Language) -> PublicProofOut:
    state, back = _standing(row, now)
    frozen = row.snapshot
    own = ("organisation_name", "organisation_uscc", "pledge_number", "title", "valid_from", "valid_until", "orders")
    name = "name_zh" if language == "zh" else "name_en"
    return PublicProofOut(
        **{field: frozen[field] for field in own},
        number=row.number,
        state=state,
        state_label=STATES[state][language],
        statement=NOT_A_RECEIPT[language],
        kind_label=KINDS[frozen["kind"]][language],
        issued_on=clock.shanghai_date(row.issued_at),
        amount=row.amount_fen,
        amount_now=now.accepted,
        taken_back=back,
        accepted_grams=frozen["grams"],
        districts=[{"code": each["code"], "name": each[name], "amount": each["accepted_fen"]} for each in frozen["districts"]],
        sha256=row.sha256,
        superseded_by=row.superseded_by,
    )
