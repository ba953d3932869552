import pytest

from tests.factories.settling import make_settling


@pytest.fixture
def scene(api, database, monkeypatch):
    return make_settling(api, database, monkeypatch)
