"""The rules of online payments. Pure: no session, clock or settings."""

import hashlib
import hmac
import json
import re
from datetime import timedelta
from typing import Any, NamedTuple

from orders.online.states import DisputeStatus, OnlineStatus

#: An event is believed for so long after, and before, the moment that its signature names.
TOLERANCE_SECONDS = 300
#: The provider forgets an idempotency key after 24 hours; ours are not trusted that long.
KEY_LIVES = timedelta(hours=20)
#: Nobody pays by a code or link of yesterday.
OPEN_FOR = timedelta(hours=24)
MAX_TRIES = 12
MAX_EVENT_BYTES = 256 * 1024
#: The least and the most that the provider takes at once, in fen: amounts have eight digits.
LEAST_FEN, MOST_FEN = 400, 99_999_999


class BadEvent(ValueError):
    """What came is not an event of the provider: no signature of ours, too old, or no JSON. The text says why, and nothing of the content."""


class Event(NamedTuple):
    """What is believed of an event: that something happened to an object. Its state is asked for."""

    event_id: str
    type: str
    object_id: str | None


def read_event(body: bytes, signature: str | None, secrets: list[str], now: float) -> Event:
    """The event that a webhook brings.

    Raises:
        BadEvent: it cannot be believed, or read.
    """
    _verify(body, signature, secrets, now)
    try:
        found = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        raise BadEvent("no JSON") from None
    try:
        event_id, type_ = found["id"], found["type"]
        object_id = found["data"]["object"].get("id")
    except (TypeError, KeyError, AttributeError):
        raise BadEvent("no event") from None
    if not (_is_name(event_id) and _is_name(type_)):
        raise BadEvent("no event")
    return Event(event_id, type_, object_id if _is_name(object_id) else None)


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9_.]{1,255}", value) is not None


def _verify(body: bytes, signature: str | None, secrets: list[str], now: float) -> None:
    if not signature or not signature.isascii() or len(signature) > 4096:
        raise BadEvent("no signature")
    parts = [part.partition("=") for part in signature.split(",")]
    moments = [value for name, _, value in parts if name == "t"]
    if len(moments) != 1 or not re.fullmatch(r"[0-9]{1,12}", moments[0]):
        raise BadEvent("no moment")
    if abs(now - int(moments[0])) > TOLERANCE_SECONDS:
        raise BadEvent("too old, or from the future")
    signed = moments[0].encode() + b"." + body
    wanted = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets]
    given = [value for name, _, value in parts if name == "v1"]
    if not any(hmac.compare_digest(mine, theirs) for mine in wanted for theirs in given):
        raise BadEvent("a signature that is not ours")


#: Events that may say something new of what we keep. All others are noted and nothing more.
_HEARD = ("payment_intent.", "charge.", "refund.", "transfer.", "account.")


def is_heard(type_: str) -> bool:
    return type_.startswith(_HEARD)


def status_of(intent_status: str, method: str, declined: bool) -> OnlineStatus:
    """What a payment's state at the provider means here.

    A card that was declined may be tried again with another one; a wallet's attempt is over with its refusal.
    """
    if intent_status == "requires_payment_method" and declined and method != "card":
        return OnlineStatus.FAILED
    return {
        "succeeded": OnlineStatus.SUCCEEDED,
        "canceled": OnlineStatus.CANCELLED,
        "processing": OnlineStatus.PROCESSING,
        "requires_capture": OnlineStatus.PROCESSING,
    }.get(intent_status, OnlineStatus.REQUIRES_ACTION)


def dispute_status_of(status: str) -> DisputeStatus:
    return {
        "won": DisputeStatus.WON,
        "lost": DisputeStatus.LOST,
        "warning_needs_response": DisputeStatus.INQUIRY,
        "warning_under_review": DisputeStatus.INQUIRY,
        "warning_closed": DisputeStatus.CLOSED,
        "prevented": DisputeStatus.CLOSED,
    }.get(status, DisputeStatus.OPEN)


def key_of(operation: str, reference: str, attempt: int | str) -> str:
    """The idempotency key of an attempt. Keys belong to the whole account at the provider, so each names its operation; it is at most 255
    characters long and holds nothing about people.
    """
    return f"{operation}:{reference}:{attempt}"


def wait_before_retry(tries: int, chance: float, *, awaited: bool) -> timedelta:
    """After one second, then twice as long each time, at most five minutes; ``chance`` from 0 to 1 makes it up to a quarter less or more.

    ``awaited``: the provider could not be asked, or its answer was lost. A payer waits for it, and a look may fail as well: after sixteen seconds
    the waits stay so long for some two minutes, in which nearly all are found out, and only then become longer.
    """
    doubled = min(tries - 1, max(4, tries - 8)) if awaited else tries - 1
    return timedelta(seconds=min(2.0 ** min(doubled, 9), 300) * (0.75 + chance / 2))


def look_again_after(age: timedelta) -> timedelta:
    """How long an open payment of this age is left alone, with no news of it: a tenth of its age, from half a minute to an hour."""
    return min(max(age / 10, timedelta(seconds=30)), timedelta(hours=1))
