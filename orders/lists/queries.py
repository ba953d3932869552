"""Reads of saved lists: the own ones, and those shared in the branch."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.lists.rules import may_edit
from orders.lists.schemas import SavedLineOut, SavedListOut
from orders.purchasing.schemas import OrderLineIn
from shop.core import paging
from shop.core.errors import NotFound
from shop.core.paging import Page
from shop.identity.actor import Actor

# A shared list is for its organisation, for the units below it, and for those above that see what their units do.
SEEN = """
    (l.owner_id = :user_id OR (l.shared AND (starts_with(CAST(:path AS text), home.path) OR starts_with(home.path, CAST(:path AS text)))))
"""
_LISTS = f"SELECT l.* FROM saved_list l JOIN organisation home ON home.id = l.organisation_id WHERE {SEEN}"  # noqa: S608
_ONE = text(f"{_LISTS} AND l.id = :id")
_PAGE = text(
    f"""{_LISTS} AND (CAST(:shared AS boolean) IS NULL OR l.shared = :shared) AND (CAST(:q AS text) IS NULL OR strpos(l.name, :q) > 0)
    AND (CAST(:before AS bigint) IS NULL OR l.id < :before) ORDER BY l.id DESC LIMIT :rows"""
)
_LINES_PAGE = text(
    """
    SELECT l.id, l.sku_id, s.code AS sku_code, s.product_id, p.name AS product_name, s.pack, s.unit, l.quantity
    FROM saved_list_line l JOIN sku s ON s.id = l.sku_id JOIN product p ON p.id = s.product_id
    WHERE l.list_id = :id AND l.id > :after ORDER BY l.id LIMIT :rows
    """
)
_LINES = text("SELECT sku_id, quantity FROM saved_list_line WHERE list_id = :id ORDER BY id")
# A line that was replaced keeps its place with the quantity 0.
_ORDER_LINES = text("SELECT sku_id, quantity FROM order_line WHERE purchase_order_id = :id AND quantity > 0 ORDER BY line_no")


def reach(actor: Actor) -> dict[str, Any]:
    """The parameters of :data:`SEEN`."""
    return {"user_id": actor.user_id, "path": actor.organisation_path}


def found(session: Session, actor: Actor, list_id: int) -> Row[Any]:
    """The row of a list.

    Raises:
        NotFound: neither an own nor a shared list of the branch.
    """
    row = session.execute(_ONE, {"id": list_id, **reach(actor)}).first()
    if row is None:
        raise NotFound
    return row


def saved_list(session: Session, actor: Actor, list_id: int) -> SavedListOut:
    """One list.

    Raises:
        NotFound: neither an own nor a shared list of the branch.
    """
    return _list(found(session, actor, list_id), actor)


def saved_lists(
    session: Session, actor: Actor, *, q: str | None, shared: bool | None, limit: int, after: str | None
) -> Page[SavedListOut]:
    """The own lists and those shared in the branch, the newest first."""
    start = paging.position(after, int)
    values = {"q": q, "shared": shared, "before": start[0] if start else None, "rows": limit + 1}
    rows = session.execute(_PAGE, {**reach(actor), **values}).all()
    return paging.page(rows, limit, lambda row: _list(row, actor), lambda row: [row.id])


def saved_lines(session: Session, actor: Actor, list_id: int, *, limit: int, after: str | None) -> Page[SavedLineOut]:
    """The lines of a list as they were added.

    Raises:
        NotFound: neither an own nor a shared list of the branch.
    """
    found(session, actor, list_id)
    start = paging.position(after, int)
    rows = session.execute(_LINES_PAGE, {"id": list_id, "after": start[0] if start else 0, "rows": limit + 1}).all()
    return paging.page(rows, limit, lambda row: SavedLineOut.model_validate(row, from_attributes=True), lambda row: [row.id])


def lines_of_list(session: Session, list_id: int) -> list[OrderLineIn]:
    """What a list would order."""
    return _order_lines(session.execute(_LINES, {"id": list_id}).all())


def lines_of_order(session: Session, purchase_order_id: int) -> list[OrderLineIn]:
    """What an order ordered; the caller has seen to the reach."""
    return _order_lines(session.execute(_ORDER_LINES, {"id": purchase_order_id}).all())


def _order_lines(rows: Sequence[Row[Any]]) -> list[OrderLineIn]:
    return [OrderLineIn(sku_id=row.sku_id, quantity=row.quantity) for row in rows]


def _list(row: Row[Any], actor: Actor) -> SavedListOut:
    fields = {name: getattr(row, name) for name in SavedListOut.model_fields if name != "editable"}
    return SavedListOut(
        **fields,
        editable=may_edit(
            owner_id=row.owner_id,
            shared=row.shared,
            home_id=row.organisation_id,
            user_id=actor.user_id,
            organisation_id=actor.organisation_id,
        ),
    )
