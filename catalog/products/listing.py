"""Keeps the columns by which products are searched and sorted in step with what they are derived from."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlmodel import Session

from catalog.products import search

_TEXTS = text(
    """
    SELECT p.id, p.name, concat_ws(' ', d.name_zh, t.name_zh, p.village, o.name) AS around
    FROM product p
    JOIN organisation o ON o.id = p.supplier_id
    JOIN region d ON d.code = p.district_code
    LEFT JOIN region t ON t.code = p.township_code
    WHERE CAST(:ids AS bigint[]) IS NULL OR p.id = ANY (CAST(:ids AS bigint[]))
    """
)

# The lexemes of a product travel as one text, because arrays of different lengths do not fit into one array; the separator is a
# character that normalised text never holds.
_WRITE = text(
    """
    UPDATE product SET search = array_to_tsvector(string_to_array(u.lexemes, chr(31))), search_text = u.search_text, pinyin = u.pinyin
    FROM unnest(CAST(:ids AS bigint[]), CAST(:lexemes AS text[]), CAST(:texts AS text[]), CAST(:pinyin AS text[]))
      AS u (id, lexemes, search_text, pinyin)
    WHERE product.id = u.id
    """
)

_PRICES = text(
    """
    UPDATE product SET price_fen = lowest.fen
    FROM (
        SELECT p.id, min(t.unit_price_fen) AS fen
        FROM product p
        LEFT JOIN sku s ON s.product_id = p.id AND s.status = 'active'
        LEFT JOIN price_tier t ON t.sku_id = s.id AND t.min_quantity = s.min_quantity
        WHERE CAST(:ids AS bigint[]) IS NULL OR p.id = ANY (CAST(:ids AS bigint[]))
        GROUP BY p.id
    ) lowest
    WHERE product.id = lowest.id AND product.price_fen IS DISTINCT FROM lowest.fen
    """
)


def refresh(session: Session, product_ids: Sequence[int] | None = None) -> None:
    """Write search vector, sort key and lowest price of these products, or of all of them after a bulk load."""
    refresh_text(session, product_ids)
    refresh_price(session, product_ids)


def refresh_text(session: Session, product_ids: Sequence[int] | None) -> None:
    """After a product's name or origin changed."""
    rows = session.execute(_TEXTS, {"ids": _listed(product_ids)}).all()
    session.execute(
        _WRITE,
        {
            "ids": [row.id for row in rows],
            "lexemes": ["\x1f".join(search.lexemes(f"{row.name} {row.around}")) for row in rows],
            # the line break tells where the name ends, for those who look how well it fits
            "texts": [f"{search.normalised(row.name)}\n{search.normalised(row.around)}" for row in rows],
            "pinyin": [search.sort_key(row.name) for row in rows],
        },
    )


def refresh_price(session: Session, product_ids: Sequence[int] | None) -> None:
    """After prices changed, or a SKU was added, withdrawn or relisted."""
    session.execute(_PRICES, {"ids": _listed(product_ids)})


def _listed(product_ids: Sequence[int] | None) -> list[int] | None:
    return None if product_ids is None else list(product_ids)
