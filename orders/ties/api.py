"""Whether accounts tie (账账相符), and what is behind one sale, over HTTP."""

from typing import Annotated

from fastapi import Query

from orders.ties.queries import checks, elsewhere, entry, orders
from orders.ties.schemas import (
    BatchesSearch,
    BatchTieOut,
    ChainOut,
    DataChecksOut,
    ExternalSalesSearch,
    ExternalTieOut,
    OrderChainsOut,
    SaleEntryDetailOut,
    TiesSearch,
)
from shop.core.paging import After, Limit, Page
from shop.core.quantities import Id
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("ties", "/v1")


@routes.get("/ties", Permission.TIES_READ)
def ties(call: Call, asked: Annotated[TiesSearch, Query()]) -> Page[ChainOut]:
    """Order, contract, waybill, acceptance, statistic, invoice and payment side by side, for each part of an order, the newest first; with what
    does not tie and why. As a file: `/v1/exports` with the kind `ties`."""
    return orders.chains(call.session, call.actor, call.language, asked)


@routes.get("/ties/orders/{purchase_order_id}", Permission.TIES_READ)
def ties_of_order(call: Call, purchase_order_id: Id) -> OrderChainsOut:
    """The same for one order."""
    return orders.of_order(call.session, call.actor, call.language, purchase_order_id)


@routes.get("/ties/outlet-batches", Permission.TIES_READ)
def ties_of_batches(call: Call, asked: Annotated[BatchesSearch, Query()]) -> Page[BatchTieOut]:
    """Batches of outlets: what each says of itself, its lines, and the ledger."""
    return elsewhere.batches(call.session, call.actor, call.language, asked)


@routes.get("/ties/external-sales", Permission.TIES_READ)
def ties_of_external_sales(call: Call, asked: Annotated[ExternalSalesSearch, Query()]) -> Page[ExternalTieOut]:
    """Sellers' claims of sales made elsewhere: their papers, their lines, and the ledger."""
    return elsewhere.external_sales(call.session, call.actor, call.language, asked)


@routes.get("/sale-entries/{sale_entry_id}", Permission.STATISTICS_READ)
def sale_entry(call: Call, sale_entry_id: Id) -> SaleEntryDetailOut:
    """One sale with every document behind it; own sales, the own branch's purchases, or those from the own region."""
    return entry.sale_entry(call.session, call.actor, sale_entry_id)


@routes.get("/data-checks", Permission.RECONCILE_RUN)
def data_checks(call: Call, limit: Limit = 50, after: After = None) -> DataChecksOut:
    """What the daily checks found, the newest first: figures counted again from the lines, and all books reconciled; and when the next is made."""
    return checks.data_checks(call.session, limit=limit, after=after)
