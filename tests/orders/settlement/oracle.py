"""What a settlement takes and pays, by the rules as they are written, in plain Python; the database's own sums are compared with it."""

from dataclasses import dataclass
from decimal import Decimal

from orders.settlement.rules import CommissionKind
from shop.core.money import half_up


def commission(base_fen: int, kind: str, *, rate_bp: int = 0, fixed_fen: int = 0) -> int:
    """The commission on everything that one part of an order came to under one rule, in fen."""
    if kind == CommissionKind.RATE:
        return half_up(Decimal(base_fen) * rate_bp / 10_000)
    return min(fixed_fen, max(base_fen, 0)) if kind == CommissionKind.FIXED else 0


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
