import threading
from datetime import timedelta

import pytest
from sqlalchemy import text

from shop.core import clock, outbox


def publish(database, name="thing.happened", **payload):
    with database.unit_of_work() as session:
        outbox.publish(session, name, **payload)


def note(session, payload):
    """A handler whose effect can be counted."""
    session.execute(
        text(
            "INSERT INTO number_series (series, last) VALUES ('seen', 1) ON CONFLICT (series) DO UPDATE SET last = number_series.last + 1"
        )
    )


def seen(database):
    with database.unit_of_work() as session:
        return session.execute(text("SELECT coalesce((SELECT last FROM number_series WHERE series = 'seen'), 0)")).scalar_one()


def only_event(database):
    with database.unit_of_work() as session:
        return session.execute(text("SELECT * FROM outbox_event")).one()


def test_an_event_of_a_rolled_back_transaction_never_was(database):
    with database.session() as session:
        outbox.publish(session, "thing.happened")
        session.rollback()
    assert outbox.drain(database, {"thing.happened": note}) == 0


def test_an_event_is_done_once_however_often_workers_are_woken(database):
    publish(database)
    event_id = only_event(database).id
    done = []
    workers = [
        threading.Thread(target=lambda: done.append(outbox.work(database, {"thing.happened": note}, event_id))) for _ in range(8)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert seen(database) == 1
    assert done.count(True) == 1
    assert outbox.work(database, {"thing.happened": note}, event_id) is False


def test_what_an_event_leads_to_is_told_of_after_its_commit(database):
    def lead(session, payload):
        outbox.publish(session, "thing.followed")

    woken = []

    def wake():
        with database.unit_of_work() as session:
            woken.extend(outbox.due(session))

    publish(database)
    publish(database, "thing.leads")
    with database.unit_of_work() as session:
        first, second = outbox.due(session)
    handlers = {"thing.happened": note, "thing.leads": lead}
    assert outbox.work(database, handlers, first, wake)
    assert woken == []
    assert outbox.work(database, handlers, second, wake)
    assert woken == [second + 1]
    assert not outbox.work(database, handlers, second, wake)


def test_a_row_is_not_offered_again_before_its_lease_ends(database):
    publish(database)
    with database.unit_of_work() as session:
        assert len(outbox.due(session)) == 1
        assert outbox.due(session) == []
    with clock.fixed(clock.now() + outbox.LEASE + timedelta(seconds=1)), database.unit_of_work() as session:
        assert len(outbox.due(session)) == 1


def test_what_is_asked_for_by_name_is_offered_before_older_events(database):
    for _ in range(3):
        publish(database)
    publish(database, "thing.awaited")
    with database.unit_of_work() as session:
        [awaited] = outbox.due(session, limit=2, only={"thing.awaited"})
        assert outbox.due(session, limit=2, only={"thing.awaited"}) == []
        assert outbox.due(session) == [awaited - 3, awaited - 2, awaited - 1]


def test_a_failing_handler_leaves_no_effect_and_is_parked_after_three_tries(database):
    def fail(session, payload):
        note(session, payload)
        raise ValueError("no")

    publish(database)
    event_id = only_event(database).id
    for attempt in range(1, 4):
        with pytest.raises(ValueError, match="no"):
            outbox.work(database, {"thing.happened": fail}, event_id)
        assert only_event(database).attempts == attempt
    assert only_event(database).parked_at is not None
    assert only_event(database).last_error == "ValueError: no"
    assert outbox.work(database, {"thing.happened": note}, event_id) is False
    assert seen(database) == 0


def test_a_job_that_kills_its_worker_is_parked_too(database):
    """A killed worker never reports; only the counted claims show that it tried."""
    publish(database)
    event_id = only_event(database).id

    class Killed(BaseException):
        pass

    def die(session, payload):
        raise Killed

    for _ in range(3):
        with pytest.raises(Killed):
            outbox.work(database, {"thing.happened": die}, event_id)
    assert outbox.work(database, {"thing.happened": note}, event_id) is False
    assert only_event(database).parked_at is not None
    assert seen(database) == 0
