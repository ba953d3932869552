import pytest

from shop.core.settings import settings
from shop.identity.permissions import Role
from tests.databases import begin_with
from tests.factories.identity import make_user
from tests.factories.ledger import make_trade, sell
from tests.orders.exporting.shop import FIRST, LAST


@pytest.fixture(autouse=True)
def files(tmp_path, monkeypatch):
    """A file store of the test's own."""
    from shop.core import storage

    monkeypatch.setenv("SHOP_FILES_URL", f"file://{tmp_path}")
    settings.cache_clear()
    storage.store.cache_clear()
    yield tmp_path
    monkeypatch.undo()
    settings.cache_clear()
    storage.store.cache_clear()


@pytest.fixture
def trade(database):
    """Some eighty orders of five buyers and six suppliers, booked and summed up."""
    return begin_with(database, "exporting", lambda: _sold(database))


def _sold(database):
    with database.unit_of_work() as session:
        made = make_trade(session)
        sell(session, made, 80, first=FIRST, last=LAST)
        return made


@pytest.fixture
def monitor(api, trade):
    with api.database.unit_of_work() as session:
        user = make_user(session, Role.MONITOR)
        user.email = "monitor@example.org"
        session.add(user)
    return api.as_(user)
