"""Whether what an order became is covered by the approvals that it got, or still takes none."""

from sqlalchemy import text
from sqlmodel import Session

from orders.approvals import queries as approvals
from orders.approvals.errors import ApprovalNeeded
from orders.purchasing.errors import AboveApproved
from orders.requests import queries
from shop.core.money import yuan_from_fen

_ORDER = text(
    """
    SELECT po.fund_source, buyer.id AS buyer_id, buyer.path AS buyer_path, unit.path AS unit_path, r.id AS request_id, r.round,
           r.total_fen AS approved_fen
    FROM purchase_order po
    JOIN organisation buyer ON buyer.id = coalesce(CAST(:buyer_id AS bigint), po.buyer_id)
    JOIN organisation unit ON unit.id = po.ordering_unit_id
    LEFT JOIN purchase_request r ON r.id = po.purchase_request_id
    WHERE po.id = :id
    """
)
_AMOUNTS = text(
    """
    SELECT p.category, sum(l.amount_fen)::bigint AS fen FROM order_line l JOIN product p ON p.id = l.product_id
    JOIN supplier_order so ON so.id = l.supplier_order_id AND so.status NOT IN ('rejected', 'cancelled')
    WHERE l.purchase_order_id = :id GROUP BY p.category
    """
)
_FREIGHT = text(
    "SELECT coalesce(sum(freight_fen), 0)::bigint FROM supplier_order WHERE purchase_order_id = :id AND status NOT IN ('rejected', 'cancelled')"
)
_TAKEN = text(
    "SELECT * FROM purchase_request_step WHERE purchase_request_id = :id AND round = :round AND status = 'approved' ORDER BY position"
)


def require_cover(session: Session, purchase_order_id: int, buyer_id: int | None = None) -> None:
    """Refuse an order that was changed to take approvals which it never got: it became dearer, or is to belong to another unit (``buyer_id``).
    Freight, in all its parts, counts with the category that costs most; nobody approved it by sum.

    The caller holds the spending of the unit (:func:`orders.approvals.queries.hold_spending`) and has locked the order's parts after that.

    Raises:
        AboveApproved: it costs more than was approved (409). ApprovalNeeded: a rule asks for a step that was not taken (409).
    """
    order = session.execute(_ORDER, {"id": purchase_order_id, "buyer_id": buyer_id}).one()
    amounts = {row.category: row.fen for row in session.execute(_AMOUNTS, {"id": purchase_order_id})}
    total = sum(amounts.values())
    if amounts:
        freight = session.execute(_FREIGHT, {"id": purchase_order_id}).scalar_one()
        amounts[max(amounts, key=lambda each: amounts[each])] += freight
    if order.approved_fen is not None and total > order.approved_fen:
        raise AboveApproved(total=yuan_from_fen(total), approved=yuan_from_fen(order.approved_fen))
    needed = approvals.steps_needed(
        session,
        buyer_id=order.buyer_id,
        paths=[order.buyer_path, order.unit_path],
        fund_source=order.fund_source,
        amounts=amounts,
        besides_order=purchase_order_id,
    )
    taken = {queries.step_of(row).asked for row in session.execute(_TAKEN, {"id": order.request_id, "round": order.round})}
    if missing := [step.name for step in needed if step.asked not in taken]:
        raise ApprovalNeeded(steps=", ".join(missing))
