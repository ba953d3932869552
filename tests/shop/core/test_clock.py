"""Moments as people in Shanghai read them."""

from datetime import UTC, datetime

from shop.core import clock


def test_a_moment_is_written_as_clocks_in_shanghai_show_it():
    moment = datetime(2026, 11, 30, 17, 5, 9, 999_999, tzinfo=UTC)
    assert clock.shanghai_text(moment) == "2026-12-01 01:05:09"
    assert clock.shanghai_text(moment, "minutes") == "2026-12-01 01:05"
