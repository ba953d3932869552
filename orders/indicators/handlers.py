"""Who hears of reported figures: whoever may be the second person, then whoever reported."""

from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.indicators.rules import Grain, Period
from shop.core.outbox import Handler
from shop.identity.permissions import Permission
from shop.notifications.actions import notify_persons, notify_second

_REVISION = text(
    """
    SELECT v.id, v.indicator, v.region_code, v.grain, v.first_on, r.name_zh AS region, x.number, x.reported_by, x.decision, x.decision_reason
    FROM reported_value v JOIN region r ON r.code = v.region_code
    JOIN reported_value_revision x ON x.reported_value_id = v.id AND x.number = coalesce(CAST(:number AS int), v.number)
    WHERE v.id = :id
    """
)


def _told(row: Row[Any]) -> dict[str, Any]:
    return {
        "subject_type": "reported_value",
        "subject_id": row.id,
        "region": row.region,
        "period": Period(Grain(row.grain), row.first_on).code,
    }


def _reported(session: Session, payload: dict[str, Any]) -> None:
    row = session.execute(_REVISION, {"id": payload["reported_value_id"], "number": None}).one()
    notify_second(
        session,
        Permission.INDICATORS_REVIEW,
        row.region_code,
        but=[row.reported_by],
        origin=f"reported_value.waiting:{row.id}:{row.number}",
        kind="reported_value.waiting",
        **_told(row),
    )


def _reviewed(session: Session, payload: dict[str, Any]) -> None:
    row = session.execute(_REVISION, {"id": payload["reported_value_id"], "number": payload["number"]}).one()
    notify_persons(
        session,
        [row.reported_by],
        origin=f"reported_value.{row.decision}:{row.id}:{row.number}",
        kind=f"reported_value.{row.decision}",
        reason=row.decision_reason or "",
        **_told(row),
    )


HANDLERS: dict[str, Handler] = {
    "reported_value.reported": _reported,
    "reported_value.reviewed": _reviewed,
}
