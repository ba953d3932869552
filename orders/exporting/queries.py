"""Reading exports and schedules: everybody's own."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.exporting.errors import Expired, NotReady, RightsChanged
from orders.exporting.faults import told
from orders.exporting.rules import granted
from orders.exporting.schemas import DeliveryOut, ExportOut, ScheduleOut
from orders.exporting.states import ExportStatus, ScheduleStatus
from shop.core import clock, paging
from shop.core.errors import Invalid, Language, NotFound, unknown_code
from shop.core.paging import Page
from shop.identity.actor import Actor

#: What export ``e`` is by now: a file whose time is over is none any more, though it is deleted a little later.
_STANDS = "CASE WHEN e.status = 'done' AND e.expires_at <= :now THEN 'expired' ELSE e.status END"
_EXPORT = f"""
    SELECT e.*, {_STANDS} AS stands, d.schedule_id, s.title, d.due_at, d.delivered_at FROM export e
    LEFT JOIN export_delivery d ON d.export_id = e.id LEFT JOIN export_schedule s ON s.id = d.schedule_id WHERE e.user_id = :user_id
"""  # noqa: S608
_ONE = text(f"{_EXPORT} AND e.id = :id")
_PAGE = text(
    f"""
    {_EXPORT} AND (CAST(:status AS text) IS NULL OR {_STANDS} = :status)
    AND (CAST(:scheduled AS boolean) IS NULL OR (d.id IS NOT NULL) = :scheduled) AND (CAST(:schedule AS bigint) IS NULL OR d.schedule_id = :schedule)
    AND (CAST(:start AS bigint) IS NULL OR e.id < :start)
    ORDER BY e.id DESC LIMIT :rows
    """
)
#: One that was taken away since has its answers still.
_OWN_SCHEDULE = text("SELECT EXISTS (SELECT FROM export_schedule WHERE id = :id AND user_id = :user_id)")
_SCHEDULE = f"""
    SELECT s.*, (
        SELECT coalesce(jsonb_agg(l ORDER BY l.due_at DESC), '[]') FROM (
            SELECT d.due_at, d.export_id, {_STANDS} AS status, coalesce(e.fault, d.fault) AS fault, e.rows_total, d.delivered_at,
                   e.name, e.size, e.expires_at FROM export_delivery d JOIN export e ON e.id = d.export_id
            WHERE d.schedule_id = s.id ORDER BY d.due_at DESC LIMIT 10) l) AS deliveries
    FROM export_schedule s WHERE s.user_id = :user_id AND s.status <> 'deleted'
"""  # noqa: S608
_ONE_SCHEDULE = text(f"{_SCHEDULE} AND s.id = :id")
_SCHEDULES = text(f"{_SCHEDULE} AND (CAST(:start AS bigint) IS NULL OR s.id < :start) ORDER BY s.id DESC LIMIT :rows")


def export(session: Session, actor: Actor, export_id: int, language: Language) -> ExportOut:
    """One export.

    Raises:
        NotFound: no such export of the caller's (404).
    """
    return _export(_one(session, actor, export_id), language)


def exports(
    session: Session,
    actor: Actor,
    language: Language,
    *,
    status: ExportStatus | None,
    scheduled: bool | None,
    schedule_id: int | None,
    limit: int,
    after: str | None,
) -> Page[ExportOut]:
    """The caller's own, the newest first; ``scheduled``: only answers of schedules, or only what was asked for by hand.

    Raises:
        Invalid: the caller never had a schedule ``schedule_id`` (422).
    """
    if schedule_id is not None and not session.execute(_OWN_SCHEDULE, {"id": schedule_id, "user_id": actor.user_id}).scalar_one():
        raise Invalid(faults=[unknown_code("schedule_id", schedule_id)])
    start = paging.position(after, int)
    values = {
        "user_id": actor.user_id,
        "now": clock.now(),
        "status": status,
        "scheduled": scheduled,
        "schedule": schedule_id,
        "start": start[0] if start else None,
        "rows": limit + 1,
    }
    return paging.page(session.execute(_PAGE, values).all(), limit, lambda row: _export(row, language), lambda row: [row.id])


def file(session: Session, actor: Actor, export_id: int) -> Row[Any]:
    """The file of an export, for somebody who may still read what is in it.

    Raises:
        NotFound: no such export of the caller's (404). Expired: see there (404). NotReady: see there (409). RightsChanged: see there (403).
    """
    row = _one(session, actor, export_id)
    if row.stands == ExportStatus.EXPIRED:
        raise Expired
    if row.stands != ExportStatus.DONE:
        raise NotReady(status=row.stands)
    rights = row.rights
    if (
        not set(rights["permissions"]) <= actor.permissions
        or not set(rights["grants"]) <= set(granted(actor.grants))
        or rights["path"] != actor.organisation_path
    ):
        raise RightsChanged
    return row


def _one(session: Session, actor: Actor, export_id: int) -> Row[Any]:
    row = session.execute(_ONE, {"user_id": actor.user_id, "now": clock.now(), "id": export_id}).first()
    if row is None:
        raise NotFound
    return row


def _export(row: Row[Any], language: Language) -> ExportOut:
    known = {
        "status": row.stands,
        "fault": told(row.fault, row.kind, row.format, language) if row.fault else None,
        "file": _address(row.id, row.stands),
    }
    return ExportOut(**known, **{name: getattr(row, name) for name in ExportOut.model_fields if name not in known})


def schedule(session: Session, actor: Actor, schedule_id: int, language: Language) -> ScheduleOut:
    """One schedule with its last answers.

    Raises:
        NotFound: no such schedule of the caller's (404).
    """
    row = session.execute(_ONE_SCHEDULE, {"user_id": actor.user_id, "now": clock.now(), "id": schedule_id}).first()
    if row is None:
        raise NotFound
    return _schedule(row, language)


def schedules(session: Session, actor: Actor, language: Language, *, limit: int, after: str | None) -> Page[ScheduleOut]:
    """The caller's own, the newest first."""
    start = paging.position(after, int)
    values = {"user_id": actor.user_id, "now": clock.now(), "start": start[0] if start else None, "rows": limit + 1}
    return paging.page(session.execute(_SCHEDULES, values).all(), limit, lambda row: _schedule(row, language), lambda row: [row.id])


def _schedule(row: Row[Any], language: Language) -> ScheduleOut:
    known = {
        "next_at": row.next_at if row.status == ScheduleStatus.ACTIVE else None,
        "deliveries": [_delivery(row, each, language) for each in row.deliveries],
    }
    return ScheduleOut(**known, **{name: getattr(row, name) for name in ScheduleOut.model_fields if name not in known})


def _delivery(schedule: Row[Any], each: Mapping[str, Any], language: Language) -> DeliveryOut:
    fault = told(each["fault"], schedule.kind, schedule.format, language) if each["fault"] else None
    return DeliveryOut.model_validate({**each, "fault": fault, "file": _address(each["export_id"], each["status"])})


def _address(export_id: int, status: str) -> str | None:
    return f"/v1/exports/{export_id}/file" if status == ExportStatus.DONE else None
