"""Notifications over HTTP."""

from typing import Annotated

from fastapi import Query

from shop.core.errors import Language
from shop.core.paging import After, Limit, Page, page, position
from shop.core.quantities import Id
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission
from shop.notifications import actions, queries, rules
from shop.notifications.models import Notification
from shop.notifications.schemas import NotificationOut

routes = Routes("notifications", "/v1/notifications")


def _out(row: Notification, language: Language) -> NotificationOut:
    return NotificationOut(
        id=row.id,
        kind=row.kind,
        text=rules.told(row.kind, row.data, language),
        subject_type=row.subject_type,
        subject_id=row.subject_id,
        data=row.data,
        at=row.at,
        read_at=row.read_at,
    )


@routes.get("", Permission.NOTIFICATIONS_READ)
def notifications(
    call: Call,
    unread: Annotated[bool | None, Query(description="true: only unread; false: only read")] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[NotificationOut]:
    """What the caller's organisation, or the officers of the caller's region, were told; newest first."""
    start = position(after, int)
    rows = queries.notifications(call.session, call.actor, unread=unread, before=start[0] if start else None, limit=limit + 1)
    return page(rows, limit, lambda row: _out(row, call.language), lambda row: [row.id])


@routes.post("/{notification_id}/read", Permission.NOTIFICATIONS_READ, status=200)
def read(call: Call, notification_id: Id) -> NotificationOut:
    """Mark one as read, for everybody to whom it is addressed."""
    return _out(actions.mark_read(call.session, call.actor, notification_id), call.language)
