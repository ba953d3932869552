"""Figures are exact at any moment: thirty-two writers and readers at once, each answer held against a recount at its own moment.

Short: two seconds. ``SHOP_FAULTS=long``: five minutes.
"""

import os

import pytest
from sqlalchemy import text

from shop.core.db import Database
from tests.orders.statistics.busy import differing, for_seconds, prepared, run_all

SECONDS = 300 if os.environ.get("SHOP_FAULTS") == "long" else 2
WRITERS = READERS = 16


def entries_of(database):
    with database.unit_of_work() as session:
        return session.execute(text("SELECT count(*) FROM sale_entry")).scalar_one()


@pytest.mark.slow
def test_every_answer_equals_a_recount_at_its_own_moment(database):
    prepared(database)
    before = entries_of(database)
    busy = Database(database.url, pool_size=WRITERS + READERS + 4, statement_timeout_ms=0)
    try:
        moved, wrong, read = run_all(
            busy, writers=WRITERS, readers=READERS, rounds=lambda: for_seconds(SECONDS), patience=SECONDS + 300
        )
    finally:
        busy.dispose()
    entries = entries_of(database)
    print(
        f"{WRITERS} writers, {READERS} readers, {SECONDS} s: {entries} entries, {len(read)} answers ({len(set(read))} different), wrong: {len(wrong)}"
    )
    assert wrong == []
    assert len(set(read)) > READERS
    assert before + sum(moved) == entries
    assert differing(database) <= {"costs"}
