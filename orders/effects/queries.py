"""Open orders and past sales of one certificate, each within the caller's reach."""

# ruff: noqa: S608  statements are put together from constants only; every value that a caller gives is bound

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from catalog.certificates.reach import IN_REGION, OWN, reach
from catalog.certificates.states import Stop, cause_at_sql, stop_sql, stopped_at_sql
from catalog.monitoring.actions.reminding import LATE_DAYS
from orders.effects.rules import OPEN, Choice, choices
from orders.effects.schemas import CertificateSalesOut, OpenOrderOut, OpenOrdersOut, SaleOut, SaleTotalsOut
from orders.ledger.selection import reach_of
from shop.core import clock, paging
from shop.core.errors import Invalid, NotFound
from shop.identity.actor import Actor
from shop.identity.permissions import Permission
from shop.programmes import queries as programmes

_HEAD = text(
    f"""
    SELECT c.id, c.number, c.product_name, c.supplier_name, c.supplier_id, c.district_code, {stop_sql("c")} AS stop,
           {stopped_at_sql("c")} AS stopped_at, {cause_at_sql("c")} AS cause_at, ({OWN} OR {IN_REGION}) AS whole
    FROM certificate c JOIN organisation o ON o.id = c.supplier_id WHERE c.id = :id
    """
)

_STATUSES = ", ".join(f"'{status}'" for status in OPEN)
# The supplier's open orders are few and indexed; its lines are found by them, not by their certificate.
_OPEN_PARTS = f"""
    FROM supplier_order so
    JOIN purchase_order po ON po.id = so.purchase_order_id
    JOIN organisation buyer ON buyer.id = po.buyer_id
    JOIN organisation unit ON unit.id = po.ordering_unit_id
    CROSS JOIN LATERAL (
        SELECT sum(l.quantity - l.closed_quantity - l.shipped_quantity) AS quantity,
               sum(round((l.quantity - l.closed_quantity) * l.unit_price_fen) - round(l.shipped_quantity * l.unit_price_fen))::bigint AS amount_fen
        FROM order_line l
        WHERE l.supplier_order_id = so.id AND l.certificate_id = :id AND l.shipped_quantity + l.closed_quantity < l.quantity
    ) rest
    WHERE so.supplier_id = :supplier_id AND so.status IN ({_STATUSES}) AND rest.quantity > 0
"""
_OPEN_ORDERS = text(
    f"""
    SELECT part.*, d.choice, d.reason, d.at AS chosen_at
    FROM (
        SELECT so.id AS supplier_order_id, so.purchase_order_id, po.number AS purchase_order_number, so.supplier_id, po.buyer_id,
               buyer.name AS buyer_name, so.status, po.placed_at, rest.quantity AS quantity_open, rest.amount_fen AS amount_open
        {_OPEN_PARTS}
          AND (:whole OR buyer.path LIKE CAST(:branch AS text) OR unit.path LIKE CAST(:branch AS text))
          AND (CAST(:start AS bigint) IS NULL OR so.id < :start)
        ORDER BY so.id DESC LIMIT :rows
    ) part
    LEFT JOIN order_disposition d ON d.supplier_order_id = part.supplier_order_id AND d.certificate_id = :id
         AND d.at >= CAST(:cause_at AS timestamptz)
    ORDER BY part.supplier_order_id DESC
    """
)
_BY_BUYER = text(f"SELECT po.buyer_id, count(*) AS orders {_OPEN_PARTS} GROUP BY po.buyer_id ORDER BY po.buyer_id")

_PAPERS_JUST_EXPIRED = text(
    f"""
    SELECT c.id, c.papers_valid_until FROM certificate c
    WHERE c.papers_valid_until BETWEEN CAST(:today AS date) - CAST(:late AS int) AND CAST(:today AS date) - 1
      AND {stop_sql("c")} = 'papers_expired'
    ORDER BY c.id
    """
)


def head(session: Session, certificate_id: int, seen_from: dict[str, Any]) -> Row[Any]:
    """A certificate with what stands against it now; ``whole``: from there everything about it is seen.

    Raises:
        NotFound: there is none.
    """
    row = session.execute(_HEAD, {"id": certificate_id, **clock.present(), **seen_from}).first()
    if row is None:
        raise NotFound
    return row


def open_by_buyer(session: Session, certificate: Row[Any]) -> dict[int, int]:
    """How many open supplier orders of the certificate each buyer has."""
    rows = session.execute(_BY_BUYER, {"id": certificate.id, "supplier_id": certificate.supplier_id})
    return {row.buyer_id: row.orders for row in rows}


def papers_just_expired(session: Session) -> Sequence[Row[Any]]:
    """Certificates whose papers ended within the last :data:`~catalog.monitoring.actions.LATE_DAYS` days."""
    return session.execute(_PAPERS_JUST_EXPIRED, {**clock.present(), "late": LATE_DAYS}).all()


def open_orders(session: Session, actor: Actor, certificate_id: int, *, limit: int, after: str | None) -> OpenOrdersOut:
    """Supplier orders with goods of the certificate that are not shipped yet, newest first. The supplier and the officers of the place see all,
    buyers those of their branch.

    Raises:
        NotFound: no such certificate, or none of the caller's business.
    """
    start = paging.position(after, int)
    seen_from = reach(actor, Permission.ORDERS_READ)
    found = head(session, certificate_id, seen_from)
    if not found.whole and not (actor.organisation_id and reach_of(actor).as_buyer):
        raise NotFound
    rows = session.execute(
        _OPEN_ORDERS,
        {
            "id": certificate_id,
            "supplier_id": found.supplier_id,
            "cause_at": found.cause_at,
            "whole": found.whole,
            "branch": seen_from["branch"],
            "start": start[0] if start else None,
            "rows": limit + 1,
        },
    ).all()
    stop = Stop(found.stop) if found.stop else None
    possible = possible_choices(session, stop)

    def shown(row: Row[Any]) -> OpenOrderOut:
        waiting = stop is not None and row.choice != Choice.DELIVER
        return OpenOrderOut(**row._mapping, choices=possible, waiting=waiting)

    page = paging.page(rows, limit, shown, lambda row: [row.supplier_order_id])
    return OpenOrdersOut(
        certificate_id=certificate_id,
        certificate_number=found.number,
        stop=stop,
        stopped_at=found.stopped_at,
        items=page.items,
        next=page.next,
    )


def possible_choices(session: Session, stop: Stop | None) -> list[Choice]:
    """What the programme in force leaves to buyers."""
    return choices(stop, programmes.config_of(session, clock.today()).certification) if stop else []


# A certificate is its supplier's, and the ledger has an index by supplier; one by certificate would cost every sale that is booked.
_SALES = """
    SELECT e.id, e.sold_on, e.order_id AS purchase_order_id, po.number AS purchase_order_number, agreed.number AS agreement,
           e.buyer_id, buyer.name AS buyer_name, r.code AS district_code, r.name_zh AS district_name, s.code AS sku_code, s.pack, s.unit,
           e.quantity, e.grams, e.amount_fen AS amount, e.reverses_id IS NOT NULL AS is_correction
    FROM (
        SELECT * FROM sale_entry WHERE supplier_id = :supplier_id AND certificate_id = :id
          AND (CAST(:day AS date) IS NULL OR (sold_on, id) < (CAST(:day AS date), CAST(:start AS bigint)))
        ORDER BY sold_on DESC, id DESC LIMIT :rows
    ) e
    LEFT JOIN organisation buyer ON buyer.id = e.buyer_id
    JOIN region r ON r.code = e.buyer_region_code
    LEFT JOIN sku s ON s.id = e.sku_id
    LEFT JOIN purchase_order po ON po.id = e.order_id
    LEFT JOIN agreement agreed ON po.source_kind = 'agreement' AND agreed.id = po.source_id
    ORDER BY e.sold_on DESC, e.id DESC
"""
_SALE_PAGE = text(_SALES)
_TOTALS = text(
    """
    SELECT coalesce(sum(amount_fen), 0)::bigint AS amount, coalesce(sum(grams), 0)::bigint AS grams, count(*) AS entries,
           count(DISTINCT buyer_id) AS buyers, count(DISTINCT buyer_region_code) AS districts,
           min(sold_on) AS first_sold_on, max(sold_on) AS last_sold_on
    FROM sale_entry WHERE supplier_id = :supplier_id AND certificate_id = :id
    """
)


def sales(session: Session, actor: Actor, certificate_id: int, *, limit: int, after: str | None) -> CertificateSalesOut:
    """Sales of a certificate, newest first, with totals over all of them; for the supplier, and officers and monitors of the place.

    Raises:
        NotFound: no such certificate within reach.
    """
    start = paging.position(after, str, int)
    found = _within_reach(session, actor, certificate_id)
    rows = session.execute(
        _SALE_PAGE, _values(found, limit + 1) | ({"day": paging.day(start[0]), "start": start[1]} if start else {})
    ).all()
    page = paging.page(rows, limit, lambda row: SaleOut(**row._mapping), lambda row: [row.sold_on, row.id])
    return CertificateSalesOut(
        certificate_id=certificate_id,
        certificate_number=found.number,
        product_name=found.product_name,
        supplier_name=found.supplier_name,
        totals=_totals(session, found),
        items=page.items,
        next=page.next,
    )


def all_sales(session: Session, actor: Actor, certificate_id: int) -> tuple[str, SaleTotalsOut, Iterator[Row[Any]]]:
    """The number of a certificate, the totals, and every sale with the fields of ``SaleOut``, read as they are asked for.

    Raises:
        NotFound: as :func:`sales`.
    """
    found = _within_reach(session, actor, certificate_id)
    rows = session.execute(_SALE_PAGE, _values(found, None), execution_options={"yield_per": 2000})
    return found.number, _totals(session, found), iter(rows)


def _within_reach(session: Session, actor: Actor, certificate_id: int) -> Row[Any]:
    found = head(session, certificate_id, reach(actor, Permission.STATISTICS_READ))
    if not found.whole:
        raise NotFound
    return found


def _values(found: Row[Any], rows: int | None) -> dict[str, Any]:
    return {"id": found.id, "supplier_id": found.supplier_id, "day": None, "start": None, "rows": rows}


def _totals(session: Session, found: Row[Any]) -> SaleTotalsOut:
    values = {"id": found.id, "supplier_id": found.supplier_id}
    return SaleTotalsOut.model_validate(session.execute(_TOTALS, values).one(), from_attributes=True)


#: One supplier order's lines of one certificate, and whether it holds others.
_AT_STAKE = text(
    f"""
    SELECT {stop_sql("c")} AS stop, {stopped_at_sql("c")} AS stopped_at, mine.rest,
           EXISTS (SELECT FROM order_line o WHERE o.supplier_order_id = :supplier_order_id AND o.certificate_id <> c.id
                                                 AND o.quantity > 0) AS others
    FROM certificate c
    CROSS JOIN LATERAL (
        SELECT sum(l.quantity - l.closed_quantity - l.shipped_quantity) AS rest FROM order_line l
        WHERE l.supplier_order_id = :supplier_order_id AND l.certificate_id = c.id
    ) mine
    WHERE c.id = :certificate_id AND mine.rest IS NOT NULL
    """
)


def at_stake(session: Session, supplier_order_id: int, certificate_id: int) -> Row[Any]:
    """What stands against a certificate, and how much of it a supplier order has still open.

    Raises:
        Invalid: the order holds nothing of the certificate (422).
    """
    values = {"supplier_order_id": supplier_order_id, "certificate_id": certificate_id, **clock.present()}
    row = session.execute(_AT_STAKE, values).first()
    if row is None:
        raise Invalid.one("certificate_id", "not_in_order", "订单中没有该证书的产品", "The order holds nothing of this certificate")
    return row
