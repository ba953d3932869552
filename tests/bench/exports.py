"""Files of a million rows: how long they take, and how much memory the worker needs beside what it needs anyway.

Works in a database of its own on the given server; each file is made by a process of its own, as a worker would. The floor is PostgreSQL's own
``COPY`` of the same rows.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import psycopg
from sqlalchemy import make_url, text

from orders.ledger.queries import listed
from orders.ledger.selection import Reach, Selection
from shop.core import clock
from shop.core.db import Database
from shop.identity.permissions import Role
from tests.bench import market
from tests.bench.ground import Ground, Row, row
from tests.factories.identity import make_user

COUNT = 1_000_000
YEARS = {"from": str(market.FIRST), "to": str(market.LAST)}
#: About a hundred thousand of them.
SPRING = {"from": "2025-01-01", "to": "2025-03-13"}

#: What the process does that stands for a worker.
_WORKER = """
import json, resource, sys, time
import shop.tables
from orders.exporting import actions
from shop.core.db import database
import xlsxwriter, csv
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
started = time.perf_counter()
with database().unit_of_work() as session:
    actions.run(session, int(sys.argv[1]))
print(json.dumps({"seconds": time.perf_counter() - started, "megabytes": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024}))
"""

Say = Callable[[str], None]


def run(made: Ground) -> list[Row]:
    """Rows of ``bench.json``; takes some three minutes, most of them to load the sales."""
    return measure(made.database_url, made.data_dir, lambda line: print(f"  … {line}", flush=True))


def measure(database_url: str, data_dir: Any, say: Say = lambda _: None) -> list[Row]:
    """The same on any server on which a database may be made."""
    with market.own_database(database_url) as database:
        market.world(database)
        market.sales(database, 1, COUNT)
        with database.unit_of_work() as session:
            session.execute(text("ANALYZE"))
            user = make_user(session, Role.MONITOR).id
        floor = _copied(database)
        say(f"COPY of the same rows took {floor:.1f} s")
        found: list[Row] = []
        for format, period, goal in (
            ("xlsx", SPRING, 60.0),
            ("csv", YEARS, 60.0),
            ("parquet", YEARS, None),
            ("json", SPRING, None),
        ):
            rows, seconds, megabytes = _exported(database, data_dir, user, format, period)
            say(f"{format}: {rows:,} rows in {seconds:.1f} s, {megabytes:.0f} MB")
            base = floor if period is YEARS else None
            told = f"≤ {goal:.0f} s" if goal else None
            name = f"figures.export of {round(rows, -4):,} sale entries as {format}"
            found.append(row(name, seconds, "s", floor=base, goal=told, met=None if goal is None else seconds <= goal))
            found.append(row(f"{name}: memory", megabytes, "MB", goal="≤ 100 MB", met=megabytes <= 100))
        return found


def _exported(database: Database, data_dir: Any, user: int, format: str, period: dict[str, str]) -> tuple[int, float, float]:
    statement = text(
        "INSERT INTO export (user_id, kind, parameters, format, language, requested_at)"
        " VALUES (:user, 'entries', CAST(:parameters AS jsonb), :format, 'zh', :now) RETURNING id"
    )
    with database.unit_of_work() as session:
        values = {"user": user, "parameters": json.dumps(period), "format": format, "now": clock.now()}
        export_id = session.execute(statement, values).scalar_one()
    environment = os.environ | {"SHOP_DATABASE_URL": database.url, "SHOP_DATA_DIR": str(data_dir)}
    done = subprocess.run(
        [sys.executable, "-c", _WORKER, str(export_id)], env=environment, check=True, capture_output=True, text=True
    )
    measured = json.loads(done.stdout.splitlines()[-1])
    with database.unit_of_work() as session:
        made = session.execute(text("SELECT status, fault, rows_total FROM export WHERE id = :id"), {"id": export_id}).one()
    assert made.status == "done", made
    return made.rows_total, measured["seconds"], measured["megabytes"]


def _copied(database: Database) -> float:
    sql, values = listed(Reach(("",)), Selection(market.FIRST, market.LAST), order_id=None)
    for name, value in values.items():
        literal = f"'{value}'" if not isinstance(value, list) else "NULL"
        sql = sql.replace(f":{name} ", f"{literal} ")
    dsn = make_url(database.url).set(drivername="postgresql").render_as_string(hide_password=False)
    started = time.perf_counter()
    with psycopg.connect(dsn) as connection, connection.cursor().copy(f"COPY ({sql}) TO STDOUT (FORMAT csv)".encode()) as copying:
        for _ in copying:
            pass
    return time.perf_counter() - started
