"""What a buyer decides about orders that are open when a certificate is stopped."""

from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from catalog.certificates.states import Stop
from orders.effects import queries
from orders.effects.errors import ChoiceNotAllowed, NoChoiceNeeded, NothingOpen, OtherGoods, PartlyShipped
from orders.effects.rules import OPEN, Choice
from orders.effects.schemas import DispositionIn, DispositionOut
from orders.purchasing.actions.cancelling import give_back_stock
from orders.purchasing.actions.moving import locked, step
from orders.purchasing.states import SUPPLIER_ORDER, EndReason, SupplierOrderAction
from orders.terms import actions as terms
from shop.core import audit, clock, outbox
from shop.identity.actor import Actor

# A later choice takes the place of an earlier one; the audit trail has both.
_WRITE = text(
    """
    INSERT INTO order_disposition AS d (supplier_order_id, certificate_id, choice, reason, by, at)
    VALUES (:supplier_order_id, :certificate_id, :choice, :reason, :user_id, :now)
    ON CONFLICT (supplier_order_id, certificate_id) DO UPDATE
    SET choice = excluded.choice, reason = excluded.reason, by = excluded.by, at = excluded.at
    RETURNING d.id, (SELECT status FROM supplier_order WHERE id = d.supplier_order_id) AS status
    """
)


def choose(session: Session, actor: Actor, supplier_order_id: int, body: DispositionIn) -> DispositionOut:
    """Have the goods of a stopped certificate delivered all the same, or cancel them.

    Raises:
        NotFound: not an order of the caller's branch.
        Invalid: the order holds nothing of the certificate (422).
        NoChoiceNeeded, NothingOpen, ChoiceNotAllowed: there is nothing to choose, or not this (409).
        PartlyShipped, OtherGoods: only a whole supplier order can be cancelled, before any of it is shipped (409).
    """
    order = locked(session, actor, supplier_order_id, "buyer")
    now = clock.now()
    stake = queries.at_stake(session, supplier_order_id, body.certificate_id)
    if stake.stop is None:
        raise NoChoiceNeeded
    if order.status not in OPEN or not stake.rest:
        raise NothingOpen
    allowed = queries.possible_choices(session, Stop(stake.stop))
    if body.choice not in allowed:
        raise ChoiceNotAllowed(allowed=[str(choice) for choice in allowed])
    if body.choice is Choice.CANCEL:
        _cancel(session, actor, order, body.reason, others=stake.others)
    written = _write(session, actor, supplier_order_id, body, now)
    audit.record(
        session,
        actor,
        "supplier_order.disposed",
        "supplier_order",
        supplier_order_id,
        reason=body.reason,
        certificate_id=body.certificate_id,
        choice=str(body.choice),
        because=stake.stop,
    )
    if body.choice is Choice.DELIVER:
        outbox.publish(
            session,
            "supplier_order.to_deliver",
            supplier_order_id=supplier_order_id,
            certificate_id=body.certificate_id,
            at=now.isoformat(),
        )
    return DispositionOut(id=written.id, supplier_order_id=supplier_order_id, **body.model_dump(), at=now, status=written.status)


def _cancel(session: Session, actor: Actor, order: Any, reason: str, *, others: bool) -> None:
    if SupplierOrderAction.CANCEL not in SUPPLIER_ORDER.possible(order.status):
        raise PartlyShipped
    if others:
        raise OtherGoods
    step(session, actor, order, SupplierOrderAction.CANCEL, reason=reason, code=EndReason.CERTIFICATE)
    give_back_stock(session, [order.id])
    terms.redraw(session, order.purchase_order_id)
    outbox.publish(session, "purchase_order.cancelled", purchase_order_id=order.purchase_order_id)


def _write(session: Session, actor: Actor, supplier_order_id: int, body: DispositionIn, now: datetime) -> Any:
    return session.execute(
        _WRITE,
        {"supplier_order_id": supplier_order_id, **body.model_dump(), "user_id": actor.user_id, "now": now},
    ).one()
