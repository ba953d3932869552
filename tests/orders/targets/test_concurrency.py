"""Several at once: values have numbers without a gap, a target is there once, and taken back once; and the proof that the guards are what does it."""

import threading
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from orders.targets import queries
from shop.core import clock
from shop.identity.permissions import Role
from tests.factories.identity import make_user
from tests.factories.racing import at_once, post_at_once, sessions
from tests.orders.targets.test_targets import BODY

AT_ONCE = 6


@pytest.fixture(autouse=True)
def _today():
    with clock.fixed(datetime(2026, 7, 2, 4, tzinfo=UTC)):
        yield


@pytest.fixture
def people(api, database):
    with database.unit_of_work() as session:
        officer = make_user(session, Role.CITY_OFFICER)
    return sessions(api, database, officer, AT_ONCE)


@pytest.fixture
def target(people):
    answer = people[0].post("/v1/targets", json=BODY)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


@pytest.fixture
def _unlocked(monkeypatch):
    """Everybody reads before anybody writes, and nobody waits."""
    together = threading.Barrier(AT_ONCE)

    def read(session, actor, target_id):
        row = session.execute(text("SELECT * FROM target WHERE id = :id"), {"id": target_id}).one()
        together.wait(20)
        return row

    monkeypatch.setattr(queries, "locked", read)


def rows(database, sql, **values):
    with database.unit_of_work() as session:
        return session.execute(text(sql), values).all()


def revise_all(people, target):
    calls = [
        lambda client=client, value=value: client.post(
            f"/v1/targets/{target}/revisions", json={"value": str(value), "reason": "调整"}
        )
        for value, client in enumerate(people, 1)
    ]
    return [answer.status_code for answer in at_once(calls)]


def numbers(database, target):
    found = rows(database, "SELECT number FROM target_revision WHERE target_id = :id ORDER BY number", id=target)
    return [number for (number,) in found]


def test_values_set_at_once_have_numbers_without_a_gap(people, database, target):
    assert revise_all(people, target) == [201] * AT_ONCE
    assert numbers(database, target) == list(range(1, AT_ONCE + 2))
    # the last one holds
    assert rows(database, "SELECT number FROM target WHERE id = :id", id=target) == [(AT_ONCE + 1,)]


@pytest.mark.control
@pytest.mark.usefixtures("_unlocked")
def test_without_the_lock_values_share_a_number(people, database, target):
    """The control: when this fails, the test above proves nothing."""
    with database.unit_of_work() as session:
        session.execute(text("ALTER TABLE target_revision DROP CONSTRAINT uq_target_revision_target_id_number"))
    assert revise_all(people, target) == [201] * AT_ONCE
    assert numbers(database, target) == [1] + [2] * AT_ONCE


def taken_back(database):
    [(events,)] = rows(database, "SELECT count(*) FROM outbox_event WHERE name = 'target.withdrawn'")
    return events


def withdraw_all(people, target):
    answers = post_at_once(people, f"/v1/targets/{target}/withdraw", {"reason": "计划取消"})
    return sorted(answer.status_code for answer in answers)


def test_a_target_is_taken_back_once_however_many_do(people, database, target):
    assert withdraw_all(people, target) == [200] + [409] * (AT_ONCE - 1)
    assert taken_back(database) == 1


@pytest.mark.control
@pytest.mark.usefixtures("_unlocked")
def test_without_the_lock_a_target_is_taken_back_by_several(people, database, target):
    """The control of the test above."""
    assert withdraw_all(people, target) == [200] * AT_ONCE
    assert taken_back(database) == AT_ONCE


def set_all(people, database):
    answers = post_at_once(people, "/v1/targets", BODY)
    [(there,)] = rows(
        database,
        "SELECT count(*) FROM target WHERE code = :code AND region_code = :region_code",
        **{name: BODY[name] for name in ("code", "region_code")},
    )
    return sorted(answer.status_code for answer in answers), there


def test_a_district_has_a_target_once_however_many_set_it(people, database):
    assert set_all(people, database) == ([201] + [409] * (AT_ONCE - 1), 1)


@pytest.mark.control
def test_without_the_unique_key_a_district_has_it_several_times(people, database):
    """The control of the test above."""
    with database.unit_of_work() as session:
        session.execute(text("ALTER TABLE target DROP CONSTRAINT uq_target_programme_code_code_region_code"))
    assert set_all(people, database) == ([201] * AT_ONCE, AT_ONCE)
