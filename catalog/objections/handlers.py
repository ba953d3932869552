"""Who hears of objections: the county that answers them, then the supplier whether they were right; nobody hears who raised them."""

from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from shop.core.outbox import Handler
from shop.notifications.actions import notify

_OBJECTION = text(
    "SELECT j.id, j.case_id, j.due_on, c.supplier_id, c.district_code, p.name AS product FROM objection j"
    " JOIN certification_case c ON c.id = j.case_id JOIN product p ON p.id = c.product_id WHERE j.id = :id"
)


def _received(session: Session, payload: dict[str, Any]) -> None:
    objection = _found(session, payload)
    notify(
        session,
        origin=f"objection.received:{objection.id}",
        kind="objection.received",
        subject_type="objection",
        subject_id=objection.id,
        region_code=objection.district_code,
        product=objection.product,
        due_on=objection.due_on.isoformat(),
    )


def _decided(session: Session, payload: dict[str, Any]) -> None:
    objection = _found(session, payload)
    notify(
        session,
        origin=f"objection.decided:{objection.id}",
        kind=f"objection.{payload['status']}",
        subject_type="certification_case",
        subject_id=objection.case_id,
        organisation_id=objection.supplier_id,
        product=objection.product,
    )


def _found(session: Session, payload: dict[str, Any]) -> Row[Any]:
    return session.execute(_OBJECTION, {"id": payload["objection_id"]}).one()


HANDLERS: dict[str, Handler] = {
    "objection.decided": _decided,
    "objection.received": _received,
}
