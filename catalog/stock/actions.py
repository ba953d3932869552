"""Moving stock. What orders reserve, release and ship moves set-based: one statement however many lines."""

from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import TextClause, text
from sqlmodel import Session

from catalog.products.rules import is_measure
from catalog.stock import queries
from catalog.stock.errors import StockOutOfRange, StockShort
from catalog.stock.rules import MAX_ON_HAND
from catalog.stock.schemas import MovementIn
from shop.core import audit, clock
from shop.core.errors import Invalid
from shop.core.quantities import plain
from shop.identity.actor import Actor

# One conditional UPDATE, so that an order that reserves at the same moment is never promised what is taken away here.
_ADJUST = text(
    """
    UPDATE stock SET on_hand = on_hand + :change
    WHERE sku_id = :sku_id AND on_hand + :change BETWEEN reserved AND :most
    RETURNING on_hand
    """
)
_RECORD = text(
    "INSERT INTO stock_movement (sku_id, kind, on_hand, reserved, actor_id, reason, at)"
    " VALUES (:sku_id, :kind, :change, 0, :actor_id, :reason, :now)"
)

# Rows are locked in the order of the SKUs, as placing an order locks them, so that nobody waits in a circle.
_MOVE = """
    WITH wanted AS (
        SELECT * FROM unnest(CAST(:skus AS bigint[]), CAST(:quantities AS numeric[]), CAST(:lines AS bigint[]))
          AS u (sku_id, quantity, order_line_id)
    ), locked AS MATERIALIZED (
        SELECT sku_id FROM stock WHERE sku_id = ANY (CAST(:skus AS bigint[])) ORDER BY sku_id FOR UPDATE
    ), moved AS (
        UPDATE stock SET {change}
        FROM (SELECT sku_id, sum(quantity) AS quantity FROM wanted JOIN locked USING (sku_id) GROUP BY sku_id) w
        WHERE stock.sku_id = w.sku_id
    )
    INSERT INTO stock_movement (sku_id, kind, on_hand, reserved, order_line_id, at)
    SELECT sku_id, '{kind}', {on_hand}, {reserved}, order_line_id, :now FROM wanted
"""
_RELEASE = text(_MOVE.format(kind="release", change="reserved = stock.reserved - w.quantity", on_hand="0", reserved="-quantity"))
_SHIP = text(
    _MOVE.format(
        kind="ship",
        change="reserved = stock.reserved - w.quantity, on_hand = stock.on_hand - w.quantity",
        on_hand="-quantity",
        reserved="-quantity",
    )
)
_RETURN = text(_MOVE.format(kind="return", change="on_hand = stock.on_hand + w.quantity", on_hand="quantity", reserved="0"))
_REPLACE = text(_MOVE.format(kind="replace", change="on_hand = stock.on_hand - w.quantity", on_hand="-quantity", reserved="0"))
_SHORT = text(
    """
    SELECT s.sku_id FROM (SELECT sku_id, sum(quantity) AS quantity FROM unnest(CAST(:skus AS bigint[]), CAST(:quantities AS numeric[]))
                          AS u (sku_id, quantity) GROUP BY sku_id) w JOIN stock s USING (sku_id)
    WHERE s.on_hand - s.reserved < w.quantity ORDER BY s.sku_id
    """
)


def move(session: Session, actor: Actor, sku_id: int, body: MovementIn) -> None:
    """Book goods that came in, or correct the stock after counting.

    Raises:
        NotFound, NotYourProduct: unknown (404), or another supplier's (403).
        Invalid: not a whole number of steps of what is counted (422).
        StockOutOfRange: less would be left than orders were promised (409).
    """
    sku = queries.require_own(session, actor, sku_id)
    if not is_measure(body.quantity, sku.step, sku.unit):
        raise Invalid.one("quantity", "wrong_step", "数量不是步长的整数倍", "the quantity is not a multiple of the step")
    moved = session.execute(_ADJUST, {"sku_id": sku_id, "change": body.quantity, "most": MAX_ON_HAND}).first()
    if moved is None:
        raise StockOutOfRange(least=plain(queries.stock(session, actor, sku_id).reserved), most=MAX_ON_HAND)
    session.execute(
        _RECORD,
        {
            "sku_id": sku_id,
            "kind": body.kind,
            "change": body.quantity,
            "actor_id": actor.user_id,
            "reason": body.reason,
            "now": clock.now(),
        },
    )
    audit.record(session, actor, "stock.moved", "sku", sku_id, reason=body.reason, kind=body.kind, quantity=plain(body.quantity))


def release(session: Session, *, sku_ids: Sequence[int], quantities: Sequence[Decimal], order_line_ids: Sequence[int]) -> None:
    """Give back what order lines had reserved; the three sequences run in step."""
    _move(session, _RELEASE, sku_ids, quantities, order_line_ids)


def ship(session: Session, *, sku_ids: Sequence[int], quantities: Sequence[Decimal], order_line_ids: Sequence[int]) -> None:
    """Take what order lines had reserved out of the store; the three sequences run in step."""
    _move(session, _SHIP, sku_ids, quantities, order_line_ids)


def take_back(session: Session, *, sku_ids: Sequence[int], quantities: Sequence[Decimal], order_line_ids: Sequence[int]) -> None:
    """Put what came back from a buyer into the store again; the three sequences run in step."""
    _move(session, _RETURN, sku_ids, quantities, order_line_ids)


def replace(session: Session, *, sku_ids: Sequence[int], quantities: Sequence[Decimal], order_line_ids: Sequence[int]) -> None:
    """Take goods out of the store that are sent in place of others; the three sequences run in step.

    Raises:
        StockShort: what is not promised to orders does not suffice (409). One that was sold this moment is refused by the database.
    """
    if session.execute(_SHORT, {"skus": list(sku_ids), "quantities": list(quantities)}).first():
        raise StockShort
    _move(session, _REPLACE, sku_ids, quantities, order_line_ids)


def _move(
    session: Session, statement: TextClause, sku_ids: Sequence[int], quantities: Sequence[Decimal], order_line_ids: Sequence[int]
) -> None:
    session.execute(
        statement,
        {"skus": list(sku_ids), "quantities": list(quantities), "lines": list(order_line_ids), "now": clock.now()},
    )
