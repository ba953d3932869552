"""Reading vouchers and days."""

# ruff: noqa: S608  statements are put together from constants only; every value that a caller gives is bound

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.bookings.schemas import CapacityDayOut, VoucherOut
from orders.bookings.states import VOUCHER, VoucherMove, VoucherStatus
from orders.purchasing.queries import IN_REACH, SIDES, reach
from shop.core import clock, paging
from shop.core.errors import NotFound
from shop.core.paging import Page
from shop.identity.actor import Actor
from shop.identity.permissions import Permission

_VOUCHER = f"""
    SELECT v.*, p.name AS product_name, s.pack, supplier.name AS supplier_name, buyer.name AS buyer_name,
           buyer.path AS buyer_path, unit.path AS unit_path, supplier.path AS supplier_path
    FROM voucher v JOIN supplier_order so ON so.id = v.supplier_order_id {SIDES}
    JOIN sku s ON s.id = v.sku_id JOIN product p ON p.id = s.product_id
    WHERE {IN_REACH}
"""

_EXPIRED_ORDERS = text(
    "SELECT DISTINCT supplier_order_id FROM voucher WHERE status IN ('issued', 'booked') AND valid_until < :today ORDER BY 1 LIMIT :limit"
)


def vouchers(
    session: Session,
    actor: Actor,
    *,
    supplier_order_id: int | None = None,
    status: VoucherStatus | None = None,
    day: date | None = None,
    limit: int,
    after: str | None,
) -> Page[VoucherOut]:
    """Vouchers of the own purchases or sales, by number; those booked for a day are the supplier's list of guests."""
    start = paging.position(after, int)
    rows = session.execute(
        text(
            f"""
            {_VOUCHER} AND (CAST(:order AS bigint) IS NULL OR v.supplier_order_id = :order)
              AND (CAST(:status AS text) IS NULL OR v.status = :status) AND (CAST(:day AS date) IS NULL OR v.booked_for = :day)
              AND (CAST(:start AS bigint) IS NULL OR v.id > :start) ORDER BY v.id LIMIT :rows
            """
        ),
        {
            **reach(actor),
            "order": supplier_order_id,
            "status": status,
            "day": day,
            "start": start[0] if start else None,
            "rows": limit + 1,
        },
    ).all()
    return paging.page(rows, limit, lambda row: _out(actor, row), lambda row: [row.id])


def all_of_order(session: Session, actor: Actor, supplier_order_id: int) -> list[VoucherOut]:
    """Every voucher of a supplier order, for a file.

    Raises:
        NotFound: there is none within reach (404).
    """
    statement = text(f"{_VOUCHER} AND v.supplier_order_id = :order ORDER BY v.id")
    rows = session.execute(statement, {**reach(actor), "order": supplier_order_id}).all()
    if not rows:
        raise NotFound
    return [_out(actor, row) for row in rows]


def by_ids(session: Session, actor: Actor, voucher_ids: Sequence[int]) -> list[VoucherOut]:
    statement = text(f"{_VOUCHER} AND v.id = ANY (CAST(:ids AS bigint[])) ORDER BY v.id")
    return [_out(actor, row) for row in session.execute(statement, {**reach(actor), "ids": list(voucher_ids)})]


def voucher(session: Session, actor: Actor, voucher_id: int) -> VoucherOut:
    """One voucher. Raises NotFound: there is none within reach (404)."""
    found = by_ids(session, actor, [voucher_id])
    if not found:
        raise NotFound
    return found[0]


def expired_orders(session: Session, limit: int = 500) -> list[int]:
    """Supplier orders with vouchers whose time is over."""
    return list(session.execute(_EXPIRED_ORDERS, {"today": clock.today(), "limit": limit}).scalars())


def capacity(session: Session, sku_id: int, first: date | None, last: date | None) -> list[CapacityDayOut]:
    """What is free on each day that the supplier has opened; by default the next ninety."""
    first = first or clock.today()
    rows = session.execute(
        text(
            "SELECT day, units, booked, units - booked AS free FROM service_capacity"
            " WHERE sku_id = :sku AND day BETWEEN :first AND :last ORDER BY day LIMIT 800"
        ),
        {"sku": sku_id, "first": first, "last": last or first + timedelta(days=90)},
    )
    return [CapacityDayOut.model_validate(row, from_attributes=True) for row in rows]


def _out(actor: Actor, row: Row[Any]) -> VoucherOut:
    shown = {name: getattr(row, name) for name in VoucherOut.model_fields if hasattr(row, name)}
    buyer = _buys(actor, row)
    possible = VOUCHER.possible(row.status, moves_of(actor, row))
    return VoucherOut(**shown | {"code": row.code if buyer else None}, possible_actions=possible)


def moves_of(actor: Actor, row: Any) -> set[VoucherMove]:
    """What the actor may do with a voucher at all: book it, as its buyer, or redeem it, as its supplier; ``row`` has the paths of both sides."""
    moves: set[VoucherMove] = set()
    if actor.may(Permission.VOUCHERS_BOOK) and _buys(actor, row):
        moves |= {VoucherMove.BOOK, VoucherMove.RELEASE}
    if actor.may(Permission.VOUCHERS_REDEEM) and actor.within_branch(row.supplier_path):
        moves.add(VoucherMove.REDEEM)
    return moves


def _buys(actor: Actor, row: Any) -> bool:
    return actor.within_branch(row.buyer_path) or actor.within_branch(row.unit_path)
