"""Reading deliveries."""

from sqlalchemy import text
from sqlmodel import Session

from catalog.certificates.states import stopped_at_sql
from orders.fulfilment.schemas import ShipmentLineOut, ShipmentOut
from orders.purchasing import queries as purchasing
from shop.core import clock
from shop.core.errors import NotFound
from shop.identity.actor import Actor

#: Certificates against which a measure stands, and for which the buyer has not chosen delivery since; ``order_disposition`` has its choices.
_UNDECIDED = text(
    f"""
    SELECT DISTINCT c.number
    FROM order_line l JOIN certificate c ON c.id = l.certificate_id
    WHERE l.supplier_order_id = :id AND l.shipped_quantity < l.quantity AND {stopped_at_sql("c")} IS NOT NULL
      AND NOT EXISTS (SELECT FROM order_disposition d WHERE d.supplier_order_id = l.supplier_order_id AND d.certificate_id = c.id
                      AND d.choice = 'deliver' AND d.at >= {stopped_at_sql("c")})
    ORDER BY c.number
    """  # noqa: S608
)


def undecided(session: Session, supplier_order_id: int) -> list[str]:
    """Numbers of the certificates for which a supplier order waits for its buyer's choice; while there are any, nothing of it is shipped."""
    return list(session.execute(_UNDECIDED, {"id": supplier_order_id, **clock.present()}).scalars())


def voucher_lines(session: Session, supplier_order_id: int) -> frozenset[int]:
    """The lines of a supplier order that are redeemed by vouchers, and so not shipped."""
    lines = text("SELECT DISTINCT order_line_id FROM voucher WHERE supplier_order_id = :id")
    return frozenset(session.execute(lines, {"id": supplier_order_id}).scalars())


def shipments(session: Session, actor: Actor, supplier_order_id: int) -> list[ShipmentOut]:
    """The deliveries of one supplier order, oldest first.

    Raises:
        NotFound: no such order within the caller's reach.
    """
    purchasing.supplier_order(session, actor, supplier_order_id)
    ids = session.execute(
        text("SELECT id FROM shipment WHERE supplier_order_id = :id ORDER BY id"), {"id": supplier_order_id}
    ).scalars()
    return [_shipment(session, shipment_id) for shipment_id in ids]


def shipment(session: Session, actor: Actor, shipment_id: int) -> ShipmentOut:
    """One delivery with its lines and, once answered, what was accepted.

    Raises:
        NotFound: no such delivery within the caller's reach.
    """
    supplier_order_id = session.execute(
        text("SELECT supplier_order_id FROM shipment WHERE id = :id"), {"id": shipment_id}
    ).scalar_one_or_none()
    if supplier_order_id is None:
        raise NotFound
    purchasing.supplier_order(session, actor, supplier_order_id)
    return _shipment(session, shipment_id)


def _shipment(session: Session, shipment_id: int) -> ShipmentOut:
    head = session.execute(
        text("SELECT s.*, a.accepted_at FROM shipment s LEFT JOIN acceptance a ON a.shipment_id = s.id WHERE s.id = :id"),
        {"id": shipment_id},
    ).one()
    lines = session.execute(
        text(
            """
            SELECT sl.order_line_id, p.name AS product_name, sl.quantity, sl.grams, al.accepted_quantity, al.accepted_grams,
                   al.rejected_quantity, al.rejected_grams, al.amount_fen AS amount, al.reason
            FROM shipment_line sl
            JOIN order_line l ON l.id = sl.order_line_id
            JOIN product p ON p.id = l.product_id
            LEFT JOIN acceptance a ON a.shipment_id = sl.shipment_id
            LEFT JOIN acceptance_line al ON al.acceptance_id = a.id AND al.order_line_id = sl.order_line_id
            WHERE sl.shipment_id = :id ORDER BY l.line_no
            """
        ),
        {"id": shipment_id},
    )
    return ShipmentOut(
        id=head.id,
        supplier_order_id=head.supplier_order_id,
        carrier=head.carrier,
        waybill=head.waybill,
        shipped_at=head.shipped_at,
        accepted_at=head.accepted_at,
        lines=[ShipmentLineOut(**row._mapping) for row in lines],
    )
