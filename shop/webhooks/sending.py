"""The sending of what is due.

A sender claims one delivery (attempt counted, lease and slot taken, committed), makes the call outside any transaction, and writes the result.
Killed in between, the delivery is due again after the lease: it may arrive twice, under the same event id, but is never lost.
"""

import hashlib
import json
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import Row, text
from sqlmodel import Session

from shop.core import clock, outward, sealing
from shop.core.db import Database
from shop.core.settings import settings
from shop.webhooks import rules
from shop.webhooks.actions.endpoints import disable
from shop.webhooks.states import DisabledReason

log = structlog.get_logger()

#: How long a claimed delivery is left to its sender; far longer than a call may take.
LEASE = timedelta(seconds=60)
#: After so many seconds a round ends, so that it does not keep a worker from other work.
ROUND_SECONDS = 20
SENDERS = 6
#: How long a sender with nothing to do waits while others are still at it.
IDLE_SECONDS = 0.1
KEPT_TEXT_BYTES = 1024

#: The endpoint whose turn it is: something due, a slot free, not resting. Held, so that the second statement counts its slots alone.
_TURN = text(
    """
    SELECT e.id FROM webhook_endpoint e
    WHERE e.status = 'enabled' AND (e.rest_until IS NULL OR e.rest_until <= :now)
      AND EXISTS (SELECT FROM webhook_delivery d WHERE d.endpoint_id = e.id AND d.status = 'pending' AND d.next_attempt_at <= :now)
      AND (SELECT count(*) FROM webhook_delivery d WHERE d.endpoint_id = e.id AND d.slot IS NOT NULL AND d.next_attempt_at > :now) < :slots
    ORDER BY e.claimed_at NULLS FIRST, e.id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
    """
)
#: Slots of senders that were killed.
_FREE = text("UPDATE webhook_delivery SET slot = NULL WHERE endpoint_id = :id AND slot IS NOT NULL AND next_attempt_at <= :now")
_CLAIM = text(
    """
    WITH free AS (
        SELECT min(slot) AS slot FROM generate_series(1, :slots) slot
        WHERE NOT EXISTS (SELECT FROM webhook_delivery d WHERE d.endpoint_id = :id AND d.slot = slot.slot)),
    due AS (
        SELECT id FROM webhook_delivery WHERE endpoint_id = :id AND status = 'pending' AND next_attempt_at <= :now
        ORDER BY next_attempt_at, id LIMIT 1),
    claimed AS (
        UPDATE webhook_delivery d SET attempts = attempts + 1, next_attempt_at = :lease_ends, slot = free.slot, attempted_at = :now
        FROM due, free WHERE d.id = due.id AND free.slot IS NOT NULL RETURNING d.*),
    turned AS (UPDATE webhook_endpoint SET claimed_at = :now WHERE id = :id AND EXISTS (SELECT FROM claimed))
    SELECT c.id, c.endpoint_id, c.event_id, c.type, c.event_at, c.attempts, c.created_at, e.url, e.secret,
           CASE WHEN e.previous_until > :now THEN e.previous_secret END AS previous_secret,
           coalesce(ch.subject_type, 'webhook_endpoint') AS subject_type, coalesce(ch.subject_id, c.endpoint_id) AS subject_id
    FROM claimed c JOIN webhook_endpoint e ON e.id = c.endpoint_id LEFT JOIN change ch ON ch.id = c.change_id
    """
)
#: What got through is delivered, whatever another sender has written meanwhile. A failure counts only if nobody has claimed it since.
_SETTLE = text(
    """
    UPDATE webhook_delivery SET status = :status, slot = NULL, next_attempt_at = :next,
           finished_at = CASE WHEN :status <> 'pending' THEN CAST(:now AS timestamptz) END, duration_ms = :duration_ms,
           request_headers = CAST(:headers AS jsonb), body_sha256 = :digest, response_status = :response_status,
           response_text = :response_text, last_error = :error
    WHERE id = :id AND CASE WHEN :status = 'delivered' THEN status <> 'delivered' ELSE status = 'pending' AND attempts = :attempts END
    """
)
_WELL = text("UPDATE webhook_endpoint SET failures = 0, failing_since = NULL, rest_until = NULL WHERE id = :id AND failures > 0")
_FAILED = text(
    "UPDATE webhook_endpoint SET failures = failures + 1, failing_since = coalesce(failing_since, :now) WHERE id = :id"
    " RETURNING failures, failing_since"
)
#: A call that was in flight beside one whose answer asked for a longer rest does not shorten it.
_REST = text("UPDATE webhook_endpoint SET rest_until = greatest(rest_until, :until) WHERE id = :id")


@dataclass(frozen=True)
class Outcome:
    """What came of one attempt."""

    headers: dict[str, str]
    digest: str
    duration_ms: int
    status: int | None = None
    text: str | None = None
    error: str | None = None
    retry_after: str | None = None

    @property
    def delivered(self) -> bool:
        return self.error is None


def send_due(database: Database, seconds: float = ROUND_SECONDS, senders: int = SENDERS) -> int:
    """Send what is due, for some seconds; returns how many got through. Any number of rounds may run at once.

    A slow endpoint takes no more than its slots; the other senders go on, and take what becomes due while they wait for it.
    """
    first = claim(database)
    if first is None:
        return 0
    round_ = _Round(database, time.monotonic() + seconds)
    with ThreadPoolExecutor(senders, thread_name_prefix="webhook") as pool:
        return sum(pool.map(round_.send, [first, *[None] * (senders - 1)]))


class _Round:
    def __init__(self, database: Database, ends: float) -> None:
        self._database = database
        self._ends = ends
        self._busy = 0
        self._counting = threading.Lock()

    def send(self, claimed: Row[Any] | None) -> int:
        """One sender: calls what is claimed, then claims and calls until nothing is due and nobody else is busy, or the round ends."""
        sent, idle = 0, 0
        while time.monotonic() < self._ends:
            with self._counting:
                self._busy += 1
            try:
                mine, claimed = claimed or claim(self._database), None
                if mine is not None:
                    sent, idle = sent + deliver(self._database, mine), 0
                    continue
            except Exception as error:  # of one delivery; it is due again after its lease
                log.error("webhook_failed", exc_info=error)
            finally:
                with self._counting:
                    self._busy -= 1
            if idle and not self._busy:
                break
            idle += 1
            time.sleep(IDLE_SECONDS)
        return sent


def claim(database: Database) -> Row[Any] | None:
    """Take the delivery that is due for the longest time of the endpoint whose turn it is, for one lease; None when none is due."""
    with database.unit_of_work() as session:
        now = clock.now()
        values = {"now": now, "slots": rules.SLOTS, "lease_ends": now + LEASE}
        endpoint_id = session.execute(_TURN, values).scalar()
        if endpoint_id is None:
            return None
        values["id"] = endpoint_id
        session.execute(_FREE, values)
        return session.execute(_CLAIM, values).first()


def deliver(database: Database, claimed: Row[Any]) -> bool:
    """Make the call that was claimed and write down what came of it; returns whether it got through."""
    outcome = _call(claimed)
    with database.unit_of_work() as session:
        if outcome.delivered:
            session.execute(_WELL, {"id": claimed.endpoint_id})
            _settle(session, claimed, outcome, "delivered")
        else:
            _not_delivered(session, claimed, outcome)
    log.info("webhook", endpoint=claimed.endpoint_id, delivery=claimed.id, status=outcome.status, ms=outcome.duration_ms)
    return outcome.delivered


def _call(claimed: Row[Any]) -> Outcome:
    content = rules.body(
        claimed.event_id, claimed.type, claimed.event_at, claimed.subject_type, claimed.subject_id, settings().public_url
    )
    timestamp = int(clock.now().timestamp())
    headers = {
        "content-type": "application/json",
        "user-agent": "shop-webhooks/1",
        "webhook-id": claimed.event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-delivery-id": str(claimed.id),
    }
    digest, began = hashlib.sha256(content).hexdigest(), time.monotonic()

    def outcome(**came: Any) -> Outcome:
        return Outcome(headers=headers, digest=digest, duration_ms=round((time.monotonic() - began) * 1000), **came)

    try:
        sealed = [claimed.secret, *([claimed.previous_secret] if claimed.previous_secret else [])]
        secrets = [str(sealing.unseal(each)["secret"]) for each in sealed]
        headers["webhook-signature"] = rules.signature(secrets, claimed.event_id, timestamp, content)
        answer = outward.post(claimed.url, headers, content)
    except (outward.Refused, outward.Unreachable) as error:
        return outcome(error=f"{type(error).__name__.lower()}: {error}")
    except sealing.Unreadable:
        return outcome(error="the secret cannot be read any more; rotate it")
    kept = answer.body[:KEPT_TEXT_BYTES].decode("utf-8", "replace").replace("\x00", "�")
    wrong = None if 200 <= answer.status < 300 else f"answered {answer.status}"
    return outcome(status=answer.status, text=kept, error=wrong, retry_after=answer.retry_after)


def _not_delivered(session: Session, claimed: Row[Any], outcome: Outcome) -> None:
    now = clock.now()
    failed = session.execute(_FAILED, {"id": claimed.endpoint_id, "now": now}).one()
    asked = rules.asked_to_wait(outcome.retry_after, now)
    session.execute(_REST, {"id": claimed.endpoint_id, "until": now + max(asked, rules.rest_after(failed.failures))})
    gone = outcome.status == 410
    given_up = gone or now - claimed.created_at >= rules.GIVE_UP
    _settle(session, claimed, outcome, "failed" if given_up else "pending", asked)
    if gone:
        disable(session, claimed.endpoint_id, DisabledReason.GONE)
    elif rules.is_hopeless(failed.failures, failed.failing_since, now):
        disable(session, claimed.endpoint_id, DisabledReason.FAILING)


def _settle(session: Session, claimed: Row[Any], outcome: Outcome, status: str, asked: timedelta = timedelta(0)) -> None:
    # S311: it spreads retries and hides nothing
    wait = max(rules.wait_before_retry(claimed.attempts, random.random()), asked)  # noqa: S311
    now = clock.now()
    session.execute(
        _SETTLE,
        {
            "id": claimed.id,
            "attempts": claimed.attempts,
            "status": status,
            "now": now,
            "next": now + wait,
            "duration_ms": outcome.duration_ms,
            "headers": json.dumps(outcome.headers),
            "digest": outcome.digest,
            "response_status": outcome.status,
            "response_text": outcome.text,
            "error": outcome.error and outcome.error[:500],
        },
    )
