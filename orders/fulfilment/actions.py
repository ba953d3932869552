"""Shipping and accepting, in parts where need be."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from catalog.stock import actions as stock
from orders.budgets import actions as budgets
from orders.fulfilment import queries, rules
from orders.fulfilment.errors import AlreadyAccepted, DispositionNeeded, LinesWrong, NothingToShip
from orders.fulfilment.rules import Accepted, OpenLine, Shipped, ShippedLine
from orders.fulfilment.schemas import AcceptanceIn, ShipmentIn
from orders.ledger.actions import book_acceptance
from orders.purchasing.actions.moving import locked, step
from orders.purchasing.states import SUPPLIER_ORDER, SupplierOrderAction
from shop.core import clock, outbox
from shop.core.errors import Fault, NotFound
from shop.identity.actor import Actor


def ship(session: Session, actor: Actor, supplier_order_id: int, body: ShipmentIn) -> int:
    """Send a delivery; the goods leave the stock. Returns the shipment's id.

    Raises:
        NotFound: not an order of the caller's organisation.
        IllegalMove: the order is not confirmed, or already delivered (409).
        LinesWrong: unknown lines, more than is open, a wrong step (422).
        NothingToShip: every line is shipped (409).
        DispositionNeeded: a certificate was suspended, held or revoked, and the buyer has not chosen delivery (409).
    """
    order = locked(session, actor, supplier_order_id, "supplier")
    SUPPLIER_ORDER.after(order.status, SupplierOrderAction.SHIP_PART)
    if undecided := queries.undecided(session, supplier_order_id):
        raise DispositionNeeded(certificates=", ".join(undecided))
    lines = _open_lines(session, supplier_order_id)
    shipped, faults = rules.to_ship(lines, _asked(body))
    if faults:
        raise LinesWrong(count=len(faults), faults=faults)
    if not shipped:
        raise NothingToShip
    shipment_id = _write_shipment(session, actor, supplier_order_id, body, shipped)
    stock.ship(
        session,
        sku_ids=[line.sku_id for line in shipped],
        quantities=[line.quantity for line in shipped],
        order_line_ids=[line.order_line_id for line in shipped],
    )
    left = sum(line.quantity - line.shipped for line in lines) - sum(line.quantity for line in shipped)
    step(session, actor, order, SupplierOrderAction.SHIP_PART if left else SupplierOrderAction.SHIP_REST)
    outbox.publish(session, "shipment.sent", shipment_id=shipment_id)
    return shipment_id


def accept(session: Session, actor: Actor, shipment_id: int, body: AcceptanceIn) -> None:
    """Answer a shipment: what is accepted becomes a sale in the ledger, in this very transaction.

    Raises:
        NotFound: not a shipment to the caller's branch.
        AlreadyAccepted: it was answered before (409).
        LinesWrong: accepted plus rejected is not what was shipped, a line is missing, a rejection has no reason (422).
    """
    supplier_order_id = session.execute(
        text("SELECT supplier_order_id FROM shipment WHERE id = :id"), {"id": shipment_id}
    ).scalar_one_or_none()
    if supplier_order_id is None:
        raise NotFound
    order = locked(session, actor, supplier_order_id, "buyer")
    if session.execute(text("SELECT 1 FROM acceptance WHERE shipment_id = :id"), {"id": shipment_id}).first():
        raise AlreadyAccepted
    answers = None if body.lines is None else [rules.Answer(**line.model_dump()) for line in body.lines]
    accepted, faults = rules.answer(_shipped_lines(session, shipment_id), answers)
    if faults:
        raise LinesWrong(count=len(faults), faults=faults)
    acceptance_id = _write_acceptance(session, actor, shipment_id, supplier_order_id, accepted)
    step(session, actor, order, _acceptance_step(session, supplier_order_id))
    book_acceptance(session, acceptance_id)
    budgets.redraw(session, order.purchase_order_id)
    outbox.publish(session, "acceptance.recorded", acceptance_id=acceptance_id)


def _asked(body: ShipmentIn) -> dict[int, Any] | None:
    if body.lines is None:
        return None
    asked = {line.order_line_id: (line.quantity, line.grams) for line in body.lines}
    if len(asked) < len(body.lines):
        raise LinesWrong(count=1, faults=[Fault("lines", "line_twice", "同一行出现两次", "A line is named twice")])
    return asked


def _open_lines(session: Session, supplier_order_id: int) -> list[OpenLine]:
    rows = session.execute(
        text(
            """
            SELECT l.id, l.sku_id, l.quantity, l.shipped_quantity, s.step, coalesce(s.net_grams, 0)
            FROM order_line l JOIN sku s ON s.id = l.sku_id WHERE l.supplier_order_id = :id ORDER BY l.line_no
            """
        ),
        {"id": supplier_order_id},
    )
    return [OpenLine(*row) for row in rows]


def _write_shipment(session: Session, actor: Actor, supplier_order_id: int, body: ShipmentIn, lines: Sequence[Shipped]) -> int:
    shipment_id: int = session.execute(
        text(
            """
            WITH sent AS (
                INSERT INTO shipment (supplier_order_id, carrier, waybill, shipped_by, shipped_at)
                VALUES (:order, :carrier, :waybill, :user, :now) RETURNING id
            ), wanted AS (
                SELECT * FROM unnest(CAST(:ids AS bigint[]), CAST(:quantities AS numeric[]), CAST(:grams AS bigint[]))
                  AS u (order_line_id, quantity, grams)
            ), lines AS (
                INSERT INTO shipment_line (shipment_id, order_line_id, quantity, grams)
                SELECT sent.id, order_line_id, quantity, grams FROM wanted CROSS JOIN sent
            ), counted AS (
                UPDATE order_line l SET shipped_quantity = l.shipped_quantity + w.quantity
                FROM wanted w WHERE l.id = w.order_line_id
            )
            SELECT id FROM sent
            """
        ),
        {
            "order": supplier_order_id,
            "carrier": body.carrier,
            "waybill": body.waybill,
            "user": actor.user_id,
            "now": clock.now(),
            "ids": [line.order_line_id for line in lines],
            "quantities": [line.quantity for line in lines],
            "grams": [line.grams for line in lines],
        },
    ).scalar_one()
    return shipment_id


def _shipped_lines(session: Session, shipment_id: int) -> list[ShippedLine]:
    rows = session.execute(
        text(
            """
            SELECT l.id, sl.quantity, sl.grams, coalesce(s.net_grams, 0), s.step, l.unit_price_fen, l.quantity, l.amount_fen, l.accepted_quantity,
                   (SELECT coalesce(sum(amount_fen), 0) FROM acceptance_line WHERE order_line_id = l.id)::bigint
            FROM shipment_line sl JOIN order_line l ON l.id = sl.order_line_id JOIN sku s ON s.id = l.sku_id
            WHERE sl.shipment_id = :id ORDER BY l.line_no
            """
        ),
        {"id": shipment_id},
    )
    return [ShippedLine(*row) for row in rows]


def _write_acceptance(session: Session, actor: Actor, shipment_id: int, supplier_order_id: int, lines: Sequence[Accepted]) -> int:
    acceptance_id: int = session.execute(
        text(
            """
            WITH answered AS (
                INSERT INTO acceptance (shipment_id, supplier_order_id, accepted_by, accepted_at)
                VALUES (:shipment, :order, :user, :now) RETURNING id
            ), given AS (
                SELECT * FROM unnest(CAST(:ids AS bigint[]), CAST(:accepted AS numeric[]), CAST(:accepted_grams AS bigint[]),
                    CAST(:rejected AS numeric[]), CAST(:rejected_grams AS bigint[]), CAST(:amounts AS bigint[]), CAST(:reasons AS text[]))
                  AS u (order_line_id, accepted, accepted_grams, rejected, rejected_grams, amount_fen, reason)
            ), lines AS (
                INSERT INTO acceptance_line (acceptance_id, order_line_id, accepted_quantity, accepted_grams, rejected_quantity,
                    rejected_grams, amount_fen, reason)
                SELECT answered.id, order_line_id, accepted, accepted_grams, rejected, rejected_grams, amount_fen, reason
                FROM given CROSS JOIN answered
            ), counted AS (
                UPDATE order_line l SET accepted_quantity = l.accepted_quantity + g.accepted, rejected_quantity = l.rejected_quantity + g.rejected
                FROM given g WHERE l.id = g.order_line_id
            )
            SELECT id FROM answered
            """
        ),
        {
            "shipment": shipment_id,
            "order": supplier_order_id,
            "user": actor.user_id,
            "now": clock.now(),
            "ids": [line.order_line_id for line in lines],
            "accepted": [line.accepted_quantity for line in lines],
            "accepted_grams": [line.accepted_grams for line in lines],
            "rejected": [line.rejected_quantity for line in lines],
            "rejected_grams": [line.rejected_grams for line in lines],
            "amounts": [line.amount_fen for line in lines],
            "reasons": [line.reason for line in lines],
        },
    ).scalar_one()
    return acceptance_id


def _acceptance_step(session: Session, supplier_order_id: int) -> SupplierOrderAction:
    left = session.execute(
        text("SELECT sum(quantity - accepted_quantity - rejected_quantity) FROM order_line WHERE supplier_order_id = :id"),
        {"id": supplier_order_id},
    ).scalar_one()
    return SupplierOrderAction.ACCEPT_PART if left else SupplierOrderAction.ACCEPT_REST
