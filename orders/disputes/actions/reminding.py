"""Reminding who is to answer or to decide, and taking up to the city what nobody answered. Each is told once."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from shop.core import clock, workdays
from shop.identity.actor import CITY
from shop.notifications.actions import notify

_DUE = text(
    """
    SELECT d.id, d.number, d.answer_due_on AS due_on, CASE d.opened_side WHEN 'buyer' THEN so.supplier_id ELSE po.buyer_id END AS whom,
           CASE WHEN d.answer_due_on < :today THEN 'dispute.unanswered' ELSE 'dispute.answer_due' END AS kind
    FROM dispute d JOIN supplier_order so ON so.id = d.supplier_order_id JOIN purchase_order po ON po.id = so.purchase_order_id
    WHERE d.status = 'open' AND d.answer_due_on <= :next
    UNION ALL
    SELECT d.id, d.number, d.decision_due_on, NULL, CASE WHEN d.decision_due_on < :today THEN 'dispute.overdue' ELSE 'dispute.decision_due' END
    FROM dispute d WHERE d.status IN ('answered', 'mediating') AND d.decision_due_on <= :next
    ORDER BY 1
    """
)


def remind(session: Session) -> int:
    """Tell the other side that its answer is due, and the city what it may decide or should have; returns how many reminders hold now.
    Safe to run at any time and any number of times."""
    today = clock.today()
    rows = session.execute(_DUE, {"today": today, "next": workdays.calendar(session, today).add(today, 1)}).all()
    for row in rows:
        to: dict[str, Any] = {"organisation_id": row.whom} if row.kind == "dispute.answer_due" else {"region_code": CITY}
        notify(
            session,
            origin=f"{row.kind}:{row.id}:{row.due_on}",
            kind=row.kind,
            subject_type="dispute",
            subject_id=row.id,
            number=row.number,
            due_on=row.due_on.isoformat(),
            **to,
        )
    return len(rows)
