import random

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shop.core import audit


def fill(database, count):
    with database.unit_of_work() as session:
        for number in range(count):
            audit.record(session, audit.SYSTEM, "thing.moved", "thing", number + 1, reason=f"原因 {number}", step=number)
    with database.unit_of_work() as session:
        assert audit.seal(session) == count


def tamper(database, statement, **values):
    """What somebody with the rights of the database's owner could do."""
    with database.unit_of_work() as session:
        session.execute(text("SET LOCAL session_replication_role = replica"))
        session.execute(text(statement), values)


def faults(database, head=None):
    with database.unit_of_work() as session:
        return audit.verify(session, head)


def test_an_untouched_trail_verifies_and_sealing_again_adds_nothing(database):
    fill(database, 50)
    assert faults(database) == []
    with database.unit_of_work() as session:
        assert audit.seal(session) == 0


def test_every_single_change_is_found(database):
    fill(database, 60)
    picked = random.Random(7).sample(range(1, 61), 20)
    for event_id in picked:
        tamper(database, "UPDATE audit_event SET subject_id = subject_id + 1 WHERE id = :id", id=event_id)
        assert faults(database) == [f"event {event_id} was changed"]
        tamper(database, "UPDATE audit_event SET subject_id = subject_id - 1 WHERE id = :id", id=event_id)
    assert faults(database) == []


def test_removed_events_and_seals_are_found(database):
    fill(database, 10)
    tamper(database, "DELETE FROM audit_event WHERE id = 5")
    assert faults(database) == ["event 5 is missing"]
    tamper(database, "DELETE FROM audit_seal WHERE position = 9")
    assert "seal 9 is missing" in faults(database)


def test_a_cut_tail_needs_the_head_known_from_outside(database):
    fill(database, 10)
    with database.unit_of_work() as session:
        head = audit.head(session)
    tamper(database, "DELETE FROM audit_seal WHERE position > 8")
    assert faults(database) == []
    assert faults(database, head) == ["the head known at position 10 is not in the chain"]


def test_the_database_refuses_to_change_the_trail(database):
    fill(database, 1)
    for statement in ("UPDATE audit_event SET action = 'x'", "DELETE FROM audit_event", "TRUNCATE audit_event CASCADE"):
        with pytest.raises(DBAPIError, match="append-only"), database.unit_of_work() as session:
            session.execute(text(statement))
