"""Several at once: a campaign is published once, ended once, and no draft is written over another; and the proof that the lock is what does it."""

import threading
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from orders.promotions import queries
from shop.core import clock
from shop.identity.permissions import Role
from tests.factories.identity import make_user
from tests.factories.racing import at_once, post_at_once, sessions
from tests.orders.promotions.test_promotions import COUNTY, body, draft, goods  # noqa: F401  # a fixture

AT_ONCE = 6


@pytest.fixture(autouse=True)
def _today():
    with clock.fixed(datetime(2026, 6, 14, 4, tzinfo=UTC)):
        yield


@pytest.fixture
def people(api, database):
    with database.unit_of_work() as session:
        officer = make_user(session, Role.COUNTY_OFFICER, region_code=COUNTY)
    return sessions(api, database, officer, AT_ONCE)


@pytest.fixture
def path(people, goods):  # noqa: F811
    return f"/v1/promotions/{draft(people[0], goods)['id']}"


@pytest.fixture
def unlocked(monkeypatch):
    """Takes the lock away: everybody reads before anybody writes, and nobody waits."""
    together = threading.Barrier(AT_ONCE)

    def read(session, actor, promotion_id):
        row = session.execute(text("SELECT * FROM promotion WHERE id = :id"), {"id": promotion_id}).one()
        together.wait(20)
        return row

    return lambda: monkeypatch.setattr(queries, "locked", read)


def events(database, name):
    with database.unit_of_work() as session:
        return session.execute(text("SELECT count(*) FROM outbox_event WHERE name = :name"), {"name": name}).scalar_one()


def statuses(answers):
    return sorted(answer.status_code for answer in answers)


def test_a_campaign_is_published_once_however_many_do(people, database, path):
    assert statuses(post_at_once(people, f"{path}/publish")) == [200] + [409] * (AT_ONCE - 1)
    assert events(database, "promotion.published") == 1


@pytest.mark.control
def test_without_the_lock_a_campaign_is_published_by_several(people, database, path, unlocked):
    """The control: when this fails, the test above proves nothing."""
    unlocked()
    assert statuses(post_at_once(people, f"{path}/publish")) == [200] * AT_ONCE
    assert events(database, "promotion.published") == AT_ONCE


def test_a_campaign_is_ended_once_however_many_do(people, database, path):
    assert people[0].post(f"{path}/publish").status_code == 200
    assert statuses(post_at_once(people, f"{path}/end", {"reason": "货已售罄"})) == [200] + [409] * (AT_ONCE - 1)
    assert events(database, "promotion.stopped") == 1


@pytest.mark.control
def test_without_the_lock_a_campaign_is_ended_by_several(people, database, path, unlocked):
    """The control of the test above."""
    assert people[0].post(f"{path}/publish").status_code == 200
    unlocked()
    assert statuses(post_at_once(people, f"{path}/end", {"reason": "货已售罄"})) == [200] * AT_ONCE
    assert events(database, "promotion.stopped") == AT_ONCE


def write_all(people, path, goods):  # noqa: F811
    """Everybody read the draft, and writes it anew."""
    drafts = [body(goods, name=f"脐橙节{number}") for number in range(AT_ONCE)]
    calls = [
        lambda client=client, each=each: client.put(path, json=each, headers={"If-Match": '"1"'})
        for client, each in zip(people, drafts, strict=True)
    ]
    return statuses(at_once(calls))


def test_no_draft_is_written_over_one_that_nobody_read(people, path, goods):  # noqa: F811
    assert write_all(people, path, goods) == [200] + [412] * (AT_ONCE - 1)
    assert people[0].get(path).json()["version"] == 2


@pytest.mark.control
def test_without_the_lock_drafts_are_written_over_one_another(people, path, goods, unlocked, database):  # noqa: F811
    """The control of the test above."""
    with database.unit_of_work() as session:  # what each writes is not what is raced for
        session.execute(text("ALTER TABLE promotion_line DROP CONSTRAINT pk_promotion_line"))
        session.execute(text("ALTER TABLE promotion_outlet DROP CONSTRAINT pk_promotion_outlet"))
    unlocked()
    assert write_all(people, path, goods) == [200] * AT_ONCE
    assert people[0].get(path).json()["version"] == AT_ONCE + 1
