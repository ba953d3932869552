"""Reads of notifications."""

from sqlalchemy import false
from sqlmodel import Session, col, or_, select
from sqlmodel.sql.expression import SelectOfScalar

from shop.identity.actor import Actor
from shop.identity.permissions import REGIONAL
from shop.notifications.models import Notification


def addressed_to(actor: Actor) -> SelectOfScalar[Notification]:
    """The notifications to the actor's organisation and to the regions in which the actor holds an office.

    A region's notifications are for that region's own officers: the city's officers are not told what each county must do.
    """
    own = false() if actor.organisation_id is None else col(Notification.organisation_id) == actor.organisation_id
    regions = [grant.region_code for grant in actor.grants if grant.role in REGIONAL and grant.region_code]
    return select(Notification).where(or_(own, col(Notification.region_code).in_(regions)))


def notifications(session: Session, actor: Actor, *, unread: bool | None, before: int | None, limit: int) -> list[Notification]:
    """Newest first, older than id ``before``; ``unread`` keeps the unread (true) or the read ones (false)."""
    statement = addressed_to(actor).order_by(col(Notification.id).desc()).limit(limit)
    if unread is not None:
        is_unread = col(Notification.read_at).is_(None)
        statement = statement.where(is_unread if unread else ~is_unread)
    if before is not None:
        statement = statement.where(col(Notification.id) < before)
    return list(session.exec(statement))
