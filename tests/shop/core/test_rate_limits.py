"""Whoever asks too often hears for how long to wait."""

import pytest

from shop.core import rate_limits
from shop.core.errors import TooMany


def test_the_wait_is_what_is_left_of_the_minute(api):
    limiter = rate_limits._limiter()
    for _ in range(3):
        rate_limits.spend("try", "somebody", 3)
    with pytest.raises(TooMany) as refused:
        rate_limits.spend("try", "somebody", 3)
    assert 55 < refused.value.retry_after <= 60
    counts = limiter.storage.storage
    for key in counts.keys("*somebody*"):  # as if 25 seconds had gone by
        counts.pexpire(key, counts.pttl(key) - 25_000)
    with pytest.raises(TooMany) as refused:
        rate_limits.spend("try", "somebody", 3)
    assert 30 < refused.value.retry_after <= 35
    rate_limits.spend("try", "somebody else", 3)
