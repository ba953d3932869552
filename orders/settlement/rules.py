"""Periods, commission and holds: what a settlement with a supplier goes by. Pure."""

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from shop.core.money import share_out


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


def commission_sql(base: str, r: str) -> str:
    """SQL: the commission on everything that one part of an order came to (``base``, in fen) under rule ``r``; 0 without one.

    It is rounded half up once, on that whole. A line bears what the whole bears with it less what it bore without it, so lines in any order
    and in any number of settlements sum to the commission of the whole, and goods that go back take their commission with them. A fixed
    commission is never above what there is to take it from.
    """
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


class LossReason(StrEnum):
    """Why what a supplier bears of lost payments changed."""

    #: The buyer's bank took the payment back for good.
    LOST = "lost"
    #: It gave it back after all.
    WON = "won"
    #: The buyer paid again, or owes less.
    COVERED = "covered"


@dataclass(frozen=True, slots=True)
class SettledPart:
    """A part of an order: what it costs by now, what settlements took up of it, and what its supplier bears of lost payments, in fen."""

    id: int
    cost_fen: int
    settled_fen: int
    borne_fen: int = 0
    supplier_id: int = 0
    purchase_order_id: int = 0


def uncovered(parts: Sequence[SettledPart], there_fen: int) -> list[int]:
    """What was settled of each part, is still owed for it, and is not there: what is there of the buyer's money is shared out over the parts by what
    they cost, as a settlement run does it."""
    costs = [part.cost_fen for part in parts]
    if not sum(costs):
        return [0] * len(parts)
    shares = share_out(min(max(there_fen, 0), sum(costs)), costs)
    return [max(min(part.settled_fen, part.cost_fen) - share, 0) for part, share in zip(parts, shares, strict=True)]


def to_bear(parts: Sequence[SettledPart], there_fen: int, lost_fen: int) -> dict[int, int]:
    """What the supplier of each part bears of a payment that was lost: what is not covered of it and nobody bears yet, all together at most
    what was lost."""
    gaps = [max(fen - part.borne_fen, 0) for part, fen in zip(parts, uncovered(parts, there_fen), strict=True)]
    if not sum(gaps):
        return {}
    shares = share_out(min(lost_fen, sum(gaps)), gaps)
    return {part.id: fen for part, fen in zip(parts, shares, strict=True) if fen}


def to_give_back(parts: Sequence[SettledPart], there_fen: int) -> dict[int, int]:
    """What the supplier of each part bears and is covered by now."""
    gaps = zip(parts, uncovered(parts, there_fen), strict=True)
    return {part.id: part.borne_fen - fen for part, fen in gaps if part.borne_fen > fen}


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


def used_sql(carried: str, net: str, advance: str) -> str:
    """SQL: what a settlement uses up of what was paid ahead (``advance``, at least zero): as much as is due of what it nets to after what the
    one before left over (``carried``, at most zero)."""
    return f"least({advance}, greatest({carried} + {net}, 0))"


def carried_sql(carried: str, net: str) -> str:
    """SQL: what the settlement after one begins with, at most zero."""
    return f"least({carried} + {net}, 0)"
