"""Single sales over HTTP."""

from typing import Annotated

from fastapi import Depends, Query

from orders.ledger import queries
from orders.ledger.filters import SaleFilters
from orders.ledger.schemas import SaleEntryOut
from orders.ledger.selection import reach_of
from shop.core.paging import After, Limit, Page
from shop.core.quantities import Id
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("ledger", "/v1/sale-entries")


@routes.get("", Permission.STATISTICS_READ)
def sale_entries(
    call: Call,
    filters: Annotated[SaleFilters, Depends()],
    order_id: Annotated[Id | None, Query(description="sales of one purchase order")] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[SaleEntryOut]:
    """The sales behind a figure, newest first: own sales, the own branch's purchases, or those from the own region."""
    selection = filters.selection(call.session)
    return queries.sale_entries(call.session, reach_of(call.actor), selection, order_id=order_id, limit=limit, after=after)
