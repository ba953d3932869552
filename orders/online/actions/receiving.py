"""The provider's events come in: believed for their signature alone, noted once, and never for what they say of an object."""

from datetime import timedelta

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


_FORGET = (
    text("DELETE FROM provider_event WHERE received_at < :before"),
    text("DELETE FROM provider_call WHERE operation = 'look' AND status = 'done' AND ended_at < :before"),
)
#: The provider repeats an event for three days.
KEPT = timedelta(days=30)


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


def forget_old(session: Session) -> None:
    """Drop events that will not come again, and looks that were taken. What the provider was asked to do stays."""
    for statement in _FORGET:
        session.execute(statement, {"before": clock.now() - KEPT})
