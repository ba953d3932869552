"""Who hears of which event. Every event that any part publishes has an entry here (a test checks it)."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from catalog.certification import handlers as certification
from orders.statistics import actions as statistics
from shop.core.outbox import Handler
from shop.notifications import handlers as organisations
from shop.notifications.actions import notify


def _order_placed(session: Session, payload: dict[str, Any]) -> None:
    """Each supplier hears of its part."""
    for part in _parts(session, payload["purchase_order_id"]):
        notify(
            session,
            origin=f"purchase_order.placed:{part.id}",
            kind="purchase_order.placed",
            subject_type="supplier_order",
            subject_id=part.id,
            organisation_id=part.supplier_id,
            number=part.number,
        )


def _order_cancelled(session: Session, payload: dict[str, Any]) -> None:
    for part in _parts(session, payload["purchase_order_id"]):
        if part.status == "cancelled":
            notify(
                session,
                origin=f"purchase_order.cancelled:{part.id}",
                kind="purchase_order.cancelled",
                subject_type="supplier_order",
                subject_id=part.id,
                organisation_id=part.supplier_id,
                number=part.number,
            )


def _parts(session: Session, purchase_order_id: int) -> Any:
    return session.execute(
        text(
            "SELECT so.id, so.supplier_id, so.status, po.number FROM supplier_order so"
            " JOIN purchase_order po ON po.id = so.purchase_order_id WHERE po.id = :id ORDER BY so.id"
        ),
        {"id": purchase_order_id},
    )


def _tell_buyer(kind: str) -> Handler:
    """The buyer hears what happened to a part of its order."""

    def tell(session: Session, payload: dict[str, Any]) -> None:
        row = session.execute(
            text(
                "SELECT so.id, po.buyer_id, po.number FROM supplier_order so JOIN purchase_order po ON po.id = so.purchase_order_id"
                " WHERE so.id = coalesce(:supplier_order, (SELECT supplier_order_id FROM shipment WHERE id = :shipment))"
            ),
            {"supplier_order": payload.get("supplier_order_id"), "shipment": payload.get("shipment_id")},
        ).one()
        notify(
            session,
            origin=f"{kind}:{payload.get('shipment_id') or row.id}",
            kind=kind,
            subject_type="supplier_order",
            subject_id=row.id,
            organisation_id=row.buyer_id,
            number=row.number,
        )

    return tell


def _accepted(session: Session, payload: dict[str, Any]) -> None:
    """The supplier hears of the acceptance, and the figures take the sale over."""
    row = session.execute(
        text(
            "SELECT so.id, so.supplier_id, po.number FROM acceptance a JOIN supplier_order so ON so.id = a.supplier_order_id"
            " JOIN purchase_order po ON po.id = so.purchase_order_id WHERE a.id = :id"
        ),
        {"id": payload["acceptance_id"]},
    ).one()
    notify(
        session,
        origin=f"acceptance.recorded:{payload['acceptance_id']}",
        kind="acceptance.recorded",
        subject_type="supplier_order",
        subject_id=row.id,
        organisation_id=row.supplier_id,
        number=row.number,
    )
    statistics.refresh(session)


def _paid(session: Session, payload: dict[str, Any]) -> None:
    row = session.execute(text("SELECT purchase_order_id FROM payment WHERE id = :id"), {"id": payload["payment_id"]}).one()
    for part in _parts(session, row.purchase_order_id):
        notify(
            session,
            origin=f"payment.recorded:{payload['payment_id']}:{part.id}",
            kind="payment.recorded",
            subject_type="supplier_order",
            subject_id=part.id,
            organisation_id=part.supplier_id,
            number=part.number,
        )


HANDLERS: dict[str, Handler] = {
    **certification.HANDLERS,
    **organisations.HANDLERS,
    "acceptance.recorded": _accepted,
    "payment.recorded": _paid,
    "purchase_order.cancelled": _order_cancelled,
    "purchase_order.placed": _order_placed,
    "shipment.sent": _tell_buyer("shipment.sent"),
    "supplier_order.confirmed": _tell_buyer("supplier_order.confirmed"),
    "supplier_order.rejected": _tell_buyer("supplier_order.rejected"),
}
