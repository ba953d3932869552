"""Running the checks, and telling the result."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass

from psycopg.errors import QueryCanceled
from rich.console import Console
from rich.table import Table
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from orders.reconcile.checks import CHECKS, Check, Difference
from shop.core import clock
from shop.core.db import Database
from shop.core.db import database as own_database

#: Differences of one check that are shown.
SHOWN = 20


@dataclass(frozen=True)
class Finding:
    """The outcome of one check."""

    name: str
    zh: str
    en: str
    count: int
    first: list[Difference]
    #: Without it nobody knows: the time was over.
    finished: bool = True


def findings(session: Session, shown: int = SHOWN, tell: Callable[[int], object] = lambda done: None) -> list[Finding]:
    """Run every check. Nothing is locked and nothing changed; each check sees one moment. ``tell`` hears after each how many are done."""
    found = []
    for check in CHECKS:
        found.append(Finding(check.name, check.zh, check.en, *check.find(session, shown)))
        tell(len(found))
    return found


def findings_within(session: Session, seconds: float) -> list[Finding]:
    """Run the checks that come to an end within so many seconds in all; the others are not finished."""
    ends = time.monotonic() + seconds
    return [_within(session, check, ends - time.monotonic()) for check in CHECKS]


def _within(session: Session, check: Check, seconds: float) -> Finding:
    unknown = Finding(check.name, check.zh, check.en, 0, [], finished=False)
    left = int(seconds * 1000)
    if left <= 0:
        return unknown
    try:
        with session.begin_nested():
            session.execute(text(f"SET LOCAL statement_timeout = {left}"))
            return Finding(check.name, check.zh, check.en, *check.find(session, SHOWN))
    except OperationalError as error:
        if isinstance(error.orig, QueryCanceled):
            return unknown
        raise


_KEEP = text(
    """
    WITH outdated AS (DELETE FROM reconciliation WHERE ran_at < :now - interval '90 days')
    INSERT INTO reconciliation (ran_at, seconds, differences, checks) VALUES (:now, :seconds, :differences, CAST(:checks AS jsonb)) RETURNING id
    """
)


def keep(database: Database, tell: Callable[[int], object] = lambda done: None) -> tuple[int, list[Finding]]:
    """Run every check and keep the result, which health page, metrics and the list of a month's close show from then on; returns its id, too."""
    started = time.perf_counter()
    found = _all(database, tell)
    checks = {finding.name: finding.count for finding in found if finding.count}
    values = {"seconds": time.perf_counter() - started, "differences": sum(checks.values()), "checks": json.dumps(checks)}
    with database.unit_of_work() as session:
        run_id = session.execute(_KEEP, {**values, "now": clock.now()}).scalar_one()
    return int(run_id), found


def differences(database: Database) -> int:
    """How many rows do not agree; 0 is what it should be."""
    return sum(finding.count for finding in _all(database))


def run(database: Database | None = None, console: Console | None = None) -> int:
    """Keep the result, and print a readable table of all checks; returns the number of differences. Without a database: the one of the settings."""
    out = console or Console()
    _, found = keep(database or own_database())
    table = Table(title="对账 · Reconciliation")
    for heading in ("检查", "Check"):
        table.add_column(heading)
    table.add_column("Δ", justify="right")
    for finding in found:
        table.add_row(finding.zh, finding.en, str(finding.count) if finding.count == 0 else f"[bold red]{finding.count:,}")
    out.print(table)
    for finding in found:
        for difference in finding.first:
            out.print(
                f"{finding.name}: {difference.subject}: expected {difference.expected}, found {difference.found}", markup=False
            )
        if finding.count > len(finding.first):
            out.print(f"{finding.name}: and {finding.count - len(finding.first):,} more")
    total = sum(finding.count for finding in found)
    out.print(f"差异 {total:,} 处 · {total:,} differences")
    return total


def _all(database: Database, tell: Callable[[int], object] = lambda done: None) -> list[Finding]:
    with database.unit_of_work() as session:
        session.execute(text("SET LOCAL statement_timeout = 0"))
        return findings(session, tell=tell)
