"""Lists that come at once: one of them stands, and is the one that was counted; with the proof that the lock is what sees to it."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from catalog.households import actions, rules
from catalog.households.schemas import MemberIn
from shop.core.errors import Problem
from shop.identity import tokens
from tests.catalog.households.test_households import person
from tests.factories.identity import access_token

AT_ONCE = 6
_UNLOCKED = text("SELECT status, district_code FROM certification_case WHERE id = :id")


@pytest.fixture
def supplier(office):
    with office.database.unit_of_work() as session:
        return tokens.actor_of(session, token=access_token(session, office.users["supplier"]), api_key=None)


def bring(office, supplier, case_id, number):
    """A list of ``number`` persons in ``number`` households, none of whom stands in another list; returns the code of a refusal."""
    people = [MemberIn(**person(10 * number + at, f"F{at}")).member() for at in range(number)]
    try:
        with office.database.unit_of_work() as session:
            actions.bring(session, supplier, case_id, people)
    except Problem as refusal:
        return refusal.code
    return None


def all_at_once(office, supplier, case_id, many):
    start = threading.Barrier(many)

    def run(number):
        start.wait(30)
        return bring(office, supplier, case_id, number)

    with ThreadPoolExecutor(many) as pool:
        return list(pool.map(run, range(1, many + 1)))


def counted_and_kept(office, case_id):
    counted = office.count("SELECT households + persons FROM certification_case WHERE id = :id", id=case_id)
    distinct = "SELECT count(DISTINCT household_hash) + count(DISTINCT person_hash) FROM household_member WHERE case_id = :id"
    return counted, office.count(distinct, id=case_id)


def test_of_lists_that_come_at_once_one_stands_and_is_counted(office, supplier):
    for _ in range(5):
        case_id = office.case("draft")
        version = office.read("supplier", case_id)["version"]
        assert all_at_once(office, supplier, case_id, AT_ONCE) == [None] * AT_ONCE
        counted, kept = counted_and_kept(office, case_id)
        assert counted == kept
        assert office.read("supplier", case_id)["version"] == version + AT_ONCE


@pytest.mark.control
def test_without_the_lock_what_is_counted_is_not_what_is_kept(office, supplier, monkeypatch):
    """The control: when this fails, the test above proves nothing."""
    case_id, read, look = office.case("draft"), threading.Barrier(2), rules.faults

    def late(*arguments):
        read.wait(30)
        return look(*arguments)

    monkeypatch.setattr(actions, "_LOCKED", _UNLOCKED)
    monkeypatch.setattr(rules, "faults", late)
    deleted = threading.Barrier(2)
    seal = actions.sealing.seal

    def sealed(content):
        if content["household_no"] == "F0":  # the first of each list, when the old one is gone and the new one not yet there
            deleted.wait(30)
        return seal(content)

    monkeypatch.setattr(actions.sealing, "seal", sealed)
    assert all_at_once(office, supplier, case_id, 2) == [None, None]
    counted, kept = counted_and_kept(office, case_id)
    assert counted != kept


def handed_in_meanwhile(office, supplier, case_id):
    """Bring a list while the case is being handed in; returns the code of its refusal, and whether it waited for that."""
    with ThreadPoolExecutor(1) as pool, office.database.unit_of_work() as session:
        session.execute(
            text("UPDATE certification_case SET submitted_at = now(), status = 'county_review' WHERE id = :id"), {"id": case_id}
        )
        listing = pool.submit(bring, office, supplier, case_id, 2)
        try:
            listing.result(timeout=0.5)
            waited = False
        except TimeoutError:
            waited = True
        session.commit()
        return listing.result(timeout=30), waited


def test_a_list_waits_for_the_hand_in_that_is_running_and_is_refused(office, supplier):
    case_id = office.case("draft")
    assert handed_in_meanwhile(office, supplier, case_id) == ("case_not_editable", True)
    assert office.count("SELECT count(*) FROM household_member") == 0


@pytest.mark.control
def test_without_the_lock_the_list_of_a_case_that_was_handed_in_is_changed(office, supplier, monkeypatch):
    """The control."""
    monkeypatch.setattr(actions, "_LOCKED", _UNLOCKED)
    case_id = office.case("draft")
    assert handed_in_meanwhile(office, supplier, case_id) == (None, True)  # it waits only to write its counts
    assert office.count("SELECT count(*) FROM household_member") == 2
