"""The officers of a region hear which targets it was given."""

from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from shop.core.outbox import Handler
from shop.core.quantities import plain
from shop.notifications.actions import notify

_TARGET = text(
    """
    SELECT t.id, t.region_code, t.name_zh, t.unit, t.withdraw_reason, v.number, v.value, v.reason
    FROM target t JOIN target_revision v ON v.target_id = t.id AND v.number = coalesce(CAST(:number AS int), t.number) WHERE t.id = :id
    """
)


def _tell(session: Session, row: Row[Any], kind: str, origin: str, **data: Any) -> None:
    notify(
        session,
        origin=f"{kind}:{origin}",
        kind=kind,
        subject_type="target",
        subject_id=row.id,
        region_code=row.region_code,
        target=row.name_zh,
        value=plain(row.value),
        **data,
    )


def _set(session: Session, payload: dict[str, Any]) -> None:
    row = session.execute(_TARGET, {"id": payload["target_id"], "number": payload["number"]}).one()
    _tell(session, row, "target.set", f"{row.id}:{row.number}", reason=row.reason)


def _withdrawn(session: Session, payload: dict[str, Any]) -> None:
    row = session.execute(_TARGET, {"id": payload["target_id"], "number": None}).one()
    _tell(session, row, "target.withdrawn", str(row.id), reason=row.withdraw_reason)


HANDLERS: dict[str, Handler] = {"target.set": _set, "target.withdrawn": _withdrawn}
