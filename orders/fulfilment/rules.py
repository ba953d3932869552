"""Which quantities a shipment and an acceptance may have: pure functions."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from catalog.products.rules import GRAMS_OF, is_measure
from shop.core.errors import Fault
from shop.core.money import line_amount
from shop.core.quantities import plain, weight_of


class RejectReason(StrEnum):
    """Why goods were rejected, or did not arrive."""

    DAMAGED = "damaged"
    SPOILED = "spoiled"
    WRONG_GOODS = "wrong_goods"
    SHORT_WEIGHT = "short_weight"
    QUALITY = "quality"
    LATE = "late"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class OpenLine:
    """A line of a supplier order. ``open`` of it is still to be shipped; ``unit`` tells goods that are weighed."""

    order_line_id: int
    sku_id: int
    quantity: Decimal
    open: Decimal
    step: Decimal
    net_grams: int
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """What the supplier says of a line that it sends. ``short``: the rest of the line will not come."""

    order_line_id: int
    quantity: Decimal
    grams: int | None = None
    short: bool = False
    lot: str | None = None
    origin: str | None = None
    produced_on: date | None = None
    best_before: date | None = None


@dataclass(frozen=True, slots=True)
class Shipped:
    """A line as it goes out; ``closed`` is what will not come."""

    sent: Sent
    sku_id: int
    grams: int
    closed: Decimal


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
    unit: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The buyer's answer to one shipped line."""

    order_line_id: int
    accepted_quantity: Decimal
    rejected_quantity: Decimal
    accepted_grams: int | None = None
    rejected_grams: int | None = None
    reason: str | None = None
    #: What was shipped and did not arrive.
    difference_quantity: Decimal = Decimal(0)
    reason_code: RejectReason | None = None
    photo_ids: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Accepted:
    order_line_id: int
    accepted_quantity: Decimal
    accepted_grams: int
    rejected_quantity: Decimal
    rejected_grams: int
    amount_fen: int
    reason: str | None
    difference_quantity: Decimal = Decimal(0)
    reason_code: RejectReason | None = None
    photo_ids: Sequence[int] = ()


def plausible(grams: int, expected: int, unit: str) -> bool:
    """Whether a weighed weight can be true: within half of what the packs say; of goods sold by weight it is the quantity itself. Services weigh
    nothing.

    A slip of the decimal point must not move a district's tonnes.
    """
    return grams == expected if unit in GRAMS_OF else expected <= 2 * grams <= 3 * expected


def wrong_weight(field: str, expected: int, unit: str, *, accepting: bool = False) -> Fault:
    """What is said of a weight that is not :func:`plausible`. Of goods sold by weight the quantity is what was weighed; the buyer's answer to what was
    shipped (``accepting``) says what became of the rest."""
    zh = f"重量与数量不符，应约为 {expected} 克"
    en = f"The weight does not go with the quantity: some {expected} grams are expected"
    if unit in GRAMS_OF:
        zh = f"按重量销售的货物，重量须与数量一致（{expected} 克）；称重不同的请改数量"
        en = f"Of goods sold by weight the quantity is the weight: {expected} grams. Say what was weighed by the quantity"
        if accepting:
            zh += "，差额填入 difference_quantity（途损）或拒收数量"
            en += "; the rest is difference_quantity, or rejected"
    return Fault(field, "wrong_weight", zh, en, {"expected_grams": expected})


def without_vouchers(
    open_lines: Iterable[OpenLine], asked: Sequence[Sent] | None, by_voucher: Collection[int]
) -> tuple[list[Sent], list[Fault]]:
    """What is asked for of lines of which some are redeemed by vouchers: by default everything else that is open."""
    if asked is None:
        rest = (line for line in open_lines if line.open and line.order_line_id not in by_voucher)
        return [Sent(line.order_line_id, line.open) for line in rest], []
    zh, en = "该行已发放服务券，由核销交付，不能发货", "Vouchers were issued for this line; it is redeemed, not shipped"
    named = [
        Fault("lines", "redeemed_by_voucher", zh, en, {"order_line_id": one.order_line_id})
        for one in asked
        if one.order_line_id in by_voucher
    ]
    return list(asked), named


def to_ship(
    open_lines: Iterable[OpenLine], asked: Iterable[Sent] | None, *, today: date, short_percent: int = 0
) -> tuple[list[Shipped], list[Fault]]:
    """What goes out: the lines asked for, or everything that is open. Of goods that are weighed the supplier may leave out up to
    ``short_percent`` of the ordered quantity without asking."""
    by_id = {line.order_line_id: line for line in open_lines}
    if asked is None:
        asked = [Sent(line.order_line_id, line.open) for line in by_id.values() if line.open]
    shipped, faults = [], []
    for index, one in enumerate(asked):
        line = by_id.get(one.order_line_id)
        fault = _shipping_fault(f"lines[{index}]", one, line, today, short_percent)
        if fault or line is None:
            faults.append(fault or _unknown_line(f"lines[{index}].order_line_id"))
        else:
            weight = weight_of(one.quantity, line.net_grams) if one.grams is None else one.grams
            shipped.append(Shipped(one, line.sku_id, weight, line.open - one.quantity if one.short else Decimal(0)))
    return shipped, faults


def _unknown_line(field: str) -> Fault:
    return Fault(field, "unknown_line", "订单没有此行", "The order has no such line")


def _shipping_fault(field: str, one: Sent, line: OpenLine | None, today: date, short_percent: int) -> Fault | None:
    if line is None:
        return _unknown_line(f"{field}.order_line_id")
    if one.quantity > line.open:
        left = plain(line.open)
        return Fault(f"{field}.quantity", "above_open", f"超过未发数量 {left}", f"Only {left} is left to ship", {"open": left})
    if not is_measure(one.quantity, line.step, line.unit):
        return Fault(f"{field}.quantity", "wrong_step", "数量不是步长的整数倍", "Not a multiple of the step")
    if one.grams is not None and not plausible(one.grams, weight_of(one.quantity, line.net_grams), line.unit):
        return wrong_weight(f"{field}.grams", weight_of(one.quantity, line.net_grams), line.unit)
    if one.short and line.unit not in GRAMS_OF:
        return Fault(
            f"{field}.short",
            "not_weighed",
            "只有按重量计价的产品可以按实际重量结清；减少数量须经采购单位同意",
            "Only goods that are weighed may come short; the buyer has to agree to a smaller quantity",
        )
    if one.short and (line.open - one.quantity) * 100 > line.quantity * short_percent:
        return Fault(
            f"{field}.short",
            "too_short",
            f"少发超过订购重量的 {short_percent}%，须经采购单位同意",
            f"More than {short_percent} % of the ordered weight would be missing; the buyer has to agree to that",
            {"percent": short_percent},
        )
    return _date_fault(field, one, today)


def _date_fault(field: str, one: Sent, today: date) -> Fault | None:
    if one.produced_on and one.produced_on > today:
        return Fault(f"{field}.produced_on", "in_future", "生产日期不能晚于今天", "It cannot be produced after today")
    if one.best_before and one.best_before < today:
        return Fault(f"{field}.best_before", "past_best_before", "已过保质期", "Its best-before date has passed")
    if one.produced_on and one.best_before and one.best_before < one.produced_on:
        return Fault(
            f"{field}.best_before", "before_produced", "保质期不能早于生产日期", "The best-before date lies before the production"
        )
    return None


def accepted_amount(line: ShippedLine, accepted: Decimal) -> int:
    """What the accepted quantity costs, in fen.

    Parts are rounded so that they sum to the rounded price of everything accepted so far: many part deliveries of a line cost exactly what
    one delivery costs.
    """
    return line_amount(line.accepted_before + accepted, line.unit_price_fen) - line.paid_before_fen


def answer(
    lines: Iterable[ShippedLine], answers: Iterable[Answer] | None, photos: Collection[int] = ()
) -> tuple[list[Accepted], list[Fault]]:
    """The acceptance of every line of a shipment; without ``answers`` all of it is accepted.

    Accepted plus rejected plus what did not arrive must be what was shipped: never more is accepted than was sent. Weights that were not
    measured follow the shipped weight in proportion. ``photos``: ids of those that were taken of the shipment.
    """
    by_id = {line.order_line_id: line for line in lines}
    given = list(answers) if answers is not None else [Answer(i, line.quantity, Decimal(0)) for i, line in by_id.items()]
    accepted, faults = [], []
    for index, one in enumerate(given):
        line = by_id.pop(one.order_line_id, None)
        if line is None:
            zh, en = "该批发货没有此行，或重复", "Not in this shipment, or named twice"
            faults.append(Fault(f"lines[{index}].order_line_id", "unknown_line", zh, en))
        elif fault := _answer_fault(f"lines[{index}]", one, line, photos) or _weight_fault(index, one, line):
            faults.append(fault)
        else:
            accepted.append(_accepted(one, line))
    faults += [
        Fault("lines", "line_missing", "有发货行未验收", "A shipped line is not answered", {"order_line_id": missing})
        for missing in by_id
    ]
    return accepted, faults


def _answer_fault(field: str, one: Answer, line: ShippedLine, photos: Collection[int]) -> Fault | None:
    if one.accepted_quantity + one.rejected_quantity + one.difference_quantity != line.quantity:
        shipped = plain(line.quantity)
        return Fault(
            field,
            "not_what_was_shipped",
            f"验收、拒收与短少之和须等于发货数量 {shipped}",
            f"Accepted plus rejected plus missing must be the shipped {shipped}",
            {"shipped": shipped},
        )
    for name in ("accepted_quantity", "rejected_quantity"):
        if not is_measure(getattr(one, name), line.step, line.unit):
            return Fault(f"{field}.{name}", "wrong_step", "数量不是步长的整数倍", "Not a multiple of the step")
    if one.accepted_quantity < line.quantity and not one.reason and one.reason_code in (None, RejectReason.OTHER):
        return Fault(f"{field}.reason", "reason_missing", "拒收或短少须注明原因", "What is rejected or missing needs a reason")
    if unknown := sorted(set(one.photo_ids) - set(photos)):
        return Fault(f"{field}.photo_ids", "unknown_photo", "该批发货没有此照片", "Not a photo of this shipment", {"ids": unknown})
    return None


def _weight_fault(index: int, one: Answer, line: ShippedLine) -> Fault | None:
    pairs = (
        (one.accepted_grams, one.accepted_quantity, "accepted"),
        (one.rejected_grams, one.rejected_quantity, "rejected"),
    )
    for grams, quantity, name in pairs:
        expected = _share(line, quantity)
        if grams is not None and not plausible(grams, expected, line.unit):
            return wrong_weight(f"lines[{index}].{name}_grams", expected, line.unit, accepting=True)
    return None


def _share(line: ShippedLine, quantity: Decimal) -> int:
    """The shipped weight of a part of a line, rounded half up to the gram."""
    return int(line.grams * quantity / line.quantity + Decimal("0.5"))


def _accepted(one: Answer, line: ShippedLine) -> Accepted:
    proportional = _share(line, one.accepted_quantity)
    # cut from the shipped weight, so that parts that were not weighed sum to it
    rest = max(_share(line, one.accepted_quantity + one.rejected_quantity) - proportional, 0)
    refused = line.quantity - one.accepted_quantity
    return Accepted(
        one.order_line_id,
        one.accepted_quantity,
        proportional if one.accepted_grams is None else one.accepted_grams,
        one.rejected_quantity,
        0 if not one.rejected_quantity else rest if one.rejected_grams is None else one.rejected_grams,
        accepted_amount(line, one.accepted_quantity),
        one.reason,
        one.difference_quantity,
        (one.reason_code or RejectReason.OTHER) if refused else None,
        one.photo_ids,
    )


def arrival(shipped_on: date, expected_on: date | None) -> date:
    """From when on the buyer has time to answer: the day on which the delivery should arrive, or on which it left."""
    return max(shipped_on, expected_on or shipped_on)


def shipment_number(shipment_id: int, shipped_on: date) -> str:
    """The number that stands on the delivery note."""
    return f"FH{shipped_on:%Y%m%d}{shipment_id:06}"
