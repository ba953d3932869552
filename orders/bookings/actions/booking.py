"""Days: what a supplier takes on each, and who has booked."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from catalog.stock.queries import require_own
from orders.bookings.errors import BelowBooked, DayFull, OutsideValidity, TooLateToChange
from orders.bookings.schemas import BookIn, CapacityDayIn
from orders.bookings.states import VOUCHER, VoucherMove
from orders.purchasing.queries import SIDES
from shop.core import audit, clock
from shop.core.errors import NotFound
from shop.identity.actor import Actor
from shop.programmes import queries as programmes

_DECLARE = text(
    """
    INSERT INTO service_capacity AS c (sku_id, day, units, booked)
    SELECT :sku, u.day, u.units, 0 FROM unnest(CAST(:days AS date[]), CAST(:units AS int[])) AS u (day, units) ORDER BY u.day
    ON CONFLICT (sku_id, day) DO UPDATE SET units = excluded.units WHERE c.booked <= excluded.units
    RETURNING c.day
    """
)
_LOCK = text(
    f"""
    SELECT v.*, buyer.path AS buyer_path, unit.path AS unit_path
    FROM voucher v JOIN supplier_order so ON so.id = v.supplier_order_id {SIDES}
    WHERE v.id = ANY (CAST(:ids AS bigint[])) ORDER BY v.id FOR UPDATE OF v
    """  # noqa: S608
)
# One conditional UPDATE on days locked in order: of two who book the last bed at once, the second finds the day full.
_TAKE = text(
    """
    WITH wanted AS (
        SELECT * FROM unnest(CAST(:skus AS bigint[]), CAST(:days AS date[]), CAST(:changes AS int[])) AS u (sku_id, day, change)
    ), locked AS MATERIALIZED (
        SELECT c.sku_id, c.day FROM service_capacity c JOIN wanted USING (sku_id, day) ORDER BY c.sku_id, c.day FOR UPDATE OF c
    )
    UPDATE service_capacity c SET booked = c.booked + w.change
    FROM wanted w JOIN locked l USING (sku_id, day)
    WHERE c.sku_id = w.sku_id AND c.day = w.day AND (w.change < 0 OR c.booked + w.change <= c.units)
    RETURNING c.sku_id, c.day
    """
)


def declare(session: Session, actor: Actor, sku_id: int, days: Sequence[CapacityDayIn]) -> None:
    """Say how many units of a service are taken on each day; of a day named twice the last counts.

    Raises:
        NotFound, NotYourProduct: unknown (404), or another supplier's (403). BelowBooked: more is booked already (409).
    """
    require_own(session, actor, sku_id)
    units = {one.day: one.units for one in days}
    values = {"sku": sku_id, "days": list(units), "units": list(units.values())}
    done = set(session.execute(_DECLARE, values).scalars())
    if refused := sorted(units.keys() - done):
        raise BelowBooked(days=", ".join(day.isoformat() for day in refused[:10]))
    audit.record(session, actor, "service_capacity.declared", "sku", sku_id, days=len(units), units=sum(units.values()))


def book(session: Session, actor: Actor, body: BookIn) -> None:
    """Book vouchers for a day, or move their bookings to it: all of them or none.

    Raises:
        NotFound: one is not a voucher of the caller's branch (404). IllegalMove: one was used (409).
        OutsideValidity: the day is before today, or outside their time (409).
        TooLateToChange: a booking that stands is too near (409). DayFull: the day has not enough left (409).
    """
    vouchers = _locked(session, actor, body.voucher_ids)
    today = clock.today()
    for each in vouchers:
        VOUCHER.after(each.status, VoucherMove.BOOK)
        if not max(each.valid_from, today) <= body.day <= each.valid_until:
            raise OutsideValidity(number=each.number, valid_from=str(each.valid_from), valid_until=str(each.valid_until))
    _in_time(session, vouchers, today)
    take(session, ((each.sku_id, each.booked_for, body.day) for each in vouchers))
    _write(session, body.voucher_ids, "booked", body.day, body.guest)
    for each in vouchers:
        audit.record(session, actor, "voucher.booked", "voucher", each.id, day=body.day.isoformat())


def release(session: Session, actor: Actor, voucher_ids: Sequence[int]) -> None:
    """Give bookings up; the vouchers can be booked again.

    Raises:
        NotFound, IllegalMove, TooLateToChange: as for :func:`book`.
    """
    vouchers = _locked(session, actor, voucher_ids)
    for each in vouchers:
        VOUCHER.after(each.status, VoucherMove.RELEASE)
    _in_time(session, vouchers, clock.today())
    take(session, ((each.sku_id, each.booked_for, None) for each in vouchers))
    _write(session, voucher_ids, "issued", None, None)
    for each in vouchers:
        audit.record(session, actor, "voucher.released", "voucher", each.id, day=each.booked_for.isoformat())


def take(session: Session, moves: Iterable[tuple[int, date | None, date | None]]) -> None:
    """Move units of services (SKU) from one day to another; None is no day.

    Raises:
        DayFull: a day has not enough left, or its supplier takes nobody on it (409).
    """
    changes: Counter[tuple[int, date]] = Counter()
    for sku_id, before, after in moves:
        if before is not None:
            changes[sku_id, before] -= 1
        if after is not None:
            changes[sku_id, after] += 1
    wanted = sorted((key, change) for key, change in changes.items() if change)
    values = {
        "skus": [key[0] for key, _ in wanted],
        "days": [key[1] for key, _ in wanted],
        "changes": [change for _, change in wanted],
    }
    met = {tuple(row) for row in session.execute(_TAKE, values)} if wanted else set()
    for key, _ in wanted:
        if key not in met:
            raise DayFull(day=key[1].isoformat())


def _locked(session: Session, actor: Actor, voucher_ids: Sequence[int]) -> Sequence[Any]:
    rows = session.execute(_LOCK, {"ids": list(voucher_ids)}).all()
    mine = [row for row in rows if actor.within_branch(row.buyer_path) or actor.within_branch(row.unit_path)]
    if len(mine) < len(voucher_ids):
        raise NotFound
    return mine


def _in_time(session: Session, vouchers: Sequence[Any], today: date) -> None:
    days = programmes.config_of(session, today).vouchers.change_days
    for each in vouchers:
        if each.booked_for is not None and today > each.booked_for - timedelta(days=days):
            raise TooLateToChange(number=each.number, days=days)


def _write(session: Session, voucher_ids: Sequence[int], status: str, day: date | None, guest: str | None) -> None:
    session.execute(
        text(
            "UPDATE voucher SET status = :status, booked_for = :day, guest = :guest, version = version + 1"
            " WHERE id = ANY (CAST(:ids AS bigint[]))"
        ),
        {"ids": list(voucher_ids), "status": status, "day": day, "guest": guest},
    )
