"""What Prometheus reads at ``/metrics``."""

import os

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess
from prometheus_client.registry import Collector

REQUESTS = Counter("shop_requests_total", "Requests answered", ["method", "route", "status"])
SECONDS = Histogram(
    "shop_request_seconds",
    "Time to answer",
    ["method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
OUTBOX_DUE = Gauge("shop_outbox_due", "Outbox events not yet done", multiprocess_mode="mostrecent")
OUTBOX_PARKED = Gauge("shop_outbox_parked", "Outbox events that failed for good", multiprocess_mode="mostrecent")
OUTBOX_AGE = Gauge("shop_outbox_oldest_seconds", "Age of the oldest event not yet done", multiprocess_mode="mostrecent")
ROLLUP_PENDING = Gauge(
    "shop_rollup_pending", "Sale entries read live because no rollup holds them yet", multiprocess_mode="mostrecent"
)
WEBHOOKS_PENDING = Gauge(
    "shop_webhooks_pending", "Deliveries that wait for endpoints that are switched on", multiprocess_mode="mostrecent"
)
WEBHOOK_LAG = Gauge(
    "shop_webhook_lag_seconds",
    "For how long the oldest delivery is due whose endpoint does not rest after failures",
    multiprocess_mode="mostrecent",
)
CHANGES_LAG = Gauge(
    "shop_changes_lag_seconds", "Age of the oldest change that readers of the feed do not see yet", multiprocess_mode="mostrecent"
)
ONLINE_UNKNOWN = Gauge(
    "shop_online_unknown", "Online payments and transfers whose outcome nobody knows", multiprocess_mode="mostrecent"
)
ONLINE_UNKNOWN_AGE = Gauge("shop_online_unknown_oldest_seconds", "Age of the oldest of them", multiprocess_mode="mostrecent")
ONLINE_EVENT_LAG = Gauge(
    "shop_online_event_lag_seconds",
    "For how long the oldest event of the payment provider waits for a look at what it is about",
    multiprocess_mode="mostrecent",
)
ONLINE_PARKED = Gauge(
    "shop_online_calls_parked", "Calls to the payment provider that a person has to look at", multiprocess_mode="mostrecent"
)
RECONCILE_DIFFERENCES = Gauge(
    "shop_reconcile_differences", "Differences found by the last reconcile", multiprocess_mode="mostrecent"
)
RECONCILE_AGE = Gauge(
    "shop_reconcile_age_seconds", "Time since the last reconcile; infinite before the first", multiprocess_mode="mostrecent"
)
DATA_CHECK_DIFFERENCES = Gauge(
    "shop_data_check_differences", "Differences found by the last daily check of the figures", multiprocess_mode="mostrecent"
)


def exposition() -> bytes:
    """All metrics of this host: of every server process where PROMETHEUS_MULTIPROC_DIR is set, else of this one."""
    registry: Collector | CollectorRegistry = REGISTRY
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
