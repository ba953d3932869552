"""What of an order weighs on a budget: pure functions. ``actions.redraw`` says the same in SQL; a test holds them equal."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from shop.core.money import line_amount


class Holder(StrEnum):
    """What draws on a budget."""

    PURCHASE_REQUEST = "purchase_request"
    PURCHASE_ORDER = "purchase_order"


@dataclass(frozen=True, slots=True)
class OrderedLine:
    """``open``: its part is neither rejected nor cancelled."""

    amount_fen: int
    unit_price_fen: int
    answered_quantity: Decimal
    open: bool


def reserved_by(lines: Iterable[OrderedLine]) -> int:
    """Fen still reserved for an order: what was ordered and is neither accepted nor rejected. The price of a part is rounded as its
    acceptance rounds it, so that reserved and consumed together never pass what was ordered."""
    return sum(line.amount_fen - line_amount(line.answered_quantity, line.unit_price_fen) for line in lines if line.open)
