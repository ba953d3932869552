"""The public and the county at once: no objection that was taken is passed over; with the proof that the lock is what sees to it."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text
from sqlmodel import col, select

from catalog.certification.actions import reviewing
from catalog.certification.models import CertificationCase
from catalog.objections import actions, rules
from catalog.objections.schemas import ObjectionIn
from catalog.objections.states import ObjectionMove
from shop.core import clock
from shop.core.errors import Problem
from shop.identity import tokens
from tests.catalog.objections.conftest import CONTACT, LAST_DAY, OVER, WORDS
from tests.factories.catalog import PDF
from tests.factories.identity import access_token

BODY = ObjectionIn(**CONTACT, text=WORDS)
#: In this thread it is still the notice's last day; in all others it is over. So it is around midnight.
_still = threading.local()


@pytest.fixture
def midnight(monkeypatch):
    monkeypatch.setattr(clock, "today", lambda: getattr(_still, "day", OVER))


def act(database, what):
    try:
        with database.unit_of_work() as session:
            what(session)
    except Problem as refusal:
        return refusal.code
    return None


def objecting(database, case_id, then=lambda: None):
    _still.day = LAST_DAY
    try:

        def what(session):
            actions.receive(session, case_id, BODY)
            then()

        return act(database, what)
    finally:
        del _still.day


def officer(square, who="county"):
    with square.office.database.unit_of_work() as session:
        return tokens.actor_of(session, token=access_token(session, square.office.users[who]), api_key=None)


def passed_over(database):
    """Objections that wait although their case was passed."""
    with database.unit_of_work() as session:
        return session.execute(
            text(
                "SELECT count(*) FROM objection j JOIN certification_case c ON c.id = j.case_id"
                " WHERE j.status = 'received' AND c.status = 'city_review'"
            )
        ).scalar_one()


def test_an_approval_waits_for_the_objection_that_is_being_taken(square, midnight):
    database, case_id, county = square.office.database, square.notice(), officer(square)
    with ThreadPoolExecutor(2) as pool:
        written, approving = threading.Event(), []

        def then():
            approving.append(pool.submit(act, database, lambda session: reviewing.approve(session, county, case_id)))
            written.set()
            with pytest.raises(TimeoutError):
                approving[0].result(timeout=0.5)

        objection = pool.submit(objecting, database, case_id, then).result(timeout=30)
        assert (objection, approving[0].result(timeout=30)) == (None, "objection_open")
    assert passed_over(database) == 0


def test_an_objection_after_the_approval_is_refused(square, midnight):
    database, case_id, county = square.office.database, square.notice(), officer(square)
    with ThreadPoolExecutor(2) as pool:
        late = []

        def approve(session):
            reviewing.approve(session, county, case_id)
            late.append(pool.submit(objecting, database, case_id))
            with pytest.raises(TimeoutError):
                late[0].result(timeout=0.5)

        assert act(database, approve) is None
        assert late[0].result(timeout=30) == "notice_not_running"
    assert passed_over(database) == 0


@pytest.mark.slow
def test_of_an_objection_and_an_approval_at_once_never_both(square, midnight):
    database, county = square.office.database, officer(square)
    outcomes = set()
    with ThreadPoolExecutor(2) as pool:
        for _ in range(25):
            case_id, start = square.notice(), threading.Barrier(2)

            def together(what, *arguments, start=start):
                start.wait()
                return what(database, *arguments)

            objection = pool.submit(together, objecting, case_id)
            approval = pool.submit(together, act, lambda session, case_id=case_id: reviewing.approve(session, county, case_id))
            outcomes.add((objection.result(30), approval.result(30)))
    assert outcomes <= {(None, "objection_open"), ("notice_not_running", None)}
    assert passed_over(database) == 0


@pytest.mark.control
def test_without_the_lock_an_objection_is_passed_over(square, midnight, monkeypatch):
    """The control: when this fails, the tests above prove nothing."""
    database, case_id, county = square.office.database, square.notice(), officer(square)
    read, approved = threading.Event(), threading.Event()

    def unlocked(session, case_id):
        case = session.exec(select(CertificationCase).where(col(CertificationCase.id) == case_id)).one()
        read.set()
        assert approved.wait(30)
        return case

    monkeypatch.setattr(actions, "noticed", unlocked)
    with ThreadPoolExecutor(1) as pool:
        objection = pool.submit(objecting, database, case_id)
        assert read.wait(30)
        assert act(database, lambda session: reviewing.approve(session, county, case_id)) is None
        approved.set()
        assert objection.result(30) is None
    assert passed_over(database) == 1


def many_at_once(database, case_id, many=8):
    start = threading.Barrier(many)

    def run(_):
        start.wait()
        return act(database, lambda session: actions.receive(session, case_id, BODY))

    with ThreadPoolExecutor(many) as pool:
        return list(pool.map(run, range(many)))


def test_no_more_wait_than_the_limit_however_many_come_at_once(square, monkeypatch):
    monkeypatch.setattr(rules, "MOST_OPEN", 3)
    results = many_at_once(square.office.database, square.notice())
    assert (results.count(None), results.count("too_many_objections")) == (3, 5)


@pytest.mark.control
def test_without_the_lock_the_limit_is_passed(square, monkeypatch):
    """The control."""
    monkeypatch.setattr(rules, "MOST_OPEN", 3)
    counted = threading.Barrier(8)
    sealed = ObjectionIn.sealed

    def unlocked(session, case_id):
        return session.exec(select(CertificationCase).where(col(CertificationCase.id) == case_id)).one()

    def late(body):  # after the count, before the row
        counted.wait(30)
        return sealed(body)

    monkeypatch.setattr(actions, "noticed", unlocked)
    monkeypatch.setattr(ObjectionIn, "sealed", late)
    assert many_at_once(square.office.database, square.notice()).count(None) == 8


def test_of_two_officers_who_decide_at_once_one_wins(square):
    database = square.office.database
    officers = [officer(square, "county"), officer(square, "colleague")]
    for _ in range(10):
        objection_id, _receipt = square.objection()
        start = threading.Barrier(2)

        def run(who, move, objection_id=objection_id, start=start):
            start.wait()
            return act(database, lambda session: actions.decide(session, who, objection_id, move, "查明", "答复"))

        with ThreadPoolExecutor(2) as pool:
            results = list(pool.map(run, officers, [ObjectionMove.UPHOLD, ObjectionMove.DISMISS]))
        assert sorted(map(str, results)) == ["None", "illegal_move"]
    told = "SELECT count(*) FROM outbox_event WHERE name = 'objection.decided'"
    assert square.office.count(told) == 10


def test_evidence_at_once_keeps_to_the_limit(square):
    _, receipt = square.objection()
    start = threading.Barrier(14)

    def run(number):
        start.wait()
        content = PDF + str(number).encode()
        return act(square.office.database, lambda session: actions.add_evidence(session, receipt, "a.pdf", content))

    with ThreadPoolExecutor(14) as pool:
        results = list(pool.map(run, range(14)))
    assert (results.count(None), results.count("too_many_files")) == (10, 4)
