"""Which quantities a shipment and an acceptance may have: pure functions."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from shop.core.errors import Fault
from shop.core.money import line_amount
from shop.core.quantities import is_multiple, plain, weight_of


@dataclass(frozen=True, slots=True)
class OpenLine:
    """A line of a supplier order with what is still to be shipped."""

    order_line_id: int
    sku_id: int
    quantity: Decimal
    shipped: Decimal
    step: Decimal
    net_grams: int


@dataclass(frozen=True, slots=True)
class Shipped:
    order_line_id: int
    sku_id: int
    quantity: Decimal
    grams: int


@dataclass(frozen=True, slots=True)
class ShippedLine:
    """A line of a shipment, as the buyer has to answer it. ``net_grams`` is 0 for services."""

    order_line_id: int
    quantity: Decimal
    grams: int
    net_grams: int
    step: Decimal
    unit_price_fen: int
    ordered: Decimal
    amount_fen: int
    accepted_before: Decimal
    paid_before_fen: int


@dataclass(frozen=True, slots=True)
class Answer:
    """The buyer's answer to one shipped line."""

    order_line_id: int
    accepted_quantity: Decimal
    rejected_quantity: Decimal
    accepted_grams: int | None = None
    rejected_grams: int | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    order_line_id: int
    accepted_quantity: Decimal
    accepted_grams: int
    rejected_quantity: Decimal
    rejected_grams: int
    amount_fen: int
    reason: str | None


def plausible(grams: int, expected: int) -> bool:
    """Whether a weighed weight can be true: within half of what the packs say. Services weigh nothing.

    A slip of the decimal point must not move a district's tonnes.
    """
    return expected <= 2 * grams <= 3 * expected


def _wrong_weight(field: str, expected: int) -> Fault:
    return Fault(
        field,
        "wrong_weight",
        f"重量与数量不符，应约为 {expected} 克",
        f"The weight does not go with the quantity: some {expected} grams are expected",
        {"expected_grams": expected},
    )


def without_vouchers(
    open_lines: Iterable[OpenLine], asked: Mapping[int, tuple[Decimal, int | None]] | None, by_voucher: Collection[int]
) -> tuple[Mapping[int, tuple[Decimal, int | None]], list[Fault]]:
    """What is asked for of lines of which some are redeemed by vouchers: by default everything else that is open."""
    if asked is None:
        rest = (line for line in open_lines if line.shipped < line.quantity and line.order_line_id not in by_voucher)
        return {line.order_line_id: (line.quantity - line.shipped, None) for line in rest}, []
    zh, en = "该行已发放服务券，由核销交付，不能发货", "Vouchers were issued for this line; it is redeemed, not shipped"
    named = [Fault("lines", "redeemed_by_voucher", zh, en, {"order_line_id": each}) for each in asked if each in by_voucher]
    return asked, named


def to_ship(
    open_lines: Iterable[OpenLine], asked: Mapping[int, tuple[Decimal, int | None]] | None
) -> tuple[list[Shipped], list[Fault]]:
    """What goes out: the lines asked for (quantity, weighed grams or None), or everything that is open."""
    by_id = {line.order_line_id: line for line in open_lines}
    if asked is None:
        asked = {
            line.order_line_id: (line.quantity - line.shipped, None) for line in by_id.values() if line.shipped < line.quantity
        }
    shipped, faults = [], []
    for index, (order_line_id, (quantity, grams)) in enumerate(asked.items()):
        line = by_id.get(order_line_id)
        if line is None:
            faults.append(Fault(f"lines[{index}].order_line_id", "unknown_line", "订单没有此行", "The order has no such line"))
        elif quantity > line.quantity - line.shipped:
            left = plain(line.quantity - line.shipped)
            faults.append(
                Fault(
                    f"lines[{index}].quantity",
                    "above_open",
                    f"超过未发数量 {left}",
                    f"Only {left} is left to ship",
                    {"open": left},
                )
            )
        elif not is_multiple(quantity, line.step):
            faults.append(Fault(f"lines[{index}].quantity", "wrong_step", "数量不是步长的整数倍", "Not a multiple of the step"))
        elif grams is not None and not plausible(grams, weight_of(quantity, line.net_grams)):
            faults.append(_wrong_weight(f"lines[{index}].grams", weight_of(quantity, line.net_grams)))
        else:
            weight = weight_of(quantity, line.net_grams) if grams is None else grams
            shipped.append(Shipped(order_line_id, line.sku_id, quantity, weight))
    return shipped, faults


def accepted_amount(line: ShippedLine, accepted: Decimal) -> int:
    """What the accepted quantity costs, in fen.

    Parts are rounded so that they sum to the rounded price of everything accepted so far: many part deliveries of a line cost exactly what
    one delivery costs.
    """
    return line_amount(line.accepted_before + accepted, line.unit_price_fen) - line.paid_before_fen


def answer(lines: Iterable[ShippedLine], answers: Iterable[Answer] | None) -> tuple[list[Accepted], list[Fault]]:
    """The acceptance of every line of a shipment; without ``answers`` all of it is accepted.

    Accepted plus rejected must be what was shipped. Weights that were not measured follow the shipped weight in proportion.
    """
    by_id = {line.order_line_id: line for line in lines}
    given = list(answers) if answers is not None else [Answer(i, line.quantity, Decimal(0)) for i, line in by_id.items()]
    accepted, faults = [], []
    for index, one in enumerate(given):
        line = by_id.pop(one.order_line_id, None)
        if line is None:
            faults.append(
                Fault(
                    f"lines[{index}].order_line_id",
                    "unknown_line",
                    "该批发货没有此行，或重复",
                    "Not in this shipment, or named twice",
                )
            )
        elif one.accepted_quantity + one.rejected_quantity != line.quantity:
            shipped = plain(line.quantity)
            faults.append(
                Fault(
                    f"lines[{index}]",
                    "not_what_was_shipped",
                    f"验收与拒收之和须等于发货数量 {shipped}",
                    f"Accepted plus rejected must be the shipped {shipped}",
                    {"shipped": shipped},
                )
            )
        elif not is_multiple(one.accepted_quantity, line.step):
            faults.append(
                Fault(f"lines[{index}].accepted_quantity", "wrong_step", "数量不是步长的整数倍", "Not a multiple of the step")
            )
        elif one.rejected_quantity and not one.reason:
            faults.append(Fault(f"lines[{index}].reason", "reason_missing", "拒收须注明原因", "A rejection needs a reason"))
        elif fault := _weight_fault(index, one, line):
            faults.append(fault)
        else:
            accepted.append(_accepted(one, line))
    faults += [
        Fault("lines", "line_missing", "有发货行未验收", "A shipped line is not answered", {"order_line_id": missing})
        for missing in by_id
    ]
    return accepted, faults


def _weight_fault(index: int, one: Answer, line: ShippedLine) -> Fault | None:
    pairs = (
        (one.accepted_grams, one.accepted_quantity, "accepted"),
        (one.rejected_grams, one.rejected_quantity, "rejected"),
    )
    for grams, quantity, name in pairs:
        expected = _share(line, quantity)
        if grams is not None and not plausible(grams, expected):
            return _wrong_weight(f"lines[{index}].{name}_grams", expected)
    return None


def _share(line: ShippedLine, quantity: Decimal) -> int:
    """The shipped weight of a part of a line, rounded half up to the gram."""
    return int(line.grams * quantity / line.quantity + Decimal("0.5"))


def _accepted(one: Answer, line: ShippedLine) -> Accepted:
    proportional = _share(line, one.accepted_quantity)
    accepted_grams = proportional if one.accepted_grams is None else one.accepted_grams
    rejected_grams = max(line.grams - proportional, 0) if one.rejected_grams is None else one.rejected_grams
    return Accepted(
        one.order_line_id,
        one.accepted_quantity,
        accepted_grams,
        one.rejected_quantity,
        rejected_grams if one.rejected_quantity else 0,
        accepted_amount(line, one.accepted_quantity),
        one.reason,
    )
