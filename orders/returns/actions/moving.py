"""One move of a return through its state table, with its record."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.purchasing.actions.moving import Side
from orders.purchasing.queries import SIDES
from orders.returns import queries
from orders.returns.states import RETURN, ReturnMove
from shop.core import audit, outbox
from shop.core.errors import IfMatch, NotFound, any_version
from shop.identity.actor import Actor

_LOCK = text(
    f"""
    SELECT r.id, r.kind, r.status, r.supplier_order_id, r.acceptance_id, r.version, so.supplier_id, po.buyer_id,
           supplier.path AS supplier_path, buyer.path AS buyer_path, unit.path AS unit_path
    FROM goods_return r JOIN supplier_order so ON so.id = r.supplier_order_id {SIDES}
    WHERE r.id = :id FOR UPDATE OF r
    """  # noqa: S608
)


def locked(session: Session, actor: Actor, return_id: int, side: Side, if_match: IfMatch = any_version) -> Any:
    """The return, locked until the transaction ends; for one side, or either.

    Raises:
        NotFound: no such return of the caller's organisation (404). Changed: another version than the caller read (412).
    """
    row = locked_for_officer(session, return_id)
    supplier, buyer = [row.supplier_path], [row.buyer_path, row.unit_path]
    paths = {"supplier": supplier, "buyer": buyer, "either": supplier + buyer}[side]
    if not any(actor.within_branch(path) for path in paths):
        raise NotFound
    if_match(row.version)
    return row


def locked_for_officer(session: Session, return_id: int) -> Any:
    """The same for who decides a dispute about it."""
    row = session.execute(_LOCK, {"id": return_id}).first()
    if row is None:
        raise NotFound
    return row


def step(session: Session, actor: Actor, row: Any, move: ReturnMove, *, reason: str | None = None) -> None:
    """Check the table, write the new status, the audit event and the news.

    Raises:
        IllegalMove: the table has no such move from the present status (409).
    """
    status = RETURN.after(row.status, move, queries.moves_of(actor, row))
    version = session.execute(
        text("UPDATE goods_return SET status = :status, version = version + 1 WHERE id = :id RETURNING version"),
        {"id": row.id, "status": status},
    ).scalar_one()
    audit.record(
        session,
        actor,
        f"goods_return.{move}",
        "goods_return",
        row.id,
        reason=reason,
        from_status=row.status,
        to_status=str(status),
    )
    outbox.publish(session, "return.moved", return_id=row.id, status=status, version=version)
