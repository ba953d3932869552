"""What both sides do in a dispute."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.disputes import queries
from orders.disputes.actions.moving import locked, side, step
from orders.disputes.errors import (
    AgreedBefore,
    AmountTooLarge,
    DisputeEnded,
    NothingToDispute,
    NotOfOrder,
    NotYourDispute,
    OtherSideAnswers,
    ProposalTooLarge,
    TooManyFiles,
)
from orders.disputes.models import Dispute
from orders.disputes.schemas import DisputeIn
from orders.disputes.states import DISPUTE, UNDECIDED, DisputeMove
from orders.purchasing.queries import SIDES
from orders.purchasing.states import SupplierOrderStatus
from shop.core import audit, clock, numbers, outbox, uploads, workdays
from shop.core.errors import IfMatch, NotFound, any_version
from shop.core.money import yuan_from_fen
from shop.identity.actor import Actor
from shop.programmes import queries as programmes

#: As many files may each side add.
MOST_FILES = 30

_ORDER = text(
    f"""
    SELECT so.id, so.status, so.confirmed_at, so.total_fen + so.freight_fen AS cost_fen, supplier.path AS supplier_path,
           buyer.path AS buyer_path, unit.path AS unit_path
    FROM supplier_order so {SIDES} WHERE so.id = :id FOR NO KEY UPDATE OF so
    """  # noqa: S608
)
_BELONG = text(
    "SELECT (CAST(:shipment AS bigint) IS NULL OR EXISTS (SELECT FROM shipment WHERE id = :shipment AND supplier_order_id = :order))"
    " AND (CAST(:return AS bigint) IS NULL OR EXISTS (SELECT FROM goods_return WHERE id = :return AND supplier_order_id = :order))"
)
_FILES_OF_SIDE = text(
    "SELECT count(*) FROM dispute_file g JOIN stored_file s ON s.id = g.file_id JOIN app_user u ON u.id = s.uploaded_by"
    " WHERE g.dispute_id = :id AND (u.organisation_id = :supplier_id) = :by_supplier"
)
_OVER = (SupplierOrderStatus.REJECTED, SupplierOrderStatus.CANCELLED)


def open_(session: Session, actor: Actor, supplier_order_id: int, body: DisputeIn) -> int:
    """Open a dispute about an order, one of its shipments or returns; returns its id. While a shipment is in dispute nobody accepts it by lapse
    of time: what does so looks for an open dispute of it.

    Raises:
        NotFound: not an order of the caller's organisation (404). NothingToDispute: it was never confirmed (409).
        NotOfOrder, AmountTooLarge: see there (422). DisputeOpen: the same is in dispute already (409).
    """
    order = session.execute(_ORDER, {"id": supplier_order_id}).first()
    if order is None:
        raise NotFound
    own = side(actor, order)
    if order.status == SupplierOrderStatus.PLACED or (order.status in _OVER and order.confirmed_at is None):
        raise NothingToDispute
    about = {"order": order.id, "shipment": body.shipment_id, "return": body.return_id}
    if not session.execute(_BELONG, about).scalar_one():
        raise NotOfOrder
    if body.claimed > order.cost_fen:
        raise AmountTooLarge(most=yuan_from_fen(order.cost_fen))
    now = clock.now()
    today = clock.shanghai_date(now)
    days, rules = workdays.calendar(session, today), programmes.config_of(session, today).disputes
    answer_due_on = days.add(today, rules.answer_working_days)
    made = Dispute(
        number=f"ZY{today.year}-{numbers.next_number(session, f'dispute:{today.year}'):06}",
        supplier_order_id=order.id,
        shipment_id=body.shipment_id,
        goods_return_id=body.return_id,
        kind=body.kind.value,
        opened_side=own,
        opened_by=actor.user_id or 0,
        opened_at=now,
        claim=body.claim,
        claimed_fen=body.claimed,
        answer_due_on=answer_due_on,
        decision_due_on=days.add(answer_due_on, rules.decision_working_days),
    )
    session.add(made)
    session.flush()
    audit.record(session, actor, "dispute.opened", "dispute", made.id, kind=body.kind, side=own, claimed_fen=body.claimed)
    outbox.publish(session, "dispute.opened", dispute_id=made.id, supplier_order_id=order.id, shipment_id=body.shipment_id)
    return made.id


def answer(session: Session, actor: Actor, dispute_id: int, words: str, if_match: IfMatch = any_version) -> None:
    """What the other side says to it. It is heard until the decision, which is due so many working days later.

    Raises:
        NotFound: not a dispute of the caller's organisation (404). OtherSideAnswers: the own side opened it (403).
        Changed: another version than the caller read (412). IllegalMove: it was answered, or is over (409).
    """
    row = locked(session, actor, dispute_id, if_match)
    if side(actor, row) == row.opened_side:
        raise OtherSideAnswers
    now = clock.now()
    today = clock.shanghai_date(now)
    due = workdays.calendar(session, today).add(today, programmes.config_of(session, today).disputes.decision_working_days)
    values: dict[str, Any] = {"answer": words, "answered_by": actor.user_id, "answered_at": now, "decision_due_on": due}
    step(session, actor, row, DisputeMove.ANSWER, **values)
    outbox.publish(session, "dispute.answered", dispute_id=row.id)


def withdraw(session: Session, actor: Actor, dispute_id: int, reason: str, if_match: IfMatch = any_version) -> None:
    """Take the own dispute back.

    Raises:
        NotFound: not a dispute of the caller's organisation (404). NotYourDispute: the other side opened it (403).
        Changed: another version than the caller read (412). IllegalMove: it is over (409).
    """
    row = locked(session, actor, dispute_id, if_match)
    if side(actor, row) != row.opened_side:
        raise NotYourDispute
    step(session, actor, row, DisputeMove.WITHDRAW, reason=reason)
    outbox.publish(session, "dispute.ended", dispute_id=row.id, status="withdrawn")


def agree(session: Session, actor: Actor, dispute_id: int, if_match: IfMatch = any_version) -> None:
    """Agree to the county's proposal; when both sides have, the dispute is settled by it.

    Raises:
        NotFound: not a dispute of the caller's organisation (404). IllegalMove: nothing was proposed, or it is over (409).
        Changed: another version than the caller read, such as another proposal (412).
        AgreedBefore: the own side has (409). ProposalTooLarge: the order costs less by now than would be refunded (409).
    """
    row = locked(session, actor, dispute_id, if_match)
    DISPUTE.after(row.status, DisputeMove.SETTLE, queries.moves_of(actor, row))
    own = side(actor, row)
    now = clock.now()
    mine, other = row.buyer_agreed_at, row.supplier_agreed_at
    if own == "supplier":
        mine, other = other, mine
    if mine is not None:
        raise AgreedBefore
    if other is None:
        session.execute(
            text(
                "UPDATE dispute SET buyer_agreed_at = CASE WHEN :buyer THEN :now ELSE buyer_agreed_at END,"
                " supplier_agreed_at = CASE WHEN :buyer THEN supplier_agreed_at ELSE :now END, version = version + 1 WHERE id = :id"
            ),
            {"id": row.id, "buyer": own == "buyer", "now": now},
        )
        audit.record(session, actor, "dispute.agreed", "dispute", row.id, side=own)
        return
    if row.proposed_fen > queries.most_refund(session, row):
        raise ProposalTooLarge
    agreed: dict[str, Any] = {"buyer_agreed_at" if own == "buyer" else "supplier_agreed_at": now}
    step(session, actor, row, DisputeMove.SETTLE, refund_fen=row.proposed_fen, **agreed)
    outbox.publish(session, "dispute.ended", dispute_id=row.id, status="settled")


def add_file(session: Session, actor: Actor, dispute_id: int, name: str | None, content: bytes) -> None:
    """Add evidence; either side may while it is undecided.

    Raises:
        NotFound: not a dispute of the caller's organisation (404). DisputeEnded, TooManyFiles: see there (409).
        TooLarge (413), UnreadableFile (422): as for every upload.
    """
    row = locked(session, actor, dispute_id)
    if row.status not in UNDECIDED:
        raise DisputeEnded
    whose = {"id": row.id, "supplier_id": row.supplier_id, "by_supplier": actor.organisation_id == row.supplier_id}
    if session.execute(_FILES_OF_SIDE, whose).scalar_one() >= MOST_FILES:
        raise TooManyFiles(most=MOST_FILES)
    kept = uploads.keep(session, actor.user_id, name, content)
    session.execute(text("INSERT INTO dispute_file (dispute_id, file_id) VALUES (:id, :file)"), {"id": row.id, "file": kept.id})
    audit.record(session, actor, "dispute.file_added", "dispute", row.id, sha256=kept.sha256)
