import pytest

from tests.factories.pledges import make_scene


@pytest.fixture
def scene(api, database):
    return make_scene(api, database)


@pytest.fixture
def code():
    """Status and code of an answer."""
    return lambda answer: (answer.status_code, answer.json().get("code"))
