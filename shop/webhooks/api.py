"""The feed of changes, and webhooks, over HTTP."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Query
from pydantic import StringConstraints
from sqlalchemy import Row

from shop.core.errors import Invalid
from shop.core.paging import After, Limit, Page, cursor, of_list, page, position
from shop.core.quantities import Id, Moment
from shop.core.settings import settings
from shop.identity.access import PROBLEM, Call, Routes
from shop.identity.permissions import Permission
from shop.webhooks import queries, rules
from shop.webhooks.actions import endpoints, replaying
from shop.webhooks.models import WebhookDelivery, WebhookEndpoint
from shop.webhooks.schemas import (
    ChangeOut,
    ChangesOut,
    ChangeTypeOut,
    ChangeTypesOut,
    DeliveryOut,
    EndpointIn,
    EndpointOut,
    EndpointPatch,
    NewEndpointOut,
    ReplayIn,
    ReplayOut,
    RotationIn,
    SecretOut,
    TypePattern,
)
from shop.webhooks.states import DeliveryStatus

routes = Routes("webhooks", "/v1")

EventId = Annotated[str | None, Query(max_length=100), StringConstraints(pattern=r"^[A-Za-z0-9_\-]+$")]


# --- the feed ------------------------------------------------------------------------------------------------------


@routes.get("/changes", Permission.CHANGES_READ, responses={410: PROBLEM})
def changes(
    call: Call,
    after: After = None,
    since: Annotated[Moment | None, Query(description="begin with what happened from then on; instead of `after`")] = None,
    types: Annotated[list[TypePattern] | None, Query(alias="type", max_length=50)] = None,
    limit: Limit = 100,
) -> ChangesOut:
    """What happened to the own organisation and the units below it, in one order, without gaps; go on from `next`."""
    if after is not None and since is not None:
        raise Invalid.one("since", "conflicting", "after 与 since 只能取其一", "after and since exclude each other")
    # whoever follows the feed keeps a cursor for long: it is a place in the one order, whatever is asked of it
    with of_list("/v1/changes"):
        start = position(after, int)
        found = queries.changes(call.session, call.actor, after=start[0] if start else None, since=since, types=types, limit=limit)
        items = [
            ChangeOut(
                id=row.event_id,
                type=row.type,
                created_at=row.at,
                organisation_id=row.organisation_id,
                subject_type=row.subject_type,
                subject_id=row.subject_id,
                links=rules.links(row.subject_type, row.subject_id, settings().public_url),
            )
            for row in found.rows
        ]
        return ChangesOut(items=items, next=cursor([found.position]), more=found.more)


@routes.get("/change-types", Permission.CHANGES_READ)
def change_types(call: Call) -> ChangeTypesOut:
    """Every type of change; endpoints also take `supplier_order.*` and `*`."""
    language = 0 if call.language == "zh" else 1
    return ChangeTypesOut(items=[ChangeTypeOut(type=name, label=words[language]) for name, words in sorted(rules.TYPES.items())])


# --- endpoints -----------------------------------------------------------------------------------------------------


def _endpoints(call: Call, rows: Sequence[WebhookEndpoint]) -> dict[int, EndpointOut]:
    waiting = queries.backlogs(call.session, [row.id for row in rows])
    return {row.id: _with_backlog(row, waiting.get(row.id)) for row in rows}


def _with_backlog(row: WebhookEndpoint, waiting: Row[Any] | None) -> EndpointOut:
    own = {name: getattr(row, name) for name in EndpointOut.model_fields if not name.startswith("pending")}
    return EndpointOut(**own, pending=waiting.pending if waiting else 0, pending_since=waiting.oldest if waiting else None)


def _endpoint(call: Call, row: WebhookEndpoint) -> EndpointOut:
    return _endpoints(call, [row])[row.id]


# Answers with secrets are not kept for a repeated request: an endpoint made twice is seen in the list and deleted.
@routes.post("/webhook-endpoints", Permission.WEBHOOKS_MANAGE, idempotent=False)
def create_endpoint(call: Call, body: EndpointIn) -> NewEndpointOut:
    """Have an address of the own system called about changes. The secret that signs the calls is shown this once."""
    row, secret = endpoints.create(call.session, call.actor, body)
    return NewEndpointOut(**_endpoint(call, row).model_dump(), secret=secret)


@routes.get("/webhook-endpoints", Permission.WEBHOOKS_MANAGE)
def list_endpoints(call: Call, limit: Limit = 50, after: After = None) -> Page[EndpointOut]:
    """The endpoints of the own organisation, by id."""
    start = position(after, int)
    rows = queries.endpoints(call.session, call.actor, after=start[0] if start else 0, limit=limit + 1)
    shown = _endpoints(call, rows)
    return page(rows, limit, lambda row: shown[row.id], lambda row: [row.id])


@routes.get("/webhook-endpoints/{endpoint_id}", Permission.WEBHOOKS_MANAGE)
def endpoint(call: Call, endpoint_id: Id) -> EndpointOut:
    return _endpoint(call, queries.endpoint(call.session, call.actor, endpoint_id))


@routes.patch("/webhook-endpoints/{endpoint_id}", Permission.WEBHOOKS_MANAGE)
def edit_endpoint(call: Call, endpoint_id: Id, body: EndpointPatch) -> EndpointOut:
    """Change an endpoint, switch it off, or on again after it was disabled."""
    row = queries.endpoint(call.session, call.actor, endpoint_id, to_change=True)
    call.if_match(row.version)
    endpoints.edit(call.session, call.actor, row, body.model_dump(exclude_unset=True))
    return _endpoint(call, row)


@routes.delete("/webhook-endpoints/{endpoint_id}", Permission.WEBHOOKS_MANAGE)
def delete_endpoint(call: Call, endpoint_id: Id) -> None:
    """Take an endpoint away; what was pending is cancelled."""
    row = queries.endpoint(call.session, call.actor, endpoint_id, to_change=True)
    call.if_match(row.version)
    endpoints.delete(call.session, call.actor, row)


@routes.post("/webhook-endpoints/{endpoint_id}/rotate-secret", Permission.WEBHOOKS_MANAGE, status=200, idempotent=False)
def rotate_secret(call: Call, endpoint_id: Id, body: RotationIn) -> SecretOut:
    """Make a new secret, shown this once. Until the overlap ends both sign."""
    row = queries.endpoint(call.session, call.actor, endpoint_id, to_change=True)
    call.if_match(row.version)
    secret = endpoints.rotate(call.session, call.actor, row, body.overlap_hours)
    return SecretOut(secret=secret, previous_until=row.previous_until)


@routes.post("/webhook-endpoints/{endpoint_id}/test", Permission.WEBHOOKS_MANAGE)
def test_endpoint(call: Call, endpoint_id: Id) -> DeliveryOut:
    """Send a `ping`. It leaves within seconds; its delivery tells what came back."""
    row = queries.endpoint(call.session, call.actor, endpoint_id, to_change=True)
    return _delivery(replaying.ping(call.session, call.actor, row))


# --- deliveries ----------------------------------------------------------------------------------------------------


def _delivery(row: WebhookDelivery) -> DeliveryOut:
    fields = {name: getattr(row, name) for name in DeliveryOut.model_fields if name not in ("error", "next_attempt_at")}
    pending = row.status == DeliveryStatus.PENDING
    return DeliveryOut(**fields, error=row.last_error, next_attempt_at=row.next_attempt_at if pending else None)


@routes.get("/webhook-endpoints/{endpoint_id}/deliveries", Permission.WEBHOOKS_MANAGE)
def deliveries(
    call: Call,
    endpoint_id: Id,
    status: DeliveryStatus | None = None,
    event_id: EventId = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[DeliveryOut]:
    """What was sent, newest first, with the answer to the last attempt."""
    start = position(after, int)
    rows = queries.deliveries(
        call.session,
        queries.endpoint(call.session, call.actor, endpoint_id),
        status=status,
        event_id=event_id,
        before=start[0] if start else None,
        limit=limit + 1,
    )
    return page(rows, limit, _delivery, lambda row: [row.id])


@routes.get("/webhook-deliveries/{delivery_id}", Permission.WEBHOOKS_MANAGE)
def delivery(call: Call, delivery_id: Id) -> DeliveryOut:
    return _delivery(queries.delivery(call.session, call.actor, delivery_id))


@routes.post("/webhook-deliveries/{delivery_id}/replay", Permission.WEBHOOKS_MANAGE)
def replay_delivery(call: Call, delivery_id: Id) -> DeliveryOut:
    """Send an event once more: a new delivery id, the same event id."""
    before = queries.delivery(call.session, call.actor, delivery_id)
    row = queries.endpoint(call.session, call.actor, before.endpoint_id, to_change=True)
    return _delivery(replaying.replay(call.session, call.actor, row, before))


@routes.post("/webhook-endpoints/{endpoint_id}/replay", Permission.WEBHOOKS_MANAGE)
def replay_period(call: Call, endpoint_id: Id, body: ReplayIn) -> ReplayOut:
    """Send what happened in a period once more, such as after an outage of the own system."""
    row = queries.endpoint(call.session, call.actor, endpoint_id, to_change=True)
    return ReplayOut(deliveries=replaying.replay_period(call.session, call.actor, row, body))
