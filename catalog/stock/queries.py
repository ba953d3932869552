"""Reads of a supplier's own stock."""

from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session, col, select

from catalog.products.errors import NotYourProduct
from catalog.stock.models import StockMovement
from catalog.stock.schemas import MovementOut, StockOut
from shop.core import paging
from shop.core.errors import NotFound
from shop.core.paging import Page
from shop.identity.actor import Actor

_OWN = text("SELECT p.supplier_id, s.step, s.unit FROM sku s JOIN product p ON p.id = s.product_id WHERE s.id = :id")
_STOCK = text("SELECT sku_id, on_hand, reserved, on_hand - reserved AS available FROM stock WHERE sku_id = :id")


def require_own(session: Session, actor: Actor, sku_id: int) -> Row[Any]:
    """Let only the supplier of a SKU go on; returns the SKU's step and unit.

    Raises:
        NotFound: there is no such SKU (404).
        NotYourProduct: another supplier's (403).
    """
    row = session.execute(_OWN, {"id": sku_id}).first()
    if row is None:
        raise NotFound
    if row.supplier_id != actor.organisation:
        raise NotYourProduct
    return row


def stock(session: Session, actor: Actor, sku_id: int) -> StockOut:
    """What lies in the store and what of it is promised. Raises as :func:`require_own`."""
    require_own(session, actor, sku_id)
    row = session.execute(_STOCK, {"id": sku_id}).one()
    return StockOut.model_validate(row, from_attributes=True)


def movements(session: Session, actor: Actor, sku_id: int, *, limit: int, after: str | None) -> Page[MovementOut]:
    """Every change of a stock, newest first. Raises as :func:`require_own`."""
    require_own(session, actor, sku_id)
    statement = select(StockMovement).where(col(StockMovement.sku_id) == sku_id)
    if start := paging.position(after, int):
        statement = statement.where(col(StockMovement.id) < start[0])
    rows = session.exec(statement.order_by(col(StockMovement.id).desc()).limit(limit + 1)).all()
    return paging.page(rows, limit, lambda row: MovementOut.model_validate(row, from_attributes=True), lambda row: [row.id])
