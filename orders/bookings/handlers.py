"""Who hears of vouchers."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.bookings.actions import redeeming
from orders.purchasing.handlers import part
from orders.statistics import actions as statistics
from shop.core.outbox import Handler
from shop.notifications.actions import notify

_VOUCHER = text("SELECT id, number, supplier_order_id FROM voucher WHERE id = :id")


def _issued(session: Session, payload: dict[str, Any]) -> None:
    """The buyer has vouchers to hand out."""
    each = part(session, payload["supplier_order_id"])
    _tell(session, "vouchers.issued", f"{each.id}", each, each.buyer_id, count=payload["count"])


def _redeemed(session: Session, payload: dict[str, Any]) -> None:
    """The buyer hears that a guest has come, and the rollups take the sale over."""
    voucher = session.execute(_VOUCHER, {"id": payload["voucher_id"]}).one()
    each = part(session, voucher.supplier_order_id)
    _tell(session, "voucher.redeemed", f"{voucher.id}", each, each.buyer_id, voucher=voucher.number)
    statistics.refresh(session)


def _expired(session: Session, payload: dict[str, Any]) -> None:
    """Both sides hear how many were not redeemed."""
    each = part(session, payload["supplier_order_id"])
    for organisation_id in (each.buyer_id, each.supplier_id):
        cause = f"{payload['acceptance_id']}:{organisation_id}"
        _tell(session, "vouchers.expired", cause, each, organisation_id, count=payload["count"])


def _cancelled(session: Session, payload: dict[str, Any]) -> None:
    """The vouchers of a cancelled order open nothing any more."""
    redeeming.void(session, payload["purchase_order_id"])


def _tell(session: Session, kind: str, cause: str, each: Any, organisation_id: int, **data: Any) -> None:
    notify(
        session,
        origin=f"{kind}:{cause}",
        kind=kind,
        subject_type="supplier_order",
        subject_id=each.id,
        organisation_id=organisation_id,
        number=each.number,
        **data,
    )


HANDLERS: dict[str, Handler] = {
    "purchase_order.cancelled": _cancelled,
    "voucher.redeemed": _redeemed,
    "vouchers.expired": _expired,
    "vouchers.issued": _issued,
}
