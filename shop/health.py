"""Liveness, readiness and metrics. Alive: the process answers. Ready: the database answers and has the schema of this program.

Redis down means degraded, not dead: orders are still taken, and their events wait in the database.
"""

import math
from typing import Any

import redis
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from shop.core import clock, metrics, schema, workdays
from shop.core.db import Database
from shop.core.settings import settings

router = APIRouter(tags=["health"])


@router.get("/healthz")
def healthz() -> dict[str, str]:
    """The process is alive."""
    return {"status": "alive"}


@router.get("/readyz", responses={503: {"description": "Not ready"}})
def readyz(request: Request) -> JSONResponse:
    """The database answers and is migrated; Redis, what the last reconcile found and a missing calendar are reported beside it."""
    database: Database = request.app.state.database
    parts = {"database": _database(database), "redis": _redis()}
    ready = parts["database"] == "ok"
    if ready:
        parts["reconcile"] = _reconcile(database)
        parts["working_days"] = _working_days(database)
    status = "ready" if ready and parts["redis"] == "ok" else "degraded" if ready else "not_ready"
    return JSONResponse({"status": status, "parts": parts}, 200 if ready else 503)


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def metrics_page(request: Request) -> Response:
    """Prometheus metrics of all server processes."""
    _gauges(request.app.state.database)
    return Response(metrics.exposition(), media_type=CONTENT_TYPE_LATEST)


def _database(database: Database) -> str:
    try:
        with database.engine.connect() as connection:
            present = schema.present(connection)
    except SQLAlchemyError as error:
        return f"unreachable ({type(error).__name__})"
    return "ok" if present == schema.newest() else f"schema {present or 'missing'}, this program needs {schema.newest()}"


def _redis() -> str:
    if not (url := settings().redis_url):
        return "not configured"
    try:
        with redis.Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1) as client:
            client.ping()
    except redis.RedisError as error:
        return f"unreachable ({type(error).__name__})"
    return "ok"


def _reconcile(database: Database) -> str:
    """Differences are work for people: the server that reports them is as ready as ever."""
    with database.engine.connect() as connection:
        last = connection.execute(_LAST_RECONCILE).first()
    return "not run yet" if last is None else f"{last.differences} differences at {last.ran_at:%Y-%m-%dT%H:%M:%SZ}"


def _working_days(database: Database) -> str:
    """A calendar that is missing makes deadlines provisional, which stops nobody."""
    with database.session() as session:
        missing = workdays.missing_year(session, clock.today())
    return "ok" if missing is None else f"the calendar of {missing} is missing: {workdays.HOW_TO_LOAD.format(year=missing)}"


_LAST_RECONCILE = text("SELECT differences, ran_at FROM reconciliation ORDER BY id DESC LIMIT 1")
#: A delivery is late once it is due and its endpoint does not rest after failures.
_GAUGES = text(
    """
    SELECT e.*, w.*, o.*, c.*, (SELECT count(*) FROM sale_entry_pending) AS rollup,
           (SELECT coalesce(extract(epoch FROM now() - min(at)), 0) FROM change WHERE position IS NULL) AS changes_lag,
           (SELECT differences FROM reconciliation ORDER BY id DESC LIMIT 1) AS differences,
           (SELECT extract(epoch FROM :now - max(ran_at)) FROM reconciliation) AS reconcile_age,
           (SELECT differences FROM data_check WHERE finished_at IS NOT NULL ORDER BY day DESC LIMIT 1) AS data_check_differences
    FROM (SELECT count(*) FILTER (WHERE parked_at IS NULL) AS due, count(*) FILTER (WHERE parked_at IS NOT NULL) AS parked,
                 coalesce(extract(epoch FROM now() - min(created_at) FILTER (WHERE parked_at IS NULL)), 0) AS age
          FROM outbox_event WHERE done_at IS NULL) e,
         (SELECT count(*) AS webhooks,
                 coalesce(extract(epoch FROM now() - min(greatest(d.next_attempt_at, p.rest_until))
                     FILTER (WHERE greatest(d.next_attempt_at, p.rest_until) <= now())), 0) AS webhook_lag
          FROM webhook_delivery d JOIN webhook_endpoint p ON p.id = d.endpoint_id AND p.status = 'enabled' WHERE d.status = 'pending') w,
         (SELECT count(*) AS unknown, coalesce(extract(epoch FROM :now - min(created_at)), 0) AS unknown_age
          FROM (SELECT created_at FROM online_payment WHERE status = 'unknown'
                UNION ALL SELECT created_at FROM online_transfer WHERE status = 'unknown') unknown) o,
         (SELECT count(*) FILTER (WHERE status = 'parked') AS calls_parked,
                 coalesce(extract(epoch FROM :now - min(created_at) FILTER (WHERE operation = 'look' AND status <> 'parked')), 0) AS event_lag
          FROM provider_call WHERE status IN ('due', 'sending', 'unknown', 'parked')) c
    """
)


def _gauges(database: Database) -> None:
    try:
        with database.engine.connect() as connection:
            row: Any = connection.execute(_GAUGES, {"now": clock.now()}).one()
    except SQLAlchemyError:
        return
    metrics.OUTBOX_DUE.set(row.due)
    metrics.OUTBOX_PARKED.set(row.parked)
    metrics.OUTBOX_AGE.set(row.age)
    metrics.ROLLUP_PENDING.set(row.rollup)
    metrics.WEBHOOKS_PENDING.set(row.webhooks)
    metrics.WEBHOOK_LAG.set(row.webhook_lag)
    metrics.CHANGES_LAG.set(row.changes_lag)
    metrics.ONLINE_UNKNOWN.set(row.unknown)
    metrics.ONLINE_UNKNOWN_AGE.set(row.unknown_age)
    metrics.ONLINE_EVENT_LAG.set(row.event_lag)
    metrics.ONLINE_PARKED.set(row.calls_parked)
    metrics.RECONCILE_DIFFERENCES.set(row.differences or 0)
    metrics.DATA_CHECK_DIFFERENCES.set(row.data_check_differences or 0)
    metrics.RECONCILE_AGE.set(math.inf if row.reconcile_age is None else row.reconcile_age)
