"""Making a file: rows come by a cursor from one snapshot, go into a file of this machine and from there into the file store.

How far it is is written in transactions of its own, so that whoever looks sees it; the same write finds out that nobody wants the file any
more. Rights are those of the asker at the time of running. Killed in between, the event is due again and the file is made anew.
"""

import json
import tempfile
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import structlog
from sqlalchemy import Engine, Row, text
from sqlmodel import Session

from orders.exporting.errors import NotAllowedAnyMore, TookTooLong, TooManyRows, Unfinished
from orders.exporting.kinds import KINDS
from orders.exporting.rules import FOR_PEOPLE, KEPT, MOST_ROWS, Format, granted
from orders.exporting.table import LONGEST, Table, snapshot
from orders.exporting.writers import LINES, writer
from shop.core import clock, outbox, storage
from shop.core.errors import Problem
from shop.identity import tokens
from shop.identity.actor import Actor
from shop.identity.permissions import Permission

log = structlog.get_logger()

#: Seconds between two words of how far it is.
TOLD_EVERY = 0.5

_START = text(
    """
    UPDATE export e SET status = 'running', started_at = :now, rows_done = 0, storage_key = :key, expires_at = :expires_at
    FROM (SELECT id, storage_key FROM export WHERE id = :id FOR UPDATE) before
    WHERE e.id = before.id AND status IN ('waiting', 'running')
    RETURNING e.id, user_id, scopes, kind, parameters, format, language, e.storage_key, started_at, before.storage_key AS left_behind,
              (SELECT active FROM app_user WHERE app_user.id = user_id) AS active
    """
)
#: Only the run that began last counts: another worker may have taken over.
_OF_RUN = "WHERE id = :id AND status = 'running' AND started_at = :started_at RETURNING id"
_FAR = text(f"UPDATE export SET rows_total = :total, rows_done = :done {_OF_RUN}")  # noqa: S608
_DONE = text(
    f"""
    UPDATE export SET status = 'done', rows_total = :rows, rows_done = :rows, size = :size, sha256 = :sha256, name = :name,
           rights = CAST(:rights AS jsonb), snapshot_at = :snapshot_at, finished_at = :now, expires_at = :expires_at {_OF_RUN}
    """  # noqa: S608
)
_FAILED = text(f"UPDATE export SET status = 'failed', fault = :fault, finished_at = :now {_OF_RUN}")  # noqa: S608


class _Stopped(Exception):
    """Nobody wants the file any more, or another worker makes it."""


@dataclass(frozen=True, slots=True)
class _Made:
    rows: int
    size: int
    sha256: str
    snapshot_at: datetime
    rights: str


def run(session: Session, export_id: int) -> None:
    """Make the file of an export that waits for it. Safe to run twice: what is made or cancelled is left alone."""
    engine = session.get_bind()
    assert isinstance(engine, Engine)
    started = _in_own(engine, _START, _start_values(export_id))
    if started is None:
        return
    if started.left_behind is not None:
        storage.delete(started.left_behind)  # of a worker that was killed
    run_of = {"id": export_id, "started_at": started.started_at}
    until = time.monotonic() + LONGEST
    try:
        made = _make(engine, started, run_of, until)
    except _Stopped:
        return
    except Problem as problem:
        _fail(session, run_of, problem.code)
    except Exception as error:
        late = time.monotonic() >= until  # whatever stopped it: a statement's time was over, or the job's
        log.log(30 if late else 40, "export_failed", exc_info=error)
        _fail(session, run_of, TookTooLong.code if late else Unfinished.code)
    else:
        _finish(session, run_of, started, made)


def _start_values(export_id: int) -> dict[str, Any]:
    now = clock.now()
    return {"id": export_id, "now": now, "key": f"exports/{export_id}-{uuid4().hex}", "expires_at": now + KEPT}


def _in_own(engine: Engine, statement: Any, values: Mapping[str, Any]) -> Row[Any] | None:
    """One statement in a transaction of its own."""
    with engine.begin() as connection:
        found: Row[Any] | None = connection.execute(statement, values).first()
        return found


def _make(engine: Engine, started: Row[Any], run_of: Mapping[str, Any], until: float) -> _Made:
    kind, format = KINDS[started.kind], Format(started.format)
    with tempfile.TemporaryDirectory(prefix="export-") as folder, snapshot(engine) as seen:
        actor = _actor(seen, started)
        snapshot_at = clock.now()
        asked = kind.parameters.model_validate(started.parameters)
        table = kind.table(seen, actor, asked, started.language)
        if table.total > MOST_ROWS[format]:
            raise TooManyRows(limit=MOST_ROWS[format])
        path = Path(folder) / f"export.{format}"
        rows = _write(engine, path, table, started, run_of, until)
        size, sha256 = storage.put_file(started.storage_key, path)
    return _Made(rows, size, sha256, snapshot_at, _rights(actor, kind.permission, kind.more))


def _actor(seen: Session, started: Row[Any]) -> Actor:
    actor = tokens.actor_of_user(seen, started.user_id)
    if started.scopes is not None:
        actor = replace(actor, scopes=frozenset(started.scopes))
    if not started.active or not {KINDS[started.kind].permission, Permission.EXPORTS_MAKE} <= actor.permissions:
        raise NotAllowedAnyMore
    return actor


def _rights(actor: Actor, needed: Permission, more: frozenset[Permission]) -> str:
    permissions = sorted({needed, *(more & actor.permissions)})
    return json.dumps({"permissions": permissions, "grants": granted(actor.grants), "path": actor.organisation_path})


def _write(engine: Engine, path: Path, table: Table, started: Row[Any], run_of: Mapping[str, Any], until: float) -> int:
    _tell(engine, run_of, table.total, 0)
    writing: Any
    batches: Generator[Sequence[Any], None, None]
    if (lines := LINES.get(Format(started.format))) is not None and table.source is not None:
        writing = lines(path, table, started.language)
        batches = table.source.lines(lines.cells(table, started.language), lines.options)
    else:
        writing, batches = writer(Format(started.format), path, table, started.language), table.batches
    try:
        done = _copy(engine, table.total, batches, writing, run_of, until)
        if Format(started.format) in FOR_PEOPLE:
            writing.write(table.totals)
    except BaseException:
        writing.drop()
        raise
    writing.close()
    return done


def _copy(
    engine: Engine, total: int, batches: Generator[Sequence[Any], None, None], writing: Any, run_of: Mapping[str, Any], until: float
) -> int:
    told, done = time.monotonic(), 0
    with closing(batches):
        for batch in batches:
            writing.write(batch)
            done += len(batch)
            now = time.monotonic()
            if now >= until:
                raise TookTooLong
            if now - told >= TOLD_EVERY:
                _tell(engine, run_of, total, done)
                told = now
    return done


def _tell(engine: Engine, run_of: Mapping[str, Any], total: int, done: int) -> None:
    if _in_own(engine, _FAR, {**run_of, "total": total, "done": done}) is None:
        raise _Stopped


def _finish(session: Session, run_of: Mapping[str, Any], started: Row[Any], made: _Made) -> None:
    now = clock.now()
    name = f"{started.kind}_{clock.shanghai_date(made.snapshot_at):%Y%m%d}_{started.id}.{started.format}"
    values = {
        **run_of,
        "rows": made.rows,
        "size": made.size,
        "sha256": made.sha256,
        "rights": made.rights,
        "snapshot_at": made.snapshot_at,
    }
    if session.execute(_DONE, {**values, "name": name, "now": now, "expires_at": now + KEPT}).first() is None:
        # cancelled at the last moment, or another worker took over, whose file lies elsewhere
        storage.delete(started.storage_key)
        return
    outbox.publish(session, "export.finished", export_id=started.id)


def _fail(session: Session, run_of: Mapping[str, Any], fault: str) -> None:
    if session.execute(_FAILED, {**run_of, "fault": fault, "now": clock.now()}).first() is not None:
        outbox.publish(session, "export.finished", export_id=run_of["id"])
