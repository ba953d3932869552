"""The provider's events come in: believed for their signature alone, noted once, and never for what they say of an object."""

from sqlalchemy import text
from sqlmodel import Session

from orders.online import rules
from orders.online.actions.asking import look_at
from orders.online.errors import BadWebhook, PaymentOff
from shop.core import clock
from shop.core.settings import settings

_NOTE = text(
    "INSERT INTO provider_event (event_id, type, object_id, received_at) VALUES (:event_id, :type, :object_id, :now)"
    " ON CONFLICT (event_id) DO NOTHING RETURNING event_id"
)


def receive(session: Session, body: bytes, signature: str | None) -> None:
    """Note an event, and have the object that it is about looked at; the same event again is noted already.

    Raises:
        PaymentOff: there is no provider whose events they could be (409).
        BadWebhook: no signature of ours, too old or from the future, or no event (400).
    """
    secrets = settings().stripe_secrets
    if not settings().stripe_key or not secrets:
        raise PaymentOff
    if len(body) > rules.MAX_EVENT_BYTES:
        raise BadWebhook(reason="too large")
    try:
        event = rules.read_event(body, signature, secrets, clock.machine_now().timestamp())
    except rules.BadEvent as error:
        raise BadWebhook(reason=str(error)) from None
    fresh = session.execute(_NOTE, {**event._asdict(), "now": clock.now()}).first()
    if fresh and event.object_id and rules.is_heard(event.type):
        look_at(session, [event.object_id])
