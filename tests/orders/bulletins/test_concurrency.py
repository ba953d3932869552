"""Several at once: a month is closed once, numbers have no gap; and the proof that the guards are what does it."""

import threading

import pytest
from sqlalchemy import text

from orders.bulletins.actions import closing, publishing
from tests.factories.racing import at_once, post_at_once, sessions
from tests.orders.bulletins.conftest import REASON

AT_ONCE = 6


def close_all(scene):
    """Everybody closes September for the city in the same moment."""
    if scene.read_close()["standing"]:
        scene.explain("reports_missing")
    body = {"without": scene.lacking(), "reason": REASON}
    people = sessions(scene.api, scene.database, scene.users["city"], AT_ONCE)
    return sorted(answer.status_code for answer in post_at_once(people, scene.close_path("/close"), body))


def test_of_many_who_close_a_month_one_does(scene):
    assert close_all(scene) == [201] + [409] * (AT_ONCE - 1)
    assert scene.sum("SELECT count(*) FROM month_close WHERE region_code = '500000'") == 1
    assert scene.sum("SELECT count(*) FROM closed_month WHERE month = '2026-09-01'") == 1
    assert scene.sum("SELECT count(*) FROM outbox_event WHERE name = 'month.closed'") == 1


@pytest.mark.control
def test_without_the_guards_several_do(scene, monkeypatch):
    """The control: when this fails, the test above proves nothing."""
    with scene.database.unit_of_work() as session:
        session.execute(text("ALTER TABLE month_close DROP CONSTRAINT pk_month_close"))
        session.execute(text("ALTER TABLE closed_month DROP CONSTRAINT pk_closed_month"))
    together = threading.Barrier(AT_ONCE)
    seen = closing.checklists.closed

    def late(session, first):
        found = seen(session, first)
        if closing_now.is_set():
            together.wait(20)
        return found

    closing_now = threading.Event()
    monkeypatch.setattr(closing, "_hold", lambda session, month: None)
    monkeypatch.setattr(closing, "_in_order", lambda *_: None)
    scene.explain("reports_missing")
    scene.lacking()
    monkeypatch.setattr(closing.checklists, "closed", late)
    body = {"without": scene.lacking(), "reason": REASON}
    people = sessions(scene.api, scene.database, scene.users["city"], AT_ONCE)
    closing_now.set()
    monkeypatch.setattr("orders.bulletins.api.closes._close", lambda call, month, region: _nothing(month))
    answers = post_at_once(people, scene.close_path("/close"), body)
    assert [answer.status_code for answer in answers].count(201) > 1
    assert scene.sum("SELECT count(*) FROM month_close WHERE region_code = '500000'") > 1


def _nothing(month):
    from orders.bulletins.schemas.closing import CloseOut

    return CloseOut(
        month=month,
        region="500000",
        closed_at=None,
        closed_with=None,
        closed_by=None,
        reason=None,
        without=[],
        items=[],
        standing=[],
        counties=[],
    )


@pytest.fixture
def drafts(scene, on):
    """Drafts of three months that are closed."""
    found = []
    for day, month in (((2026, 10, 6), "2026-09"), ((2026, 11, 6), "2026-10"), ((2026, 12, 6), "2026-11")):
        on(*day)
        with scene.database.unit_of_work() as session:
            scene.compare(session)
        assert scene.close_city(month=month).status_code == 201
        found.append(scene.draft(month=month).json())
    return found


def publish_all(scene, drafts):
    people = sessions(scene.api, scene.database, scene.users["second"], len(drafts))
    calls = [
        lambda client=client, each=each: client.post(f"/v1/bulletins/{each['id']}/publish", json={"sha256": each["sha256"]})
        for client, each in zip(people, drafts, strict=True)
    ]
    return at_once(calls)


@pytest.mark.slow
def test_bulletins_published_at_once_have_numbers_without_a_gap(scene, drafts):
    answers = publish_all(scene, drafts)
    assert sorted(answer.json()["number"] for answer in answers) == ["2026-01", "2026-02", "2026-03"]


@pytest.mark.control
def test_numbers_that_are_only_looked_up_are_given_twice(scene, drafts, monkeypatch):
    """The control: without the locked series two bulletins get one number."""
    together = threading.Barrier(len(drafts))

    def looked_up(session, series):
        found = session.execute(text("SELECT coalesce(max(number), 0) + 1 FROM bulletin")).scalar_one()
        together.wait(20)
        return found

    with scene.database.unit_of_work() as session:
        session.execute(text("ALTER TABLE bulletin DROP CONSTRAINT uq_bulletin_year_number_edition"))
    monkeypatch.setattr(publishing.numbers, "next_number", looked_up)
    answers = publish_all(scene, drafts)
    assert {answer.json()["number"] for answer in answers} == {"2026-01"}


def test_one_bulletin_published_at_once_is_published_once(scene, drafts):
    people = sessions(scene.api, scene.database, scene.users["second"], AT_ONCE)
    path, body = f"/v1/bulletins/{drafts[0]['id']}/publish", {"sha256": drafts[0]["sha256"]}
    assert sorted(answer.status_code for answer in post_at_once(people, path, body)) == [200] + [409] * (AT_ONCE - 1)
    assert scene.sum("SELECT count(*) FROM bulletin_file") == 3


@pytest.mark.slow
def test_of_drafts_begun_at_once_one_is_kept(scene):
    scene.close_city()
    people = sessions(scene.api, scene.database, scene.users["city"], AT_ONCE)
    answers = post_at_once(people, "/v1/bulletins", {"month": "2026-09"})
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * (AT_ONCE - 1)
