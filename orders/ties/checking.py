"""The daily check: rollups counted again from the lines, and all books reconciled. Whatever differs is told at once to those who answer for it."""

import json
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from sqlalchemy import text
from sqlmodel import Session

from orders.reconcile import report
from orders.statistics.cubes import CUBES, Cube, Kind, recount
from shop.core import clock, outbox
from shop.core.db import Database
from shop.core.months import month_start

#: Hour of Shanghai from which a day is checked: yesterday is over, and nobody is at work.
FROM_HOUR = 3
#: Cells of each rollup that are drawn by lot.
SAMPLE = 50

_CLAIM = text(
    """
    INSERT INTO data_check (day, started_at) VALUES (:today, :now)
    ON CONFLICT (day) DO UPDATE SET started_at = excluded.started_at
    WHERE data_check.finished_at IS NULL AND data_check.started_at < :given_up
    RETURNING day
    """
)
_KEEP = text(
    """
    UPDATE data_check SET finished_at = :now, seconds = :seconds, cells = :cells, differing_cells = CAST(:cells_by AS jsonb),
           reconciliation = CAST(:books_by AS jsonb), differences = :differences
    WHERE day = :today
    """
)
#: A check that was killed is done again after this time.
_GIVEN_UP = timedelta(minutes=30)
#: Entries that the rollups hold: all but those that wait.
_TAKEN = (
    "(SELECT e.* FROM sale_entry e WHERE NOT EXISTS (SELECT FROM sale_entry_pending p WHERE p.entry_id = e.id) AND {}) AS taken"
)
#: Rollups that hold sums.
_SUMS = [cube for cube in CUBES if cube.kind in (Kind.MONTHS, Kind.DAYS)]


def run(database: Database) -> int | None:
    """Check this day unless it was checked; returns the number of differences, None if there was nothing to do."""
    with database.unit_of_work() as session:
        present = clock.present()
        if clock.now().astimezone(clock.SHANGHAI).hour < FROM_HOUR:
            return None
        if session.execute(_CLAIM, {**present, "given_up": clock.now() - _GIVEN_UP}).first() is None:
            return None
    started = time.perf_counter()
    with database.unit_of_work() as session:
        session.execute(text("SET LOCAL statement_timeout = 0"))
        cells, differing = recounted(session)
        books = {finding.name: finding.count for finding in report.findings(session) if finding.count}
    differences = sum(differing.values()) + sum(books.values())
    with database.unit_of_work() as session:
        session.execute(
            _KEEP,
            {
                **present,
                "now": clock.now(),
                "seconds": time.perf_counter() - started,
                "cells": cells,
                "cells_by": json.dumps(differing),
                "books_by": json.dumps(books),
                "differences": differences,
            },
        )
        if differences:
            outbox.publish(session, "data_check.differs", day=str(present["today"]))
    return differences


def next_from(today: date, done: bool) -> datetime:
    """From when on the next check is made: this day's, or where that is done the next day's."""
    return clock.start_of_day(today + timedelta(days=int(done))) + timedelta(hours=FROM_HOUR)


def recounted(session: Session) -> tuple[int, dict[str, int]]:
    """How many cells were counted again, and how many of each rollup differ: the whole of yesterday and of last month, and cells by lot."""
    cells, differing = 0, dict[str, int]()
    yesterday = clock.today() - timedelta(days=1)
    values = {"day": yesterday, "month": month_start(month_start(clock.today()) - timedelta(days=1)), "sample": SAMPLE}
    for cube in _SUMS:
        for statement in _statements(cube):
            row = session.execute(text(statement), values).one()
            cells += row.cells
            if row.differing:
                differing[cube.table] = differing.get(cube.table, 0) + row.differing
    return cells, differing


def _statements(cube: Cube) -> Iterator[str]:
    """SQL: how many cells were looked at, and how many of them are not what the lines say; cells that are missing on either side differ too."""
    keys = ", ".join(cube.keys)
    time, whole = ("sold_on", "day") if cube.kind is Kind.DAYS else ("month", "month")
    held = f"(SELECT * FROM {cube.table} WHERE {whole} = :{whole})"  # noqa: S608
    yield _compared(cube, f"FULL JOIN {held} AS found USING ({keys})", _TAKEN.format(f"{time} = :{whole}"))
    by_lot = f"(SELECT * FROM {cube.table} ORDER BY random() LIMIT :sample)"  # noqa: S608
    drawn = _TAKEN.format(f"{time} IN (SELECT {whole} FROM drawn)")  # noqa: S608
    yield f"WITH drawn AS MATERIALIZED {by_lot} {_compared(cube, f'RIGHT JOIN drawn AS found USING ({keys})', drawn)}"


def _compared(cube: Cube, joined: str, source: str) -> str:
    expected = ", ".join(f"expected.{name}" for name in cube.values)
    found = ", ".join(f"found.{name}" for name in cube.values)
    return (
        f"SELECT count(*) AS cells, count(*) FILTER (WHERE ({expected}) IS DISTINCT FROM ({found})) AS differing"  # noqa: S608
        f" FROM ({recount(cube, source)}) AS expected {joined}"
    )
