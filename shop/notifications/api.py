"""Notifications over HTTP."""

from datetime import datetime
from typing import Annotated

from fastapi import Query

from shop.core.errors import Language
from shop.core.paging import After, Limit, Page, page, position
from shop.core.quantities import Id
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission
from shop.notifications import actions, queries, rules
from shop.notifications.models import Notification
from shop.notifications.schemas import AllReadOut, NotificationOut, PreferenceOut, PreferencesIn, PreferencesOut, UnreadOut

routes = Routes("notifications", "/v1")


def _out(row: Notification, read_at: datetime | None, language: Language) -> NotificationOut:
    return NotificationOut(
        id=row.id,
        kind=row.kind,
        text=rules.told(row.kind, row.data, language),
        subject_type=row.subject_type,
        subject_id=row.subject_id,
        data=row.data,
        at=row.at,
        read_at=read_at,
    )


@routes.get("/notifications", Permission.NOTIFICATIONS_READ)
def notifications(
    call: Call,
    unread: Annotated[bool | None, Query(description="true: only unread; false: only read")] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[NotificationOut]:
    """What the caller, its organisation, or the officers of its region were told; newest first."""
    start = position(after, int)
    rows = queries.notifications(call.session, call.actor, unread=unread, before=start[0] if start else None, limit=limit + 1)
    return page(rows, limit, lambda row: _out(row[0], row[1], call.language), lambda row: [row[0].id])


@routes.get("/notifications/count", Permission.NOTIFICATIONS_READ)
def count(call: Call) -> UnreadOut:
    """How many the caller has not read."""
    return UnreadOut(unread=queries.unread_count(call.session, call.actor))


@routes.post("/notifications/read-all", Permission.NOTIFICATIONS_READ, status=200)
def read_all(call: Call) -> AllReadOut:
    """Mark everything in the caller's inbox as read."""
    return AllReadOut(read=actions.mark_all_read(call.session, call.actor))


@routes.post("/notifications/{notification_id}/read", Permission.NOTIFICATIONS_READ, status=200)
def read(call: Call, notification_id: Id) -> NotificationOut:
    """Mark one as read by the caller; for the others it stays as it is."""
    notification, read_at = actions.mark_read(call.session, call.actor, notification_id)
    return _out(notification, read_at, call.language)


def _preferences(call: Call) -> PreferencesOut:
    chosen = queries.preferences(call.session, call.actor)
    return PreferencesOut(
        kinds=[
            PreferenceOut(
                kind=kind,
                label=rules.told(kind, {}, call.language),
                inbox=chosen[kind].inbox if kind in chosen else True,
                email=chosen[kind].email if kind in chosen else True,
            )
            for kind in sorted(rules.TEXTS)
        ]
    )


@routes.get("/me/notification-preferences", Permission.NOTIFICATIONS_READ)
def preferences(call: Call) -> PreferencesOut:
    """Every kind of notification, and whether the caller gets it in the inbox and by mail."""
    return _preferences(call)


@routes.put("/me/notification-preferences", Permission.NOTIFICATIONS_READ)
def choose(call: Call, body: PreferencesIn) -> PreferencesOut:
    """Switch kinds on or off for the caller; what is not sent stays as it is."""
    actions.choose(call.session, call.actor, body.kinds)
    return _preferences(call)
