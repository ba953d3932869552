"""By which way money of an order may go back: what was paid online by the same, all else by a transfer."""

from sqlalchemy import text
from sqlmodel import Session

from orders.money.queries import NOT_ARRIVED, PAID
from orders.refunds.errors import AbovePayment, GoesBackOnline, NotOnline
from shop.core.money import yuan_from_fen

#: SQL: what payers' banks have taken back of payment ``p``, be it argued over or lost.
TAKEN_BACK = """
    (SELECT coalesce(sum(d.amount_fen), 0) FROM charge_dispute d JOIN online_payment o ON o.id = d.online_payment_id
     WHERE o.payment_id = p.id AND d.status IN ('open', 'lost'))
"""
#: What is left of an online payment that stands, less what goes back of it and what the payer's bank has taken back; ``asked``: less what is
#: asked for, too.
_LEFT = text(
    f"""
    SELECT (p.amount_fen
            - (SELECT coalesce(sum(r.amount_fen), 0) FROM refund r
               WHERE r.payment_id = p.id AND (r.status IN ('approved', 'sent', 'paid') OR :asked AND r.status = 'requested'))
            - {TAKEN_BACK})::bigint
    FROM payment p WHERE p.id = :id AND p.purchase_order_id = :order_id AND p.source = 'online' AND p.undone_at IS NULL
    """  # noqa: S608
)
# All that arrived but what came online and can still go back by its own way. Of a payment of which a refund failed nothing is expected to, and what
# the payer's bank took back of one cannot.
_BY_TRANSFER = text(
    f"""
    SELECT {PAID} - {NOT_ARRIVED} - coalesce((
        SELECT sum(greatest(p.amount_fen - (SELECT coalesce(sum(r.amount_fen), 0) FROM refund r
                                            WHERE r.payment_id = p.id AND r.status IN ('approved', 'sent', 'paid'))
                            - {TAKEN_BACK}, 0))
        FROM payment p WHERE p.purchase_order_id = :id AND p.source = 'online' AND p.undone_at IS NULL
          AND NOT EXISTS (SELECT FROM refund f WHERE f.payment_id = p.id AND f.status = 'failed')), 0)::bigint
    """.format(order=":id")  # noqa: S608
)


def require_way(session: Session, order_id: int, payment_id: int | None, amount_fen: int, *, asked: bool) -> None:
    """Refuse a way that so much of an order cannot go back by; ``payment_id``: of an online payment by its own, none: by a transfer. ``asked``: what is
    asked for and not released counts, too.

    Raises:
        GoesBackOnline: what was paid online goes back by the same way (409). AbovePayment: more than is left of the online payment (409).
        NotOnline: not an online payment of the order (422).
    """
    if payment_id is None:
        by_transfer = session.execute(_BY_TRANSFER, {"id": order_id}).scalar_one()
        if amount_fen > by_transfer:
            raise GoesBackOnline(left=yuan_from_fen(max(by_transfer, 0)))
        return
    left = session.execute(_LEFT, {"id": payment_id, "order_id": order_id, "asked": asked}).scalar()
    if left is None:
        raise NotOnline
    if amount_fen > left:
        raise AbovePayment(left=yuan_from_fen(max(left, 0)))
