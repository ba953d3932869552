"""Who hears of the events of purchasing."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.purchasing.states import SupplierOrderStatus
from shop.core.outbox import Handler
from shop.notifications.actions import notify

_PART = (
    "SELECT so.id, so.supplier_id, so.status, po.buyer_id, po.number"
    " FROM supplier_order so JOIN purchase_order po ON po.id = so.purchase_order_id"
)
_PARTS_OF_ORDER = text(_PART + " WHERE po.id = :id ORDER BY so.id")
_ONE_PART = text(_PART + " WHERE so.id = :id")


def parts_of(session: Session, purchase_order_id: int) -> Sequence[Row[Any]]:
    return session.execute(_PARTS_OF_ORDER, {"id": purchase_order_id}).all()


def part(session: Session, supplier_order_id: int) -> Row[Any]:
    return session.execute(_ONE_PART, {"id": supplier_order_id}).one()


def tell(session: Session, kind: str, cause: int | str, part: Row[Any], organisation_id: int) -> None:
    """Tell one side what happened to a supplier order; ``cause`` is the row that it happened by."""
    notify(
        session,
        origin=f"{kind}:{cause}:{part.id}",
        kind=kind,
        subject_type="supplier_order",
        subject_id=part.id,
        organisation_id=organisation_id,
        number=part.number,
    )


def _placed(session: Session, payload: dict[str, Any]) -> None:
    """Each supplier hears of its part."""
    for each in parts_of(session, payload["purchase_order_id"]):
        tell(session, "purchase_order.placed", payload["purchase_order_id"], each, each.supplier_id)


def _cancelled(session: Session, payload: dict[str, Any]) -> None:
    for each in parts_of(session, payload["purchase_order_id"]):
        if each.status == SupplierOrderStatus.CANCELLED:
            tell(session, "purchase_order.cancelled", payload["purchase_order_id"], each, each.supplier_id)


def _answered(kind: str) -> Handler:
    """The buyer hears how a supplier answered."""

    def handle(session: Session, payload: dict[str, Any]) -> None:
        each = part(session, payload["supplier_order_id"])
        tell(session, kind, each.id, each, each.buyer_id)

    return handle


HANDLERS: dict[str, Handler] = {
    "purchase_order.cancelled": _cancelled,
    "purchase_order.placed": _placed,
    "supplier_order.confirmed": _answered("supplier_order.confirmed"),
    "supplier_order.rejected": _answered("supplier_order.rejected"),
}
