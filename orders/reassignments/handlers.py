"""Who hears of a change of the budget unit."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.purchasing.handlers import parts_of, tell
from shop.core.outbox import Handler
from shop.notifications.actions import notify

_APPLICATION = text(
    """
    SELECT a.id, a.status, a.version, a.from_unit_id, po.number, po.ordering_unit_id, f.region_code
    FROM budget_unit_application a JOIN purchase_order po ON po.id = a.purchase_order_id JOIN organisation f ON f.id = a.from_unit_id
    WHERE a.id = :id
    """
)


def _filed(session: Session, payload: dict[str, Any]) -> None:
    """The officers of the unit's place."""
    row = session.execute(_APPLICATION, {"id": payload["application_id"]}).one()
    notify(
        session,
        origin=f"budget_unit_application.filed:{row.id}",
        kind="budget_unit_application.filed",
        subject_type="budget_unit_application",
        subject_id=row.id,
        region_code=row.region_code[:6],
        number=row.number,
    )


def _decided(session: Session, payload: dict[str, Any]) -> None:
    """The unit that ordered."""
    row = session.execute(_APPLICATION, {"id": payload["application_id"]}).one()
    notify(
        session,
        origin=f"budget_unit_application.decided:{row.id}",
        kind="budget_unit_application.decided",
        subject_type="budget_unit_application",
        subject_id=row.id,
        organisation_id=row.ordering_unit_id,
        number=row.number,
    )


def _reassigned(session: Session, payload: dict[str, Any]) -> None:
    """The suppliers, whose invoices name the buyer."""
    for part in parts_of(session, payload["purchase_order_id"]):
        tell(session, "purchase_order.reassigned", payload["at"], part, part.supplier_id)


HANDLERS: dict[str, Handler] = {
    "budget_unit_application.decided": _decided,
    "budget_unit_application.filed": _filed,
    "purchase_order.reassigned": _reassigned,
}
