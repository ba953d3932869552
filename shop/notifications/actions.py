"""Telling an organisation or the officers of a region, and marking as read."""

import json
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from shop.core import clock
from shop.core.errors import NotFound
from shop.identity.actor import Actor
from shop.notifications import queries
from shop.notifications.models import Notification

_INSERT = text(
    "INSERT INTO notification (origin, organisation_id, region_code, kind, subject_type, subject_id, data, at)"
    " VALUES (:origin, :organisation_id, :region_code, :kind, :subject_type, :subject_id, CAST(:data AS jsonb), :at)"
    " ON CONFLICT (origin) DO NOTHING"
)


def notify(
    session: Session,
    *,
    origin: str,
    kind: str,
    subject_type: str,
    subject_id: int,
    organisation_id: int | None = None,
    region_code: str | None = None,
    **data: Any,
) -> None:
    """Tell one organisation, or the officers of one region, that something happened.

    ``origin`` names the cause (such as ``organisation.approved:7:2``): the same origin twice tells once, so a handler may run again.
    ``kind`` chooses the text in :mod:`shop.notifications.rules`, ``data`` fills it and holds no personal data.

    Raises:
        ValueError: not exactly one addressee.
    """
    if (organisation_id is None) == (region_code is None):
        raise ValueError("a notification goes to one organisation or to one region")
    session.execute(
        _INSERT,
        {
            "origin": origin,
            "organisation_id": organisation_id,
            "region_code": region_code,
            "kind": kind,
            "subject_type": subject_type,
            "subject_id": subject_id,
            "data": json.dumps(data, ensure_ascii=False),
            "at": clock.now(),
        },
    )


def mark_read(session: Session, actor: Actor, notification_id: int) -> Notification:
    """Mark a notification as read; the first reading counts, a second one changes nothing.

    Raises:
        NotFound: it does not exist or is addressed to others (404).
    """
    notification = session.exec(queries.addressed_to(actor).where(Notification.id == notification_id).with_for_update()).first()
    if notification is None:
        raise NotFound
    if notification.read_at is None:
        notification.read_at = clock.now()
        session.add(notification)
        session.flush()
    return notification
