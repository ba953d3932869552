"""Charge disputes: the payer's bank takes an online payment back, and says in the end who is right."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.money import actions as money
from orders.money.rules import Account, Kind, Place, carry
from orders.online import rules, seen
from orders.online.states import DisputeStatus
from orders.payments.actions import locked
from orders.terms import actions as terms
from shop.core import audit, clock, outbox
from shop.core.audit import SYSTEM

_PAID_BY = text(
    "SELECT * FROM online_payment WHERE intent_id = :intent_id OR charge_id = :charge_id ORDER BY id LIMIT 1 FOR UPDATE"
)
_NEW = text(
    """
    INSERT INTO charge_dispute (dispute_id, online_payment_id, amount_fen, reason, status, evidence_by, opened_at)
    VALUES (:dispute_id, :online_payment_id, :amount_fen, :reason, 'inquiry', :evidence_by, :now)
    ON CONFLICT (dispute_id) DO NOTHING
    """
)
_LOCK = text("SELECT * FROM charge_dispute WHERE dispute_id = :dispute_id FOR UPDATE")
# Whose order it was when the money was taken back: it may belong to another buyer by the end.
_ARGUED_BY = text(
    """
    SELECT p.party_id FROM money_transaction t JOIN money_posting p ON p.transaction_id = t.id
    WHERE t.kind = 'chargeback' AND t.origin_id = :id AND p.account = 'chargebacks'
    """
)
_UPDATE = text(
    "UPDATE charge_dispute SET status = :status, evidence_by = :evidence_by, ended_at = CASE WHEN :ended THEN CAST(:now AS timestamptz) END,"
    " lost_at = CASE WHEN :lost THEN CAST(:now AS timestamptz) ELSE lost_at END WHERE id = :id"
)

_S = DisputeStatus
ENDED = (_S.WON, _S.LOST, _S.CLOSED)


def settle_dispute(session: Session, observed: seen.Disputed) -> bool:
    """Take over what was seen of a dispute; returns whether it is of one of our payments.

    While the banks argue, the money is gone and nobody owes it: it stands on the account of chargebacks. Won, it is back at the provider. Lost,
    the order is owed again by who took the money back. Either way the account returns to zero. Lost and won after all, the order is paid again by
    what came back. An inquiry moves nothing.
    """
    payment = session.execute(_PAID_BY, {"intent_id": observed.intent_id, "charge_id": observed.charge_id}).first()
    if payment is None or payment.payment_id is None:
        return False
    now = clock.now()
    values = {
        "dispute_id": observed.id,
        "online_payment_id": payment.id,
        "amount_fen": observed.amount_fen,
        "reason": observed.reason,
        "evidence_by": observed.evidence_by,
        "now": now,
    }
    fresh = session.execute(_NEW, values).rowcount == 1  # type: ignore[attr-defined]
    row = session.execute(_LOCK, {"dispute_id": observed.id}).one()
    status = rules.dispute_status_of(observed.status)
    reinstated = (row.status, status) == (_S.LOST, _S.WON)
    if (
        (row.status in ENDED and not reinstated)
        or (status == row.status and not fresh)
        or (status == _S.INQUIRY and row.status == _S.OPEN)
    ):
        return True
    order = locked(session, [payment.purchase_order_id])[0]
    if row.status == _S.INQUIRY and status in (_S.OPEN, _S.WON, _S.LOST):
        argued = Place(Account.CHARGEBACKS, order.buyer_id, order.id)
        _book(session, Kind.CHARGEBACK, row, to=argued, out_of=Place(Account.ONLINE, None, order.id))
    if reinstated:
        owed = Place(Account.RECEIVABLE, order.buyer_id, order.id)
        _book(session, Kind.CHARGEBACK_REINSTATED, row, to=Place(Account.ONLINE, None, order.id), out_of=owed)
    elif status in (_S.WON, _S.LOST):
        argued = Place(Account.CHARGEBACKS, session.execute(_ARGUED_BY, {"id": row.id}).scalar_one(), order.id)
        back = Place(Account.ONLINE, None, order.id) if status == _S.WON else Place(Account.RECEIVABLE, order.buyer_id, order.id)
        _book(session, Kind.CHARGEBACK_CLOSED, row, to=back, out_of=argued)
    if status in (_S.OPEN, _S.WON, _S.LOST):
        terms.settle(session, [order.id])
    session.execute(
        _UPDATE,
        {
            "id": row.id,
            "status": status,
            "evidence_by": observed.evidence_by,
            "ended": status in ENDED,
            "lost": status == _S.LOST,
            "now": now,
        },
    )
    audit.record(session, SYSTEM, f"charge_dispute.{status}", "purchase_order", order.id, charge_dispute_id=row.id)
    outbox.publish(session, "charge_dispute.moved", charge_dispute_id=row.id, status=status)
    return True


def _book(session: Session, kind: Kind, row: Any, *, to: Place, out_of: Place) -> None:
    money.book(session, kind, row.id, carry(row.amount_fen, to=to, out_of=out_of))
