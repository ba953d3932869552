"""A supplier's stock over HTTP."""

from catalog.stock import actions, queries
from catalog.stock.schemas import MovementIn, MovementOut, StockOut
from shop.core.paging import After, Limit, Page
from shop.core.quantities import Id
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("stock", "/v1/skus")


@routes.get("/{sku_id}/stock", Permission.STOCK_EDIT)
def read(call: Call, sku_id: Id) -> StockOut:
    """What lies in the own store, and what of it is promised to orders."""
    return queries.stock(call.session, call.actor, sku_id)


@routes.get("/{sku_id}/stock-movements", Permission.STOCK_EDIT)
def movements(call: Call, sku_id: Id, limit: Limit = 50, after: After = None) -> Page[MovementOut]:
    """Every change of the stock, newest first."""
    return queries.movements(call.session, call.actor, sku_id, limit=limit, after=after)


@routes.post("/{sku_id}/stock-movements", Permission.STOCK_EDIT)
def move(call: Call, sku_id: Id, body: MovementIn) -> StockOut:
    """Book goods that came in, or a correction after counting."""
    actions.move(call.session, call.actor, sku_id, body)
    return queries.stock(call.session, call.actor, sku_id)
