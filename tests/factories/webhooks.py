"""Endpoints of systems that are called about changes."""

from sqlmodel import Session

from shop.core import clock
from shop.identity.models import Organisation
from shop.webhooks.models import WebhookEndpoint


def make_endpoint(session: Session, organisation: Organisation, *types: str, status: str = "enabled") -> WebhookEndpoint:
    """An endpoint of an organisation, for some types of changes or for all; nobody answers there."""
    endpoint = WebhookEndpoint(
        organisation_id=organisation.id,
        url="https://erp.example.org/hooks",
        types=list(types or ["*"]),
        status=status,
        disabled_reason="owner" if status == "disabled" else None,
        secret=b"",
        created_at=clock.now(),
    )
    session.add(endpoint)
    session.flush()
    return endpoint
