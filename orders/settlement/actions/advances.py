"""Money that a supplier gets ahead for a signed agreement; later settlements use it up."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.agreements.states import AgreementState, state_on
from orders.money import actions as money
from orders.money.rules import Account, Kind, Place, carry
from orders.settlement.actions import losing
from orders.settlement.errors import AboveAgreement, AdvanceUsedUp, AgreementNotInForce, AgreementUnbounded, SamePerson
from orders.settlement.models import Advance
from orders.settlement.queries.ahead import AHEAD, held_ahead, lines_fen
from orders.settlement.rules import most_ahead
from orders.settlement.schemas.payouts import AdvanceIn, AdvanceReturnIn
from orders.settlement.states import ADVANCE, AdvanceMove
from shop.core import audit, clock, numbers, outbox
from shop.core.errors import IfMatch, NotFound, any_version
from shop.core.money import yuan_from_fen
from shop.identity.actor import Actor
from shop.identity.permissions import Permission

_AGREEMENT = text(
    f"""
    SELECT a.*, o.region_code, {AHEAD.format(agreement="a.id")} AS ahead
    FROM agreement a JOIN organisation o ON o.id = a.supplier_id WHERE a.id = :id
    """  # noqa: S608
)
#: As :func:`request` does: first the agreement, then what is paid ahead for it.
_HOLD_AGREEMENT_OF = text("SELECT 1 FROM agreement WHERE id = (SELECT agreement_id FROM advance WHERE id = :id) FOR UPDATE")
#: How often something of it came back before.
_RETURNS = text("SELECT count(*) FROM money_transaction WHERE kind = 'advance_returned' AND origin_id = :id")
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


def approve(session: Session, actor: Actor, advance_id: int, if_match: IfMatch = any_version) -> None:
    """Approve an advance that somebody else asked for.

    Raises:
        NotFound: none of those whose money the caller keeps (404). SamePerson: the caller asked for it (403). IllegalMove: it was decided (409).
        AgreementNotInForce, AgreementUnbounded: see there (409). AboveAgreement: the agreement may come to less by now (409).
    """
    session.execute(_HOLD_AGREEMENT_OF, {"id": advance_id})
    row = _kept(session, actor, advance_id)
    if_match(row.version)
    ADVANCE.after(row.status, AdvanceMove.APPROVE)
    if row.requested_by == actor.user_id:
        raise SamePerson
    agreement = _agreement(session, row.agreement_id)
    _require_in_force(agreement)
    _require_below_cap(session, agreement, agreement.ahead - row.amount_fen, row.amount_fen)
    _step(session, actor, row, AdvanceMove.APPROVE, approved_by=actor.user_id, approved_at=clock.now())


def refuse(session: Session, actor: Actor, advance_id: int, reason: str, if_match: IfMatch = any_version) -> None:
    """Say no to an advance that was not paid. Raises as :func:`approve`."""
    row = _kept(session, actor, advance_id)
    if_match(row.version)
    _step(session, actor, row, AdvanceMove.REFUSE, reason=reason, end_reason=reason)


def pay(session: Session, actor: Actor, advance_id: int, reference: str, if_match: IfMatch = any_version) -> None:
    """Say that the bank paid an approved advance. From now on settlements use it up.

    Raises:
        NotFound: none of those whose money the caller keeps (404). IllegalMove: it is not approved, or was paid (409).
    """
    row = _kept(session, actor, advance_id)
    if_match(row.version)
    _step(session, actor, row, AdvanceMove.PAY, reference=reference, paid_at=clock.now())
    ahead = Place(Account.ADVANCES, row.supplier_id)
    money.book(session, Kind.ADVANCE, row.id, carry(row.amount_fen, to=ahead, out_of=Place(Account.BANK)))
    outbox.publish(session, "advance.paid", advance_id=row.id)


def report_return(session: Session, actor: Actor, advance_id: int, body: AdvanceReturnIn, if_match: IfMatch = any_version) -> None:
    """Say that a paid advance, or a part of it, came back, or that it never left. Nothing is booked before another person confirms it.

    Raises:
        NotFound: none of those whose money the caller keeps (404). IllegalMove: it is not paid, or somebody said so already (409).
        AdvanceUsedUp: more than is left of the advance, or than settlements left of what the supplier got ahead (409).
    """
    row = _kept(session, actor, advance_id)
    if_match(row.version)
    ADVANCE.after(row.status, AdvanceMove.RETURN)
    amount = body.amount or row.amount_fen - row.returned_fen
    _require_not_used_up(session, row, amount)
    values = {"return_fen": amount, "return_reason": body.reason, "return_asked_by": actor.user_id, "return_asked_at": clock.now()}
    values |= {"return_confirmed_by": None, "returned_at": None}
    _step(session, actor, row, AdvanceMove.RETURN, reason=body.reason, **values)
    outbox.publish(session, "advance.return_reported", advance_id=row.id, version=row.version + 1)


def confirm_return(session: Session, actor: Actor, advance_id: int, if_match: IfMatch = any_version) -> None:
    """Confirm what somebody else said: it is back on the bank account, and no settlement uses it up any more. Of what is left of the advance more may
    come back.

    Raises:
        NotFound: none of those whose money the caller keeps (404). SamePerson: the caller said it (403). IllegalMove: nobody says so (409).
        AdvanceUsedUp: a settlement used it up meanwhile (409).
    """
    losing.alone(session)  # a settlement run reads what there is to be used up
    row = _kept(session, actor, advance_id)
    if_match(row.version)
    ADVANCE.after(row.status, AdvanceMove.CONFIRM_RETURN)
    if row.return_asked_by == actor.user_id:
        raise SamePerson
    _require_not_used_up(session, row, row.return_fen)
    returned = row.returned_fen + row.return_fen
    move = AdvanceMove.CONFIRM_RETURN if returned == row.amount_fen else AdvanceMove.RETURN_PART
    _step(session, actor, row, move, return_confirmed_by=actor.user_id, returned_at=clock.now(), returned_fen=returned)
    ahead = Place(Account.ADVANCES, row.supplier_id)
    turn = session.execute(_RETURNS, {"id": row.id}).scalar_one()
    money.book(session, Kind.ADVANCE_RETURNED, row.id, carry(row.return_fen, to=Place(Account.BANK), out_of=ahead), turn=turn)
    outbox.publish(session, "advance.returned", advance_id=row.id, amount_fen=row.return_fen, turn=turn)


def refuse_return(session: Session, actor: Actor, advance_id: int, reason: str, if_match: IfMatch = any_version) -> None:
    """Say that it did not come back, or take back that one said so. Raises NotFound and IllegalMove, as :func:`confirm_return`."""
    row = _kept(session, actor, advance_id)
    if_match(row.version)
    nothing = dict.fromkeys(("return_fen", "return_reason", "return_asked_by", "return_asked_at"))
    _step(session, actor, row, AdvanceMove.REFUSE_RETURN, reason=reason, **nothing)


def _require_not_used_up(session: Session, row: Any, amount_fen: int) -> None:
    there = held_ahead(session, row.supplier_id)
    left = min(row.amount_fen - row.returned_fen, max(there, 0))
    if amount_fen > left:
        raise AdvanceUsedUp(left=yuan_from_fen(left))


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


def lock(session: Session, advance_id: int) -> None:
    """Lock an advance until the transaction ends."""
    session.execute(_LOCK, {"id": advance_id})


def _kept(session: Session, actor: Actor, advance_id: int) -> Any:
    row = session.execute(_LOCK, {"id": advance_id}).first()
    if row is None or not actor.covers_region(Permission.MONEY_MANAGE, row.region_code):
        raise NotFound
    return row


def _step(session: Session, actor: Actor, row: Any, move: AdvanceMove, *, reason: str | None = None, **values: Any) -> None:
    status = ADVANCE.after(row.status, move)
    written = "".join(f", {name} = :{name}" for name in values)
    session.execute(
        text(f"UPDATE advance SET status = :status, version = version + 1{written} WHERE id = :id"),  # noqa: S608
        {"id": row.id, "status": status, **values},
    )
    audit.record(
        session,
        actor,
        f"advance.{move.replace('-', '_')}",
        "advance",
        row.id,
        reason=reason,
        from_status=row.status,
        to_status=str(status),
    )
