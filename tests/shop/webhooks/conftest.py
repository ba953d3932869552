import itertools
from datetime import timedelta

import pytest
from sqlalchemy import text

from shop.core import clock, outbox
from shop.core.settings import settings
from shop.webhooks import sending
from shop.webhooks.actions import feed
from tests.factories.identity import make_organisation, make_user
from tests.factories.receiver import receiver


@pytest.fixture
def open_network(monkeypatch):
    """As on the machine of a developer: webhooks may reach this very machine."""
    monkeypatch.setattr(settings(), "webhook_allow_private", True)


@pytest.fixture
def system():
    with receiver() as state:
        yield state


def later(**time):
    return clock.fixed(clock.now() + timedelta(**time))


class Customer:
    """A school with its administrator, and what happens to it."""

    _numbers = itertools.count(1)

    def __init__(self, api, database):
        self.database = database
        with database.unit_of_work() as session:
            self.school = make_organisation(session, kind="school")
            self.user = make_user(session, "buyer_admin", self.school)
        self.admin = api.as_(self.user)
        with database.unit_of_work() as session:  # signed in for as long as the clock is moved
            session.execute(text("UPDATE token SET expires_at = '2100-01-01'"))

    def happen(self, count=1, kind="supplier_order.confirmed", organisation=None, in_order=True):
        """Changes of the feed, as the handlers of events write them."""
        with self.database.unit_of_work() as session:
            for _ in range(count):
                self.record(session, next(self._numbers), kind, organisation or self.school)
        if in_order:
            self.put_in_order()

    def record(self, session, number, kind, *organisations):
        outbox.publish(session, kind, number=number)
        event = session.execute(text("SELECT lastval()")).scalar_one()
        session.info["outbox_event"] = event
        feed.record(session, kind, [feed.Concerned(each.id, kind.partition(".")[0], number) for each in organisations])
        return event

    def put_in_order(self):
        with self.database.unit_of_work() as session:
            return feed.put_in_order(session)

    def endpoint(self, url, **fields):
        made = self.admin.post("/v1/webhook-endpoints", json={"url": url, **fields})
        assert made.status_code == 201, made.text
        return made.json()

    def deliveries(self, endpoint, **filters):
        answer = self.admin.get(f"/v1/webhook-endpoints/{endpoint['id']}/deliveries", params=filters)
        assert answer.status_code == 200, answer.text
        return answer.json()["items"][::-1]

    def send(self, seconds=5.0):
        return sending.send_due(self.database, seconds)


@pytest.fixture
def customer(api, database):
    return Customer(api, database)
