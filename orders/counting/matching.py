"""Which purchase in a buyer's book is which sale in the seller's: found by documents and numbers, else by amount and day; or said by hand."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.counting.errors import NoPair
from shop.core import audit, clock, locks
from shop.core.errors import NotFound
from shop.identity.actor import Actor
from shop.identity.permissions import Permission
from shop.programmes import queries as programmes

# ``:supplier``: of one supplier only.
_FALLEN = text(
    """
    DELETE FROM book_match m USING external_sale b
    WHERE b.id = m.buyer_sale_id AND (CAST(:supplier AS bigint) IS NULL OR m.supplier_id = :supplier) AND (b.status <> 'accepted'
        OR m.seller_kind = 'external_sale' AND NOT EXISTS (SELECT FROM external_sale s WHERE s.id = m.seller_id AND s.status = 'accepted'))
    """
)
# Claims of buyers that nothing is matched with, and what stands in the books of their sellers. Orders are one sale for each supplier.
_BOOKS = """
    open AS MATERIALIZED (
        SELECT x.id, x.supplier_id, x.buyer_id, x.sold_on, x.total_fen AS fen, upper(x.order_number) AS number
        FROM external_sale x WHERE x.side = 'buyer' AND x.status = 'accepted' AND (CAST(:supplier AS bigint) IS NULL OR x.supplier_id = :supplier)
          AND NOT EXISTS (SELECT FROM book_match m WHERE m.buyer_sale_id = x.id)
    ), seller AS MATERIALIZED (
        SELECT 'external_sale' AS kind, x.id, x.supplier_id, x.buyer_id, x.sold_on, x.total_fen AS fen, upper(x.order_number) AS number
        FROM external_sale x WHERE x.side = 'seller' AND x.status = 'accepted' AND x.supplier_id IN (SELECT supplier_id FROM open)
          AND NOT EXISTS (SELECT FROM book_match m WHERE m.seller_kind = 'external_sale' AND m.seller_id = x.id)
        UNION ALL
        SELECT 'purchase_order', e.order_id, e.supplier_id, p.buyer_id, min(e.sold_on), sum(e.amount_fen)::bigint, upper(p.number)
        FROM (SELECT DISTINCT supplier_id, buyer_id FROM open) q
        JOIN sale_entry e ON e.supplier_id = q.supplier_id AND e.buyer_id = q.buyer_id AND e.source = 'platform'
        JOIN purchase_order p ON p.id = e.order_id
        WHERE NOT EXISTS (SELECT FROM book_match m WHERE m.seller_kind = 'purchase_order' AND m.seller_id = e.order_id
                          AND m.supplier_id = e.supplier_id)
        GROUP BY e.order_id, e.supplier_id, p.buyer_id, p.number HAVING sum(e.amount_fen) > 0
    )
"""
_BASES = {
    "invoice": """EXISTS (SELECT FROM document_use u JOIN document_use v ON v.kind = u.kind AND v.number = u.number
        WHERE u.kind = 'invoice' AND u.subject_kind = 'external_sale' AND u.subject_id = o.id AND u.released_at IS NULL
          AND v.subject_kind = s.kind AND v.subject_id = s.id AND v.released_at IS NULL)""",
    "order_number": "o.number = s.number AND s.buyer_id = o.buyer_id",
    "amount_and_day": "s.buyer_id = o.buyer_id AND abs(s.fen - o.fen) <= :fen AND abs(s.sold_on - o.sold_on) <= :days",
}
# Of each the one that lies nearest to the other, so that nothing is matched twice; what is left finds its own in the next round.
_MATCH = """
    WITH {books}, pair AS (
        SELECT o.id AS buyer_sale_id, s.kind, s.id AS seller_id, s.supplier_id, o.fen - s.fen AS difference_fen,
               row_number() OVER (PARTITION BY o.id ORDER BY abs(o.fen - s.fen), abs(o.sold_on - s.sold_on), s.kind, s.id) AS of_buyer,
               row_number() OVER (PARTITION BY s.kind, s.id, s.supplier_id
                                  ORDER BY abs(o.fen - s.fen), abs(o.sold_on - s.sold_on), o.id) AS of_seller
        FROM open o JOIN seller s ON s.supplier_id = o.supplier_id AND (s.buyer_id IS NULL OR s.buyer_id = o.buyer_id) AND {basis}
        WHERE NOT EXISTS (SELECT FROM book_parting p WHERE p.buyer_sale_id = o.id AND p.seller_kind = s.kind AND p.seller_id = s.id)
    )
    INSERT INTO book_match (buyer_sale_id, seller_kind, seller_id, supplier_id, basis, difference_fen, matched_at)
    SELECT buyer_sale_id, kind, seller_id, supplier_id, '{name}', difference_fen, :now FROM pair WHERE of_buyer = 1 AND of_seller = 1
    ON CONFLICT DO NOTHING RETURNING buyer_sale_id
"""
_ROUNDS = [text(_MATCH.format(books=_BOOKS, basis=basis, name=name)) for name, basis in _BASES.items()]
#: Two that match at once might match one sale twice.
_ALONE = "books.match"
_TWO = text(
    """
    SELECT b.district_code, b.total_fen - s.fen AS difference_fen, b.supplier_id
    FROM external_sale b CROSS JOIN LATERAL (
        SELECT x.supplier_id, x.buyer_id, x.total_fen AS fen FROM external_sale x
        WHERE :kind = 'external_sale' AND x.id = :seller AND x.side = 'seller' AND x.status = 'accepted'
        UNION ALL
        SELECT e.supplier_id, p.buyer_id, sum(e.amount_fen)::bigint FROM sale_entry e JOIN purchase_order p ON p.id = e.order_id
        WHERE :kind = 'purchase_order' AND e.order_id = :seller AND e.supplier_id = b.supplier_id GROUP BY 1, 2
    ) s
    WHERE b.id = :buyer AND b.side = 'buyer' AND b.status = 'accepted' AND s.supplier_id = b.supplier_id
      AND coalesce(s.buyer_id, b.buyer_id) = b.buyer_id
    """
)
_CLAIM = text("SELECT district_code FROM external_sale WHERE id = :id AND side = 'buyer'")
_BY_HAND = text(
    """
    INSERT INTO book_match (buyer_sale_id, seller_kind, seller_id, supplier_id, basis, difference_fen, matched_by, matched_at)
    VALUES (:buyer, :kind, :seller, :supplier, 'by_hand', :difference, :user, :now)
    """
)
_TAKE_APART = text("DELETE FROM book_match WHERE buyer_sale_id = :id RETURNING seller_kind, seller_id")
_PART = text("INSERT INTO book_parting (buyer_sale_id, seller_kind, seller_id) VALUES (:id, :kind, :seller) ON CONFLICT DO NOTHING")
_JOIN = text("DELETE FROM book_parting WHERE buyer_sale_id = :buyer AND seller_kind = :kind AND seller_id = :seller")


def match(session: Session) -> int:
    """Match what buyers claim with what sellers sold, as far as it can be told; returns how many pairs that makes. Safe to run at any time and any
    number of times; a match of which one part does not stand any more is taken apart."""
    return _match(session, None) if locks.try_hold(session, _ALONE) else 0


def match_of(session: Session, supplier_id: int) -> int:
    """The same for one supplier, of which a claim was accepted just now. Where somebody matches already, the job does it in its next round: a worker
    that waits would do nothing else meanwhile."""
    return _match(session, supplier_id) if locks.try_hold(session, _ALONE) else 0


def _match(session: Session, supplier_id: int | None) -> int:
    rules = programmes.config_of(session, clock.today()).counting
    values = {"now": clock.now(), "fen": rules.match_fen, "days": rules.match_days, "supplier": supplier_id}
    session.execute(_FALLEN, {"supplier": supplier_id})
    made = 0
    for statement in _ROUNDS:
        while found := len(session.execute(statement, values).all()):
            made += found
    return made


def by_hand(session: Session, actor: Actor, buyer_sale_id: int, kind: str, seller_id: int, reason: str) -> None:
    """Say that a buyer's claim is a sale of the seller's book.

    Raises:
        NotFound: no such claim of the caller's district (404). NoPair: see there (422). MatchedBefore: see there (409).
    """
    _require_district(session, actor, buyer_sale_id)
    two: dict[str, Any] = {"buyer": buyer_sale_id, "kind": kind, "seller": seller_id}
    found = session.execute(_TWO, two).first()
    if found is None:
        raise NoPair
    said = {"supplier": found.supplier_id, "difference": found.difference_fen, "user": actor.user_id, "now": clock.now()}
    session.execute(_BY_HAND, {**two, **said})
    session.execute(_JOIN, two)
    audit.record(
        session, actor, "book.matched", "external_sale", buyer_sale_id, reason=reason, seller_kind=kind, seller_id=seller_id
    )


def take_apart(session: Session, actor: Actor, buyer_sale_id: int, reason: str) -> None:
    """Say that two that are matched are not the same; they are not matched again by themselves.

    Raises:
        NotFound: no such match of the caller's district (404).
    """
    _require_district(session, actor, buyer_sale_id)
    found = session.execute(_TAKE_APART, {"id": buyer_sale_id}).first()
    if found is None:
        raise NotFound
    session.execute(_PART, {"id": buyer_sale_id, "kind": found.seller_kind, "seller": found.seller_id})
    known = {"seller_kind": found.seller_kind, "seller_id": found.seller_id}
    audit.record(session, actor, "book.parted", "external_sale", buyer_sale_id, reason=reason, **known)


def _require_district(session: Session, actor: Actor, buyer_sale_id: int) -> None:
    claim = session.execute(_CLAIM, {"id": buyer_sale_id}).first()
    if claim is None or not actor.covers_region(Permission.COUNTING_DECIDE, claim.district_code):
        raise NotFound
