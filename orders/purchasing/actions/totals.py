"""The one place where what an order costs is counted again."""

from sqlalchemy import text
from sqlmodel import Session

from orders.purchasing.queries.costs import PAYABLE_AND_PAID
from orders.terms import actions as terms
from shop.core import outbox

_LOCK = text("SELECT 1 FROM purchase_order WHERE id = :id FOR UPDATE")
_PARTS = text(
    """
    UPDATE supplier_order so SET total_fen = l.fen, total_grams = l.grams
    FROM (SELECT supplier_order_id AS id, sum(amount_fen) AS fen, sum(grams) AS grams FROM order_line WHERE purchase_order_id = :id GROUP BY 1) l
    WHERE so.id = l.id AND (so.total_fen, so.total_grams) IS DISTINCT FROM (l.fen, l.grams)
    """
)
_WHOLE = text(
    """
    UPDATE purchase_order po SET total_fen = l.fen, total_grams = l.grams, line_count = l.lines
    FROM (SELECT sum(amount_fen) AS fen, sum(grams) AS grams, count(*) AS lines FROM order_line WHERE purchase_order_id = :id) l
    WHERE po.id = :id AND (po.total_fen, po.total_grams, po.line_count) IS DISTINCT FROM (l.fen, l.grams, l.lines)
    """
)


def hold_totals(session: Session, purchase_order_id: int) -> None:
    """Lock the order against others that change its lines or what it costs; its supplier orders are locked before it."""
    session.execute(_LOCK, {"id": purchase_order_id})


def total_changed(session: Session, purchase_order_id: int) -> None:
    """Count an order and its parts again, after their lines or freight changed, and say so: whatever counts by totals goes by this.

    Raises:
        BuyersBudgetShort, BuyersCreditShort: it costs more by now than the buyer has left (409).
    """
    hold_totals(session, purchase_order_id)
    session.execute(_PARTS, {"id": purchase_order_id})
    session.execute(_WHOLE, {"id": purchase_order_id})
    terms.redraw(session, purchase_order_id)
    outbox.publish(session, "purchase_order.amended", purchase_order_id=purchase_order_id)


def payable_and_paid(session: Session, purchase_order_id: int) -> tuple[int, int]:
    """What an order costs by now and what was paid for it, in fen."""
    payable, paid = session.execute(PAYABLE_AND_PAID, {"id": purchase_order_id}).one()
    return int(payable), int(paid)
