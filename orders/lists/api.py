"""Saved lists and re-orders over HTTP."""

from typing import Annotated

from fastapi import Query

from orders.lists import actions, queries
from orders.lists.schemas import (
    LinesIn,
    ListCheckIn,
    ListOrderIn,
    OrderedOut,
    QuantityIn,
    ReorderIn,
    SavedLineOut,
    SavedListIn,
    SavedListOut,
    SavedListPatch,
)
from orders.purchasing.schemas import CheckOut
from shop.core.paging import After, Limit, Page
from shop.core.quantities import Id, Name
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("saved_lists", "/v1")


@routes.post("/saved-lists", Permission.ORDERS_PLACE)
def create_list(call: Call, body: SavedListIn) -> SavedListOut:
    """Begin a list: empty, with lines, or from an order or an uploaded list."""
    return queries.saved_list(call.session, call.actor, actions.create(call.session, call.actor, body))


@routes.get("/saved-lists", Permission.ORDERS_READ)
def saved_lists(
    call: Call,
    q: Annotated[Name | None, Query(description="part of the name")] = None,
    shared: bool | None = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[SavedListOut]:
    """The own lists and those shared in the branch, the newest first."""
    return queries.saved_lists(call.session, call.actor, q=q, shared=shared, limit=limit, after=after)


@routes.get("/saved-lists/{list_id}", Permission.ORDERS_READ)
def saved_list(call: Call, list_id: Id) -> SavedListOut:
    return queries.saved_list(call.session, call.actor, list_id)


@routes.patch("/saved-lists/{list_id}", Permission.ORDERS_PLACE)
def edit_list(call: Call, list_id: Id, body: SavedListPatch) -> SavedListOut:
    """Rename a list, or share it or not."""
    actions.edit(call.session, call.actor, list_id, body, call.if_match)
    return queries.saved_list(call.session, call.actor, list_id)


@routes.delete("/saved-lists/{list_id}", Permission.ORDERS_PLACE)
def delete_list(call: Call, list_id: Id) -> None:
    """Drop a list; orders made from it stay."""
    actions.delete(call.session, call.actor, list_id)


@routes.get("/saved-lists/{list_id}/lines", Permission.ORDERS_READ)
def saved_lines(call: Call, list_id: Id, limit: Limit = 50, after: After = None) -> Page[SavedLineOut]:
    """The lines as they were added."""
    return queries.saved_lines(call.session, call.actor, list_id, limit=limit, after=after)


@routes.post("/saved-lists/{list_id}/lines", Permission.ORDERS_PLACE)
def add_lines(call: Call, list_id: Id, body: LinesIn) -> SavedListOut:
    """Add goods; what stands in the list already is added up."""
    actions.add_lines(call.session, call.actor, list_id, body)
    return queries.saved_list(call.session, call.actor, list_id)


@routes.put("/saved-lists/{list_id}/lines/{sku_id}", Permission.ORDERS_PLACE)
def set_line(call: Call, list_id: Id, sku_id: Id, body: QuantityIn) -> SavedListOut:
    """Change the quantity of a line."""
    actions.set_line(call.session, call.actor, list_id, sku_id, body.quantity)
    return queries.saved_list(call.session, call.actor, list_id)


@routes.delete("/saved-lists/{list_id}/lines/{sku_id}", Permission.ORDERS_PLACE, status=200)
def remove_line(call: Call, list_id: Id, sku_id: Id) -> SavedListOut:
    """Take a line out."""
    actions.remove_line(call.session, call.actor, list_id, sku_id)
    return queries.saved_list(call.session, call.actor, list_id)


@routes.post("/saved-lists/{list_id}/check", Permission.ORDERS_PLACE, status=200)
def check_list(call: Call, list_id: Id, body: ListCheckIn) -> CheckOut:
    """What an order of the list would be now: every line with its price, or why it cannot be ordered and what could be instead."""
    return actions.check_list(call.session, call.actor, list_id, body.buyer_id, call.language)


@routes.post("/saved-lists/{list_id}/order", Permission.ORDERS_PLACE)
def order_list(call: Call, list_id: Id, body: ListOrderIn) -> OrderedOut:
    """Order what is in the list: all of it, or all that can be ordered."""
    return actions.order_list(call.session, call.actor, list_id, body, call.language)


@routes.post("/purchase-orders/{purchase_order_id}/reorder", Permission.ORDERS_PLACE, status=200)
def reorder(call: Call, purchase_order_id: Id, body: ReorderIn) -> OrderedOut:
    """The lines of an order again, at today's prices: tried by default, ordered with `dry_run` false."""
    return actions.reorder(call.session, call.actor, purchase_order_id, body, call.language)
