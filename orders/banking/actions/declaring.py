"""Somebody else pays for a buyer: declared by one person, approved by another (domain.md §3.2: a differing or personal payer is declared)."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.banking.errors import IsBuyer, OwnDeclaration
from orders.banking.models import PayerDeclaration
from orders.banking.schemas.payers import PayerDeclarationIn
from orders.banking.states import PAYER, PayerMove
from orders.money.names import plain_name
from shop.core import audit, clock, outbox
from shop.core.errors import IfMatch, Invalid, NotFound, any_version
from shop.identity.actor import Actor
from shop.identity.permissions import Permission

_ORDER = text(
    """
    SELECT po.id, po.buyer_id, buyer.name, buyer.path, buyer.region_code, unit.path AS unit_path
    FROM purchase_order po JOIN organisation buyer ON buyer.id = po.buyer_id JOIN organisation unit ON unit.id = po.ordering_unit_id
    WHERE po.id = :id
    """
)
_LOCK = text(
    """
    SELECT d.*, buyer.path, buyer.region_code, unit.path AS unit_path
    FROM payer_declaration d JOIN organisation buyer ON buyer.id = d.buyer_id
    LEFT JOIN purchase_order po ON po.id = d.purchase_order_id LEFT JOIN organisation unit ON unit.id = po.ordering_unit_id
    WHERE d.id = :id FOR UPDATE OF d
    """
)
_DECIDE = text(
    "UPDATE payer_declaration SET status = :status, decided_by = :decided_by, decided_at = :decided_at, decision_reason = :reason,"
    " version = version + 1 WHERE id = :id"
)
_WITHDRAW = text("UPDATE payer_declaration SET status = :status, version = version + 1 WHERE id = :id")


def declare(session: Session, actor: Actor, purchase_order_id: int, body: PayerDeclarationIn) -> int:
    """Say that somebody else pays for an order, or for all orders of its buyer; returns the declaration's id.

    Raises:
        NotFound: not an order of the caller's branch, or of those whose money it keeps; or, for all orders, its buyer is not (404).
        IsBuyer, Invalid: nothing to declare (422). Declared: it was declared before (409).
    """
    order = session.execute(_ORDER, {"id": purchase_order_id}).first()
    if order is None or not _is_of(actor, order, all_orders=body.all_orders):
        raise NotFound
    payer = plain_name(body.payer_name)
    if not payer:
        raise Invalid.one("payer_name", "no_name", "请填写付款人名称", "A name has letters")
    if payer == plain_name(order.name):
        raise IsBuyer
    made = PayerDeclaration(
        buyer_id=order.buyer_id,
        purchase_order_id=None if body.all_orders else order.id,
        payer_name=body.payer_name,
        payer=payer,
        reason_code=body.reason_code,
        reason=body.reason,
        declared_by=actor.user_id or 0,
        declared_at=clock.now(),
    )
    session.add(made)
    session.flush()
    audit.record(session, actor, "payer.declared", "payer_declaration", made.id, reason=body.reason, buyer_id=order.buyer_id)
    outbox.publish(session, "payer_declaration.declared", payer_declaration_id=made.id)
    return made.id


def approve(session: Session, actor: Actor, declaration_id: int, reason: str | None, if_match: IfMatch = any_version) -> None:
    """Approve what somebody else has declared: from now on money of this payer may be matched.

    Raises:
        NotFound: none of those whose money the caller keeps (404). OwnDeclaration: the caller declared it (403). IllegalMove: decided (409).
    """
    _decide(session, actor, declaration_id, PayerMove.APPROVE, reason, if_match)


def refuse(session: Session, actor: Actor, declaration_id: int, reason: str | None, if_match: IfMatch = any_version) -> None:
    """Say no to it. Raises as :func:`approve`."""
    _decide(session, actor, declaration_id, PayerMove.REFUSE, reason, if_match)


def withdraw(session: Session, actor: Actor, declaration_id: int, reason: str | None, if_match: IfMatch = any_version) -> None:
    """Take a declaration back, also one that was approved: what was matched by it stays.

    Raises:
        NotFound: not of the caller's branch, nor of those whose money it keeps (404). IllegalMove: it is over (409).
    """
    row = session.execute(_LOCK, {"id": declaration_id}).first()
    if row is None or not _is_of(actor, row, all_orders=row.purchase_order_id is None):
        raise NotFound
    if_match(row.version)
    status = PAYER.after(row.status, PayerMove.WITHDRAW)
    session.execute(_WITHDRAW, {"id": row.id, "status": status})
    audit.record(session, actor, "payer.withdrawn", "payer_declaration", row.id, reason=reason)


def _decide(session: Session, actor: Actor, declaration_id: int, move: PayerMove, reason: str | None, if_match: IfMatch) -> None:
    row = session.execute(_LOCK, {"id": declaration_id}).first()
    if row is None or not actor.covers_region(Permission.MONEY_MANAGE, row.region_code):
        raise NotFound
    if_match(row.version)
    status = PAYER.after(row.status, move)
    if row.declared_by == actor.user_id:
        raise OwnDeclaration
    values = {"id": row.id, "status": status, "decided_by": actor.user_id, "decided_at": clock.now(), "reason": reason}
    session.execute(_DECIDE, values)
    audit.record(session, actor, f"payer.{status}", "payer_declaration", row.id, reason=reason)
    outbox.publish(session, "payer_declaration.decided", payer_declaration_id=row.id)


def _is_of(actor: Actor, row: Any, *, all_orders: bool) -> bool:
    """Whether the caller may say who pays: the unit that ordered only for that order, the buyer also for all of its orders."""
    own = actor.within_branch(row.path) or (not all_orders and actor.within_branch(row.unit_path))
    return own or actor.covers_region(Permission.MONEY_MANAGE, row.region_code)
