"""Who hears of deliveries and acceptances."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.fulfilment import queries
from orders.purchasing.handlers import part, tell
from orders.statistics import actions as statistics
from shop.core import clock, workdays
from shop.core.outbox import Handler
from shop.notifications.actions import notify
from shop.programmes import queries as programmes


def _sent(session: Session, payload: dict[str, Any]) -> None:
    """The buyer has something to accept; and hears if a part of the order will not come."""
    each = part(session, queries.order_of(session, payload["shipment_id"]))
    tell(session, "shipment.sent", payload["shipment_id"], each, each.buyer_id)
    if session.execute(_SHORT, {"id": payload["shipment_id"]}).first():
        tell(session, "shipment.short", payload["shipment_id"], each, each.buyer_id)


def _corrected(session: Session, payload: dict[str, Any]) -> None:
    each = part(session, queries.order_of(session, payload["shipment_id"]))
    _tell_at(session, "shipment.corrected", payload, each, each.buyer_id)


def _hold_changed(session: Session, payload: dict[str, Any]) -> None:
    """The supplier hears what the buyer has against a delivery, and that it has nothing against it any more."""
    shipment = queries.row(session, payload["shipment_id"])
    each = part(session, shipment.supplier_order_id)
    kind = "shipment.held" if payload["held"] else "shipment.let_go"
    _tell_at(session, kind, payload, each, each.supplier_id, reason=shipment.hold_reason)


def _accepted(session: Session, payload: dict[str, Any]) -> None:
    """The supplier hears of the acceptance, the buyer of one that it did not make, and the rollups take the sale over."""
    acceptance = session.execute(
        text("SELECT supplier_order_id, accepted_by FROM acceptance WHERE id = :id"), {"id": payload["acceptance_id"]}
    ).one()
    each = part(session, acceptance.supplier_order_id)
    tell(session, "acceptance.recorded", payload["acceptance_id"], each, each.supplier_id)
    if acceptance.accepted_by is None:
        tell(session, "acceptance.automatic", payload["acceptance_id"], each, each.buyer_id)
    statistics.refresh(session)


def remind_to_accept(session: Session) -> int:
    """Tell buyers some working days before a delivery is accepted by itself, and again where that came to be another day; returns how many
    were told now. Safe to run at any time."""
    today = clock.today()
    notice = programmes.config_of(session, today).ordering.acceptance_notice_working_days
    soon = clock.end_of_day(workdays.calendar(session, today).add(today, notice))
    due = session.execute(_TO_ACCEPT, {"now": clock.now(), "soon": soon}).all()
    for shipment in due:
        each = part(session, shipment.supplier_order_id)
        until = shipment.until.isoformat()
        notify(session, **_said("shipment.accept_due", f"{shipment.id}:{until}", each, each.buyer_id), until=until)
    return len(due)


def _tell_at(session: Session, kind: str, payload: dict[str, Any], each: Any, organisation_id: int, **data: Any) -> None:
    """Tell one side what can happen to a delivery more than once."""
    notify(session, **_said(kind, f"{payload['shipment_id']}:{payload['at']}", each, organisation_id), **data)


def _said(kind: str, cause: str, each: Any, organisation_id: int) -> dict[str, Any]:
    return {
        "origin": f"{kind}:{cause}",
        "kind": kind,
        "subject_type": "supplier_order",
        "subject_id": each.id,
        "organisation_id": organisation_id,
        "number": each.number,
    }


_SHORT = text("SELECT 1 FROM shipment_line WHERE shipment_id = :id AND closed_quantity > 0 LIMIT 1")
#: Those that are not told yet; ``until`` is the last Shanghai date for the buyer's answer.
_TO_ACCEPT = text(
    f"""
    SELECT s.id, s.supplier_order_id, s.until
    FROM (SELECT *, ((accept_by - interval '1 second') AT TIME ZONE 'Asia/Shanghai')::date AS until FROM shipment) s
    WHERE s.accept_by > :now AND s.accept_by <= :soon AND s.held_at IS NULL AND NOT {queries.IN_DISPUTE}
      AND NOT EXISTS (SELECT FROM notification n WHERE n.origin = concat_ws(':', 'shipment.accept_due', s.id, s.until))
    ORDER BY s.id
    """  # noqa: S608
)


HANDLERS: dict[str, Handler] = {
    "acceptance.recorded": _accepted,
    "shipment.corrected": _corrected,
    "shipment.hold_changed": _hold_changed,
    "shipment.sent": _sent,
}
