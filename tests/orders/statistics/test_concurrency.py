"""Figures while sales are written: every reader sees each committed sale exactly once."""

import threading

import pytest
from sqlalchemy import text

from orders.statistics import actions
from shop.core.db import Database
from tests.orders.statistics.busy import COPY, differing, prepared, run_all


@pytest.mark.slow
def test_readers_are_exact_while_writers_and_refreshers_work(database):
    prepared(database)
    moved, wrong, read = run_all(database)
    assert wrong == []
    assert len(set(read)) > 5
    assert sum(moved) > 100
    assert differing(database) <= {"costs"}


@pytest.mark.slow
def test_readers_are_exact_during_a_rebuild(database):
    prepared(database)
    rebuilt = []

    def rebuilder(database, done):
        # on a slow machine the writers may be done with the first
        while len(rebuilt) < 2 or not all(event.is_set() for event in done):
            rebuilt.append(actions.rebuild(database))

    _, wrong, read = run_all(database, rebuilder)
    assert wrong == []
    assert len(set(read)) > 5
    while _refreshed(database):
        pass
    assert differing(database) <= {"costs"}


def _refreshed(database):
    with database.unit_of_work() as session:
        return actions.refresh(session)


@pytest.mark.slow
def test_control_a_watermark_of_ids_loses_sales(database):
    """Why the queue exists: commit order is not id order, so "everything above the highest id seen" misses a transaction that was open."""
    prepared(database)
    with database.session() as early, database.session() as late:
        early.execute(COPY, {"origin": 10**6, "count": 3})
        late.execute(COPY, {"origin": 2 * 10**6, "count": 3})
        late.commit()
        with database.unit_of_work() as session:
            watermark = session.execute(text("SELECT max(id) FROM sale_entry")).scalar_one()
            actions.refresh(session)
        early.commit()
    with database.unit_of_work() as session:
        above = session.execute(text("SELECT count(*) FROM sale_entry WHERE id > :mark"), {"mark": watermark}).scalar_one()
        waiting = session.execute(text("SELECT count(*) FROM sale_entry_pending")).scalar_one()
    assert (above, waiting) == (0, 3)
    assert differing(database) <= {"costs"}


@pytest.mark.slow
def test_a_refresh_is_not_given_up_for_being_slow(database):
    prepared(database)
    with database.unit_of_work() as session:
        session.execute(COPY, {"origin": 10**6, "count": 3})
    hurried = Database(database.url, pool_size=1, statement_timeout_ms=300)
    with database.session() as other:
        other.execute(text("LOCK TABLE sales_month IN EXCLUSIVE MODE"))
        letting_go = threading.Timer(1, other.rollback)
        letting_go.start()
        try:
            assert _refreshed(hurried) == 3
        finally:
            letting_go.join()
            hurried.dispose()


def test_one_refresher_at_a_time(database):
    prepared(database)
    with database.unit_of_work() as session:
        session.execute(COPY, {"origin": 10**6, "count": 10})
    with database.unit_of_work() as first:
        assert actions.refresh(first, 4) == 4
        with database.unit_of_work() as second:
            assert actions.refresh(second) == 0
    with database.unit_of_work() as session:
        assert actions.refresh(session) == 6


@pytest.mark.slow
def test_a_refresh_that_fails_changes_nothing(database):
    prepared(database)
    with database.unit_of_work() as session:
        session.execute(COPY, {"origin": 10**6, "count": 10})
    with database.session() as session:
        assert actions.refresh(session) == 10
        session.rollback()
    with database.unit_of_work() as session:
        assert session.execute(text("SELECT count(*) FROM sale_entry_pending")).scalar_one() == 10
    assert differing(database) <= {"costs"}
