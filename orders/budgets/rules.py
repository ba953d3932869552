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
    """``wanted``: what was ordered and was not rejected or lost and will still come; ``open``: its part is neither rejected nor cancelled."""

    wanted: Decimal
    accepted: Decimal
    unit_price_fen: int
    open: bool


def reserved_by(lines: Iterable[OrderedLine]) -> int:
    """Fen still reserved for goods: what will have to be paid, less what was accepted. The price of a part is rounded as its acceptance
    rounds it, so that reserved and consumed together are what the order costs."""
    return sum(
        line_amount(line.wanted, line.unit_price_fen) - line_amount(line.accepted, line.unit_price_fen)
        for line in lines
        if line.open
    )
