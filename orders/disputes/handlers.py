"""Who hears of disputes: the other side at every step, both of the end."""

from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from shop.core.money import yuan_from_fen
from shop.core.outbox import Handler
from shop.notifications.actions import notify

_DISPUTE = text(
    "SELECT d.*, so.supplier_id, po.buyer_id FROM dispute d JOIN supplier_order so ON so.id = d.supplier_order_id"
    " JOIN purchase_order po ON po.id = so.purchase_order_id WHERE d.id = :id"
)


def _opened(session: Session, payload: dict[str, Any]) -> None:
    row = _found(session, payload)
    whom = row.supplier_id if row.opened_side == "buyer" else row.buyer_id
    _tell(session, row, "dispute.opened", whom, due_on=row.answer_due_on.isoformat())


def _answered(session: Session, payload: dict[str, Any]) -> None:
    row = _found(session, payload)
    _tell(session, row, "dispute.answered", row.buyer_id if row.opened_side == "buyer" else row.supplier_id)


def _proposed(session: Session, payload: dict[str, Any]) -> None:
    row = _found(session, payload)
    for organisation_id in (row.buyer_id, row.supplier_id):
        _tell(session, row, "dispute.proposed", organisation_id, cause=payload["version"])


def _ended(session: Session, payload: dict[str, Any]) -> None:
    row = _found(session, payload)
    for organisation_id in (row.buyer_id, row.supplier_id):
        _tell(session, row, f"dispute.{payload['status']}", organisation_id, refund=yuan_from_fen(row.refund_fen))


def _decided(session: Session, payload: dict[str, Any]) -> None:
    _ended(session, payload | {"status": "decided"})


def _found(session: Session, payload: dict[str, Any]) -> Row[Any]:
    return session.execute(_DISPUTE, {"id": payload["dispute_id"]}).one()


def _tell(session: Session, row: Row[Any], kind: str, organisation_id: int, *, cause: Any = "", **data: Any) -> None:
    notify(
        session,
        origin=f"{kind}:{row.id}:{cause}:{organisation_id}",
        kind=kind,
        subject_type="dispute",
        subject_id=row.id,
        organisation_id=organisation_id,
        number=row.number,
        **data,
    )


HANDLERS: dict[str, Handler] = {
    "dispute.answered": _answered,
    "dispute.decided": _decided,
    "dispute.ended": _ended,
    "dispute.opened": _opened,
    "dispute.proposed": _proposed,
}
