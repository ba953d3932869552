"""JSON logs. An allow-list of fields decides what may appear, so that nobody's data slips in by a careless call."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from shop.core.settings import settings

ALLOWED = frozenset(
    [
        "event",
        "level",
        "timestamp",
        "logger",
        "request_id",
        "method",
        "route",
        "status",
        "ms",
        "bytes",
        "user_id",
        "organisation_id",
        "code",
        "error",
        "exception",
        "job",
        "name",
        "event_id",
        "attempts",
        "count",
        "position",
        "head",
        "pid",
        "path",
        "seconds",
        "detail",
        "constraint",
        "operation",
        "subject",
        "entry",
        "fetched",
        "unexplained",
        "failed",
        "foreign",
        "looked",
        "entries",
        "difference_fen",
        "delivery",
        "endpoint",
        "days_late",
    ]
)


def _only_allowed(_: Any, __: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    # names with an underscore are structlog's own and removed by its formatter
    return {name: value for name, value in fields.items() if name in ALLOWED or name.startswith("_")}


def configure() -> None:
    """Set up structlog and route the standard library's loggers through the same renderer."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _only_allowed,
    ]
    renderer = structlog.processors.JSONRenderer(ensure_ascii=False)
    level = logging.getLevelNamesMapping()[settings().log_level]
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stdout),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(level, logging.WARNING))
