"""Rate limits, counted in Redis. Without Redis they let pass: a counter that is down must not close the shop."""

import time
from functools import lru_cache
from math import ceil

import structlog
from limits import RateLimitItemPerMinute
from limits.storage import Storage, storage_from_string
from limits.strategies import SlidingWindowCounterRateLimiter

from shop.core.errors import TooMany
from shop.core.settings import settings

log = structlog.get_logger()


@lru_cache
def _limiter() -> SlidingWindowCounterRateLimiter | None:
    if not (url := settings().redis_url):
        return None
    options = {"socket_timeout": 0.5, "socket_connect_timeout": 0.5}
    address = url.replace("unix://", "redis+unix://", 1)
    storage: Storage = storage_from_string(address, **options)  # type: ignore[assignment]
    return SlidingWindowCounterRateLimiter(storage)


def spend(what: str, who: str, per_minute: int) -> None:
    """Count one use of ``what`` by ``who``.

    Raises:
        TooMany: more than ``per_minute`` within a minute (429; Retry-After: until one more is let pass).
    """
    limiter = _limiter()
    if limiter is None:
        return
    limit = RateLimitItemPerMinute(per_minute)
    try:
        allowed = limiter.hit(limit, what, who)
        free_at = 0.0 if allowed else limiter.get_window_stats(limit, what, who).reset_time
    except Exception as error:  # any fault of the counter, whatever its class
        log.warning("rate_limit_unavailable", error=type(error).__name__)
        return
    if not allowed:
        raise TooMany(retry_after=max(1, ceil(free_at - time.time())))


def forget_all() -> None:
    """Reset every count (tests)."""
    if (limiter := _limiter()) is not None:
        limiter.storage.reset()
