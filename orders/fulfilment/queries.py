"""Reading deliveries."""

# ruff: noqa: S608  statements are put together from constants only; every value that a caller gives is bound

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.fulfilment.rules import shipment_number
from orders.fulfilment.schemas import PhotoOut, ShipmentLineOut, ShipmentOut, TrackingOut
from orders.purchasing import queries as purchasing
from orders.purchasing.queries.following import require_followed
from shop.core import clock, paging
from shop.core.errors import NotFound
from shop.core.paging import Page
from shop.identity.actor import Actor


def voucher_lines(session: Session, supplier_order_id: int) -> frozenset[int]:
    """The lines of a supplier order that are redeemed by vouchers, and so not shipped."""
    lines = text("SELECT DISTINCT order_line_id FROM voucher WHERE supplier_order_id = :id")
    return frozenset(session.execute(lines, {"id": supplier_order_id}).scalars())


def shipments(session: Session, actor: Actor, supplier_order_id: int, *, limit: int, after: str | None) -> Page[ShipmentOut]:
    """The deliveries of one supplier order, oldest first.

    Raises:
        NotFound: no such order within the caller's reach.
    """
    purchasing.require_reach(session, actor, supplier_order_id)
    start = paging.position(after, int)
    rows = session.execute(_PAGE, {"order": supplier_order_id, "start": start[0] if start else 0, "rows": limit + 1}).all()
    shown = {each.id: each for each in _shown(session, rows[:limit])}
    return paging.page(rows, limit, lambda row: shown[row.id], lambda row: [row.id])


def shipment(session: Session, actor: Actor, shipment_id: int) -> ShipmentOut:
    """One delivery with its lines and, once answered, what was accepted; also for whoever only follows a sale to it.

    Raises:
        NotFound: no such delivery within the caller's reach.
    """
    require_followed(session, actor, order_of(session, shipment_id))
    return _shown(session, [row(session, shipment_id)])[0]


def order_of(session: Session, shipment_id: int) -> int:
    """The supplier order that a delivery belongs to.

    Raises:
        NotFound: no such delivery.
    """
    found: int | None = session.execute(
        text("SELECT supplier_order_id FROM shipment WHERE id = :id"), {"id": shipment_id}
    ).scalar_one_or_none()
    if found is None:
        raise NotFound
    return found


def row(session: Session, shipment_id: int) -> Any:
    """A delivery's own row, with when and by whom it was answered."""
    return session.execute(_ROW, {"id": shipment_id}).one()


def photo_ids(session: Session, shipment_id: int) -> list[int]:
    return list(session.execute(text("SELECT id FROM shipment_photo WHERE shipment_id = :id"), {"id": shipment_id}).scalars())


def photos(session: Session, actor: Actor, shipment_id: int) -> list[PhotoOut]:
    """The photos of a delivery, for both sides and the officers of either region.

    Raises:
        NotFound: no such delivery within the caller's reach.
    """
    purchasing.require_reach(session, actor, order_of(session, shipment_id))
    rows = session.execute(text(f"{_PHOTO} WHERE p.shipment_id = :id ORDER BY p.id"), {"id": shipment_id})
    return [PhotoOut(**{name: getattr(each, name) for name in PhotoOut.model_fields}) for each in rows]


def photo(session: Session, actor: Actor, shipment_id: int, photo_id: int) -> Any:
    """One photo's stored file.

    Raises:
        NotFound: no such photo within the caller's reach.
    """
    purchasing.require_reach(session, actor, order_of(session, shipment_id))
    values = {"id": shipment_id, "photo": photo_id}
    found = session.execute(text(f"{_PHOTO} WHERE p.shipment_id = :id AND p.id = :photo"), values).first()
    if found is None:
        raise NotFound
    return found


def overdue(session: Session) -> list[int]:
    """Deliveries whose time is over and that nobody answered or holds."""
    return list(session.execute(_OVERDUE, {"now": clock.now()}).scalars())


_PHOTO = """
    SELECT p.id, p.uploaded_at, f.name, f.content_type, f.size, f.sha256, f.storage_key
    FROM shipment_photo p JOIN stored_file f ON f.id = p.file_id
"""
#: What keeps delivery ``s`` from being accepted by itself: a dispute about it, or about its order as a whole.
IN_DISPUTE = """EXISTS (SELECT FROM dispute d WHERE d.supplier_order_id = s.supplier_order_id AND d.status IN ('open', 'answered', 'mediating')
                       AND (d.shipment_id = s.id OR d.shipment_id IS NULL AND d.goods_return_id IS NULL))"""
_OVERDUE = text(
    f"SELECT id FROM shipment s WHERE accept_by <= :now AND held_at IS NULL AND NOT {IN_DISPUTE} ORDER BY accept_by LIMIT 500"
)
_SHIPMENT = "SELECT s.*, a.accepted_at, a.accepted_by FROM shipment s LEFT JOIN acceptance a ON a.shipment_id = s.id"
_ROW = text(f"{_SHIPMENT} WHERE s.id = :id")
_PAGE = text(f"{_SHIPMENT} WHERE s.supplier_order_id = :order AND s.id > :start ORDER BY s.id LIMIT :rows")
_LINES = text(
    """
    SELECT sl.shipment_id, sl.order_line_id, p.name AS product_name, sl.quantity, sl.closed_quantity, sl.grams, sl.lot, sl.origin, sl.produced_on,
           sl.best_before, al.accepted_quantity, al.accepted_grams, al.rejected_quantity, al.rejected_grams, al.difference_quantity,
           al.amount_fen AS amount, al.reason_code, al.reason, al.photo_ids,
           coalesce(b.accepted, al.accepted_quantity) AS corrected_quantity, coalesce(c.accepted_grams, al.accepted_grams) AS corrected_grams,
           CASE WHEN al.id IS NOT NULL THEN coalesce(b.returned, 0) END AS returned_quantity
    FROM shipment_line sl
    JOIN order_line l ON l.id = sl.order_line_id
    JOIN product p ON p.id = l.product_id
    LEFT JOIN acceptance a ON a.shipment_id = sl.shipment_id
    LEFT JOIN acceptance_line al ON al.acceptance_id = a.id AND al.order_line_id = sl.order_line_id
    LEFT JOIN acceptance_balance b ON b.acceptance_line_id = al.id
    LEFT JOIN LATERAL (
        SELECT c.accepted_grams FROM acceptance_correction_line c JOIN acceptance_correction h ON h.id = c.acceptance_correction_id
        WHERE c.acceptance_line_id = b.acceptance_line_id AND h.status = 'agreed' ORDER BY h.answered_at DESC, c.id DESC LIMIT 1) c ON true
    WHERE sl.shipment_id = ANY (:ids) ORDER BY l.line_no
    """
)
_TRACKING = text(
    "SELECT shipment_id, text, happened_at, recorded_at FROM shipment_event WHERE shipment_id = ANY (:ids) ORDER BY happened_at, id"
)
_HEAD_FIELDS = [name for name in ShipmentOut.model_fields if name not in ("number", "accepted_automatically", "tracking", "lines")]


def _shown(session: Session, heads: Sequence[Any]) -> list[ShipmentOut]:
    ids = {"ids": [head.id for head in heads]}
    tracking: dict[int, list[TrackingOut]] = {head.id: [] for head in heads}
    for event in session.execute(_TRACKING, ids):
        tracking[event.shipment_id].append(TrackingOut.model_validate(event, from_attributes=True))
    lines: dict[int, list[ShipmentLineOut]] = {head.id: [] for head in heads}
    for line in session.execute(_LINES, ids):
        lines[line.shipment_id].append(ShipmentLineOut.model_validate(line, from_attributes=True))
    return [
        ShipmentOut(
            **{name: getattr(head, name) for name in _HEAD_FIELDS},
            number=shipment_number(head.id, clock.shanghai_date(head.shipped_at)),
            accepted_automatically=head.accepted_at is not None and head.accepted_by is None,
            tracking=tracking[head.id],
            lines=lines[head.id],
        )
        for head in heads
    ]
