"""Answering deliveries: by the buyer in parts, or by the clock as a whole."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.fulfilment import queries, rules
from orders.fulfilment.errors import AlreadyAccepted, AlreadyHeld, LinesWrong, NotAPhoto, NotHeld, TooManyPhotos
from orders.fulfilment.rules import Accepted, Answer, ShippedLine
from orders.fulfilment.schemas import AcceptanceIn
from orders.invoices import actions as invoices
from orders.ledger.actions import book_acceptance
from orders.purchasing.actions.moving import locked, step
from orders.purchasing.states import SupplierOrderAction
from orders.terms import actions as terms
from shop.core import audit, clock, outbox, uploads, workdays
from shop.core.audit import SYSTEM, Who
from shop.identity.actor import Actor
from shop.programmes import queries as programmes

MOST_PHOTOS = 50

_SHIPPED = text(
    """
    SELECT l.id, sl.quantity, sl.grams, coalesce(s.net_grams, 0), s.step, l.unit_price_fen, l.quantity, l.amount_fen, l.accepted_quantity,
           (SELECT coalesce(sum(amount_fen), 0) FROM acceptance_line WHERE order_line_id = l.id)::bigint, s.unit
    FROM shipment_line sl JOIN order_line l ON l.id = sl.order_line_id JOIN sku s ON s.id = l.sku_id
    WHERE sl.shipment_id = :id ORDER BY l.line_no
    """
)

_WRITE = text(
    """
    WITH answered AS (
        INSERT INTO acceptance (shipment_id, supplier_order_id, accepted_by, accepted_at)
        VALUES (:shipment, :order, :user, :now) RETURNING id
    ), settled AS (
        UPDATE shipment SET accept_by = NULL WHERE id = :shipment
    ), given AS (
        SELECT * FROM unnest(CAST(:ids AS bigint[]), CAST(:accepted AS numeric[]), CAST(:accepted_grams AS bigint[]),
            CAST(:rejected AS numeric[]), CAST(:rejected_grams AS bigint[]), CAST(:differences AS numeric[]), CAST(:amounts AS bigint[]),
            CAST(:codes AS text[]), CAST(:reasons AS text[]), CAST(:photos AS text[]))
          AS u (order_line_id, accepted, accepted_grams, rejected, rejected_grams, difference, amount_fen, reason_code, reason, photos)
    ), lines AS (
        INSERT INTO acceptance_line (acceptance_id, order_line_id, accepted_quantity, accepted_grams, rejected_quantity, rejected_grams,
            difference_quantity, amount_fen, reason_code, reason, photo_ids)
        SELECT answered.id, order_line_id, accepted, accepted_grams, rejected, rejected_grams, difference, amount_fen, reason_code, reason,
               CAST(photos AS bigint[])
        FROM given CROSS JOIN answered
    ), counted AS (
        UPDATE order_line l SET accepted_quantity = l.accepted_quantity + g.accepted, rejected_quantity = l.rejected_quantity + g.rejected,
               difference_quantity = l.difference_quantity + g.difference
        FROM given g WHERE l.id = g.order_line_id
    )
    SELECT id FROM answered
    """
)

#: The order that a delivery belongs to, unless somebody has it in hand at this moment: then the next round looks again.
_LOCK = text(
    """
    SELECT so.id, so.status, so.purchase_order_id FROM supplier_order so
    WHERE so.id = (SELECT supplier_order_id FROM shipment WHERE id = :id) FOR UPDATE SKIP LOCKED
    """
)
_ANSWERED = text(
    """
    SELECT s.order_line_id, s.quantity, a.accepted_quantity, a.rejected_quantity, a.difference_quantity, a.accepted_grams
    FROM shipment_line s JOIN acceptance h ON h.shipment_id = s.shipment_id
    JOIN acceptance_line a ON a.acceptance_id = h.id AND a.order_line_id = s.order_line_id WHERE s.shipment_id = :id
    """
)
#: Read after the lock, so that an answer, a hold or a dispute that came first is seen.
_STILL_DUE = text(
    f"""
    SELECT 1 FROM shipment s WHERE s.id = :id AND s.accept_by <= :now AND s.held_at IS NULL
      AND NOT EXISTS (SELECT FROM acceptance a WHERE a.shipment_id = s.id) AND NOT {queries.IN_DISPUTE}
    """  # noqa: S608
)


def accept(session: Session, actor: Actor, shipment_id: int, body: AcceptanceIn) -> None:
    """Answer a shipment: what is accepted becomes a sale in the ledger, in this very transaction. Freight is no sale of goods, so it is in
    what is payable but never in the ledger.

    Raises:
        NotFound: not a shipment to the caller's branch.
        AlreadyAccepted: it was answered before, by the buyer or by the clock (409), with ``already`` where the answer was the same.
        LinesWrong: the parts are not what was shipped, a line is missing, a rejection has no reason, a photo is not of it (422).
    """
    order = locked(session, actor, queries.order_of(session, shipment_id), "buyer")
    answers = None if body.lines is None else [Answer(**line.model_dump()) for line in body.lines]
    if queries.row(session, shipment_id).accepted_at is not None:
        raise AlreadyAccepted(already=True) if _stands(session, shipment_id, answers) else AlreadyAccepted
    _accept(session, actor, shipment_id, order, answers)


def _stands(session: Session, shipment_id: int, answers: Sequence[Answer] | None) -> bool:
    """Whether a shipment was answered just so; a weight that is not told is as it stands."""
    stood = {row.order_line_id: row for row in session.execute(_ANSWERED, {"id": shipment_id})}
    if answers is None:
        return all(row.accepted_quantity == row.quantity for row in stood.values())
    return stood.keys() == {answer.order_line_id for answer in answers} and all(
        (answer.accepted_quantity, answer.rejected_quantity, answer.difference_quantity) == tuple(stood[answer.order_line_id][2:5])
        and answer.accepted_grams in (None, stood[answer.order_line_id].accepted_grams)
        for answer in answers
    )


def accept_overdue(session: Session, shipment_id: int) -> bool:
    """Accept all of a delivery whose time is over, as the marketplace itself; returns whether it was. Safe to run at any time, or at once
    with the buyer's own answer or hold: whoever has the order's lock first wins."""
    order = session.execute(_LOCK, {"id": shipment_id}).first()
    if order is None or session.execute(_STILL_DUE, {"id": shipment_id, "now": clock.now()}).first() is None:
        return False
    _accept(session, SYSTEM, shipment_id, order, None)
    return True


def hold(session: Session, actor: Actor, shipment_id: int, reason: str) -> None:
    """Say that something is wrong with a delivery: it is not accepted by itself any more, and the supplier hears of it.

    Raises:
        NotFound: not a shipment to the caller's branch. AlreadyAccepted, AlreadyHeld: it was answered, or is held (409).
    """
    _change_hold(session, actor, shipment_id, reason)


def let_go(session: Session, actor: Actor, shipment_id: int) -> None:
    """Take a hold back. The buyer has at least the usual notice left to answer.

    Raises:
        NotFound: not a shipment to the caller's branch. AlreadyAccepted, NotHeld: it was answered, or is not held (409).
    """
    _change_hold(session, actor, shipment_id, None)


def add_photo(session: Session, actor: Actor, shipment_id: int, name: str | None, content: bytes) -> int:
    """Keep a photo of what arrived, to be named in the answer; returns its id.

    Raises:
        NotFound: not a shipment to the caller's branch. AlreadyAccepted, TooManyPhotos: it was answered, or has enough (409).
        NotAPhoto (422), TooLarge (413), UnreadableFile (422): the file is not one.
    """
    locked(session, actor, queries.order_of(session, shipment_id), "buyer")
    if queries.row(session, shipment_id).accepted_at is not None:
        raise AlreadyAccepted
    if len(queries.photo_ids(session, shipment_id)) >= MOST_PHOTOS:
        raise TooManyPhotos(most=MOST_PHOTOS)
    if not uploads.content_type(content).startswith("image/"):
        raise NotAPhoto
    kept = uploads.keep(session, actor.user_id, name, content)
    photo_id: int = session.execute(
        text(
            "INSERT INTO shipment_photo (shipment_id, file_id, uploaded_by, uploaded_at) VALUES (:shipment, :file, :user, :now) RETURNING id"
        ),
        {"shipment": shipment_id, "file": kept.id, "user": actor.user_id, "now": clock.now()},
    ).scalar_one()
    audit.record(session, actor, "shipment.photo_added", "shipment", shipment_id, photo_id=photo_id, sha256=kept.sha256)
    return photo_id


def _accept(session: Session, actor: Who, shipment_id: int, order: Any, answers: Sequence[Answer] | None) -> None:
    shipped = [ShippedLine(*row) for row in session.execute(_SHIPPED, {"id": shipment_id})]
    accepted, faults = rules.answer(shipped, answers, queries.photo_ids(session, shipment_id))
    if faults:
        raise LinesWrong(count=len(faults), faults=faults)
    acceptance_id = _write(session, actor, shipment_id, order.id, accepted)
    step(session, actor, order, acceptance_step(session, order.id))
    book_acceptance(session, acceptance_id)
    invoices.after_acceptance(session, order.id, acceptance_id)
    terms.redraw(session, order.purchase_order_id)
    outbox.publish(session, "acceptance.recorded", acceptance_id=acceptance_id)


def _change_hold(session: Session, actor: Actor, shipment_id: int, reason: str | None) -> None:
    order = locked(session, actor, queries.order_of(session, shipment_id), "buyer")
    shipment, now = queries.row(session, shipment_id), clock.now()
    if shipment.accepted_at is not None:
        raise AlreadyAccepted
    if (shipment.held_at is None) != (reason is not None):
        raise NotHeld if reason is None else AlreadyHeld
    session.execute(
        text("UPDATE shipment SET held_at = :held_at, hold_reason = :reason WHERE id = :id"),
        {"id": shipment_id, "held_at": now if reason else None, "reason": reason},
    )
    if reason is None:
        give_time(session, order.id)
    verb = "shipment.held" if reason else "shipment.let_go"
    audit.record(session, actor, verb, "supplier_order", order.id, reason=reason, shipment_id=shipment_id)
    outbox.publish(session, "shipment.hold_changed", shipment_id=shipment_id, held=reason is not None, at=now.isoformat())


def give_time(session: Session, supplier_order_id: int) -> None:
    """Leave the buyer at least the usual notice to answer what has arrived of an order, after something stood in the way."""
    today = clock.today()
    notice = programmes.config_of(session, today).ordering.acceptance_notice_working_days
    until = clock.end_of_day(workdays.calendar(session, today).add(today, notice))
    session.execute(
        text("UPDATE shipment SET accept_by = greatest(accept_by, :until) WHERE supplier_order_id = :id AND accept_by IS NOT NULL"),
        {"id": supplier_order_id, "until": until},
    )


def _write(session: Session, actor: Who, shipment_id: int, supplier_order_id: int, lines: Sequence[Accepted]) -> int:
    acceptance_id: int = session.execute(
        _WRITE,
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
            "differences": [line.difference_quantity for line in lines],
            "amounts": [line.amount_fen for line in lines],
            "codes": [line.reason_code for line in lines],
            "reasons": [line.reason for line in lines],
            "photos": [f"{{{','.join(map(str, line.photo_ids))}}}" if line.photo_ids else None for line in lines],
        },
    ).scalar_one()
    return acceptance_id


def acceptance_step(session: Session, supplier_order_id: int) -> SupplierOrderAction:
    """Whether anything of an order is left to be answered."""
    left = session.execute(
        text(
            "SELECT sum(quantity - closed_quantity - accepted_quantity - rejected_quantity - difference_quantity)"
            " FROM order_line WHERE supplier_order_id = :id"
        ),
        {"id": supplier_order_id},
    ).scalar_one()
    return SupplierOrderAction.ACCEPT_PART if left else SupplierOrderAction.ACCEPT_REST
