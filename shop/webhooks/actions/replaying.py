"""Deliveries that somebody asks for: a ping, one more time, or everything of a period."""

from sqlalchemy import text
from sqlmodel import Session

from shop.core import audit, clock
from shop.identity.actor import Actor
from shop.webhooks import rules
from shop.webhooks.errors import EndpointDisabled, TooManyToReplay
from shop.webhooks.models import WebhookDelivery, WebhookEndpoint
from shop.webhooks.schemas import ReplayIn
from shop.webhooks.states import EndpointStatus

_FRESH_EVENT = text("SELECT 'evt_' || replace(CAST(gen_random_uuid() AS text), '-', '')")
#: What is asked for is tried at once, also where failures had it wait.
_WAKE = text("UPDATE webhook_endpoint SET rest_until = NULL WHERE id = :id AND rest_until IS NOT NULL")
_REPLAY = text(
    """
    INSERT INTO webhook_delivery (endpoint_id, kind, change_id, event_id, type, event_at, status, next_attempt_at, created_by, created_at)
    SELECT :endpoint_id, 'replay', min(c.id), c.event_id, c.type, c.at, 'pending', :now, :user_id, :now
    FROM change c JOIN organisation o ON o.id = c.organisation_id
    WHERE c.at >= :since AND c.at < :until AND c.position IS NOT NULL AND starts_with(o.path, :path)
      AND ('*' = ANY (CAST(:types AS text[])) OR c.type = ANY (CAST(:types AS text[]))
           OR split_part(c.type, '.', 1) || '.*' = ANY (CAST(:types AS text[])))
      AND NOT EXISTS (SELECT FROM webhook_delivery d WHERE d.endpoint_id = :endpoint_id AND d.event_id = c.event_id
                      AND (d.status = 'pending' OR (:only_undelivered AND d.status = 'delivered')))
    GROUP BY c.event_id, c.type, c.at ORDER BY min(c.position) LIMIT :limit
    """
)


def ping(session: Session, actor: Actor, endpoint: WebhookEndpoint) -> WebhookDelivery:
    """Call an endpoint with an event of no meaning.

    Raises:
        EndpointDisabled: see there (409).
    """
    delivery = _delivery(actor, endpoint, "ping", session.execute(_FRESH_EVENT).scalar_one(), rules.PING)
    return _queued(session, actor, endpoint, delivery)


def replay(session: Session, actor: Actor, endpoint: WebhookEndpoint, before: WebhookDelivery) -> WebhookDelivery:
    """Deliver an event once more: another delivery, the same event.

    Raises:
        EndpointDisabled: see there (409).
    """
    delivery = _delivery(actor, endpoint, "replay", before.event_id, before.type)
    delivery.change_id, delivery.event_at = before.change_id, before.event_at
    return _queued(session, actor, endpoint, delivery)


def replay_period(session: Session, actor: Actor, endpoint: WebhookEndpoint, body: ReplayIn) -> int:
    """Deliver what happened in a period once more, less what is on its way already; returns how much that is.

    Raises:
        EndpointDisabled, TooManyToReplay: see there (409).
    """
    _require_enabled(endpoint)
    made = session.execute(
        _REPLAY,
        {
            "endpoint_id": endpoint.id,
            "user_id": actor.user_id,
            "path": actor.organisation_path,
            "types": endpoint.types,
            "since": body.since,
            "until": body.until,
            "only_undelivered": body.only_undelivered,
            "limit": rules.MAX_REPLAYED + 1,
            "now": clock.now(),
        },
    )
    count: int = made.rowcount  # type: ignore[attr-defined]
    if count > rules.MAX_REPLAYED:
        raise TooManyToReplay(most=rules.MAX_REPLAYED)
    session.execute(_WAKE, {"id": endpoint.id})
    period = {"since": body.since.isoformat(), "until": body.until.isoformat()}
    audit.record(session, actor, "webhook_endpoint.replayed", "webhook_endpoint", endpoint.id, count=count, **period)
    return count


def _delivery(actor: Actor, endpoint: WebhookEndpoint, kind: str, event_id: str, type: str) -> WebhookDelivery:
    now = clock.now()
    return WebhookDelivery(
        endpoint_id=endpoint.id,
        kind=kind,
        event_id=event_id,
        type=type,
        event_at=now,
        next_attempt_at=now,
        created_by=actor.user_id,
        created_at=now,
    )


def _queued(session: Session, actor: Actor, endpoint: WebhookEndpoint, delivery: WebhookDelivery) -> WebhookDelivery:
    _require_enabled(endpoint)
    session.execute(_WAKE, {"id": endpoint.id})
    session.add(delivery)
    session.flush()
    audit.record(session, actor, f"webhook_delivery.{delivery.kind}", "webhook_delivery", delivery.id, event_id=delivery.event_id)
    return delivery


def _require_enabled(endpoint: WebhookEndpoint) -> None:
    if endpoint.status != EndpointStatus.ENABLED:
        raise EndpointDisabled
