"""Products, their packs and prices over HTTP."""

from typing import Annotated, Any

from fastapi import Query

from catalog.products import actions, queries
from catalog.products.queries import Filters
from catalog.products.rules import Category, Kind
from catalog.products.schemas import (
    DistrictCode,
    Facets,
    PricesIn,
    ProductIn,
    ProductOut,
    ProductPatch,
    ProductRow,
    SkuIn,
    SkuOut,
    SkuPatch,
    Sort,
    TownshipCode,
    Words,
)
from catalog.products.states import ListingMove, ListingStatus
from shop.core.money import YuanIn
from shop.core.paging import After, Limit, Page
from shop.core.quantities import Id
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("products", "/v1")
