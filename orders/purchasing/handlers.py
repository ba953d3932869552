"""Who hears of the events of purchasing."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.purchasing.states import EndReason, SupplierOrderStatus
from shop.core import clock
from shop.core.money import yuan_from_fen
from shop.core.outbox import Handler
from shop.notifications.actions import notify

_PART = (
    "SELECT so.id, so.supplier_id, so.status, so.reason_code, so.freight_fen, so.freight_asked_fen, po.buyer_id, po.ordering_unit_id, po.number"
    " FROM supplier_order so JOIN purchase_order po ON po.id = so.purchase_order_id"
)
_PARTS_OF_ORDER = text(_PART + " WHERE po.id = :id ORDER BY so.id")
_ONE_PART = text(_PART + " WHERE so.id = :id")

#: Those that are not told yet.
_TO_CONFIRM = text(
    _PART + " WHERE so.status = 'placed' AND so.confirm_by > :now AND so.confirm_by <= :soon AND NOT EXISTS ("
    " SELECT FROM notification n WHERE n.origin = format('supplier_order.confirm_due:%s:%s', so.id, so.id)) ORDER BY so.id"
)


_TOLD_OTHERWISE = (EndReason.NOT_CONFIRMED_IN_TIME, EndReason.NOT_PAID_IN_TIME)


def parts_of(session: Session, purchase_order_id: int) -> Sequence[Row[Any]]:
    return session.execute(_PARTS_OF_ORDER, {"id": purchase_order_id}).all()


def part(session: Session, supplier_order_id: int) -> Row[Any]:
    return session.execute(_ONE_PART, {"id": supplier_order_id}).one()


def tell(session: Session, kind: str, cause: int | str, part: Row[Any], organisation_id: int, **data: Any) -> None:
    """Tell one side what happened to a supplier order; ``cause`` is the row that it happened by. On the buyer's side the unit that ordered
    hears of it too, where that is another than the one that pays.
    """
    told = {organisation_id, part.ordering_unit_id} if organisation_id == part.buyer_id else {organisation_id}
    for each in sorted(told):
        notify(
            session,
            origin=f"{kind}:{cause}:{part.id}" + (f":{each}" if each != organisation_id else ""),
            kind=kind,
            subject_type="supplier_order",
            subject_id=part.id,
            organisation_id=each,
            number=part.number,
            **data,
        )


def _placed(session: Session, payload: dict[str, Any]) -> None:
    """Each supplier hears of its part."""
    for each in parts_of(session, payload["purchase_order_id"]):
        tell(session, "purchase_order.placed", payload["purchase_order_id"], each, each.supplier_id)


def _cancelled(session: Session, payload: dict[str, Any]) -> None:
    """Suppliers hear of parts that the buyer cancelled; of those that lapsed they hear as such, and what they gave up themselves they know."""
    for each in parts_of(session, payload["purchase_order_id"]):
        if each.status == SupplierOrderStatus.CANCELLED and each.reason_code not in _TOLD_OTHERWISE:
            tell(session, "purchase_order.cancelled", payload["purchase_order_id"], each, each.supplier_id)


def _answered(kind: str) -> Handler:
    """The buyer hears how a supplier answered."""

    def handle(session: Session, payload: dict[str, Any]) -> None:
        each = part(session, payload["supplier_order_id"])
        tell(session, kind, each.id, each, each.buyer_id)

    return handle


def _freight_asked(session: Session, payload: dict[str, Any]) -> None:
    """The buyer hears that it is asked to agree."""
    each = part(session, payload["supplier_order_id"])
    if each.freight_asked_fen is not None:
        freight = yuan_from_fen(each.freight_asked_fen)
        tell(session, "supplier_order.freight_asked", payload["version"], each, each.buyer_id, freight=freight)


def _freight_set(session: Session, payload: dict[str, Any]) -> None:
    each = part(session, payload["supplier_order_id"])
    freight = yuan_from_fen(each.freight_fen)
    tell(session, "supplier_order.freight_set", payload["version"], each, each.buyer_id, freight=freight)


def _lapsed(session: Session, payload: dict[str, Any]) -> None:
    """Both sides hear that a part was released."""
    each = part(session, payload["supplier_order_id"])
    tell(session, "supplier_order.lapsed", each.buyer_id, each, each.buyer_id)
    tell(session, "supplier_order.lapsed", each.supplier_id, each, each.supplier_id)


def _unpaid(session: Session, payload: dict[str, Any]) -> None:
    """The buyer hears that its supplier gave a part up for want of payment."""
    each = part(session, payload["supplier_order_id"])
    tell(session, "supplier_order.unpaid", each.id, each, each.buyer_id)


def _amended(session: Session, payload: dict[str, Any]) -> None:
    """Nobody is told of totals; who counts by them listens."""


def remind_to_confirm(session: Session) -> int:
    """Remind suppliers a day before an order is released; returns how many were reminded now. Safe to run at any time."""
    values = {"now": clock.now(), "soon": clock.now() + timedelta(days=1)}
    due = session.execute(_TO_CONFIRM, values).all()
    for each in due:
        tell(session, "supplier_order.confirm_due", each.id, each, each.supplier_id)
    return len(due)


HANDLERS: dict[str, Handler] = {
    "purchase_order.amended": _amended,
    "purchase_order.cancelled": _cancelled,
    "purchase_order.placed": _placed,
    "supplier_order.confirmed": _answered("supplier_order.confirmed"),
    "supplier_order.freight_asked": _freight_asked,
    "supplier_order.freight_set": _freight_set,
    "supplier_order.lapsed": _lapsed,
    "supplier_order.rejected": _answered("supplier_order.rejected"),
    "supplier_order.unpaid": _unpaid,
}
