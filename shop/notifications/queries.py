"""Reads of notifications, each for one person."""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, false, func
from sqlmodel import Session, col, or_, select

from shop.identity.actor import Actor
from shop.identity.permissions import REGIONAL
from shop.notifications.models import Notification, NotificationPreference, NotificationReading


def addressed_to(actor: Actor) -> ColumnElement[bool]:
    """That a notification goes to the actor, to its organisation or to a region in which it holds an office.

    A region's notifications are for that region's own officers: the city's officers are not told what each county must do.
    """
    own = false() if actor.organisation_id is None else col(Notification.organisation_id) == actor.organisation_id
    person = false() if actor.user_id is None else col(Notification.user_id) == actor.user_id
    regions = [code for grant in actor.grants if grant.role in REGIONAL for code in grant.region_codes]
    return or_(own, col(Notification.region_code).in_(regions), person)


def wanted_by(actor: Actor) -> ColumnElement[bool]:
    """That the actor did not switch the kind off in the inbox."""
    return ~exists().where(
        col(NotificationPreference.user_id) == actor.user_id,
        col(NotificationPreference.kind) == col(Notification.kind),
        ~col(NotificationPreference.inbox),
    )


def read_by(actor: Actor) -> ColumnElement[bool]:
    """That the actor has read a notification."""
    return exists().where(
        col(NotificationReading.user_id) == actor.user_id,
        col(NotificationReading.notification_id) == col(Notification.id),
    )


def notifications(
    session: Session, actor: Actor, *, unread: bool | None, before: int | None, limit: int
) -> list[tuple[Notification, datetime | None]]:
    """Newest first, older than id ``before``, each with when the actor read it; ``unread`` keeps the unread (true) or the read (false)."""
    reading = and_(
        col(NotificationReading.notification_id) == col(Notification.id),
        col(NotificationReading.user_id) == actor.user_id,
    )
    read_at = col(NotificationReading.read_at)
    statement = select(Notification, read_at).join(NotificationReading, reading, isouter=True)
    statement = statement.where(addressed_to(actor), wanted_by(actor)).order_by(col(Notification.id).desc()).limit(limit)
    if unread is not None:
        statement = statement.where(read_at.is_(None) if unread else read_at.is_not(None))
    if before is not None:
        statement = statement.where(col(Notification.id) < before)
    return list(session.exec(statement))


def unread_count(session: Session, actor: Actor) -> int:
    """How many the actor has not read."""
    statement = select(func.count()).select_from(Notification)
    return session.exec(statement.where(addressed_to(actor), wanted_by(actor), ~read_by(actor))).one()


def preferences(session: Session, actor: Actor) -> dict[str, NotificationPreference]:
    """What the actor ever chose, by kind."""
    rows = session.exec(select(NotificationPreference).where(NotificationPreference.user_id == actor.user_id))
    return {row.kind: row for row in rows}
