"""Signing, declining and withdrawing a proposal."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.agreements.actions import harvest as promises
from orders.agreements.actions.drafting import require_prices
from orders.agreements.actions.harvest import Says
from orders.agreements.errors import AlreadySigned, NotInForce, PartyNotApproved, TermsChanged
from orders.agreements.queries import harvest
from orders.agreements.queries.reach import locked, moves_of
from orders.agreements.rules import Side
from orders.agreements.states import AGREEMENT, AgreementMove, AgreementState, AgreementStatus
from shop.core import audit, clock, outbox
from shop.core.errors import IfMatch, NotFound, any_version
from shop.identity.actor import Actor

_SUPPLIER = text("SELECT supplier_id FROM agreement WHERE id = :id")
_APPROVED = text("SELECT count(*) FROM organisation WHERE id = ANY (:ids) AND status = 'approved'")
_SIGN = {
    side: text(
        f"UPDATE agreement SET {side}_signed_by = :user_id, {side}_signed_at = :now, status = :status, version = version + 1 WHERE id = :id"  # noqa: S608
    )
    for side in Side
}
# Nobody is asked to deliver before the day on which both had signed.
_MISSED = text(
    """
    UPDATE instalment SET status = 'skipped', skip_reason = 'ended' WHERE status = 'planned' AND due_on < :today
      AND agreement_line_id IN (SELECT id FROM agreement_line WHERE agreement_id = :id)
    """
)


def sign(session: Session, actor: Actor, agreement_id: int, terms_hash: str, if_match: IfMatch = any_version) -> Says | None:
    """Sign for the own side what ``terms_hash`` stands for; with the second signature the agreement is made. The supplier's signature promises
    its harvest; what the declarations say to that is returned, and None for the buyer's.

    Raises:
        NotFound: no proposal to the caller's branch (404). TermsChanged: the hash is that of other terms (409).
        AlreadySigned, PartyNotApproved, IllegalMove: see there (409). NotInForce: its last day is over (409).
        TermsRefused: a price lies above the ceiling by now (422). OverCommitted: months do not bear it (409).
    """
    supplier_id = session.execute(_SUPPLIER, {"id": agreement_id}).scalar_one_or_none()
    if supplier_id is None:
        raise NotFound
    promises.hold(session, supplier_id)
    agreement, side = locked(session, actor, agreement_id)
    if_match(agreement.version)
    signed = {Side.BUYER: agreement.buyer_signed_at, Side.SUPPLIER: agreement.supplier_signed_at}
    AGREEMENT.after(agreement.status, AgreementMove.SIGN_FIRST, moves_of(actor, agreement))
    if signed[side] is not None:
        raise AlreadySigned
    if terms_hash != agreement.terms_hash:
        raise TermsChanged(terms_hash=agreement.terms_hash)
    if agreement.valid_until < clock.today():
        raise NotInForce(state=AgreementState.EXPIRED)
    require_approved(session, agreement)
    require_prices(session, agreement_id)
    says = None
    if side is Side.SUPPLIER:
        products = promises.products_of(session, [agreement_id])
        says = promises.refuse_over(harvest.months(session, products), harvest.months(session, products, with_id=agreement_id))
    both = any(at is not None for at in signed.values())
    status = AGREEMENT.after(agreement.status, AgreementMove.SIGN_SECOND if both else AgreementMove.SIGN_FIRST)
    session.execute(_SIGN[side], {"id": agreement_id, "user_id": actor.user_id, "now": clock.now(), "status": status})
    if both:
        session.execute(_MISSED, {"id": agreement_id, "today": clock.today()})
    audit.record(
        session, actor, "agreement.signed", "agreement", agreement_id, side=side, terms_hash=terms_hash, status=status, harvest=says
    )
    outbox.publish(session, "agreement.signed", agreement_id=agreement_id, side=side, version=agreement.version + 1)
    return says


def require_approved(session: Session, agreement: Any) -> None:
    """Raises:
    PartyNotApproved: a side of the agreement is suspended, say (409).
    """
    parties = [agreement.buyer_id, agreement.supplier_id]
    if session.execute(_APPROVED, {"ids": parties}).scalar_one() < len(parties):
        raise PartyNotApproved


def decline(session: Session, actor: Actor, agreement_id: int, reason: str, if_match: IfMatch = any_version) -> None:
    """The supplier will not sign.

    Raises:
        NotFound: no proposal to the caller's branch (404). IllegalMove: it is no proposal any more (409).
    """
    agreement, _ = locked(session, actor, agreement_id, Side.SUPPLIER)
    if_match(agreement.version)
    _end(session, actor, agreement_id, AGREEMENT.after(agreement.status, AgreementMove.DECLINE, moves_of(actor, agreement)), reason)
    outbox.publish(session, "agreement.declined", agreement_id=agreement_id)


def withdraw(session: Session, actor: Actor, agreement_id: int, reason: str, if_match: IfMatch = any_version) -> None:
    """The buyer takes its draft or proposal back for good.

    Raises:
        NotFound: none of the caller's branch (404). IllegalMove: it is made or over (409).
    """
    agreement, _ = locked(session, actor, agreement_id, Side.BUYER)
    if_match(agreement.version)
    _end(
        session, actor, agreement_id, AGREEMENT.after(agreement.status, AgreementMove.WITHDRAW, moves_of(actor, agreement)), reason
    )
    if agreement.proposed_at is not None:
        outbox.publish(session, "agreement.withdrawn", agreement_id=agreement_id)


def _end(session: Session, actor: Actor, agreement_id: int, status: AgreementStatus, reason: str) -> None:
    session.execute(
        text("UPDATE agreement SET status = :status, reason = :reason, version = version + 1 WHERE id = :id"),
        {"id": agreement_id, "status": status, "reason": reason},
    )
    audit.record(session, actor, f"agreement.{status}", "agreement", agreement_id, reason=reason)
