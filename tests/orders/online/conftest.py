from collections.abc import Iterator

import pytest

from orders.online import provider
from shop.core.settings import settings
from tests.factories.online import Online, make_online
from tests.stripe_twin.fixture import Twin, twin, twin_process

__all__ = ["twin", "twin_process"]

SECRET = "whsec_for_tests"


@pytest.fixture
def switched_on(monkeypatch: pytest.MonkeyPatch, cluster: object, twin: Twin) -> Iterator[None]:
    monkeypatch.setenv("SHOP_STRIPE_KEY", twin.key)
    monkeypatch.setenv("SHOP_STRIPE_BASE", twin.url)
    monkeypatch.setenv("SHOP_STRIPE_WEBHOOK_SECRETS", SECRET)
    settings.cache_clear()
    provider.provider.cache_clear()
    yield
    monkeypatch.undo()
    settings.cache_clear()
    provider.provider.cache_clear()


@pytest.fixture
def online(switched_on: None, api, database, twin: Twin) -> Online:
    return make_online(api, database, twin)
