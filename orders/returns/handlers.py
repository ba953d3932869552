"""Who hears of returns and corrections: always the other side."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.returns.states import CorrectionStatus, ReturnStatus
from orders.statistics import actions as statistics
from shop.core.money import yuan_from_fen
from shop.core.outbox import Handler
from shop.notifications.actions import notify

_RETURN = text(
    "SELECT r.id, r.number, r.refund_fen, so.supplier_id, po.buyer_id FROM goods_return r JOIN supplier_order so ON so.id = r.supplier_order_id"
    " JOIN purchase_order po ON po.id = so.purchase_order_id WHERE r.id = :id"
)
_CORRECTION = text(
    "SELECT c.id, c.number, c.proposed_side, so.supplier_id, po.buyer_id FROM acceptance_correction c"
    " JOIN supplier_order so ON so.id = c.supplier_order_id JOIN purchase_order po ON po.id = so.purchase_order_id WHERE c.id = :id"
)
#: What the buyer did; the supplier did the rest.
_BY_BUYER = frozenset({ReturnStatus.REQUESTED, ReturnStatus.CANCELLED, ReturnStatus.SENT})


def _moved(session: Session, payload: dict[str, Any]) -> None:
    """The other side hears of it; both of its end. What the ledger took back goes into the rollups."""
    row = session.execute(_RETURN, {"id": payload["return_id"]}).one()
    status = payload["status"]
    told = [row.supplier_id] if status in _BY_BUYER else [row.buyer_id]
    if status == ReturnStatus.CLOSED:
        told = [row.buyer_id, row.supplier_id]
        statistics.refresh(session)
    for organisation_id in told:
        notify(
            session,
            origin=f"return.{status}:{row.id}:{payload['version']}:{organisation_id}",
            kind=f"return.{status}",
            subject_type="goods_return",
            subject_id=row.id,
            organisation_id=organisation_id,
            number=row.number,
            refund=yuan_from_fen(row.refund_fen),
        )


def _corrected(session: Session, payload: dict[str, Any]) -> None:
    """What one side proposed or took back the other hears; and the answer, who proposed it."""
    row = session.execute(_CORRECTION, {"id": payload["correction_id"]}).one()
    status = payload["status"]
    by_proposer = status in (CorrectionStatus.PROPOSED, CorrectionStatus.WITHDRAWN)
    to_supplier = (row.proposed_side == "buyer") == by_proposer
    if status == CorrectionStatus.AGREED:
        statistics.refresh(session)
    notify(
        session,
        origin=f"acceptance_correction.{status}:{row.id}",
        kind=f"acceptance_correction.{status}",
        subject_type="acceptance_correction",
        subject_id=row.id,
        organisation_id=row.supplier_id if to_supplier else row.buyer_id,
        number=row.number,
    )


HANDLERS: dict[str, Handler] = {
    "acceptance_correction.moved": _corrected,
    "return.moved": _moved,
}
