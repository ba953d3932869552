"""What tests of orders share."""

from datetime import UTC, datetime

import pytest

from shop.core import clock


@pytest.fixture
def on():
    """Hold the clock at a day."""
    held = []

    def hold(*day):
        moment = clock.fixed(datetime(*day, 4, tzinfo=UTC))
        moment.__enter__()
        held.append(moment)

    yield hold
    while held:
        held.pop().__exit__(None, None, None)
