"""Products, their packs and prices over HTTP."""

from typing import Annotated

from fastapi import Query

from catalog.products import actions, queries
from catalog.products.schemas import (
    Facets,
    Filters,
    PricesIn,
    ProductIn,
    ProductOut,
    ProductPatch,
    ProductRow,
    ProductSearch,
    SkuIn,
    SkuOut,
    SkuPatch,
)
from catalog.products.states import ListingMove
from shop.core.paging import Page
from shop.core.quantities import Id
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("products", "/v1")


def _product(call: Call, product_id: int) -> ProductOut:
    return queries.product(call.session, product_id, call.language)


def _sku(call: Call, sku_id: int) -> SkuOut:
    return queries.sku(call.session, sku_id, call.language)


@routes.post("/products", Permission.PRODUCTS_EDIT)
def create(call: Call, body: ProductIn) -> ProductOut:
    """Put a product into the own organisation's list, with its packs and prices or without."""
    return _product(call, actions.create(call.session, call.actor, body))


@routes.get("/products", Permission.PRODUCTS_READ)
def search(call: Call, asked: Annotated[ProductSearch, Query()]) -> Page[ProductRow]:
    """Find products by any part of a name, pinyin (`zhacai`) or initials (`zc`), narrowed by filters."""
    return queries.products(call.session, asked, sort=asked.sort, limit=asked.limit, after=asked.after)


@routes.get("/products/facets", Permission.PRODUCTS_READ)
def facets(call: Call, asked: Annotated[Filters, Query()]) -> Facets:
    """How many products of a search fall into each category and district."""
    return queries.facets(call.session, asked)


@routes.get("/products/{product_id}", Permission.PRODUCTS_READ)
def read(call: Call, product_id: Id) -> ProductOut:
    """One product with its packs, prices, stock and the certificate in force."""
    return _product(call, product_id)


@routes.patch("/products/{product_id}", Permission.PRODUCTS_EDIT)
def edit(call: Call, product_id: Id, body: ProductPatch) -> ProductOut:
    """Change what is said of an own product."""
    actions.edit(call.session, call.actor, product_id, body.model_dump(exclude_unset=True), call.if_match)
    return _product(call, product_id)


@routes.post("/products/{product_id}/withdraw", Permission.PRODUCTS_EDIT, status=200)
def withdraw(call: Call, product_id: Id) -> ProductOut:
    """Take an own product off the market; orders that were placed stay."""
    actions.move(call.session, call.actor, product_id, ListingMove.WITHDRAW, call.if_match)
    return _product(call, product_id)


@routes.post("/products/{product_id}/relist", Permission.PRODUCTS_EDIT, status=200)
def relist(call: Call, product_id: Id) -> ProductOut:
    """Put a withdrawn product on sale again."""
    actions.move(call.session, call.actor, product_id, ListingMove.RELIST, call.if_match)
    return _product(call, product_id)


@routes.post("/products/{product_id}/skus", Permission.PRODUCTS_EDIT)
def add_sku(call: Call, product_id: Id, body: SkuIn) -> SkuOut:
    """Offer an own product in one more pack."""
    return _sku(call, actions.add_sku(call.session, call.actor, product_id, body))


@routes.get("/skus/{sku_id}", Permission.PRODUCTS_READ)
def read_sku(call: Call, sku_id: Id) -> SkuOut:
    """One pack with its prices and what is left of it."""
    return _sku(call, sku_id)


@routes.patch("/skus/{sku_id}", Permission.PRODUCTS_EDIT)
def edit_sku(call: Call, sku_id: Id, body: SkuPatch) -> SkuOut:
    """Change how a pack is described and taxed."""
    actions.edit_sku(call.session, call.actor, sku_id, body.model_dump(exclude_unset=True), call.if_match)
    return _sku(call, sku_id)


@routes.post("/skus/{sku_id}/withdraw", Permission.PRODUCTS_EDIT, status=200)
def withdraw_sku(call: Call, sku_id: Id) -> SkuOut:
    """Take one pack off the market."""
    actions.move_sku(call.session, call.actor, sku_id, ListingMove.WITHDRAW, call.if_match)
    return _sku(call, sku_id)


@routes.post("/skus/{sku_id}/relist", Permission.PRODUCTS_EDIT, status=200)
def relist_sku(call: Call, sku_id: Id) -> SkuOut:
    """Put a withdrawn pack on sale again."""
    actions.move_sku(call.session, call.actor, sku_id, ListingMove.RELIST, call.if_match)
    return _sku(call, sku_id)


@routes.put("/skus/{sku_id}/prices", Permission.PRODUCTS_EDIT)
def set_prices(call: Call, sku_id: Id, body: PricesIn) -> SkuOut:
    """Replace the price list of a pack; its first tier is the smallest quantity that is sold."""
    actions.set_prices(call.session, call.actor, sku_id, body.tiers, call.if_match)
    return _sku(call, sku_id)
