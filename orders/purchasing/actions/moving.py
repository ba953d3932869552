"""One move of a supplier order through its state table, with its record."""

from typing import Any, Literal

from sqlalchemy import text
from sqlmodel import Session

from orders.purchasing.states import SUPPLIER_ORDER, EndReason, SupplierOrderAction, SupplierOrderStatus
from shop.core import audit
from shop.core.audit import Who
from shop.core.errors import NotFound
from shop.identity.actor import Actor

#: Which organisation of the order the caller must belong to.
Side = Literal["supplier", "buyer", "either"]

_LOCK = text(
    """
    SELECT so.id, so.status, so.purchase_order_id, so.supplier_id, so.version, so.total_fen, so.freight_fen, so.freight_asked_fen,
           so.confirm_by, po.buyer_id, supplier.path AS supplier_path,
           buyer.path AS buyer_path, unit.path AS unit_path
    FROM supplier_order so
    JOIN purchase_order po ON po.id = so.purchase_order_id
    JOIN organisation supplier ON supplier.id = so.supplier_id
    JOIN organisation buyer ON buyer.id = po.buyer_id
    JOIN organisation unit ON unit.id = po.ordering_unit_id
    WHERE so.id = :id FOR UPDATE OF so
    """
)

_STEP = text(
    "UPDATE supplier_order SET status = :status, reason = coalesce(:reason, reason), reason_code = coalesce(:code, reason_code),"
    " version = version + 1 WHERE id = :id"
)


_HOLD_AGREEMENTS = text(
    """
    SELECT a.id FROM agreement a WHERE a.id IN (
        SELECT l.agreement_id FROM order_line o JOIN agreement_line l ON l.id = o.agreement_line_id WHERE o.supplier_order_id = :id)
    ORDER BY a.id FOR NO KEY UPDATE
    """
)


def hold_agreements(session: Session, supplier_order_id: int) -> None:
    """Lock the long-term agreements that an order draws from, before the order itself: what may draw more of them waits for call-offs, and
    they for it."""
    session.execute(_HOLD_AGREEMENTS, {"id": supplier_order_id})


def locked(session: Session, actor: Actor, supplier_order_id: int, side: Side) -> Any:
    """The supplier order, locked until the transaction ends.

    Raises:
        NotFound: no such order within the caller's reach.
    """
    row = session.execute(_LOCK, {"id": supplier_order_id}).first()
    if row is None:
        raise NotFound
    found = side_of(actor, row)
    if found is None or side not in (found, "either"):
        raise NotFound
    return row


def side_of(actor: Actor, row: Any) -> Literal["supplier", "buyer"] | None:
    """On which side of an order the caller stands; none: on neither."""
    if actor.within_branch(row.supplier_path):
        return "supplier"
    return "buyer" if actor.within_branch(row.buyer_path) or actor.within_branch(row.unit_path) else None


def move(
    session: Session,
    actor: Actor,
    supplier_order_id: int,
    action: SupplierOrderAction,
    *,
    side: Side,
    reason: str | None = None,
    code: EndReason | None = None,
) -> None:
    """Lock, check the table, write the new status and the audit event.

    Raises:
        NotFound: no such order within the caller's reach.
        IllegalMove: the table has no such move from the present status.
    """
    step(session, actor, locked(session, actor, supplier_order_id, side), action, reason=reason, code=code)


def step(
    session: Session, actor: Who, row: Any, action: SupplierOrderAction, *, reason: str | None = None, code: EndReason | None = None
) -> SupplierOrderStatus:
    """The same for an order that is locked already; returns the new status."""
    status = SUPPLIER_ORDER.after(row.status, action)
    session.execute(_STEP, {"id": row.id, "status": status, "reason": reason, "code": code})
    audit.record(
        session,
        actor,
        f"supplier_order.{action}",
        "supplier_order",
        row.id,
        reason=reason,
        from_status=row.status,
        to_status=str(status),
        **({"reason_code": str(code)} if code else {}),
    )
    return status
