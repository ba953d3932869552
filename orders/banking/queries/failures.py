"""Reading what people say to have failed after it was paid, each within the caller's reach."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.banking.schemas.failures import FailureReportOut
from orders.banking.states import FailureStatus, failure_moves
from shop.core import paging
from shop.core.errors import NotFound
from shop.core.paging import Page
from shop.identity.actor import Actor
from shop.identity.permissions import Permission

_REPORT = """
    SELECT f.*, CASE WHEN f.refund_id IS NULL THEN 'payout' ELSE 'refund' END AS kind, p.id AS payout_id, coalesce(s.number, r.number) AS number,
           o.name AS party_name, coalesce(p.amount_fen, r.amount_fen) AS amount, l.number AS list_number, asked.name AS requested_by_name, decided.name AS decided_by_name
    FROM failure_report f JOIN app_user asked ON asked.id = f.requested_by LEFT JOIN app_user decided ON decided.id = f.decided_by
    LEFT JOIN payout_attempt a ON a.id = f.attempt_id LEFT JOIN payout p ON p.id = a.payout_id LEFT JOIN settlement s ON s.id = p.settlement_id
    LEFT JOIN (SELECT w.attempt_id, n.number FROM payout_file_line w JOIN payout_file n ON n.id = w.payout_file_id WHERE NOT w.void) l
        ON l.attempt_id = a.id
    LEFT JOIN refund r ON r.id = f.refund_id LEFT JOIN purchase_order po ON po.id = r.purchase_order_id
    JOIN organisation o ON o.id = coalesce(p.supplier_id, po.buyer_id)
    WHERE o.region_code LIKE ANY (CAST(:regions AS text[]))
"""
_ONE = text(f"{_REPORT} AND f.id = :id")
_MANY = text(
    f"{_REPORT} AND (CAST(:status AS text) IS NULL OR f.status = :status) AND (CAST(:start AS bigint) IS NULL OR f.id < :start)"
    " ORDER BY f.id DESC LIMIT :rows"
)


def report(session: Session, actor: Actor, report_id: int) -> FailureReportOut:
    """One of them.

    Raises:
        NotFound: none of those whose money the caller keeps (404).
    """
    row = session.execute(_ONE, {"id": report_id, "regions": actor.region_patterns(Permission.MONEY_MANAGE)}).first()
    if row is None:
        raise NotFound
    return _shown(row, actor)


def reports(
    session: Session, actor: Actor, *, status: FailureStatus | None, limit: int, after: str | None
) -> Page[FailureReportOut]:
    """Those of whose money the caller keeps, newest first."""
    start = paging.position(after, int)
    regions = actor.region_patterns(Permission.MONEY_MANAGE)
    values = {"status": status, "regions": regions, "start": start[0] if start else None, "rows": limit + 1}
    return paging.page(session.execute(_MANY, values).all(), limit, lambda row: _shown(row, actor), lambda row: [row.id])


def _shown(row: Any, actor: Actor) -> FailureReportOut:
    fields = {name: getattr(row, name) for name in FailureReportOut.model_fields if name != "possible_actions"}
    return FailureReportOut(**fields, possible_actions=failure_moves(row.status, own=row.requested_by == actor.user_id))
