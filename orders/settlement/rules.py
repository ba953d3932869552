"""Periods, commission and holds: what a settlement with a supplier goes by. Pure."""

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from shop.core.money import half_up


class Cadence(StrEnum):
    WEEKLY = "weekly"
    HALF_MONTHLY = "half_monthly"
    MONTHLY = "monthly"


@dataclass(frozen=True, slots=True)
class Period:
    """From the first to the last day, both inclusive; Shanghai dates."""

    first: date
    last: date


def period_of(day: date, cadence: str) -> Period:
    """The period that a day lies in. Weeks end on Sunday, halves of a month on the 15th and the last day."""
    if cadence == Cadence.WEEKLY:
        monday = day - timedelta(days=day.weekday())
        return Period(monday, monday + timedelta(days=6))
    end = day.replace(day=calendar.monthrange(day.year, day.month)[1])
    if cadence == Cadence.MONTHLY:
        return Period(day.replace(day=1), end)
    return Period(day.replace(day=1), day.replace(day=15)) if day.day <= 15 else Period(day.replace(day=16), end)


def last_ended(today: date, cadence: str) -> Period:
    """The latest period that is over."""
    return period_of(period_of(today, cadence).first - timedelta(days=1), cadence)


class CommissionKind(StrEnum):
    #: So many hundredths of a per cent of the goods.
    RATE = "rate"
    #: So much for each part of an order.
    FIXED = "fixed"
    #: From then on there is no rule of this scope; the next wider one holds again.
    NONE = "none"


def commission(base_fen: int, kind: str, *, rate_bp: int = 0, fixed_fen: int = 0) -> int:
    """The commission on everything that one part of an order came to under one rule, in fen.

    It is rounded half up once, on that whole. A line bears what the whole bears with it less what it bore without it, so lines in any order
    and in any number of settlements sum to the commission of the whole, and goods that go back take their commission with them. A fixed
    commission is never above what there is to take it from.
    """
    if kind == CommissionKind.RATE:
        return half_up(Decimal(base_fen) * rate_bp / 10_000)
    return min(fixed_fen, max(base_fen, 0)) if kind == CommissionKind.FIXED else 0


def commission_sql(base: str, r: str) -> str:
    """SQL: :func:`commission` of ``base`` by rule ``r``; 0 without one."""
    return (
        f"(CASE {r}.kind WHEN 'rate' THEN round(CAST({base} AS numeric) * {r}.rate_bp / 10000)"
        f" WHEN 'fixed' THEN least({r}.fixed_fen, greatest({base}, 0)) ELSE 0 END)::bigint"
    )


def most_ahead(amount_cap_fen: int | None, lines: Sequence[int | None]) -> int | None:
    """The most that may be paid ahead for an agreement, in fen: what it may come to. That is the smaller of its cap by amount and the sum of what
    its lines may come to. None: nothing bounds it, because it has no cap by amount and a line has none, or no price by today."""
    by_lines = sum(each for each in lines if each is not None) if lines and None not in lines else None
    bounds = [each for each in (amount_cap_fen, by_lines) if each is not None]
    return min(bounds, default=None)


class Hold(StrEnum):
    """Why something that a supplier is owed is not settled yet. The first that applies is told."""

    #: Barred, or suspended as an organisation.
    SUPPLIER_BLOCKED = "supplier_blocked"
    DISPUTE = "dispute"
    RETURN_OPEN = "return_open"
    #: The certificate under which it was sold is suspended, held or revoked.
    CERTIFICATE_STOPPED = "certificate_stopped"
    RETURN_WINDOW = "return_window"
    NO_INVOICE = "no_invoice"
    #: What the order costs fell after the period: the next settlement takes up both.
    WENT_BACK = "went_back"
    #: The buyer says that it paid and the money has not arrived; or its bank took it back and argues.
    NOT_RECEIVED = "not_received"
    UNPAID = "unpaid"


#: What platform finance may lift for a single part of an order, because it may stand for ever.
LIFTABLE = (Hold.SUPPLIER_BLOCKED, Hold.CERTIFICATE_STOPPED, Hold.NO_INVOICE)


@dataclass(frozen=True, slots=True)
class Sums:
    """What a settlement comes to, in fen."""

    advance_used: int
    due: int
    #: At most zero: what the next settlement begins with.
    carried_on: int


def closing(carried: int, net: int, advance: int) -> Sums:
    """What is due of a settlement: what it nets to after what the one before left over (``carried``, at most zero), less what was paid ahead
    (``advance``, at least zero)."""
    open_ = carried + net
    used = min(advance, max(open_, 0))
    return Sums(used, max(open_, 0) - used, min(open_, 0))
