"""The Celery application. Celery wakes workers; what there is to do stands in the database (see ``shop.core.outbox``)."""

from typing import Any

from celery import Celery
from celery.signals import setup_logging

from shop.core import logs
from shop.core.broker_url import celery_broker_url
from shop.core.settings import settings
from workers.schedule import PRIORITY, SCHEDULE

# A connection that died silently must be noticed within seconds: kombu checks a connection's health only when reading may time out.
_CONNECTION = {
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    "socket_keepalive": True,
    "health_check_interval": 5,
    # longer than any job may run, so that a running job is not handed out again
    "visibility_timeout": 7200,
}

app = Celery("shop", include=["workers.long", "workers.tasks"])
app.conf.update(
    broker_url=celery_broker_url(settings().redis_url or "redis://127.0.0.1:6379/0"),
    broker_transport_options=_CONNECTION,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    task_ignore_result=True,
    task_acks_late=True,
    worker_prefetch_multiplier=1,
    task_time_limit=120,
    task_soft_time_limit=100,
    task_default_priority=PRIORITY,
    task_serializer="json",
    accept_content=["json"],
    worker_hijack_root_logger=False,
    worker_soft_shutdown_timeout=10,
    worker_max_memory_per_child=300_000,
    timezone="Asia/Shanghai",
    beat_schedule=SCHEDULE,
    # ticks that pile up while no worker runs are worth nothing
    task_default_expires=None,
)


@setup_logging.connect
def _log_as_json(**_: Any) -> None:
    logs.configure()
