"""Running the checks, and telling the result."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import text
from sqlmodel import Session

from orders.reconcile.checks import CHECKS, Difference
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


def findings(session: Session, shown: int = SHOWN, tell: Callable[[int], object] = lambda done: None) -> list[Finding]:
    """Run every check. Nothing is locked and nothing changed; each check sees one moment. ``tell`` hears after each how many are done."""
    found = []
    for check in CHECKS:
        found.append(Finding(check.name, check.zh, check.en, *check.find(session, shown)))
        tell(len(found))
    return found


_KEEP = text(
    """
    WITH outdated AS (DELETE FROM reconciliation WHERE ran_at < :now - interval '90 days')
    INSERT INTO reconciliation (ran_at, seconds, differences, checks, findings)
    VALUES (:now, :seconds, :differences, CAST(:checks AS jsonb), CAST(:findings AS jsonb)) RETURNING id
    """
)


def keep(database: Database, tell: Callable[[int], object] = lambda done: None) -> tuple[int, list[Finding]]:
    """Run every check and keep the result, which the page of the books, health page, metrics and the list of a month's close show from then on; returns
    its id, too."""
    started = time.perf_counter()
    found = _all(database, tell)
    checks = {finding.name: finding.count for finding in found if finding.count}
    values = {
        "seconds": time.perf_counter() - started,
        "differences": sum(checks.values()),
        "checks": json.dumps(checks),
        "findings": json.dumps([_kept(finding) for finding in found], ensure_ascii=False, default=str),
    }
    with database.unit_of_work() as session:
        run_id = session.execute(_KEEP, {**values, "now": clock.now()}).scalar_one()
    return int(run_id), found


def _kept(finding: Finding) -> dict[str, Any]:
    return {"name": finding.name, "count": finding.count, "differences": [asdict(each) for each in finding.first]}


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
