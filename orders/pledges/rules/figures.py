"""The figures of a pledge. Amounts in fen."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from shop.core.money import yuan_from_fen

#: A pledge of which less than this was accepted is told of when it ends soon.
BEHIND_BP = 8_000
#: So many days before its end.
REMIND_DAYS = 30


def percent(part: int, whole: int) -> str:
    """How much of the whole a part is, in per cent with two places, rounded down: 99.996 % is not yet all of it."""
    return yuan_from_fen(part * 10_000 // whole)


def per_head(amount_fen: int, heads: int) -> int | None:
    """What falls to a head, rounded up to the fen, so that a cap is not kept by rounding; None: there are no heads."""
    return -(-amount_fen // heads) if heads else None


def is_behind(accepted_fen: int, pledged_fen: int) -> bool:
    return accepted_fen * 10_000 < BEHIND_BP * pledged_fen


def gone(proved: Iterable[Mapping[str, Any]], accepted_now: Mapping[str, int]) -> int:
    """How much of what was proved of each order (``number``, ``accepted_fen``) the order does not hold or count for any more; what other orders
    have more of does not make up for it."""
    return sum(max(0, each["accepted_fen"] - accepted_now.get(each["number"], 0)) for each in proved)


def fingerprint(snapshot: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical JSON: sorted keys, no spaces, UTF-8."""
    canonical = json.dumps(snapshot, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
