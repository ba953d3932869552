"""Reads of the catalogue: one product, and the searched, filtered and sorted list."""

# ruff: noqa: S608  statements are put together from constants only; every value that a caller gives is bound

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from catalog.certificates.states import in_force_sql, pausing_sql, state_sql
from catalog.products import search
from catalog.products.rules import unit_label
from catalog.products.schemas import CertificateBrief, Facet, Facets, Filters, LastCertificate, ProductOut, ProductRow, SkuOut, Sort
from shop.core import clock, paging
from shop.core.errors import Language, NotFound
from shop.core.paging import Page

#: The certificate of product ``p`` that is in force at ``:now``. It names the product's supplier, who never changes; to ask for that too
#: would make PostgreSQL expect far fewer rows than there are, and plan for them.
_IN_FORCE = f"FROM certificate c WHERE c.product_id = p.id AND {in_force_sql('c')}"
_STOCKED = """
    FROM sku s JOIN stock k ON k.sku_id = s.id
    WHERE s.product_id = p.id AND s.status = 'active' AND k.on_hand - k.reserved >= s.min_quantity
"""
#: Products without a price stand after all others, whichever way prices are sorted. The first one is that of the index.
_PRICE_OR_MOST = "coalesce(p.price_fen, 9223372036854775807)"
_PRICE_OR_LEAST = "coalesce(p.price_fen, 0)"
#: How well a name fits the words: it is them, it begins with them, it holds them (also by pinyin); only the rest of the text does.
_RANK = """CASE WHEN starts_with(p.search_text, :whole || chr(10)) THEN 0
                WHEN starts_with(p.search_text, :whole) OR starts_with(replace(p.pinyin, ' ', ''), :whole) THEN 1
                WHEN strpos(p.search_text, :whole) BETWEEN 1 AND strpos(p.search_text, chr(10)) THEN 2
                ELSE 3 END"""


@dataclass(frozen=True)
class _Order:
    """Keyset order: expressions whose values make the cursor, compared as a row."""

    keys: tuple[str, ...]
    kinds: tuple[type, ...]
    descending: bool = False

    @property
    def direction(self) -> str:
        return "DESC" if self.descending else "ASC"

    @property
    def by(self) -> str:
        return ", ".join(f"{key} {self.direction}" for key in self.keys)

    @property
    def beyond(self) -> str:
        bound = ", ".join(f":key{i}" for i in range(len(self.keys)))
        return f"({', '.join(self.keys)}) {'<' if self.descending else '>'} ({bound})"


_ORDERS = {
    Sort.RELEVANCE: _Order((_RANK, "-p.id"), (int, int)),
    Sort.NEWEST: _Order(("p.id",), (int,), descending=True),
    Sort.PRICE: _Order((_PRICE_OR_MOST, "p.id"), (int, int)),
    Sort.PRICE_DESC: _Order((_PRICE_OR_LEAST, "p.id"), (int, int), descending=True),
    Sort.NAME: _Order(("p.pinyin", "p.id"), (str, int)),
}


#: Filter or search value -> its condition.
_CONDITIONS = {
    "tsquery": "p.search @@ CAST(:tsquery AS tsquery)",
    "patterns": "p.search_text LIKE ALL (CAST(:patterns AS text[]))",
    "district": "p.district_code = :district",
    "township": "p.township_code = :township",
    "category": "p.category = :category",
    "kind": "p.kind = :kind",
    "min_price": "p.price_fen >= :min_price",
    "max_price": "p.price_fen <= :max_price",
    "supplier_id": "p.supplier_id = :supplier_id",
    "status": "p.status = :status",
}


def _where(filters: Filters, found: search.Words | None) -> tuple[str, dict[str, Any]]:
    """The conditions that were asked for and no others, so that PostgreSQL plans for this search and not for any."""
    values = {name: value for name in _CONDITIONS if (value := getattr(filters, name, None)) is not None}
    if found is not None:
        values["tsquery"] = found.tsquery
        if found.patterns:
            values["patterns"] = list(found.patterns)
    conditions = [_CONDITIONS[name] for name in values]
    for rows, wanted in ((_IN_FORCE, filters.certified), (_STOCKED, filters.in_stock)):
        if wanted is not None:
            conditions.append(f"{'' if wanted else 'NOT '}EXISTS (SELECT {rows})")
    return " AND ".join(["o.status = 'approved'", *conditions]), values | clock.present()


_FROM = "FROM product p JOIN organisation o ON o.id = p.supplier_id"

_SHOWN = f"""
SELECT page.*, p.supplier_id, o.name AS supplier_name, p.name, p.kind, p.category, p.district_code, d.name_zh AS district_name,
       p.township_code, t.name_zh AS township_name, p.price_fen AS price, p.status,
       (SELECT max(c.valid_until) {_IN_FORCE}) AS certified_until, {pausing_sql("p")} AS paused, EXISTS (SELECT {_STOCKED}) AS in_stock
FROM page JOIN product p ON p.id = page.id
JOIN organisation o ON o.id = p.supplier_id
JOIN region d ON d.code = p.district_code
LEFT JOIN region t ON t.code = p.township_code
"""


def products(
    session: Session, filters: Filters, *, sort: Sort = Sort.RELEVANCE, limit: int = 20, after: str | None = None
) -> Page[ProductRow]:
    """Products of approved suppliers that fit the filters. Without words to search for, relevance means the newest first."""
    found = search.words(filters.q) if filters.q is not None else None
    if filters.q and found is None:
        return Page(items=[])
    if sort is Sort.RELEVANCE and found is None:
        sort = Sort.NEWEST
    order = _ORDERS[sort]
    where, values = _where(filters, found)
    start = paging.position(after, *order.kinds)
    keys = ", ".join(f"{key} AS key{i}" for i, key in enumerate(order.keys))
    by_page = ", ".join(f"page.key{i} {order.direction}" for i in range(len(order.keys)))
    statement = text(
        f"WITH page AS (SELECT p.id, {keys} {_FROM} WHERE {where}{f' AND {order.beyond}' if start else ''}"
        f" ORDER BY {order.by} LIMIT :rows) {_SHOWN} ORDER BY {by_page}"
    )
    cursor = {f"key{i}": value for i, value in enumerate(start or [])}
    whole = {"whole": found.whole} if found and sort is Sort.RELEVANCE else {}
    rows = session.execute(statement, {**values, **cursor, **whole, "rows": limit + 1}).all()
    return paging.page(rows, limit, _row, lambda row: [getattr(row, f"key{i}") for i in range(len(order.keys))])


def _row(row: Row[Any]) -> ProductRow:
    return ProductRow.model_validate(row, from_attributes=True)


def facets(session: Session, filters: Filters) -> Facets:
    """How many products of a search fall into each category and district."""
    found = search.words(filters.q) if filters.q is not None else None
    if filters.q and found is None:
        return Facets(total=0, categories=[], districts=[])
    where, values = _where(filters, found)
    rows = session.execute(
        text(
            f"WITH hits AS (SELECT p.category, p.district_code {_FROM} WHERE {where}),"
            " counted AS (SELECT category, district_code, count(*) AS n FROM hits GROUP BY GROUPING SETS ((category), (district_code)))"
            " SELECT c.*, r.name_zh FROM counted c LEFT JOIN region r ON r.code = c.district_code ORDER BY c.n DESC, c.category, c.district_code"
        ),
        values,
    ).all()
    categories = [Facet(code=row.category, name=None, count=row.n) for row in rows if row.category]
    districts = [Facet(code=row.district_code, name=row.name_zh, count=row.n) for row in rows if row.district_code]
    return Facets(total=sum(facet.count for facet in categories), categories=categories, districts=districts)


_PRODUCT = text(
    f"""
    SELECT p.*, o.name AS supplier_name, o.status = 'approved' AS supplier_approved, d.name_zh AS district_name, t.name_zh AS township_name,
           (SELECT jsonb_build_object('id', c.id, 'number', c.number, 'valid_from', c.valid_from, 'valid_until', c.valid_until)
            {_IN_FORCE} ORDER BY c.valid_until DESC LIMIT 1) AS certificate,
           (SELECT jsonb_build_object('id', c.id, 'number', c.number, 'valid_from', c.valid_from, 'valid_until', c.valid_until,
                                      'state', {state_sql("c")})
            FROM certificate c WHERE c.product_id = p.id ORDER BY c.id DESC LIMIT 1) AS last_certificate
    FROM product p
    JOIN organisation o ON o.id = p.supplier_id
    JOIN region d ON d.code = p.district_code
    LEFT JOIN region t ON t.code = p.township_code
    WHERE p.id = :id
    """
)
_SKUS = """
    SELECT s.*, coalesce(k.on_hand - k.reserved, 0) AS available,
           coalesce((SELECT jsonb_agg(jsonb_build_object('min_quantity', t.min_quantity::text, 'unit_price', t.unit_price_fen)
                                      ORDER BY t.min_quantity)
                     FROM price_tier t WHERE t.sku_id = s.id), '[]') AS tiers
    FROM sku s LEFT JOIN stock k ON k.sku_id = s.id
"""
_SKUS_OF = text(f"{_SKUS} WHERE s.product_id = :product_id ORDER BY s.id")
_SKU = text(f"{_SKUS} WHERE s.id = :id")


def product(session: Session, product_id: int, language: Language) -> ProductOut:
    """One product with its SKUs, prices, stock and the certificate in force today.

    Raises:
        NotFound: there is none.
    """
    row = session.execute(_PRODUCT, {"id": product_id, **clock.present()}).first()
    if row is None:
        raise NotFound
    skus = session.execute(_SKUS_OF, {"product_id": product_id}).all()
    return ProductOut(
        **{name: getattr(row, name) for name in ProductOut.model_fields if name not in ("certificate", "last_certificate", "skus")},
        certificate=CertificateBrief.model_validate(row.certificate) if row.certificate else None,
        last_certificate=LastCertificate.model_validate(row.last_certificate) if row.last_certificate else None,
        skus=[_sku(sku, language) for sku in skus],
    )


def sku(session: Session, sku_id: int, language: Language) -> SkuOut:
    """One SKU with its prices and what is left of it.

    Raises:
        NotFound: there is none.
    """
    row = session.execute(_SKU, {"id": sku_id}).first()
    if row is None:
        raise NotFound
    return _sku(row, language)


def _sku(row: Row[Any], language: Language) -> SkuOut:
    return SkuOut(
        **{name: getattr(row, name) for name in SkuOut.model_fields if name != "unit_label"},
        unit_label=unit_label(row.unit, language),
    )
