"""Single sales over HTTP."""

from typing import Annotated

from fastapi import Depends, Query

from orders.ledger import queries
from orders.ledger.filters import KnownOn, SaleFilters
from orders.ledger.schemas import SaleEntriesOut
from orders.ledger.selection import reach_of
from orders.ledger.words import SCOPE
from shop.core.paging import After, Limit
from shop.core.quantities import Id
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("ledger", "/v1/sale-entries")


@routes.get("", Permission.STATISTICS_READ)
def sale_entries(
    call: Call,
    filters: Annotated[SaleFilters, Depends()],
    order_id: Annotated[Id | None, Query(description="sales of one purchase order")] = None,
    known_on: KnownOn = None,
    limit: Limit = 50,
    after: After = None,
) -> SaleEntriesOut:
    """The sales behind a figure, newest first: own sales, the own branch's purchases, or those from the own region, to which ``scope`` says the
    list is limited then."""
    selection, reach = filters.selection(call.session, known_on), reach_of(call.actor)
    found = queries.sale_entries(call.session, reach, selection, order_id=order_id, limit=limit, after=after)
    scope = reach.scope
    note = None if scope is None else SCOPE[call.language].format(regions=", ".join(scope))
    return SaleEntriesOut(items=found.items, next=found.next, scope=scope, scope_note=note)
