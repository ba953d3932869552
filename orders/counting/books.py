"""Sellers' and buyers' books, pair by pair, and what stands in one of them only.

An order of the marketplace stands in both. What was made elsewhere stands in each as it was claimed and accepted; only the seller's book makes
the total.
"""

# ruff: noqa: S608  statements are put together from constants only

from datetime import date
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.counting.errors import PeriodTooLong
from orders.counting.schemas import BookFilter, MatchOut, PairOut, UnmatchedRow, UnmatchedSearch
from orders.ledger.booking import CERTIFIED, NOON, in_force
from shop.core import clock, paging
from shop.core.errors import NotFound
from shop.core.paging import Page
from shop.identity.actor import Actor
from shop.identity.permissions import Permission

#: As many days are asked about at once.
MOST_DAYS = 366

_WITHIN = """
    (CAST(:everywhere AS boolean) OR {supplier}.region_code LIKE ANY (CAST(:regions AS text[]))
     OR coalesce({supplier}.path LIKE CAST(:branch AS text), false) OR coalesce({buyer}.path LIKE CAST(:branch AS text), false))
    AND (CAST(:district AS text) IS NULL OR starts_with({supplier}.region_code, :district))
    AND (CAST(:supplier_id AS bigint) IS NULL OR {supplier}.id = :supplier_id) AND (CAST(:buyer_id AS bigint) IS NULL OR {buyer}.id = :buyer_id)
"""
# What stands before the sums is as much as a page needs: the pairs of the next suppliers of which there is anything, as many as the page has rows, and
# those whose buyers are of the own branch. Where one buyer is asked about, its own sales are few.
_BOOKED = """sale_entry e WHERE {of} e.source = 'platform' AND e.sold_on BETWEEN :sold_from AND :sold_to"""
_CLAIMED = """
    external_sale x {joined} WHERE {of} x.status = 'accepted' AND x.sold_on BETWEEN :sold_from AND :sold_to AND x.buyer_id IS NOT NULL
"""
_SUPPLIERS = """
    SELECT s.id FROM organisation s
    WHERE (CAST(:everywhere AS boolean) OR s.region_code LIKE ANY (CAST(:regions AS text[])) OR coalesce(s.path LIKE CAST(:branch AS text), false))
      AND (CAST(:district AS text) IS NULL OR starts_with(s.region_code, :district))
      AND (CAST(:supplier_id AS bigint) IS NULL OR s.id = :supplier_id)
      AND (CAST(:start_supplier AS bigint) IS NULL OR s.id >= :start_supplier)
"""
_NEXT_SUPPLIERS = f"""
    {_SUPPLIERS} AND (EXISTS (SELECT FROM {_BOOKED.format(of="e.supplier_id = s.id AND")})
                      OR EXISTS (SELECT FROM {_CLAIMED.format(joined="", of="x.supplier_id = s.id AND")}))
    ORDER BY s.id LIMIT :rows + 1
"""
_OF_PAIRS = """
    {buyer} ({row}.supplier_id = ANY (ARRAY({suppliers}))
             OR {row}.buyer_id = ANY (ARRAY(SELECT id FROM organisation WHERE path LIKE CAST(:branch AS text))))
    AND (CAST(:supplier_id AS bigint) IS NULL OR {row}.supplier_id = :supplier_id)
    AND (CAST(:start_supplier AS bigint) IS NULL OR ({row}.supplier_id, {row}.buyer_id) > (:start_supplier, :start_buyer)) AND
"""


def _pairs_of(suppliers: str, buyer: str) -> str:
    booked, claimed = (_OF_PAIRS.format(row=row, suppliers=suppliers, buyer=buyer.format(row=row)) for row in ("e", "x"))
    return f"""
    WITH claims AS MATERIALIZED (
        SELECT x.supplier_id, x.buyer_id, coalesce(sum(x.total_fen) FILTER (WHERE x.side = 'seller'), 0) AS seller_fen,
               coalesce(sum(x.total_fen) FILTER (WHERE x.side = 'buyer' AND m.seller_kind IS DISTINCT FROM 'purchase_order'), 0) AS buyer_fen,
               coalesce(sum(x.total_fen) FILTER (WHERE m.buyer_sale_id IS NOT NULL), 0) AS matched_fen
        FROM {_CLAIMED.format(joined="LEFT JOIN book_match m ON m.buyer_sale_id = x.id", of=claimed)} GROUP BY 1, 2
    ), ordered AS MATERIALIZED (
        SELECT e.supplier_id, e.buyer_id, sum(e.amount_fen) AS fen FROM {_BOOKED.format(of=booked)} GROUP BY 1, 2
    )
    SELECT supplier_id, supplier.name AS supplier_name, buyer_id, buyer.name AS buyer_name, coalesce(o.fen, 0)::bigint AS orders,
           coalesce(c.seller_fen, 0)::bigint AS seller_claims, (coalesce(o.fen, 0) + coalesce(c.seller_fen, 0))::bigint AS seller_book,
           coalesce(c.buyer_fen, 0)::bigint AS buyer_claims, (coalesce(o.fen, 0) + coalesce(c.buyer_fen, 0))::bigint AS buyer_book,
           coalesce(c.matched_fen, 0)::bigint AS matched, (coalesce(c.buyer_fen, 0) - coalesce(c.seller_fen, 0))::bigint AS difference
    FROM ordered o FULL JOIN claims c USING (supplier_id, buyer_id)
    JOIN organisation supplier ON supplier.id = supplier_id JOIN organisation buyer ON buyer.id = buyer_id
    WHERE {_WITHIN.format(supplier="supplier", buyer="buyer")}
    ORDER BY supplier_id, buyer_id LIMIT :rows
    """


_PAIRS = text(_pairs_of(_NEXT_SUPPLIERS, ""))
_PAIRS_OF_BUYER = text(_pairs_of(_SUPPLIERS, "{row}.buyer_id = :buyer_id AND"))
#: Within so many days a claim of the other side may be of the same sale.
_NEAR_DAYS = 31
_OTHER_SIDE = """
    EXISTS (SELECT FROM external_sale y WHERE y.supplier_id = x.supplier_id AND y.side <> x.side AND coalesce(y.buyer_id = x.buyer_id, false)
            AND {status} AND abs(y.sold_on - x.sold_on) <= {near})
"""
_UNMATCHED = text(
    f"""
    SELECT x.side, x.id AS sale_id, x.number, x.supplier_id, supplier.name AS supplier_name, x.buyer_id, x.buyer_name, x.sold_on,
           x.total_fen AS amount,
           CASE WHEN x.buyer_id IS NULL THEN 'buyer_not_registered'
                WHEN NOT EXISTS (SELECT FROM organisation_role r WHERE r.organisation_id = x.supplier_id AND r.role = 'supplier'
                                 AND {in_force("r", "x.sold_on")})
                  OR EXISTS (SELECT FROM external_sale_line l WHERE l.sale_id = x.id AND NOT EXISTS (
                                 SELECT FROM certificate f WHERE f.product_id = l.product_id AND {CERTIFIED.format(at=NOON)})) THEN 'seller_not_listed'
                WHEN {_OTHER_SIDE.format(near=_NEAR_DAYS, status="y.status IN ('submitted', 'held')")} THEN 'not_yet_accepted'
                WHEN {_OTHER_SIDE.format(near=_NEAR_DAYS, status="y.status = 'accepted'")} THEN 'amount_differs'
                ELSE 'no_counterpart' END AS reason_code
    FROM external_sale x JOIN organisation supplier ON supplier.id = x.supplier_id LEFT JOIN organisation buyer ON buyer.id = x.buyer_id
    WHERE x.status = 'accepted' AND x.sold_on BETWEEN :sold_from AND :sold_to AND {_WITHIN.format(supplier="supplier", buyer="buyer")}
      AND (CAST(:side AS text) IS NULL OR x.side = :side)
      AND NOT EXISTS (SELECT FROM book_match m WHERE m.buyer_sale_id = x.id OR m.seller_kind = 'external_sale' AND m.seller_id = x.id)
      AND (CAST(:start AS bigint) IS NULL OR x.id > :start)
    ORDER BY x.id LIMIT :rows
    """
)
_MATCH = text(
    """
    SELECT m.*, m.difference_fen AS difference FROM book_match m JOIN external_sale x ON x.id = m.buyer_sale_id
    WHERE m.buyer_sale_id = :id AND x.district_code LIKE ANY (CAST(:regions AS text[]))
    """
)


def pairs(session: Session, actor: Actor, asked: BookFilter, *, limit: int, after: str | None) -> Page[PairOut]:
    """Both books of every pair of a period, by supplier and buyer.

    Raises:
        PeriodTooLong: see there (422).
    """
    start = paging.position(after, int, int)
    first, second = start or (None, None)
    values = {**_asked(actor, asked), "start_supplier": first, "start_buyer": second, "rows": limit + 1}
    rows = session.execute(_PAIRS if asked.buyer_id is None else _PAIRS_OF_BUYER, values).all()
    return paging.page(rows, limit, _pair, lambda row: [row.supplier_id, row.buyer_id])


def unmatched(session: Session, actor: Actor, asked: UnmatchedSearch, *, limit: int, after: str | None) -> Page[UnmatchedRow]:
    """What stands in one of the two books only, and why.

    Raises:
        PeriodTooLong: see there (422).
    """
    start = paging.position(after, int)
    values = {**_asked(actor, asked), "side": asked.side, "start": start[0] if start else None, "rows": limit + 1}
    rows = session.execute(_UNMATCHED, values).all()
    return paging.page(rows, limit, _unmatched, lambda row: [row.sale_id])


def match(session: Session, actor: Actor, buyer_sale_id: int) -> MatchOut:
    """What a buyer's claim is matched with.

    Raises:
        NotFound: nothing, or none of the caller's regions (404).
    """
    regions = actor.region_patterns(Permission.COUNTING_DECIDE)
    row = session.execute(_MATCH, {"id": buyer_sale_id, "regions": regions}).first()
    if row is None:
        raise NotFound
    return MatchOut.model_validate(row, from_attributes=True)


def _asked(actor: Actor, asked: BookFilter) -> dict[str, Any]:
    last = asked.sold_to or clock.today()
    first = asked.sold_from or last.replace(month=1, day=1)
    _require_period(first, last)
    regions = actor.regions(Permission.STATISTICS_READ)
    return {
        **{name: getattr(asked, name) for name in BookFilter.model_fields},
        "sold_from": first,
        "sold_to": last,
        "everywhere": "" in regions,
        "regions": [f"{prefix}%" for prefix in regions],
        "branch": f"{actor.organisation_path}%" if actor.organisation_path else None,
    }


def _require_period(first: date, last: date) -> None:
    if not 0 <= (last - first).days < MOST_DAYS:
        raise PeriodTooLong(most=MOST_DAYS)


def _pair(row: Any) -> PairOut:
    return PairOut.model_validate(row, from_attributes=True)


def _unmatched(row: Any) -> UnmatchedRow:
    return UnmatchedRow.model_validate(row, from_attributes=True)
