import pytest

from tests.factories.identity import make_organisation


@pytest.fixture
def organisation(database):
    """An organisation that events can be about."""
    with database.unit_of_work() as session:
        return make_organisation(session)
