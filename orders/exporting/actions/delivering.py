"""Telling that a file is there, or why not; and handing a schedule's answer to the mail or to the webhooks."""

from typing import Any, get_args

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.exporting.errors import NotAllowedAnyMore, NoWebhooks
from orders.exporting.faults import told
from orders.exporting.kinds import KINDS
from orders.exporting.rules import DELIVERED, LARGEST_ATTACHMENT, Format
from orders.exporting.writers import CONTENT_TYPES
from shop.core import audit, clock, outbox
from shop.core.errors import Language
from shop.notifications.actions import notify_persons
from shop.webhooks import queries as webhooks

_FINISHED = text(
    """
    SELECT e.*, d.id AS delivery_id, d.delivered_at, s.id AS schedule_id, s.title, s.way, s.organisation_id
    FROM export e LEFT JOIN export_delivery d ON d.export_id = e.id LEFT JOIN export_schedule s ON s.id = d.schedule_id
    WHERE e.id = :id
    """
)
_DELIVERED = text("UPDATE export_delivery SET delivered_at = :now WHERE id = :id AND delivered_at IS NULL")
_UNHEARD = text("UPDATE export_delivery SET fault = :fault WHERE id = :id")
_PAUSED = text(
    "UPDATE export_schedule SET status = 'paused', version = version + 1 WHERE id = :id AND status = 'active' RETURNING version"
)


def finished(session: Session, export_id: int) -> None:
    """Tell whoever waits. Safe to run twice: the same is told once."""
    row = session.execute(_FINISHED, {"id": export_id}).one()
    if row.status == "failed":
        _failed(session, row)
    elif row.status != "done":
        return
    elif row.delivery_id is None:
        _tell(session, row, "export.ready", name=row.name, rows=row.rows_total)
    elif row.delivered_at is None:
        _deliver(session, row)


def _deliver(session: Session, row: Row[Any]) -> None:
    if row.way == "webhook":
        outbox.publish(session, "export.delivered", export_id=row.id)  # those who read the feed see it in any case
        if not webhooks.heard(session, row.organisation_id, DELIVERED):
            session.execute(_UNHEARD, {"id": row.delivery_id, "fault": NoWebhooks.code})
            return
    else:
        period = KINDS[row.kind].days_of(row.parameters)
        attachment, why_none = None, {}
        if row.size <= LARGEST_ATTACHMENT:
            content_type = CONTENT_TYPES[Format(row.format)]
            attachment = {"storage_key": row.storage_key, "name": row.name, "content_type": content_type}
        else:
            why_none = {
                "size": _mebibytes(row.size),
                "limit": _mebibytes(LARGEST_ATTACHMENT),
                "until": clock.shanghai_text(row.expires_at),
            }
        _tell(session, row, DELIVERED, attachment=attachment, title=row.title, rows=row.rows_total, **period, **why_none)
    session.execute(_DELIVERED, {"id": row.delivery_id, "now": clock.now()})


def _mebibytes(size: int) -> str:
    return f"{size / 2**20:.1f} MiB"


def _failed(session: Session, row: Row[Any]) -> None:
    """A schedule whose owner may no longer read what it is about would fail for ever: it is paused."""
    reason: dict[str, Any] = {
        f"reason_{language}": told(row.fault, row.kind, row.format, language).message for language in get_args(Language)
    }
    if row.schedule_id is None or row.fault != NotAllowedAnyMore.code:
        _tell(session, row, "export.failed", **reason)
        return
    if (version := session.execute(_PAUSED, {"id": row.schedule_id}).scalar()) is not None:
        audit.record(session, audit.SYSTEM, "export_schedule.paused", "export_schedule", row.schedule_id, reason=row.fault)
        notify_persons(
            session,
            [row.user_id],
            origin=f"export_schedule.paused:{row.schedule_id}:{version}",
            kind="export_schedule.paused",
            subject_type="export_schedule",
            subject_id=row.schedule_id,
            title=row.title,
            **reason,
        )


def _tell(session: Session, row: Row[Any], kind: str, *, attachment: dict[str, str] | None = None, **data: Any) -> None:
    notify_persons(
        session,
        [row.user_id],
        origin=f"{kind}:{row.id}",
        kind=kind,
        subject_type="export",
        subject_id=row.id,
        attachment=attachment,
        **data,
    )
