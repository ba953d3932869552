"""Endpoints: made, changed, given a new secret, switched off."""

import base64
import secrets
from datetime import timedelta
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from shop.core import audit, clock, locks, outward, rate_limits, sealing
from shop.core.errors import Fault, Invalid
from shop.identity.actor import Actor
from shop.notifications.actions import notify
from shop.webhooks import queries, rules
from shop.webhooks.errors import TooManyEndpoints
from shop.webhooks.models import WebhookEndpoint
from shop.webhooks.schemas import EndpointIn
from shop.webhooks.states import DisabledReason, EndpointStatus

#: Names that one organisation may have resolved in a minute.
CHECKS_PER_MINUTE = 60

_DISABLE = text(
    "UPDATE webhook_endpoint SET status = 'disabled', disabled_reason = :reason, version = version + 1"
    " WHERE id = :id AND status = 'enabled' RETURNING organisation_id, url, version"
)
_CANCEL = text(
    "UPDATE webhook_delivery SET status = 'cancelled', slot = NULL, finished_at = :now WHERE endpoint_id = :id AND status = 'pending'"
)


def create(session: Session, actor: Actor, body: EndpointIn) -> tuple[WebhookEndpoint, str]:
    """Set an endpoint of the actor's organisation up; returns it with its secret, which is shown this once.

    Raises:
        Forbidden: the actor belongs to no organisation (403).
        Invalid: an address that may not be used (422).
        TooManyEndpoints: see there (409).
    """
    url = _checked(actor, body.url)
    locks.hold(session, f"webhook_endpoints:{actor.organisation}")
    if queries.count(session, actor.organisation) >= rules.MAX_ENDPOINTS:
        raise TooManyEndpoints(most=rules.MAX_ENDPOINTS)
    secret = _fresh()
    endpoint = WebhookEndpoint(
        organisation_id=actor.organisation,
        url=url,
        description=body.description,
        types=_types(body.types),
        secret=sealing.seal({"secret": secret}),
        created_by=actor.user_id,
        created_at=clock.now(),
    )
    session.add(endpoint)
    session.flush()
    audit.record(session, actor, "webhook_endpoint.created", "webhook_endpoint", endpoint.id, url=url, types=endpoint.types)
    return endpoint, secret


def edit(session: Session, actor: Actor, endpoint: WebhookEndpoint, changes: dict[str, Any]) -> None:
    """Change an endpoint; what is set anew is tried anew. Disabled, it gets nothing and what was pending is cancelled.

    Raises:
        Invalid: an address that may not be used (422).
    """
    if "url" in changes:
        endpoint.url = _checked(actor, changes["url"])
    if "description" in changes:
        endpoint.description = changes["description"]
    if "types" in changes:
        endpoint.types = _types(changes["types"])
    enabled = changes.get("enabled", endpoint.status == EndpointStatus.ENABLED)
    if enabled:
        endpoint.status, endpoint.disabled_reason = EndpointStatus.ENABLED, None
        endpoint.failures, endpoint.failing_since, endpoint.rest_until = 0, None, None
    elif endpoint.status == EndpointStatus.ENABLED:
        endpoint.status, endpoint.disabled_reason = EndpointStatus.DISABLED, DisabledReason.OWNER
        _cancel(session, endpoint.id)
    endpoint.version += 1
    session.flush()
    told: dict[str, Any] = {"url": endpoint.url, "types": endpoint.types, "status": endpoint.status}
    audit.record(session, actor, "webhook_endpoint.changed", "webhook_endpoint", endpoint.id, **told)


def delete(session: Session, actor: Actor, endpoint: WebhookEndpoint) -> None:
    """Take an endpoint away; its secrets are forgotten, its deliveries stay on record for their time."""
    endpoint.status, endpoint.disabled_reason = EndpointStatus.DELETED, None
    endpoint.secret, endpoint.previous_secret, endpoint.previous_until = b"", None, None
    endpoint.version += 1
    session.flush()
    _cancel(session, endpoint.id)
    audit.record(session, actor, "webhook_endpoint.deleted", "webhook_endpoint", endpoint.id, url=endpoint.url)


def rotate(session: Session, actor: Actor, endpoint: WebhookEndpoint, overlap_hours: int) -> str:
    """Give an endpoint a new secret; for the overlap both sign. Returns the new one."""
    secret = _fresh()
    if overlap_hours:
        endpoint.previous_secret = endpoint.secret
        endpoint.previous_until = clock.now() + timedelta(hours=overlap_hours)
    else:
        endpoint.previous_secret, endpoint.previous_until = None, None
    endpoint.secret = sealing.seal({"secret": secret})
    endpoint.version += 1
    session.flush()
    audit.record(session, actor, "webhook_endpoint.secret_rotated", "webhook_endpoint", endpoint.id, overlap_hours=overlap_hours)
    return secret


def disable(session: Session, endpoint_id: int, reason: DisabledReason) -> None:
    """Stop calling an endpoint that is gone or hopeless, and tell its organisation. Already disabled, nothing happens."""
    row = session.execute(_DISABLE, {"id": endpoint_id, "reason": reason}).first()
    if row is None:
        return
    _cancel(session, endpoint_id)
    audit.record(session, audit.SYSTEM, "webhook_endpoint.disabled", "webhook_endpoint", endpoint_id, reason=reason)
    notify(
        session,
        origin=f"webhook_endpoint.disabled:{endpoint_id}:{row.version}",
        kind="webhook_endpoint.disabled",
        subject_type="webhook_endpoint",
        subject_id=endpoint_id,
        organisation_id=row.organisation_id,
        url=row.url[:100],
    )


def _cancel(session: Session, endpoint_id: int) -> None:
    session.execute(_CANCEL, {"id": endpoint_id, "now": clock.now()})


def _checked(actor: Actor, url: str) -> str:
    rate_limits.spend("webhook_address", str(actor.organisation), CHECKS_PER_MINUTE)
    try:
        return outward.check(url)
    except outward.Refused as refusal:
        raise Invalid(faults=[Fault("url", refusal.code, refusal.zh, refusal.en)]) from None
    except outward.Unreachable:
        raise Invalid.one("url", "unknown_host", "无法解析该域名", "The name has no address") from None


def _types(patterns: list[str]) -> list[str]:
    return ["*"] if "*" in patterns else sorted(set(patterns))


def _fresh() -> str:
    return rules.SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()
