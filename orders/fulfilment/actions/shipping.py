"""Sending goods, in parts where need be, and following them on their way."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import text
from sqlmodel import Session

from catalog.stock import actions as stock
from orders.fulfilment import queries, rules
from orders.fulfilment.errors import AlreadyAccepted, DispositionNeeded, InFuture, LinesWrong, NothingToShip
from orders.fulfilment.rules import OpenLine, Sent, Shipped
from orders.fulfilment.schemas import ShipmentIn, TrackingIn, WaybillIn
from orders.purchasing.actions.moving import locked, step
from orders.purchasing.queries import stopped
from orders.purchasing.states import SUPPLIER_ORDER, SupplierOrderAction
from orders.terms import actions as terms
from shop.core import audit, clock, outbox, workdays
from shop.core.errors import Fault
from shop.identity.actor import Actor
from shop.programmes import queries as programmes

_OPEN = text(
    """
    SELECT l.id, l.sku_id, l.quantity, l.quantity - l.shipped_quantity - l.closed_quantity, s.step, coalesce(s.net_grams, 0), s.unit
    FROM order_line l JOIN sku s ON s.id = l.sku_id WHERE l.supplier_order_id = :id ORDER BY l.line_no
    """
)

_WRITE = text(
    """
    WITH sent AS (
        INSERT INTO shipment (supplier_order_id, carrier, waybill, expected_on, shipped_by, shipped_at, accept_by)
        VALUES (:order, :carrier, :waybill, :expected_on, :user, :now, :accept_by) RETURNING id
    ), wanted AS (
        SELECT * FROM unnest(CAST(:ids AS bigint[]), CAST(:quantities AS numeric[]), CAST(:closed AS numeric[]), CAST(:grams AS bigint[]),
            CAST(:lots AS text[]), CAST(:origins AS text[]), CAST(:produced AS date[]), CAST(:best_before AS date[]))
          AS u (order_line_id, quantity, closed_quantity, grams, lot, origin, produced_on, best_before)
    ), lines AS (
        INSERT INTO shipment_line (shipment_id, order_line_id, quantity, closed_quantity, grams, lot, origin, produced_on, best_before)
        SELECT sent.id, wanted.* FROM wanted CROSS JOIN sent
    ), counted AS (
        UPDATE order_line l
        SET shipped_quantity = l.shipped_quantity + w.quantity, closed_quantity = l.closed_quantity + w.closed_quantity
        FROM wanted w WHERE l.id = w.order_line_id
    )
    SELECT id FROM sent
    """
)


def ship(session: Session, actor: Actor, supplier_order_id: int, body: ShipmentIn) -> int:
    """Send a delivery; the goods leave the stock, and what will not come is free again. Returns the shipment's id.

    Raises:
        NotFound: not an order of the caller's organisation.
        IllegalMove: the order is not confirmed, or already delivered (409).
        LinesWrong: unknown lines, more than is open, a wrong step, too little of a weight, impossible dates (422).
        NothingToShip: every line is shipped (409).
        DispositionNeeded: a certificate was suspended, held or revoked, and the buyer has not chosen delivery (409).
        NotPaidYet, PaidFirst: what is due before shipping has not arrived, and the supplier does not say that it wants to all the same, or may
        not (409).
    """
    order = locked(session, actor, supplier_order_id, "supplier")
    SUPPLIER_ORDER.after(order.status, SupplierOrderAction.SHIP_PART)
    unpaid = terms.require_paid(session, supplier_order_id, waived=body.before_payment)
    if undecided := stopped.undecided(session, supplier_order_id):
        raise DispositionNeeded(certificates=", ".join(undecided))
    lines = [OpenLine(*row) for row in session.execute(_OPEN, {"id": supplier_order_id})]
    short_percent = programmes.config_of(session, clock.today()).ordering.short_percent
    asked = _asked(body)
    faults: list[Fault] = []
    if by_voucher := queries.voucher_lines(session, supplier_order_id):
        asked, faults = rules.without_vouchers(lines, asked, by_voucher)
    shipped: list[Shipped] = []
    if not faults:
        shipped, faults = rules.to_ship(lines, asked, today=clock.today(), short_percent=short_percent)
    if faults:
        raise LinesWrong(count=len(faults), faults=faults)
    if not shipped:
        raise NothingToShip
    shipment_id = _write(session, actor, supplier_order_id, body, shipped)
    stock.ship(
        session,
        sku_ids=[line.sku_id for line in shipped],
        quantities=[line.sent.quantity for line in shipped],
        order_line_ids=[line.sent.order_line_id for line in shipped],
    )
    if closed := [line for line in shipped if line.closed]:
        stock.release(
            session,
            sku_ids=[line.sku_id for line in closed],
            quantities=[line.closed for line in closed],
            order_line_ids=[line.sent.order_line_id for line in closed],
        )
    gone = sum((line.sent.quantity + line.closed for line in shipped), Decimal(0))
    left = sum(line.open for line in lines) > gone
    step(session, actor, order, SupplierOrderAction.SHIP_PART if left else SupplierOrderAction.SHIP_REST)
    if unpaid:
        audit.record(
            session, actor, "shipment.before_payment", "supplier_order", order.id, shipment_id=shipment_id, unpaid_fen=unpaid
        )
    if closed:
        terms.redraw(session, order.purchase_order_id)
    outbox.publish(session, "shipment.sent", shipment_id=shipment_id)
    return shipment_id


def correct(session: Session, actor: Actor, shipment_id: int, body: WaybillIn) -> None:
    """Correct carrier, waybill or day of arrival, until the buyer has answered. A later arrival gives the buyer more time, an earlier one
    takes none away.

    Raises:
        NotFound: not a shipment of the caller's organisation. AlreadyAccepted: it was answered (409).
    """
    order = locked(session, actor, queries.order_of(session, shipment_id), "supplier")
    before = queries.row(session, shipment_id)
    if before.accepted_at is not None:
        raise AlreadyAccepted
    changed = {name: value for name, value in body.model_dump(exclude_none=True).items() if value != getattr(before, name)}
    if not changed:
        return
    after = {"carrier": before.carrier, "waybill": before.waybill, "expected_on": before.expected_on, **changed}
    accept_by = before.accept_by and max(before.accept_by, acceptance_ends(session, before.shipped_at, after["expected_on"]))
    session.execute(
        text(
            "UPDATE shipment SET carrier = :carrier, waybill = :waybill, expected_on = :expected_on, accept_by = :accept_by WHERE id = :id"
        ),
        {"id": shipment_id, "accept_by": accept_by, **after},
    )
    known = {name: [str(getattr(before, name)), str(value)] for name, value in changed.items()}
    audit.record(session, actor, "shipment.corrected", "supplier_order", order.id, shipment_id=shipment_id, changed=known)
    outbox.publish(session, "shipment.corrected", shipment_id=shipment_id, at=clock.now().isoformat())


def track(session: Session, actor: Actor, shipment_id: int, body: TrackingIn) -> None:
    """Report where a delivery is.

    Raises:
        NotFound: not a shipment of the caller's organisation. InFuture: it has not happened yet (422).
    """
    locked(session, actor, queries.order_of(session, shipment_id), "supplier")
    now = clock.now()
    if body.happened_at and body.happened_at > now:
        raise InFuture
    session.execute(
        text(
            "INSERT INTO shipment_event (shipment_id, text, happened_at, recorded_by, recorded_at) VALUES (:id, :text, :at, :user, :now)"
        ),
        {"id": shipment_id, "text": body.text, "at": body.happened_at or now, "user": actor.user_id, "now": now},
    )
    audit.record(session, actor, "shipment.tracked", "shipment", shipment_id)


def acceptance_ends(session: Session, shipped_at: datetime, expected_on: date | None) -> datetime:
    """When a delivery is accepted by itself: at the end of so many working days after it should arrive."""
    arrives = rules.arrival(clock.shanghai_date(shipped_at), expected_on)
    days = programmes.config_of(session, clock.shanghai_date(shipped_at)).ordering.acceptance_working_days
    return clock.end_of_day(workdays.calendar(session, arrives).add(arrives, days))


def _asked(body: ShipmentIn) -> list[Sent] | None:
    if body.lines is None:
        return None
    if len({line.order_line_id for line in body.lines}) < len(body.lines):
        raise LinesWrong(count=1, faults=[Fault("lines", "line_twice", "同一行出现两次", "A line is named twice")])
    return [Sent(**line.model_dump()) for line in body.lines]


def _write(session: Session, actor: Actor, supplier_order_id: int, body: ShipmentIn, lines: Sequence[Shipped]) -> int:
    now = clock.now()
    shipment_id: int = session.execute(
        _WRITE,
        {
            "order": supplier_order_id,
            "carrier": body.carrier,
            "waybill": body.waybill,
            "expected_on": body.expected_on,
            "user": actor.user_id,
            "now": now,
            "accept_by": acceptance_ends(session, now, body.expected_on),
            "ids": [line.sent.order_line_id for line in lines],
            "quantities": [line.sent.quantity for line in lines],
            "closed": [line.closed for line in lines],
            "grams": [line.grams for line in lines],
            "lots": [line.sent.lot for line in lines],
            "origins": [line.sent.origin for line in lines],
            "produced": [line.sent.produced_on for line in lines],
            "best_before": [line.sent.best_before for line in lines],
        },
    ).scalar_one()
    return shipment_id
