"""Who hears of payments."""

from datetime import timedelta
from typing import Any

from sqlalchemy import TextClause, text
from sqlmodel import Session

from orders.money.rules import Account
from orders.purchasing.handlers import parts_of, tell
from shop.core import locks
from shop.core.money import yuan_from_fen
from shop.core.outbox import Handler
from shop.notifications.actions import notify_gathered

#: Payments for an order of which the same is to be told within so long are told together: thousands of small ones are no thousands of mails. The mails
#: go when that is over, a minute later than the last of them was put down.
TOGETHER, LATER = timedelta(minutes=5), timedelta(minutes=1)
_PAYMENT = text("SELECT purchase_order_id, source FROM payment WHERE id = :id")
_TOLD_TOGETHER = """
    SELECT count(*) AS count, sum(o.amount_fen)::bigint AS fen,
           date_bin(CAST(:every AS interval), p.{at}, TIMESTAMPTZ 'epoch') + CAST(:every AS interval) AS until
    FROM payment p JOIN payment o ON o.purchase_order_id = p.purchase_order_id AND (o.source = 'announced') = (p.source = 'announced')
        AND date_bin(CAST(:every AS interval), o.{at}, TIMESTAMPTZ 'epoch') = date_bin(CAST(:every AS interval), p.{at}, TIMESTAMPTZ 'epoch')
    WHERE p.id = :id AND o.undone_at IS NULL GROUP BY 3
"""
_RECORDED_TOGETHER, _ARRIVED_TOGETHER = (text(_TOLD_TOGETHER.format(at=at)) for at in ("recorded_at", "shown_at"))


def _recorded(session: Session, payload: dict[str, Any]) -> None:
    """Every supplier of the order hears that money came in for it, or that the buyer says it is on its way."""
    row = session.execute(_PAYMENT, {"id": payload["payment_id"]}).one()
    kind = "payment.announced" if row.source == Account.ANNOUNCED else "payment.recorded"
    _tell_together(session, kind, row.purchase_order_id, _RECORDED_TOGETHER, payload["payment_id"])


def _arrived(session: Session, payload: dict[str, Any]) -> None:
    """Who heard that it is on its way hears that it is there; unless the bank shows it no more by now."""
    row = session.execute(_PAYMENT, {"id": payload["payment_id"]}).one()
    _tell_together(session, "payment.arrived", row.purchase_order_id, _ARRIVED_TOGETHER, payload["payment_id"])


def _tell_together(session: Session, kind: str, purchase_order_id: int, statement: TextClause, payment_id: int) -> None:
    """Tell the suppliers of an order what came for it, with what else of the kind came about the same time and counts by now. One after the other, so
    that the last one who tells has counted all."""
    locks.hold(session, f"payments_told:{purchase_order_id}")
    found = session.execute(statement, {"id": payment_id, "every": TOGETHER}).first()
    if found is None:
        return
    for each in parts_of(session, purchase_order_id):
        notify_gathered(
            session,
            origin=f"{kind}:{purchase_order_id}-{found.until.timestamp():.0f}:{each.supplier_id}",
            kind=kind,
            subject_type="supplier_order",
            subject_id=each.id,
            organisation_id=each.supplier_id,
            mail_at=found.until + LATER,
            number=each.number,
            amount=yuan_from_fen(found.fen),
            count=found.count,
        )


def _undone(session: Session, payload: dict[str, Any]) -> None:
    """Every supplier that heard of the payment hears that it does not count, and the buyer too."""
    row = session.execute(
        text(
            "SELECT p.purchase_order_id, po.buyer_id, p.amount_fen FROM payment p JOIN purchase_order po ON po.id = p.purchase_order_id WHERE p.id = :id"
        ),
        {"id": payload["payment_id"]},
    ).one()
    parts, amount = parts_of(session, row.purchase_order_id), yuan_from_fen(row.amount_fen)
    for each in parts:
        tell(session, "payment.undone", payload["payment_id"], each, each.supplier_id, amount=amount)
    # by a cause of its own: else it would be the same notice as that of the first part's supplier
    tell(session, "payment.undone", f"{payload['payment_id']}:buyer", parts[0], row.buyer_id, amount=amount)


HANDLERS: dict[str, Handler] = {"payment.arrived": _arrived, "payment.recorded": _recorded, "payment.undone": _undone}
