"""Drafted call-offs, closures, and where an agreement stands: ordered, delivered, remaining."""

from decimal import Decimal
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.agreements import rules
from orders.agreements.queries.late import LATE, of_draft
from orders.agreements.queries.reach import AT_PLACE, SEEN, SIDES, reach
from orders.agreements.schemas.calling import ClosureOut, DraftOut, DraftRow, PositionLineOut, PositionOut
from orders.agreements.states import DraftStatus, state_sql
from shop.core import clock, paging
from shop.core.errors import NotFound
from shop.core.paging import Page
from shop.identity.actor import Actor

_DRAFTS = text(
    f"""
    SELECT d.*, a.number AS agreement_number, supplier.name AS supplier_name, buyer.name AS buyer_name, place.name AS place_name,
           (SELECT count(DISTINCT i.agreement_line_id) FROM instalment i WHERE i.call_off_draft_id = d.id AND i.status <> 'skipped') AS lines
    FROM call_off_draft d JOIN agreement a ON a.id = d.agreement_id {SIDES} JOIN delivery_place place ON place.id = d.delivery_place_id
    LEFT JOIN organisation unit ON unit.id = place.unit_id
    WHERE {AT_PLACE}
      AND (CAST(:id AS bigint) IS NULL OR d.id = :id)
      AND (CAST(:agreement_id AS bigint) IS NULL OR a.id = :agreement_id)
      AND (CAST(:status AS text) IS NULL OR d.status = :status)
      AND (CAST(:start AS bigint) IS NULL OR (d.due_on, d.id) > (CAST(:start_day AS date), CAST(:start AS bigint)))
    ORDER BY d.due_on, d.id LIMIT :rows
    """  # noqa: S608
)


def drafts(
    session: Session,
    actor: Actor,
    *,
    agreement_id: int | None,
    status: DraftStatus | None,
    limit: int,
    after: str | None,
    draft_id: int | None = None,
) -> Page[DraftRow]:
    """Drafted call-offs of the own branch and of the places at its units, by the day on which they are due."""
    start = paging.position(after, str, int)
    rows = session.execute(
        _DRAFTS,
        {
            "branch": reach(actor)["branch"],
            "id": draft_id,
            "agreement_id": agreement_id,
            "status": status,
            "start": start[1] if start else None,
            "start_day": paging.day(start[0]) if start else None,
            "rows": limit + 1,
        },
    ).all()
    return paging.page(
        rows, limit, lambda row: DraftRow.model_validate(row, from_attributes=True), lambda row: [row.due_on, row.id]
    )


def draft(session: Session, actor: Actor, draft_id: int) -> DraftOut:
    """One draft with its instalments.

    Raises:
        NotFound: none of the caller's branch.
    """
    found = drafts(session, actor, agreement_id=None, status=None, limit=1, after=None, draft_id=draft_id).items
    if not found:
        raise NotFound
    return DraftOut(**dict(found[0]), instalments=of_draft(session, draft_id))


_CLOSURES = text(
    """
    SELECT c.*, o.name AS organisation_name FROM closure_period c JOIN organisation o ON o.id = c.organisation_id
    WHERE o.path LIKE CAST(:branch AS text)
      AND (CAST(:start AS bigint) IS NULL OR (c.starts_on, c.id) > (CAST(:start_day AS date), CAST(:start AS bigint)))
    ORDER BY c.starts_on, c.id LIMIT :rows
    """
)


def closures(session: Session, actor: Actor, *, limit: int, after: str | None) -> Page[ClosureOut]:
    """When the units of the own branch are closed, by their first day."""
    start = paging.position(after, str, int)
    asked = {
        "branch": reach(actor)["branch"],
        "start": start[1] if start else None,
        "start_day": paging.day(start[0]) if start else None,
        "rows": limit + 1,
    }
    rows = session.execute(_CLOSURES, asked).all()
    return paging.page(
        rows, limit, lambda row: ClosureOut.model_validate(row, from_attributes=True), lambda row: [row.starts_on, row.id]
    )


def closure(session: Session, closure_id: int) -> ClosureOut:
    """One closure, just written."""
    row = session.execute(
        text(
            "SELECT c.*, o.name AS organisation_name FROM closure_period c JOIN organisation o ON o.id = c.organisation_id WHERE c.id = :id"
        ),
        {"id": closure_id},
    ).one()
    return ClosureOut.model_validate(row, from_attributes=True)


_HEAD = text(
    f"SELECT a.*, {state_sql('a')} AS state FROM agreement a {SIDES} WHERE a.id = :id AND {SEEN}"  # noqa: S608
)
# Acceptances as they stand by now: put right by both sides, less what was given back.
_POSITION = text(
    """
    SELECT l.*, l.id AS agreement_line_id, l.amount_cap_fen AS amount_cap, s.code AS sku_code, p.name AS product_name, s.pack, s.unit,
           drawn.quantity AS drawn_quantity, drawn.amount_fen AS drawn_amount, coalesce(waits.quantity, 0) AS waiting_quantity,
           coalesce(o.ordered, 0) AS ordered_quantity, coalesce(o.shipped, 0) AS shipped_quantity,
           coalesce(o.accepted, 0) AS accepted_quantity, coalesce(o.rejected, 0) AS rejected_quantity,
           coalesce(o.returned, 0) AS returned_quantity, coalesce(o.accepted_fen, 0)::bigint AS accepted_amount
    FROM agreement_line l JOIN sku s ON s.id = l.sku_id JOIN product p ON p.id = s.product_id
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(d.quantity), 0) AS quantity, coalesce(sum(d.amount_fen), 0)::bigint AS amount_fen
        FROM agreement_drawn d WHERE d.agreement_line_id = l.id
    ) drawn
    LEFT JOIN LATERAL (
        SELECT sum(w.quantity) AS quantity FROM purchase_request_line w JOIN purchase_request r ON r.id = w.purchase_request_id
        WHERE w.agreement_line_id = l.id AND r.status IN ('waiting', 'returned', 'approved')
    ) waits ON true
    LEFT JOIN LATERAL (
        SELECT sum(ol.quantity - ol.closed_quantity) AS ordered, sum(ol.shipped_quantity) AS shipped, sum(stands.accepted) AS accepted,
               sum(ol.rejected_quantity + ol.difference_quantity + ol.accepted_quantity - coalesce(stands.accepted, 0)) AS rejected,
               sum(stands.returned) AS returned, sum(stands.fen) AS accepted_fen
        FROM order_line ol JOIN supplier_order so ON so.id = ol.supplier_order_id
        LEFT JOIN LATERAL (
            SELECT sum(coalesce(b.accepted, al.accepted_quantity)) AS accepted, sum(b.returned) AS returned,
                   sum(al.amount_fen - coalesce(back.fen, 0) + coalesce(mended.fen, 0)) AS fen
            FROM acceptance_line al LEFT JOIN acceptance_balance b ON b.acceptance_line_id = al.id
            LEFT JOIN LATERAL (SELECT sum(r.amount_fen) AS fen FROM goods_return_line r WHERE r.acceptance_line_id = al.id) back ON true
            LEFT JOIN LATERAL (
                SELECT sum(coalesce(c.after_fen, 0) - coalesce(c.before_fen, 0)) AS fen FROM acceptance_correction_line c
                WHERE c.acceptance_line_id = al.id
            ) mended ON true
            WHERE al.order_line_id = ol.id
        ) stands ON true
        WHERE ol.agreement_line_id = l.id AND so.status NOT IN ('rejected', 'cancelled')
    ) o ON true
    WHERE l.agreement_id = :id ORDER BY l.line_no
    """
)
_LATE_COUNT = text(f"SELECT count(*) FROM ({LATE} AND a.id = :id) t")  # noqa: S608


def position(session: Session, actor: Actor, agreement_id: int) -> PositionOut:
    """What was ordered, shipped, accepted and rejected under an agreement, and what is left of it; the same for both sides.

    Raises:
        NotFound: none within reach.
    """
    head = session.execute(_HEAD, {"id": agreement_id, "today": clock.today(), **reach(actor)}).first()
    if head is None:
        raise NotFound
    lines = [_position_line(row) for row in session.execute(_POSITION, {"id": agreement_id})]
    drawn = sum(line.drawn_amount for line in lines)
    cap, minimum = head.amount_cap_fen, head.minimum_amount_fen
    late = {"id": agreement_id, "today": clock.today(), "oldest": None}
    return PositionOut(
        agreement_id=agreement_id,
        number=head.number,
        state=head.state,
        amount_cap=cap,
        tolerance_percent=head.tolerance_percent,
        drawn_amount=drawn,
        accepted_amount=sum(line.accepted_amount for line in lines),
        remaining_amount=None if cap is None else cap - drawn,
        percent=rules.percent_of(drawn, cap),
        minimum_amount=minimum,
        minimum_open=None if minimum is None else max(minimum - drawn, 0),
        late_instalments=session.execute(_LATE_COUNT, late).scalar_one(),
        lines=lines,
    )


def _position_line(row: Row[Any]) -> PositionLineOut:
    by_quantity = row.quantity_cap is not None
    return PositionLineOut(
        **{name: getattr(row, name) for name in PositionLineOut.model_fields if hasattr(row, name)},
        remaining_quantity=row.quantity_cap - row.drawn_quantity if by_quantity else None,
        remaining_amount=row.amount_cap - row.drawn_amount if row.amount_cap is not None else None,
        percent=rules.percent_of(row.drawn_quantity, row.quantity_cap)
        if by_quantity
        else rules.percent_of(row.drawn_amount, row.amount_cap),
        minimum_open=None if row.minimum_quantity is None else max(row.minimum_quantity - row.drawn_quantity, Decimal(0)),
    )
