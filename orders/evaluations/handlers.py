"""Who hears of evaluations, and when several low ones are a signal to the county."""

from datetime import timedelta
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from catalog.supervision.actions import signals
from orders.evaluations.rules import LOW_SQL, SIGNAL_DAYS, SIGNAL_RATINGS
from orders.purchasing.handlers import part, tell
from shop.core import clock
from shop.core.outbox import Handler

_EVALUATION = text("SELECT id, supplier_order_id, supplier_id, buyer_id FROM evaluation WHERE id = :id")
#: Certificates of an evaluation with enough low ones; those before the county cleared the last signal count no more.
_LOW = text(
    f"""
    SELECT p.certificate_id, count(*) AS ratings, count(DISTINCT e.buyer_id) AS buyers
    FROM evaluation_product p JOIN evaluation e ON e.id = p.evaluation_id
    WHERE p.certificate_id IN (SELECT certificate_id FROM evaluation_product WHERE evaluation_id = :id)
      AND {LOW_SQL} AND e.rated_at > :since
      AND e.rated_at > coalesce((SELECT max(q.cleared_at) FROM quality_signal q WHERE q.certificate_id = p.certificate_id), '-infinity')
    GROUP BY p.certificate_id HAVING count(*) >= :least ORDER BY p.certificate_id
    """  # noqa: S608
)


def _written(session: Session, payload: dict[str, Any]) -> None:
    """The supplier hears of it, once however often it is changed."""
    row = session.execute(_EVALUATION, {"id": payload["evaluation_id"]}).one()
    tell(session, "evaluation.written", row.id, part(session, row.supplier_order_id), row.supplier_id)
    since = clock.now() - timedelta(days=SIGNAL_DAYS)
    for low in session.execute(_LOW, {"id": row.id, "since": since, "least": SIGNAL_RATINGS}).all():
        signals.raise_signal(session, low.certificate_id, ratings=low.ratings, buyers=low.buyers)


def _answered(session: Session, payload: dict[str, Any]) -> None:
    row = session.execute(_EVALUATION, {"id": payload["evaluation_id"]}).one()
    tell(session, "evaluation.answered", row.id, part(session, row.supplier_order_id), row.buyer_id)


HANDLERS: dict[str, Handler] = {
    "evaluation.answered": _answered,
    "evaluation.written": _written,
}
