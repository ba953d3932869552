"""Instalments with what became of them, and which are late."""

from datetime import date
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.agreements.queries.reach import SEEN, SIDES, reach, require_seen
from orders.agreements.schemas.calling import InstalmentOut, LateInstalmentOut
from shop.core import clock, paging
from shop.core.paging import Page
from shop.identity.actor import Actor

# The order of an instalment, whether it was placed at once or after approvals; its lines are those of the same agreement line:
# an agreed change may have put one in the place of another.
_FROM = f"""
    FROM instalment i
    JOIN agreement_line l ON l.id = i.agreement_line_id
    JOIN agreement a ON a.id = l.agreement_id {SIDES}
    LEFT JOIN call_off_draft d ON d.id = i.call_off_draft_id
    LEFT JOIN purchase_request r ON r.id = d.purchase_request_id
    LEFT JOIN purchase_order po ON po.id = d.purchase_order_id OR po.purchase_request_id = d.purchase_request_id
    LEFT JOIN LATERAL (
        SELECT min(o.supplier_order_id) AS supplier_order_id, sum(o.accepted_quantity) AS accepted,
               sum(o.quantity - o.closed_quantity - o.shipped_quantity) AS to_ship,
               sum(o.quantity - o.closed_quantity - o.accepted_quantity - o.rejected_quantity - o.difference_quantity) AS to_answer
        FROM order_line o WHERE o.purchase_order_id = po.id AND o.agreement_line_id = l.id
    ) ol ON true
    LEFT JOIN supplier_order so ON so.id = ol.supplier_order_id
"""  # noqa: S608
# What was rejected, did not arrive or will not come was answered for: nothing more is to come for it.
_LATE = """
    a.status = 'active' AND i.status <> 'skipped' AND NOT i.settled AND i.due_on < :today AND (CAST(:oldest AS date) IS NULL OR i.due_on >= :oldest)
    AND i.due_on <= coalesce(a.terminated_on, a.valid_until)
    AND (so.id IS NULL OR so.status IN ('rejected', 'cancelled') OR ol.to_answer > 0)
"""
#: SQL: id, agreement and day of every instalment that is late on ``:today``, since ``:oldest`` where that is given.
LATE = f"SELECT i.id, a.id AS agreement_id, i.due_on {_FROM} WHERE {_LATE}"
#: SQL: id of every instalment that was not settled and by ``:today`` is: its order stands, and all of it was answered for.
ANSWERED = f"""
    SELECT i.id {_FROM} WHERE i.status = 'ordered' AND NOT i.settled AND i.due_on < :today
      AND so.status NOT IN ('rejected', 'cancelled') AND ol.to_answer = 0
"""

_SHOWN = f"""
    SELECT i.*, a.id AS agreement_id, l.line_no, p.name AS product_name, s.pack, s.unit, place.name AS place_name, po.id AS purchase_order_id,
           d.purchase_request_id, a.number AS agreement_number, buyer.name AS buyer_name, supplier.name AS supplier_name,
           coalesce(ol.accepted, 0) AS accepted_quantity, CAST(:today AS date) - i.due_on AS days_late,
           CASE WHEN i.status <> 'ordered' THEN 'order'
                WHEN so.status IN ('rejected', 'cancelled') OR r.status IN ('rejected', 'withdrawn') THEN 'new_order'
                WHEN so.id IS NULL THEN 'approval'
                WHEN ol.to_ship > 0 THEN 'shipment' ELSE 'acceptance' END AS waits_for
    {_FROM}
    JOIN sku s ON s.id = l.sku_id JOIN product p ON p.id = s.product_id JOIN delivery_place place ON place.id = i.delivery_place_id
"""
_LIST = text(
    f"""{_SHOWN}
    WHERE l.agreement_id = :id
      AND (CAST(:status AS text) IS NULL OR i.status = :status)
      AND (CAST(:place_id AS bigint) IS NULL OR i.delivery_place_id = :place_id)
      AND (CAST(:first AS date) IS NULL OR i.due_on >= :first) AND (CAST(:last AS date) IS NULL OR i.due_on <= :last)
      AND (CAST(:start AS bigint) IS NULL OR (i.due_on, i.id) > (CAST(:start_day AS date), CAST(:start AS bigint)))
    ORDER BY i.due_on, i.id LIMIT :rows
    """
)
_LATE_LIST = text(
    f"""{_SHOWN}
    WHERE {_LATE} AND {SEEN}
      AND (CAST(:id AS bigint) IS NULL OR a.id = :id)
      AND (CAST(:start AS bigint) IS NULL OR (i.due_on, i.id) > (CAST(:start_day AS date), CAST(:start AS bigint)))
    ORDER BY i.due_on, i.id LIMIT :rows
    """
)
_OF_DRAFT = text(f"{_SHOWN} WHERE i.call_off_draft_id = :id ORDER BY l.line_no, i.id")


def instalments(
    session: Session,
    actor: Actor,
    agreement_id: int,
    *,
    status: str | None,
    place_id: int | None,
    first: date | None,
    last: date | None,
    limit: int,
    after: str | None,
) -> Page[InstalmentOut]:
    """The instalments of an agreement by day; skipped ones with their reason.

    Raises:
        NotFound: no such agreement within reach.
    """
    require_seen(session, actor, agreement_id)
    start = paging.position(after, str, int)
    rows = session.execute(
        _LIST,
        {
            "id": agreement_id,
            "today": clock.today(),
            "status": status,
            "place_id": place_id,
            "first": first,
            "last": last,
            **_start(start),
            "rows": limit + 1,
        },
    ).all()
    return paging.page(rows, limit, _instalment, lambda row: [row.due_on, row.id])


def late(session: Session, actor: Actor, *, agreement_id: int | None, limit: int, after: str | None) -> Page[LateInstalmentOut]:
    """Instalments whose day is over and that are not accepted in full, the oldest first."""
    start = paging.position(after, str, int)
    rows = session.execute(
        _LATE_LIST,
        {
            **reach(actor),
            "id": agreement_id,
            "today": clock.today(),
            "oldest": None,
            **_start(start),
            "rows": limit + 1,
        },
    ).all()
    return paging.page(
        rows, limit, lambda row: LateInstalmentOut.model_validate(row, from_attributes=True), lambda row: [row.due_on, row.id]
    )


def of_draft(session: Session, draft_id: int) -> list[InstalmentOut]:
    """The instalments that a draft gathers."""
    return [_instalment(row) for row in session.execute(_OF_DRAFT, {"id": draft_id, "today": clock.today()})]


def _start(start: list[Any] | None) -> dict[str, Any]:
    return {"start": start[1] if start else None, "start_day": paging.day(start[0]) if start else None}


def _instalment(row: Any) -> InstalmentOut:
    return InstalmentOut.model_validate(row, from_attributes=True)
