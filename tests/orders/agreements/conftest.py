import pytest

from tests.orders.agreements.scene import Scene


@pytest.fixture
def scene(api, database):
    return Scene(api, database)
