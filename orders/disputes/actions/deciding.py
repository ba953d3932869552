"""What officers do in a dispute: a county proposes, the city decides."""

from dataclasses import replace
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.disputes import queries
from orders.disputes.actions.moving import locked_for_officer, step
from orders.disputes.errors import AmountTooLarge, AnswerPending, OutcomeWrong, ProposalStands
from orders.disputes.schemas import DecisionIn, ProposalIn
from orders.disputes.states import DISPUTE, DisputeKind, DisputeMove, DisputeStatus, Outcome
from orders.fulfilment.actions import accept
from orders.fulfilment.errors import LinesWrong
from orders.returns.actions import answering
from shop.core import clock, outbox
from shop.core.errors import IfMatch, any_version
from shop.core.money import yuan_from_fen
from shop.core.states import IllegalMove
from shop.identity.actor import Actor
from shop.identity.permissions import Permission

#: What the disputed goods are certified by.
_CERTIFICATES = text(
    """
    SELECT DISTINCT l.certificate_id FROM order_line l
    WHERE l.supplier_order_id = :order
      AND (CAST(:shipment AS bigint) IS NULL OR l.id IN (SELECT order_line_id FROM shipment_line WHERE shipment_id = :shipment))
      AND (CAST(:return AS bigint) IS NULL OR l.id IN (SELECT order_line_id FROM goods_return_line WHERE goods_return_id = :return))
    ORDER BY 1
    """
)


def mediate(session: Session, actor: Actor, dispute_id: int, body: ProposalIn, if_match: IfMatch = any_version) -> None:
    """Propose how to settle it; another proposal takes the place of the first. It is settled when both sides agree.

    Raises:
        NotFound: there is none (404). OutsideYourRegion, OwnDispute: not before this officer (403).
        Changed: another version than the caller read (412). IllegalMove: it is not answered yet, or over (409).
        ProposalStands: it is proposed just so (409). AmountTooLarge: more than the order costs by now (422).
    """
    row = locked_for_officer(session, actor, dispute_id, Permission.DISPUTES_MEDIATE, if_match)
    if row.status == DisputeStatus.MEDIATING and (row.proposal, row.proposed_fen) == (body.proposal, body.refund):
        raise ProposalStands
    _require_within(body.refund, queries.most_refund(session, row))
    values: dict[str, Any] = {"proposal": body.proposal, "proposed_fen": body.refund, "mediator_id": actor.user_id}
    step(session, actor, row, DisputeMove.MEDIATE, **values, buyer_agreed_at=None, supplier_agreed_at=None)
    outbox.publish(session, "dispute.proposed", dispute_id=row.id, version=row.version + 1)


def decide(session: Session, actor: Actor, dispute_id: int, body: DecisionIn, if_match: IfMatch = any_version) -> None:
    """Decide it, with what follows: a return is approved, a shipment is answered, a refund is owed. Of two who decide at once one wins.

    Raises:
        NotFound: there is none (404). OutsideYourRegion, OwnDispute: not before this officer (403).
        Changed: another version than the caller read (412).
        AnswerPending: the other side may still answer (409). IllegalMove: it is over, with ``already`` where it was decided just so; or the return
            is not sent yet, or over (409).
        LinesWrong: as for the buyer's own answer (422). OutcomeWrong, AmountTooLarge: the parts of the decision contradict one another (422).
    """
    row = locked_for_officer(session, actor, dispute_id, Permission.DISPUTES_DECIDE, if_match)
    _require_undecided(actor, row, body)
    now = clock.now()
    if row.status == DisputeStatus.OPEN and row.answer_due_on >= clock.shanghai_date(now):
        raise AnswerPending(until=row.answer_due_on.isoformat())
    lost = body.outcome is (Outcome.NONE if row.opened_side == "buyer" else Outcome.FULL)
    if lost and (body.refund or body.approve_return):
        raise OutcomeWrong
    if (body.approve_return and row.goods_return_id is None) or (body.acceptance and row.shipment_id is None):
        raise OutcomeWrong
    if body.approve_return:
        answering.overrule(session, actor, row.goods_return_id, body.reason)
    if body.acceptance:
        # the officer stands in the buyer's place; the record names the officer
        in_place = replace(actor, organisation_id=row.buyer_id, organisation_path=row.buyer_path)
        try:
            accept(session, in_place, row.shipment_id, body.acceptance)
        except LinesWrong as wrong:
            faults = [replace(fault, field=f"acceptance.{fault.field}") for fault in wrong.faults]
            raise LinesWrong(count=len(faults), faults=faults) from wrong
    # what the return and the answer leave to be paid
    most_fen = queries.most_refund(session, row)
    _require_within(body.refund, most_fen)
    in_full = body.outcome is Outcome.FULL and row.opened_side == "buyer" and not (body.approve_return or body.acceptance)
    if in_full and body.refund < min(row.claimed_fen, most_fen):
        raise OutcomeWrong
    step(
        session,
        actor,
        row,
        DisputeMove.DECIDE,
        reason=body.reason,
        outcome=body.outcome.value,
        decision=body.reason,
        refund_fen=body.refund,
        decided_by=actor.user_id,
        decided_at=now,
    )
    against = row.kind == DisputeKind.QUALITY and row.opened_side == "buyer" and body.outcome is not Outcome.NONE
    about = {"order": row.supplier_order_id, "shipment": row.shipment_id, "return": row.goods_return_id}
    certificates = list(session.execute(_CERTIFICATES, about).scalars()) if against else []
    outbox.publish(
        session, "dispute.decided", dispute_id=row.id, number=row.number, outcome=body.outcome, certificate_ids=certificates
    )


def _require_undecided(actor: Actor, row: Any, body: DecisionIn) -> None:
    """Raises IllegalMove: it is over (409), with ``already`` where it was decided just so. What else was decided with it is not looked for."""
    try:
        DISPUTE.after(row.status, DisputeMove.DECIDE, queries.moves_of(actor, row))
    except IllegalMove as refused:
        alone = not (body.approve_return or body.acceptance)
        if row.status == DisputeStatus.DECIDED and alone and (row.outcome, row.refund_fen) == (body.outcome, body.refund):
            refused.data["already"] = True
        raise


def _require_within(refund_fen: int, most_fen: int) -> None:
    if refund_fen > most_fen:
        raise AmountTooLarge(most=yuan_from_fen(most_fen))
