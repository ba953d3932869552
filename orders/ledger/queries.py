"""Single sales, down to which every figure can be followed."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.ledger.schemas import SaleEntryOut
from orders.ledger.selection import KNOWN_ON, Binds, Reach, Selection, details, filters
from shop.core import paging
from shop.core.errors import NotFound
from shop.core.paging import Page

#: SQL: something of part ``so`` was accepted: from then on its freight is owed.
SOLD = """EXISTS (
    SELECT FROM sale_entry e WHERE e.order_id = so.purchase_order_id AND e.supplier_order_id = so.id AND e.reverses_id IS NULL)"""
#: SQL: nothing of part ``so`` was accepted in the end, so that its freight is not owed.
FREIGHT_LOST = f"(so.status = 'accepted' AND NOT {SOLD})"


def sale_entries(
    session: Session, reach: Reach, selection: Selection, *, order_id: int | None, limit: int, after: str | None
) -> Page[SaleEntryOut]:
    """The sales of a selection within the caller's reach, newest first; of one order also those that no figure holds."""
    bind = Binds()
    conditions = _conditions(reach, selection, order_id, bind)
    if start := paging.position(after, str, int):
        conditions.append(f"(sold_on, id) < ({bind(paging.day(start[0]), 'date')}, {bind(start[1], 'bigint')})")
    found = f"SELECT * FROM sale_entry WHERE {' AND '.join(conditions)} ORDER BY sold_on DESC, id DESC LIMIT {bind(limit + 1, 'integer')}"  # noqa: S608
    rows = session.execute(text(f"{_named(found)} ORDER BY e.sold_on DESC, e.id DESC"), bind.values).all()
    return paging.page(rows, limit, _out, lambda row: [row.sold_on, row.id])


def sale_entry(session: Session, reach: Reach, sale_entry_id: int) -> SaleEntryOut:
    """One sale.

    Raises:
        NotFound: none within the caller's reach (404).
    """
    bind = Binds()
    conditions = " AND ".join([f"id = {bind(sale_entry_id, 'bigint')}", *details(reach, bind)])
    row = session.execute(text(_named(f"SELECT * FROM sale_entry WHERE {conditions}")), bind.values).first()  # noqa: S608
    if row is None:
        raise NotFound
    return _out(row)


def listed(reach: Reach, selection: Selection, *, order_id: int | None) -> tuple[str, dict[str, Any]]:
    """The statement of all sales of a selection within the caller's reach, with their names, and its values: for a file."""
    bind = Binds()
    conditions = " AND ".join(_conditions(reach, selection, order_id, bind))
    return _named(f"SELECT * FROM sale_entry WHERE {conditions}"), bind.values  # noqa: S608


def _conditions(reach: Reach, selection: Selection, order_id: int | None, bind: Binds) -> list[str]:
    found = [
        f"sold_on BETWEEN {bind(selection.first, 'date')} AND {bind(selection.last, 'date')}",
        *filters(selection, bind),
        f"direction = {bind(selection.direction, 'text')}",
        *details(reach, bind),
    ]
    if selection.known_on is not None:
        found.append(f"{KNOWN_ON} <= {bind(selection.known_on, 'date')}")
    # of one order also what no figure holds
    return [*found, "counted" if order_id is None else f"order_id = {bind(order_id, 'bigint')}"]


def _named(found: str) -> str:
    """SQL: entries with the names of what they are about."""
    return f"""
        SELECT e.*, e.amount_fen AS amount, po.number AS order_number, p.name AS product_name, s.code AS sku_code, s.pack, s.unit,
               supplier.name AS supplier_name, buyer.name AS buyer_name, c.number AS certificate_number
        FROM ({found}) e
        JOIN product p ON p.id = e.product_id
        LEFT JOIN sku s ON s.id = e.sku_id
        JOIN organisation supplier ON supplier.id = e.supplier_id
        LEFT JOIN organisation buyer ON buyer.id = e.buyer_id
        LEFT JOIN purchase_order po ON po.id = e.order_id
        LEFT JOIN certificate c ON c.id = e.certificate_id
    """  # noqa: S608


def _out(row: Any) -> SaleEntryOut:
    return SaleEntryOut.model_validate(row, from_attributes=True)
