"""Reading proposed changes, each within the reach of its order."""

from collections.abc import Sequence
from typing import Any, Literal

from sqlalchemy import text
from sqlmodel import Session

from catalog.products.rules import highest_agreed_sql
from orders.amendments.rules import BoundLine
from orders.amendments.schemas import AmendmentOut, ChangeOut
from orders.amendments.states import AMENDMENT, AmendmentAction, AmendmentStatus
from orders.purchasing import queries as purchasing
from orders.purchasing.rules import LineChange
from shop.core import paging
from shop.core.errors import NotFound
from shop.core.paging import Page
from shop.identity.actor import Actor
from shop.identity.permissions import Permission

_BOUND = text(
    f"""
    SELECT l.id, l.line_no, l.sku_id, concat(p.name, ' ', s.pack), s.unit, s.step, l.quantity,
           l.quantity - l.shipped_quantity - l.closed_quantity, l.unit_price_fen,
           EXISTS (SELECT FROM voucher v WHERE v.order_line_id = l.id), {highest_agreed_sql("p", "s")}
    FROM order_line l JOIN sku s ON s.id = l.sku_id JOIN product p ON p.id = l.product_id
    WHERE l.supplier_order_id = :id ORDER BY l.line_no
    """  # noqa: S608
)
_CHANGES = text(
    "SELECT order_line_id, open_quantity, quantity, sku_id, unit_price_fen FROM amendment_line WHERE amendment_id = :id ORDER BY id"
)
_NAMES = text(
    "SELECT s.id, concat(p.name, ' ', s.pack) AS name FROM sku s JOIN product p ON p.id = s.product_id WHERE s.id = ANY (:ids)"
)

_AMENDMENT = """
    SELECT a.*, a.change_fen AS change, po.number AS purchase_order_number, c.number AS supplement_number,
           coalesce(supplier.path LIKE CAST(:branch AS text), false) AS is_supplier,
           coalesce(buyer.path LIKE CAST(:branch AS text) OR unit.path LIKE CAST(:branch AS text), false) AS is_buyer
    FROM amendment a
    JOIN supplier_order so ON so.id = a.supplier_order_id JOIN purchase_order po ON po.id = so.purchase_order_id
    JOIN organisation supplier ON supplier.id = so.supplier_id JOIN organisation buyer ON buyer.id = po.buyer_id
    JOIN organisation unit ON unit.id = po.ordering_unit_id
    LEFT JOIN contract c ON c.amendment_id = a.id
"""
_IN_REACH = """(supplier.path LIKE CAST(:branch AS text) OR buyer.path LIKE CAST(:branch AS text) OR unit.path LIKE CAST(:branch AS text)
    OR supplier.region_code LIKE ANY (CAST(:regions AS text[])) OR buyer.region_code LIKE ANY (CAST(:regions AS text[])))"""
_LINES = text(
    """
    SELECT a.amendment_id, a.order_line_id, l.line_no, p.name AS product_name, a.open_quantity, a.quantity, l.unit_price_fen AS old_unit_price,
           a.sku_id, concat(n.name, ' ', s.pack) AS substitute, a.unit_price_fen AS unit_price, a.new_line_id
    FROM amendment_line a JOIN order_line l ON l.id = a.order_line_id JOIN product p ON p.id = l.product_id
    LEFT JOIN sku s ON s.id = a.sku_id LEFT JOIN product n ON n.id = s.product_id
    WHERE a.amendment_id = ANY (:ids) ORDER BY a.id
    """
)


def bound_lines(session: Session, supplier_order_id: int) -> list[BoundLine]:
    """The lines of an order with what is open of them."""
    return [BoundLine(*row) for row in session.execute(_BOUND, {"id": supplier_order_id})]


def changes(session: Session, amendment_id: int) -> list[LineChange]:
    return [LineChange(*row) for row in session.execute(_CHANGES, {"id": amendment_id})]


def names(session: Session, sku_ids: Sequence[int]) -> dict[int, str]:
    return {row.id: row.name for row in session.execute(_NAMES, {"ids": list(sku_ids)})} if sku_ids else {}


def order_of(session: Session, amendment_id: int) -> int:
    """The supplier order that a change is of.

    Raises:
        NotFound: no such amendment.
    """
    found: int | None = session.execute(
        text("SELECT supplier_order_id FROM amendment WHERE id = :id"), {"id": amendment_id}
    ).scalar_one_or_none()
    if found is None:
        raise NotFound
    return found


def buyer_of(session: Session, supplier_order_id: int) -> int:
    """The unit that a supplier order is for.

    Raises:
        NotFound: no such supplier order.
    """
    statement = text(
        "SELECT po.buyer_id FROM supplier_order so JOIN purchase_order po ON po.id = so.purchase_order_id WHERE so.id = :id"
    )
    found: int | None = session.execute(statement, {"id": supplier_order_id}).scalar_one_or_none()
    if found is None:
        raise NotFound
    return found


def locked(session: Session, amendment_id: int) -> Any:
    """An amendment's row, locked until the transaction ends; its order is locked before it."""
    return session.execute(text("SELECT * FROM amendment WHERE id = :id FOR UPDATE"), {"id": amendment_id}).one()


def amendment(session: Session, actor: Actor, amendment_id: int) -> AmendmentOut:
    """One proposed change.

    Raises:
        NotFound: no such amendment within the caller's reach.
    """
    values = {"id": amendment_id, **purchasing.reach(actor)}
    rows = session.execute(text(f"{_AMENDMENT} WHERE a.id = :id AND {_IN_REACH}"), values).all()
    if not rows:
        raise NotFound
    return _shown(session, actor, rows)[0]


def amendments(
    session: Session,
    actor: Actor,
    *,
    supplier_order_id: int | None = None,
    status: AmendmentStatus | None = None,
    waiting_for: Literal["me", "others"] | None = None,
    limit: int,
    after: str | None,
) -> Page[AmendmentOut]:
    """Changes of the orders within reach, newest first. ``waiting_for``: those that the own side, or the other, has to answer."""
    start = paging.position(after, int)
    rows = session.execute(
        text(
            f"""{_AMENDMENT} WHERE {_IN_REACH}
              AND (CAST(:order AS bigint) IS NULL OR a.supplier_order_id = :order)
              AND (CAST(:status AS text) IS NULL OR a.status = :status)
              AND (CAST(:waiting AS text) IS NULL OR a.status = 'proposed'
                   AND (:waiting = 'me') = (a.side = CASE WHEN supplier.path LIKE CAST(:branch AS text) THEN 'buyer' ELSE 'supplier' END))
              AND (CAST(:start AS bigint) IS NULL OR a.id < :start)
            ORDER BY a.id DESC LIMIT :rows
            """
        ),
        {
            **purchasing.reach(actor),
            "order": supplier_order_id,
            "status": status,
            "waiting": waiting_for,
            "start": start[0] if start else None,
            "rows": limit + 1,
        },
    ).all()
    shown = {each.id: each for each in _shown(session, actor, rows[:limit])}
    return paging.page(rows, limit, lambda row: shown[row.id], lambda row: [row.id])


def _shown(session: Session, actor: Actor, rows: Sequence[Any]) -> list[AmendmentOut]:
    lines: dict[int, list[ChangeOut]] = {row.id: [] for row in rows}
    for line in session.execute(_LINES, {"ids": list(lines)}):
        shown = {name: getattr(line, name) for name in ChangeOut.model_fields}
        lines[line.amendment_id].append(ChangeOut(**shown | {"substitute": line.substitute if line.sku_id else None}))
    names = [name for name in AmendmentOut.model_fields if name not in ("possible_actions", "lines")]
    return [
        AmendmentOut(
            **{name: getattr(row, name) for name in names},
            possible_actions=AMENDMENT.possible(row.status, moves_of(actor, row)),
            lines=lines[row.id],
        )
        for row in rows
    ]


def moves_of(actor: Actor, row: Any) -> set[AmendmentAction]:
    """What the actor may do with a change at all: answer what the other side proposed, or take back what its own did."""
    own = "supplier" if row.is_supplier else "buyer"
    if not actor.may(Permission.AMENDMENTS_MANAGE) or not (row.is_supplier or row.is_buyer):
        return set()
    return {AmendmentAction.WITHDRAW} if own == row.side else {AmendmentAction.ACCEPT, AmendmentAction.REFUSE}
