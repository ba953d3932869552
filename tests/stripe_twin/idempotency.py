"""Idempotency keys, as Stripe documents them: https://docs.stripe.com/api/idempotent_requests.

A key belongs to the account, not to an endpoint. The first answer is kept, errors 500 included, once the endpoint had begun its work.
"""

import json
from dataclasses import dataclass
from typing import Any

from tests.stripe_twin.clock import DAY, Clock
from tests.stripe_twin.errors import IDEMPOTENCY, StripeError, invalid

LONGEST = 255
KEPT_FOR = DAY


@dataclass
class Kept:
    """What became of the first request with a key; ``status`` is None while it runs."""

    path: str
    parameters: str
    request_id: str
    begun: float
    status: int | None = None
    body: bytes = b""


class Keys:
    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.kept: dict[tuple[str, str], Kept] = {}

    def begin(self, account: str, key: str, path: str, parameters: dict[str, Any], request_id: str) -> Kept | None:
        """The kept answer of an earlier request with this key; None if this is the first one, which now runs.

        Raises:
            StripeError: the key is too long, was used for something else (400), or its first request still runs (409).
        """
        if len(key) > LONGEST:
            raise invalid(f"Idempotency-Key must be at most {LONGEST} characters, not {len(key)}.")
        now = self.clock.now()
        written = json.dumps(parameters, sort_keys=True)
        earlier = self.kept.get((account, key))
        if earlier and now - earlier.begun >= KEPT_FOR:
            earlier = None
        if earlier is None:
            self.kept[account, key] = Kept(path, written, request_id, now)
            return None
        if earlier.path != path:
            raise StripeError(
                f"Keys for idempotent requests can only be used for the same endpoint they were first used for ('{earlier.path}' vs"
                f" '{path}'). Try using a key other than '{key}' if you meant to execute a different request.",
                kind=IDEMPOTENCY,
                began=False,
            )
        if earlier.parameters != written:
            raise StripeError(
                "Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key"
                f" other than '{key}' if you meant to execute a different request.",
                kind=IDEMPOTENCY,
                began=False,
            )
        if earlier.status is None:
            raise in_use(key)
        return earlier

    def keep(self, account: str, key: str, status: int, body: bytes) -> None:
        kept = self.kept[account, key]
        kept.status, kept.body = status, body

    def release(self, account: str, key: str) -> None:
        """The request never began: the key is as if it had not been sent."""
        self.kept.pop((account, key), None)


def in_use(key: str) -> StripeError:
    return StripeError(
        f"There is currently another in-progress request using this Idempotency-Key ({key}). Please try again later.",
        status=409,
        kind=IDEMPOTENCY,
        code="idempotency_key_in_use",
        began=False,
        headers={"Stripe-Should-Retry": "true"},
    )
