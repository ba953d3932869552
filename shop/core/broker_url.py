"""Celery's spelling of a Redis address."""


def celery_broker_url(redis_url: str) -> str:
    """``unix:///run/x.sock`` -> ``redis+socket:///run/x.sock``; TCP addresses stay as they are."""
    return redis_url.replace("unix://", "redis+socket://", 1)
