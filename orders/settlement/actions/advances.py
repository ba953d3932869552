"""Money that a supplier gets ahead for a signed agreement; later settlements use it up."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.agreements.states import AgreementState, state_on
from orders.money import actions as money
from orders.money.rules import Account, Kind, Place, carry
from orders.settlement.errors import AboveAgreement, AgreementNotInForce, AgreementUnbounded, SamePerson
from orders.settlement.models import Advance
from orders.settlement.queries.ahead import lines_fen
from orders.settlement.rules import most_ahead
from orders.settlement.schemas.payouts import AdvanceIn
from orders.settlement.states import ADVANCE, AdvanceMove
from shop.core import audit, clock, numbers, outbox
from shop.core.errors import NotFound
from shop.core.money import yuan_from_fen
from shop.identity.actor import Actor
from shop.identity.permissions import Permission

_AGREEMENT = text(
    """
    SELECT a.*, o.region_code, (SELECT coalesce(sum(v.amount_fen), 0)::bigint FROM advance v WHERE v.agreement_id = a.id AND v.status <> 'refused') AS ahead
    FROM agreement a JOIN organisation o ON o.id = a.supplier_id WHERE a.id = :id
    """
)
_LOCK = text(
    "SELECT v.*, o.region_code FROM advance v JOIN organisation o ON o.id = v.supplier_id WHERE v.id = :id FOR UPDATE OF v"
)


def request(session: Session, actor: Actor, body: AdvanceIn) -> int:
    """Ask for money to be paid ahead; returns the advance's id.

    Raises:
        NotFound: no agreement of a supplier whose money the caller keeps (404). AgreementNotInForce: see there (409).
        AboveAgreement: with what was asked for before it is above what the agreement may come to (409). AgreementUnbounded: see there (409).
    """
    row = _agreement(session, body.agreement_id)
    if row is None or not actor.covers_region(Permission.MONEY_MANAGE, row.region_code):
        raise NotFound
    _require_in_force(row)
    _require_below_cap(session, row, row.ahead, body.amount)
    now = clock.now()
    year = clock.shanghai_date(now).year
    made = Advance(
        number=f"YF{year}-{numbers.next_number(session, f'advance:{year}'):06}",
        agreement_id=row.id,
        supplier_id=row.supplier_id,
        amount_fen=body.amount,
        reason=body.reason,
        requested_by=actor.user_id or 0,
        requested_at=now,
    )
    session.add(made)
    session.flush()
    audit.record(session, actor, "advance.requested", "advance", made.id, reason=body.reason, amount_fen=body.amount)
    outbox.publish(session, "advance.requested", advance_id=made.id)
    return made.id


def approve(session: Session, actor: Actor, advance_id: int) -> None:
    """Approve an advance that somebody else asked for.

    Raises:
        NotFound: none of those whose money the caller keeps (404). SamePerson: the caller asked for it (403). IllegalMove: it was decided (409).
        AgreementNotInForce, AgreementUnbounded: see there (409). AboveAgreement: the agreement may come to less by now (409).
    """
    row = _kept(session, actor, advance_id)
    ADVANCE.after(row.status, AdvanceMove.APPROVE)
    if row.requested_by == actor.user_id:
        raise SamePerson
    agreement = _agreement(session, row.agreement_id)
    _require_in_force(agreement)
    _require_below_cap(session, agreement, agreement.ahead - row.amount_fen, row.amount_fen)
    _step(session, actor, row, AdvanceMove.APPROVE, approved_by=actor.user_id, approved_at=clock.now())


def refuse(session: Session, actor: Actor, advance_id: int, reason: str) -> None:
    """Say no to an advance that was not paid. Raises as :func:`approve`."""
    _step(session, actor, _kept(session, actor, advance_id), AdvanceMove.REFUSE, end_reason=reason)


def pay(session: Session, actor: Actor, advance_id: int, reference: str) -> None:
    """Say that the bank paid an approved advance. From now on settlements use it up.

    Raises:
        NotFound: none of those whose money the caller keeps (404). IllegalMove: it is not approved, or was paid (409).
    """
    row = _kept(session, actor, advance_id)
    _step(session, actor, row, AdvanceMove.PAY, reference=reference, paid_at=clock.now())
    ahead = Place(Account.ADVANCES, row.supplier_id)
    money.book(session, Kind.ADVANCE, row.id, carry(row.amount_fen, to=ahead, out_of=Place(Account.BANK)))
    outbox.publish(session, "advance.paid", advance_id=row.id)


def _agreement(session: Session, agreement_id: int) -> Any:
    # taken first, so that two at once see one another's sums
    session.execute(text("SELECT 1 FROM agreement WHERE id = :id FOR UPDATE"), {"id": agreement_id})
    return session.execute(_AGREEMENT, {"id": agreement_id}).first()


def _require_below_cap(session: Session, agreement: Any, others_fen: int, amount_fen: int) -> None:
    most = most_ahead(agreement.amount_cap_fen, lines_fen(session, agreement.id))
    if most is None:
        raise AgreementUnbounded
    if others_fen + amount_fen > most:
        raise AboveAgreement(left=yuan_from_fen(max(most - others_fen, 0)))


def _require_in_force(row: Any) -> None:
    state = state_on(row.status, row.valid_from, row.valid_until, row.terminated_on, clock.today())
    if state not in (AgreementState.ACTIVE, AgreementState.UPCOMING):
        raise AgreementNotInForce


def _kept(session: Session, actor: Actor, advance_id: int) -> Any:
    row = session.execute(_LOCK, {"id": advance_id}).first()
    if row is None or not actor.covers_region(Permission.MONEY_MANAGE, row.region_code):
        raise NotFound
    return row


def _step(session: Session, actor: Actor, row: Any, move: AdvanceMove, **values: Any) -> None:
    status = ADVANCE.after(row.status, move)
    written = "".join(f", {name} = :{name}" for name in values)
    session.execute(
        text(f"UPDATE advance SET status = :status, version = version + 1{written} WHERE id = :id"),  # noqa: S608
        {"id": row.id, "status": status, **values},
    )
    reason = values.get("end_reason")
    audit.record(session, actor, f"advance.{move}", "advance", row.id, reason=reason, from_status=row.status, to_status=str(status))
