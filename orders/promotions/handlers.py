"""Suppliers and the operators of outlets hear of the campaigns that they take part in."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from shop.core.outbox import Handler
from shop.notifications.actions import notify_each

_PROMOTION = text("SELECT * FROM promotion WHERE id = :id")
_TAKING_PART = text(
    """
    SELECT p.supplier_id AS id FROM promotion_line l JOIN sku s ON s.id = l.sku_id JOIN product p ON p.id = s.product_id WHERE l.promotion_id = :id
    UNION SELECT o.operator_id FROM promotion_outlet k JOIN outlet o ON o.id = k.outlet_id WHERE k.promotion_id = :id
    """
)


def _tell(session: Session, payload: dict[str, Any], kind: str) -> None:
    row = session.execute(_PROMOTION, {"id": payload["promotion_id"]}).one()
    told = {"name": row.name, "starts": row.starts_on.isoformat(), "ends": row.ends_on.isoformat(), "reason": row.reason or ""}
    everybody = session.execute(_TAKING_PART, {"id": row.id}).scalars()
    each = dict.fromkeys(everybody, told)
    notify_each(session, each, origin=f"{kind}:{row.id}", kind=kind, subject_type="promotion", subject_id=row.id)


def _published(session: Session, payload: dict[str, Any]) -> None:
    _tell(session, payload, "promotion.published")


def _stopped(session: Session, payload: dict[str, Any]) -> None:
    _tell(session, payload, "promotion.stopped")


HANDLERS: dict[str, Handler] = {"promotion.published": _published, "promotion.stopped": _stopped}
