"""Reads of the feed, of endpoints and of deliveries, each for the own organisation; the feed also for the units below it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Row, text
from sqlmodel import Session, col, func, select

from shop.core.errors import Forbidden, NotFound
from shop.identity.actor import Actor
from shop.webhooks import rules
from shop.webhooks.errors import CursorExpired
from shop.webhooks.models import WebhookDelivery, WebhookEndpoint
from shop.webhooks.states import DeliveryStatus, EndpointStatus

_FEED = text("SELECT last_position, removed_position FROM change_feed")
_BRANCH = text("SELECT id FROM organisation WHERE path LIKE :branch")
#: An event that concerns two units of the branch is shown once, at its first position.
_CHANGES = text(
    """
    SELECT c.position, c.event_id, c.type, c.at, c.organisation_id, c.subject_type, c.subject_id FROM change c
    WHERE c.organisation_id = ANY (:branch) AND c.position > :after AND c.position <= :last
      AND (CAST(:types AS text[]) IS NULL OR '*' = ANY (:types) OR c.type = ANY (:types) OR split_part(c.type, '.', 1) || '.*' = ANY (:types))
      AND NOT EXISTS (SELECT FROM change e WHERE e.event_id = c.event_id AND e.organisation_id = ANY (:branch) AND e.position < c.position)
    ORDER BY c.position LIMIT :limit
    """
)
_BEFORE = text("SELECT min(position) - 1 FROM change WHERE organisation_id = ANY (:branch) AND at >= :since AND position <= :last")


class Stretch(NamedTuple):
    """Some changes in their order, the position to go on from, and whether there is more."""

    rows: Sequence[Row[Any]]
    position: int
    more: bool


def changes(
    session: Session, actor: Actor, *, after: int | None, since: datetime | None, types: list[str] | None, limit: int
) -> Stretch:
    """Changes of the actor's branch behind a position, from a moment on, or from the oldest that is kept.

    Everything up to ``last_position`` is committed when it is read, so nothing can appear before the position that is returned.

    Raises:
        Forbidden: the actor belongs to no organisation (403).
        CursorExpired: see there (410).
    """
    if not actor.organisation_path:
        raise Forbidden
    feed = session.execute(_FEED).one()
    # a cursor from behind the end is of another history: the database was restored
    if after is not None and not feed.removed_position <= after <= feed.last_position:
        raise CursorExpired(days=rules.CHANGES_DAYS)
    branch = list(session.execute(_BRANCH, {"branch": f"{actor.organisation_path}%"}).scalars())
    if since is not None:
        found = session.execute(_BEFORE, {"branch": branch, "since": since, "last": feed.last_position}).scalar()
        after = feed.last_position if found is None else found
    values = {"branch": branch, "after": after or 0, "last": feed.last_position, "types": types, "limit": limit + 1}
    rows = session.execute(_CHANGES, values).all()
    more = len(rows) > limit
    return Stretch(rows[:limit], rows[limit - 1].position if more else feed.last_position, more)


def _own(actor: Actor) -> Any:
    own = col(WebhookEndpoint.organisation_id) == actor.organisation
    return own & (col(WebhookEndpoint.status) != EndpointStatus.DELETED)


def count(session: Session, organisation_id: int) -> int:
    """How many endpoints an organisation has."""
    statement = select(func.count()).select_from(WebhookEndpoint).where(WebhookEndpoint.organisation_id == organisation_id)
    return session.exec(statement.where(WebhookEndpoint.status != EndpointStatus.DELETED)).one()


_HEARD = text(
    """
    SELECT EXISTS (
        SELECT FROM webhook_endpoint w JOIN organisation above ON above.id = w.organisation_id JOIN organisation o ON o.id = :organisation_id
        WHERE w.status = 'enabled' AND above.path <> '' AND starts_with(o.path, above.path)
          AND ('*' = ANY (w.types) OR :type = ANY (w.types) OR split_part(:type, '.', 1) || '.*' = ANY (w.types)))
    """
)


def heard(session: Session, organisation_id: int, type: str) -> bool:
    """Whether any endpoint is called about changes of a type that concern an organisation: its own, or one of a unit above it."""
    found: bool = session.execute(_HEARD, {"organisation_id": organisation_id, "type": type}).scalar_one()
    return found


def endpoints(session: Session, actor: Actor, *, after: int, limit: int) -> Sequence[WebhookEndpoint]:
    """Endpoints of the actor's organisation, by id."""
    statement = select(WebhookEndpoint).where(_own(actor), col(WebhookEndpoint.id) > after)
    return session.exec(statement.order_by(col(WebhookEndpoint.id)).limit(limit)).all()


_BACKLOGS = text(
    """
    SELECT endpoint_id, count(*) AS pending, min(created_at) AS oldest FROM webhook_delivery
    WHERE endpoint_id = ANY (:ids) AND status = 'pending' GROUP BY endpoint_id
    """
)


def backlogs(session: Session, endpoint_ids: Sequence[int]) -> dict[int, Row[Any]]:
    """For each endpoint that anything waits for: how many deliveries, and since when the oldest."""
    return {row.endpoint_id: row for row in session.execute(_BACKLOGS, {"ids": list(endpoint_ids)})}


def endpoint(session: Session, actor: Actor, endpoint_id: int, *, to_change: bool = False) -> WebhookEndpoint:
    """One of them; ``to_change`` holds its row.

    Raises:
        NotFound: it does not exist, or belongs to others (404).
    """
    statement = select(WebhookEndpoint).where(_own(actor), WebhookEndpoint.id == endpoint_id)
    found = session.exec(statement.with_for_update(key_share=True) if to_change else statement).first()
    if found is None:
        raise NotFound
    return found


def deliveries(
    session: Session,
    endpoint: WebhookEndpoint,
    *,
    status: DeliveryStatus | None,
    event_id: str | None,
    before: int | None,
    limit: int,
) -> Sequence[WebhookDelivery]:
    """Deliveries to an endpoint, newest first."""
    statement = select(WebhookDelivery).where(WebhookDelivery.endpoint_id == endpoint.id)
    if status is not None:
        statement = statement.where(WebhookDelivery.status == status)
    if event_id is not None:
        statement = statement.where(WebhookDelivery.event_id == event_id)
    if before is not None:
        statement = statement.where(col(WebhookDelivery.id) < before)
    return session.exec(statement.order_by(col(WebhookDelivery.id).desc()).limit(limit)).all()


def delivery(session: Session, actor: Actor, delivery_id: int) -> WebhookDelivery:
    """One delivery to an endpoint of the actor's organisation.

    Raises:
        NotFound: it does not exist, or goes to others (404).
    """
    statement = select(WebhookDelivery).join(WebhookEndpoint, col(WebhookEndpoint.id) == WebhookDelivery.endpoint_id)
    found = session.exec(statement.where(_own(actor), WebhookDelivery.id == delivery_id)).first()
    if found is None:
        raise NotFound
    return found
